"""The half-normal distribution."""

import math

from ..tensor import Tensor
from ..tensor.api.creation import zeros_like
from . import constraints
from .normal import Normal
from .parameters import broadcast_all
from .transformed_distribution import TransformedDistribution
from .transforms import AbsTransform


class Half(TransformedDistribution):
    """The size of what a base around 0 draws."""

    support = constraints.nonnegative
    has_rsample = True

    def _begin_half(self, base, scale, validate_args):
        scale, = broadcast_all(scale)
        self._given = {"scale": scale}
        TransformedDistribution.__init__(self, base(zeros_like(scale), scale, validate_args=False), AbsTransform(),
                                         validate_args=validate_args)

    @property
    def scale(self) -> Tensor:
        """The base's."""
        return self.base_dist.scale

    @property
    def mode(self) -> Tensor:
        """0."""
        return zeros_like(self.scale)

    def _log_prob(self, value):
        found = self.base_dist.log_prob(value) + math.log(2)
        return found.where(value >= 0, -math.inf)

    def _cdf(self, value):
        return 2 * self.base_dist.cdf(value) - 1

    def icdf(self, prob: Tensor) -> Tensor:
        """See Distribution; the argument's name is PyTorch's."""
        return self.base_dist.icdf((prob + 1) / 2)

    def entropy(self) -> Tensor:
        """The base's less log(2)."""
        return self.base_dist.entropy() - math.log(2)


class HalfNormal(Half):
    """The size of normal numbers of mean 0 and standard deviation scale.

    scale: a number, or a tensor of any shape and a floating dtype.  Raises ArgumentError for a scale that is not positive.  Source:
    standard definition.

        HalfNormal(1.0).mean   # tensor(0.7979)
    """

    arg_constraints = {"scale": constraints.positive}

    def __init__(self, scale: Tensor | float, validate_args: bool | None = None):
        self._begin_half(Normal, scale, validate_args)

    @property
    def mean(self) -> Tensor:
        """scale sqrt(2 / pi)."""
        return self.scale * math.sqrt(2 / math.pi)

    @property
    def variance(self) -> Tensor:
        """scale**2 (1 - 2 / pi)."""
        return self.scale**2 * (1 - 2 / math.pi)
