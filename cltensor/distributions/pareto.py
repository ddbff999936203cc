"""The Pareto distribution."""

import math

from ..tensor import Tensor
from . import constraints
from .exponential import Exponential
from .parameters import broadcast_all
from .transformed_distribution import TransformedDistribution
from .transforms import AffineTransform, ExpTransform


class Pareto(TransformedDistribution):
    """The Pareto distribution from scale on, whose tail falls as a power alpha.

    scale and alpha: numbers, or tensors of shapes that broadcast and a floating dtype.  The mean is infinite for alpha <= 1, the
    variance for alpha <= 2.  Raises ArgumentError for parameters that are not positive.  Source: standard definition.

        Pareto(1.0, 3.0).mean   # tensor(1.5000)
    """

    arg_constraints = {"alpha": constraints.positive, "scale": constraints.positive}

    def __init__(self, scale: Tensor | float, alpha: Tensor | float, validate_args: bool | None = None):
        scale, alpha = broadcast_all(scale, alpha)
        self._keep({"scale": scale, "alpha": alpha})
        base = Exponential(alpha, validate_args=validate_args)
        super().__init__(base, [ExpTransform(), AffineTransform(0.0, scale)], validate_args=validate_args)

    @constraints.dependent_property(is_discrete=False, event_dim=0)
    def support(self) -> constraints.Constraint:
        """From scale on."""
        return constraints.greater_than_eq(self.scale)

    @property
    def mean(self) -> Tensor:
        """alpha scale / (alpha - 1)."""
        a = self.alpha
        return (a * self.scale / (a - 1)).where(a > 1, math.inf)

    @property
    def mode(self) -> Tensor:
        """scale."""
        return self.scale

    @property
    def variance(self) -> Tensor:
        """scale**2 alpha / ((alpha - 1)**2 (alpha - 2))."""
        a = self.alpha
        return (self.scale**2 * a / ((a - 1) ** 2 * (a - 2))).where(a > 2, math.inf)

    def entropy(self) -> Tensor:
        """log(scale / alpha) + 1 + 1 / alpha."""
        return (self.scale / self.alpha).log() + 1 + self.alpha.reciprocal()
