"""The exponential distribution."""

from ..tensor import Tensor
from ..tensor.api.creation import zeros_like
from . import constraints, noise
from .distribution import SampleShape
from .exp_family import ExponentialFamily


class Exponential(ExponentialFamily):
    """The exponential distribution: times between events that happen rate times in a unit of time.

    rate: a number, or a tensor of any shape and a floating dtype.  Raises ArgumentError for a rate that is not positive.  Source:
    standard definition.

        Exponential(2.0).mean   # tensor(0.5000)
    """

    arg_constraints = {"rate": constraints.positive}
    support = constraints.nonnegative
    has_rsample = True
    _mean_carrier_measure = 0

    def __init__(self, rate: Tensor | float, validate_args: bool | None = None):
        self._begin(validate_args, rate=rate)

    @property
    def mean(self) -> Tensor:
        """1 / rate."""
        return self.rate.reciprocal()

    @property
    def mode(self) -> Tensor:
        """0."""
        return zeros_like(self.rate)

    @property
    def stddev(self) -> Tensor:
        """1 / rate."""
        return self.rate.reciprocal()

    @property
    def variance(self) -> Tensor:
        """1 / rate**2."""
        return self.rate**-2

    def rsample(self, sample_shape: SampleShape = ()) -> Tensor:
        """See Distribution."""
        return noise.exponential(self._extended_shape(sample_shape), self.rate) / self.rate

    def _log_prob(self, value):
        return self.rate.log() - self.rate * value

    def _cdf(self, value):
        return -(-self.rate * value).expm1()

    def _icdf(self, value):
        return -(-value).log1p() / self.rate

    def entropy(self) -> Tensor:
        """1 - log(rate)."""
        return 1 - self.rate.log()

    @property
    def _natural_params(self):
        return (-self.rate,)

    def _log_normalizer(self, x):
        return -(-x).log()
