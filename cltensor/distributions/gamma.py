"""The gamma distribution."""

from ..special import xlogy
from ..tensor import Tensor
from ..tensor.random.implicit import standard_gamma
from . import constraints
from .distribution import SampleShape
from .exp_family import ExponentialFamily


class Gamma(ExponentialFamily):
    """The gamma distribution of shape parameter concentration, and rate, the inverse of the scale.

    concentration and rate: numbers, or tensors of shapes that broadcast and a floating dtype.  Samples follow the concentration by
    implicit gradients, to about 1e-6 in float32 and 1e-12 in float64; they are at least the smallest normal number.  `cdf` has no
    gradient for the concentration.  Raises ArgumentError for parameters that are not positive.  Source: Marsaglia and Tsang 2000,
    "A simple method for generating gamma variables"; Figurnov et al. 2018, "Implicit reparameterization gradients".

        Gamma(2.0, 0.5).mean   # tensor(4.)
    """

    arg_constraints = {"concentration": constraints.positive, "rate": constraints.positive}
    support = constraints.nonnegative
    has_rsample = True
    _mean_carrier_measure = 0

    def __init__(self, concentration: Tensor | float, rate: Tensor | float, validate_args: bool | None = None):
        self._begin(validate_args, concentration=concentration, rate=rate)

    @property
    def mean(self) -> Tensor:
        """concentration / rate."""
        return self.concentration / self.rate

    @property
    def mode(self) -> Tensor:
        """(concentration - 1) / rate, or 0."""
        return ((self.concentration - 1) / self.rate).clamp(min=0)

    @property
    def variance(self) -> Tensor:
        """concentration / rate**2."""
        return self.concentration / self.rate**2

    def rsample(self, sample_shape: SampleShape = ()) -> Tensor:
        """See Distribution."""
        return standard_gamma(self.concentration.expand(self._extended_shape(sample_shape))) / self.rate

    def _log_prob(self, value):
        a = self.concentration
        return xlogy(a, self.rate) + xlogy(a - 1, value) - self.rate * value - a.lgamma()

    def _cdf(self, value):
        return self.concentration.igamma(self.rate * value)

    def entropy(self) -> Tensor:
        """a - log(rate) + lgamma(a) + (1 - a) digamma(a) for the concentration a."""
        a = self.concentration
        return a - self.rate.log() + a.lgamma() + (1 - a) * a.digamma()

    @property
    def _natural_params(self):
        return self.concentration - 1, -self.rate

    def _log_normalizer(self, x, y):
        return (x + 1).lgamma() - (x + 1) * (-y).log()
