"""The Kumaraswamy distribution."""

import math

from ..tensor import Tensor
from ..tensor.api.creation import full_like
from . import constraints
from .distribution import SampleShape
from .gumbel import EULER
from .parameters import broadcast_all
from .transformed_distribution import TransformedDistribution
from .transforms import AffineTransform, PowerTransform
from .uniform import Uniform


class Kumaraswamy(TransformedDistribution):
    """The Kumaraswamy distribution on [0, 1], much like beta's: its distribution function is 1 - (1 - x**a)**b.

    concentration1 (a) and concentration0 (b): numbers, or tensors of shapes that broadcast and a floating dtype.  Raises
    ArgumentError for parameters that are not positive.  Source: Kumaraswamy 1980, "A generalized probability density function for
    double-bounded random processes".

        Kumaraswamy(2.0, 1.0).mean   # tensor(0.6667)
    """

    arg_constraints = {"concentration1": constraints.positive, "concentration0": constraints.positive}
    support = constraints.unit_interval
    has_rsample = True

    def __init__(self, concentration1: Tensor | float, concentration0: Tensor | float, validate_args: bool | None = None):
        one, zero = broadcast_all(concentration1, concentration0)
        self._keep({"concentration1": one, "concentration0": zero})
        base = Uniform(full_like(zero, 0), full_like(zero, 1), validate_args=validate_args)
        steps = [PowerTransform(zero.reciprocal()), AffineTransform(1.0, -1.0), PowerTransform(one.reciprocal())]
        super().__init__(base, steps, validate_args=validate_args)

    def _log_prob(self, value):
        a, b = self.concentration1, self.concentration0
        return a.log() + b.log() + (a - 1) * value.log() + (b - 1) * (-(value**a)).log1p()

    def _cdf(self, value):
        return -(self.concentration0 * (-(value**self.concentration1)).log1p()).expm1()

    def _icdf(self, value):
        return (-((-value).log1p() / self.concentration0).expm1()) ** self.concentration1.reciprocal()

    def rsample(self, sample_shape: SampleShape = ()) -> Tensor:
        """See Distribution."""
        return self._icdf(self.base_dist.rsample(sample_shape))

    def _moment(self, n):
        a, b = self.concentration1, self.concentration0
        m = 1 + n / a
        return (b.log() + m.lgamma() + b.lgamma() - (m + b).lgamma()).exp()

    @property
    def mean(self) -> Tensor:
        """b B(1 + 1 / a, b)."""
        return self._moment(1)

    @property
    def mode(self) -> Tensor:
        """((a - 1) / (a b - 1))**(1 / a), NaN where a or b is below 1."""
        a, b = self.concentration1, self.concentration0
        found = ((a - 1) / (a * b - 1)) ** a.reciprocal()
        return found.where((a >= 1) & (b >= 1), math.nan)

    @property
    def variance(self) -> Tensor:
        """b B(1 + 2 / a, b) less the square of the mean."""
        return self._moment(2) - self._moment(1) ** 2

    def entropy(self) -> Tensor:
        """1 - 1 / b + (1 - 1 / a) (digamma(b + 1) + 0.5772) - log(a b)."""
        a, b = self.concentration1, self.concentration0
        return (1 - b.reciprocal()) + (1 - a.reciprocal()) * ((b + 1).digamma() + EULER) - a.log() - b.log()
