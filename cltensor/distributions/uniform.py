"""The uniform distribution."""

from ..tensor import Tensor
from ..tensor.api.creation import full_like
from . import constraints
from .distribution import Distribution, SampleShape
from .noise import uniform


class Uniform(Distribution):
    """The uniform distribution from low to high.

    low and high: numbers, or tensors of shapes that broadcast and a floating dtype.  Samples lie in [low, high).  Raises
    ArgumentError unless low < high.  Source: standard definition.

        Uniform(0.0, 4.0).mean   # tensor(2.)
    """

    has_rsample = True

    def __init__(self, low: Tensor | float, high: Tensor | float, validate_args: bool | None = None):
        self._begin(validate_args, low=low, high=high)

    @property
    def arg_constraints(self) -> dict[str, constraints.Constraint]:
        """low lies below high."""
        return {"low": constraints.less_than(self.high), "high": constraints.greater_than(self.low)}

    @constraints.dependent_property(is_discrete=False, event_dim=0)
    def support(self) -> constraints.Constraint:
        """From low to high."""
        return constraints.interval(self.low, self.high)

    @property
    def mean(self) -> Tensor:
        """The middle."""
        return (self.high + self.low) / 2

    @property
    def mode(self) -> Tensor:
        """NaN: all values are as probable."""
        return full_like(self.low, float("nan"))

    @property
    def variance(self) -> Tensor:
        """(high - low)**2 / 12."""
        return (self.high - self.low) ** 2 / 12

    @property
    def stddev(self) -> Tensor:
        """(high - low) / sqrt(12)."""
        return (self.high - self.low) / 12**0.5

    def rsample(self, sample_shape: SampleShape = ()) -> Tensor:
        """See Distribution."""
        return self._icdf(uniform(self._extended_shape(sample_shape), self.low))

    def _log_prob(self, value):
        inside = (value >= self.low) & (value < self.high)
        return inside.to(self.low.dtype).log() - (self.high - self.low).log()

    def _cdf(self, value):
        return ((value - self.low) / (self.high - self.low)).clamp(min=0, max=1)

    def _icdf(self, value):
        return self.low + value * (self.high - self.low)

    def entropy(self) -> Tensor:
        """log(high - low)."""
        return (self.high - self.low).log()
