"""The Cauchy distribution."""

import math

from ..tensor import Tensor
from ..tensor.api.creation import empty, full_like
from . import constraints
from .distribution import Distribution, SampleShape


class Cauchy(Distribution):
    """The distribution of Cauchy, or Lorentz, around loc of half width scale at half height.

    loc and scale: numbers, or tensors of shapes that broadcast and a floating dtype.  It has no mean (NaN) and infinite variance.
    Raises ArgumentError for a scale that is not positive.  Source: standard definition.

        Cauchy(0.0, 1.0).icdf(cltensor.tensor(0.75))   # tensor(1.0000)
    """

    arg_constraints = {"loc": constraints.real, "scale": constraints.positive}
    support = constraints.real
    has_rsample = True

    def __init__(self, loc: Tensor | float, scale: Tensor | float, validate_args: bool | None = None):
        self._begin(validate_args, loc=loc, scale=scale)

    @property
    def mean(self) -> Tensor:
        """NaN."""
        return full_like(self.loc, math.nan)

    @property
    def mode(self) -> Tensor:
        """loc."""
        return self.loc

    @property
    def variance(self) -> Tensor:
        """Infinity."""
        return full_like(self.loc, math.inf)

    def rsample(self, sample_shape: SampleShape = ()) -> Tensor:
        """See Distribution."""
        noise = empty(self._extended_shape(sample_shape), dtype=self.loc.dtype, device=self.loc.device).cauchy_()
        return self.loc + self.scale * noise

    def _log_prob(self, value):
        return -math.log(math.pi) - self.scale.log() - (((value - self.loc) / self.scale) ** 2).log1p()

    def _cdf(self, value):
        return ((value - self.loc) / self.scale).atan() / math.pi + 0.5

    def _icdf(self, value):
        return self.loc + self.scale * (math.pi * (value - 0.5)).tan()

    def entropy(self) -> Tensor:
        """log(4 pi scale)."""
        return math.log(4 * math.pi) + self.scale.log()
