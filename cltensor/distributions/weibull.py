"""The Weibull distribution."""

from ..tensor import Tensor
from ..tensor.api.creation import ones_like, zeros_like
from . import constraints
from .exponential import Exponential
from .gumbel import EULER
from .parameters import broadcast_all
from .transformed_distribution import TransformedDistribution
from .transforms import AffineTransform, PowerTransform


class Weibull(TransformedDistribution):
    """The Weibull distribution: scale times exponential numbers to the power 1 / concentration.

    scale and concentration: numbers, or tensors of shapes that broadcast and a floating dtype.  Raises ArgumentError for parameters
    that are not positive.  Source: standard definition.

        Weibull(2.0, 1.0).mean   # tensor(2.)
    """

    arg_constraints = {"scale": constraints.positive, "concentration": constraints.positive}
    support = constraints.positive

    def __init__(self, scale: Tensor | float, concentration: Tensor | float, validate_args: bool | None = None):
        scale, concentration = broadcast_all(scale, concentration)
        self._keep({"scale": scale, "concentration": concentration})
        base = Exponential(ones_like(scale), validate_args=validate_args)
        steps = [PowerTransform(concentration.reciprocal()), AffineTransform(0.0, scale)]
        super().__init__(base, steps, validate_args=validate_args)

    def _moment(self, n):
        return (n * self.concentration.reciprocal() + 1).lgamma().exp()

    @property
    def mean(self) -> Tensor:
        """scale Gamma(1 + 1 / concentration)."""
        return self.scale * self._moment(1)

    @property
    def mode(self) -> Tensor:
        """scale ((c - 1) / c)**(1 / c) for the concentration c, 0 below 1."""
        c = self.concentration
        return (self.scale * ((c - 1) / c).clamp(min=0) ** c.reciprocal()).where(c > 1, zeros_like(c))

    @property
    def variance(self) -> Tensor:
        """scale**2 (Gamma(1 + 2 / c) - Gamma(1 + 1 / c)**2) for the concentration c."""
        return self.scale**2 * (self._moment(2) - self._moment(1) ** 2)

    def entropy(self) -> Tensor:
        """0.5772 (1 - 1 / c) + log(scale / c) + 1 for the concentration c."""
        c = self.concentration
        return EULER * (1 - c.reciprocal()) + (self.scale / c).log() + 1
