"""The Gumbel distribution."""

import math

import numpy as np

from ..base.dtypes import finfo
from ..tensor import Tensor
from ..tensor.api.creation import full_like
from . import constraints
from .parameters import broadcast_all
from .transformed_distribution import TransformedDistribution
from .transforms import AffineTransform, ExpTransform
from .uniform import Uniform

EULER = float(np.euler_gamma)


class Gumbel(TransformedDistribution):
    """The distribution of Gumbel, of the largest of many numbers, around its mode loc.

    loc and scale: numbers, or tensors of shapes that broadcast and a floating dtype.  Raises ArgumentError for a scale that is not
    positive.  Source: standard definition.

        Gumbel(0.0, 1.0).mean   # tensor(0.5772)
    """

    arg_constraints = {"loc": constraints.real, "scale": constraints.positive}
    support = constraints.real

    def __init__(self, loc: Tensor | float, scale: Tensor | float, validate_args: bool | None = None):
        loc, scale = broadcast_all(loc, scale)
        self._keep({"loc": loc, "scale": scale})
        limits = finfo(loc.dtype)
        base = Uniform(full_like(loc, limits.tiny), full_like(loc, 1 - limits.eps), validate_args=False)
        steps = [ExpTransform().inv, AffineTransform(0.0, -1.0), ExpTransform().inv, AffineTransform(loc, -scale)]
        super().__init__(base, steps, validate_args=validate_args)

    def _log_prob(self, value):
        z = (self.loc - value) / self.scale
        return z - z.exp() - self.scale.log()

    def _cdf(self, value):
        return (-((self.loc - value) / self.scale).exp()).exp()

    def _icdf(self, value):
        return self.loc - self.scale * (-value.log()).log()

    @property
    def mean(self) -> Tensor:
        """loc + 0.5772 scale."""
        return self.loc + EULER * self.scale

    @property
    def mode(self) -> Tensor:
        """loc."""
        return self.loc

    @property
    def stddev(self) -> Tensor:
        """pi scale / sqrt(6)."""
        return math.pi / math.sqrt(6) * self.scale

    @property
    def variance(self) -> Tensor:
        """(pi scale)**2 / 6."""
        return self.stddev**2

    def entropy(self) -> Tensor:
        """log(scale) + 1 + 0.5772."""
        return self.scale.log() + (1 + EULER)
