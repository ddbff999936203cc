"""The half-Cauchy distribution."""

import math

from ..tensor import Tensor
from ..tensor.api.creation import full_like
from . import constraints
from .cauchy import Cauchy
from .half_normal import Half


class HalfCauchy(Half):
    """The size of Cauchy numbers around 0 of the given scale.

    scale: a number, or a tensor of any shape and a floating dtype.  Mean and variance are infinite.  Raises ArgumentError for a
    scale that is not positive.  Source: standard definition.

        HalfCauchy(1.0).cdf(cltensor.tensor(1.0))   # tensor(0.5000)
    """

    arg_constraints = {"scale": constraints.positive}

    def __init__(self, scale: Tensor | float, validate_args: bool | None = None):
        self._begin_half(Cauchy, scale, validate_args)

    @property
    def mean(self) -> Tensor:
        """Infinity."""
        return full_like(self.scale, math.inf)

    @property
    def variance(self) -> Tensor:
        """Infinity."""
        return full_like(self.scale, math.inf)
