"""The logistic-normal distribution."""

from ..tensor import Tensor
from . import constraints
from .normal import Normal
from .transformed_distribution import TransformedDistribution
from .transforms import StickBreakingTransform


class LogisticNormal(TransformedDistribution):
    """Fractions (*, K + 1) of normal numbers (*, K), by StickBreakingTransform.

    loc and scale: numbers (then K is 1), or tensors of shapes that broadcast and a floating dtype.  Raises ArgumentError for a
    scale that is not positive.  Source: Aitchison and Shen 1980, "Logistic-normal distributions".

        LogisticNormal(cltensor.zeros(2), cltensor.ones(2)).event_shape   # (3,)
    """

    arg_constraints = {"loc": constraints.real, "scale": constraints.positive}
    support = constraints.simplex
    has_rsample = True

    def __init__(self, loc: Tensor | float, scale: Tensor | float, validate_args: bool | None = None):
        base = Normal(loc, scale, validate_args=validate_args)
        base = base if base.batch_shape else base.expand((1,))
        self._given = base._given
        super().__init__(base, StickBreakingTransform(), validate_args=validate_args)

    @property
    def loc(self) -> Tensor:
        """The normal distribution's mean (*, K)."""
        return self.base_dist.base_dist.loc

    @property
    def scale(self) -> Tensor:
        """The normal distribution's standard deviation (*, K)."""
        return self.base_dist.base_dist.scale
