"""The Poisson distribution."""

from ..autograd.modes import no_grad
from ..special import xlogy
from ..tensor import Tensor
from ..tensor.random.sampling import poisson
from . import constraints
from .distribution import SampleShape
from .exp_family import ExponentialFamily


class Poisson(ExponentialFamily):
    """The Poisson distribution: how many events happen where rate are expected.

    rate: a number, or a tensor of any shape and a floating dtype; samples have its dtype.  Raises ArgumentError for a negative
    rate.  Source: standard definition; Hörmann 1993 for samples.

        Poisson(4.0).log_prob(cltensor.tensor(0.0))   # tensor(-4.)
    """

    arg_constraints = {"rate": constraints.nonnegative}
    support = constraints.nonnegative_integer

    def __init__(self, rate: Tensor | float, validate_args: bool | None = None):
        self._begin(validate_args, rate=rate)

    @property
    def mean(self) -> Tensor:
        """rate."""
        return self.rate

    @property
    def mode(self) -> Tensor:
        """rate rounded down."""
        return self.rate.floor()

    @property
    def variance(self) -> Tensor:
        """rate."""
        return self.rate

    def sample(self, sample_shape: SampleShape = ()) -> Tensor:
        """See Distribution."""
        with no_grad():
            return poisson(self.rate.expand(self._extended_shape(sample_shape)))

    def _log_prob(self, value):
        return xlogy(value, self.rate) - self.rate - (value + 1).lgamma()

    @property
    def _natural_params(self):
        return (self.rate.log(),)

    def _log_normalizer(self, x):
        return x.exp()
