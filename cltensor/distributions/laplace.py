"""The Laplace distribution."""

import math

from ..tensor import Tensor
from . import constraints
from .distribution import Distribution, SampleShape
from .noise import inner_uniform


class Laplace(Distribution):
    """The distribution of Laplace around loc, whose density falls by exp(-1) over scale on either side.

    loc and scale: numbers, or tensors of shapes that broadcast and a floating dtype.  Raises ArgumentError for a scale that is not
    positive.  Source: standard definition.

        Laplace(0.0, 1.0).cdf(cltensor.tensor(0.0))   # tensor(0.5000)
    """

    arg_constraints = {"loc": constraints.real, "scale": constraints.positive}
    support = constraints.real
    has_rsample = True

    def __init__(self, loc: Tensor | float, scale: Tensor | float, validate_args: bool | None = None):
        self._begin(validate_args, loc=loc, scale=scale)

    @property
    def mean(self) -> Tensor:
        """loc."""
        return self.loc

    @property
    def mode(self) -> Tensor:
        """loc."""
        return self.loc

    @property
    def variance(self) -> Tensor:
        """2 scale**2."""
        return 2 * self.scale**2

    @property
    def stddev(self) -> Tensor:
        """sqrt(2) scale."""
        return math.sqrt(2) * self.scale

    def rsample(self, sample_shape: SampleShape = ()) -> Tensor:
        """See Distribution."""
        return self._icdf(inner_uniform(self._extended_shape(sample_shape), self.loc))

    def _log_prob(self, value):
        return -(2 * self.scale).log() - (value - self.loc).abs() / self.scale

    def _cdf(self, value):
        z = (value - self.loc) / self.scale
        return 0.5 - 0.5 * z.sign() * (-z.abs()).expm1()

    def _icdf(self, value):
        t = value - 0.5
        return self.loc - self.scale * t.sign() * (-2 * t.abs()).log1p()

    def entropy(self) -> Tensor:
        """1 + log(2 scale)."""
        return 1 + (2 * self.scale).log()
