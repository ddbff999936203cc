"""Transforms of numbers."""

import math
from collections.abc import Sequence
from numbers import Number
from typing import Any

from ...base.dtypes import finfo
from ...base.shapes import Size, broadcast_shapes
from ...tensor import Tensor
from ...tensor.api.creation import full_like
from .. import constraints
from ..distribution import Distribution
from ..parameters import broadcast_all, softplus, sum_rightmost
from .transform import Transform


class _Plain(Transform):
    """A transform without parameters: all of a class are equal."""

    def __eq__(self, other):
        return type(self) is type(other)

    __hash__ = None


class ExpTransform(_Plain):
    """y = exp(x).

    For tensors of any shape and floating dtype; cache_size is 0 or 1.  Never raises.  Source: standard definition.

        ExpTransform()(cltensor.tensor(0.0))   # tensor(1.)
    """

    domain, codomain, bijective, sign = constraints.real, constraints.positive, True, 1

    def _call(self, x):
        return x.exp()

    def _inverse(self, y):
        return y.log()

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        """x."""
        return x


class PowerTransform(Transform):
    """y = x ** exponent for positive x.

    exponent: a number or a tensor, of a shape that broadcasts with x's and any floating dtype.  Never raises.  Source: standard
    definition.

        PowerTransform(2.0)(cltensor.tensor(3.0))   # tensor(9.)
    """

    domain, codomain, bijective = constraints.positive, constraints.positive, True

    def __init__(self, exponent: Tensor | float, cache_size: int = 0):
        super().__init__(cache_size=cache_size)
        self.exponent, = broadcast_all(exponent)

    @property
    def sign(self) -> Tensor:
        """That of the exponent."""
        return self.exponent.sign()

    def with_cache(self, cache_size: int = 1) -> Transform:
        """See Transform."""
        return self if self._cache_size == cache_size else PowerTransform(self.exponent, cache_size=cache_size)

    def __eq__(self, other):
        return isinstance(other, PowerTransform) and _same(self.exponent, other.exponent)

    __hash__ = None

    def _call(self, x):
        return x**self.exponent

    def _inverse(self, y):
        return y ** (1 / self.exponent)

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        """log |exponent y / x|."""
        return (self.exponent * y / x).abs().log()

    def forward_shape(self, shape: Sequence[int]) -> Size:
        """See Transform."""
        return _together(shape, self.exponent)

    inverse_shape = forward_shape


class SigmoidTransform(_Plain):
    """y = 1 / (1 + exp(-x)), kept a rounding error away from 0 and 1.

    For tensors of any shape and floating dtype; cache_size is 0 or 1.  Never raises.  Source: standard definition.

        SigmoidTransform()(cltensor.tensor(0.0))   # tensor(0.5000)
    """

    domain, codomain, bijective, sign = constraints.real, constraints.unit_interval, True, 1

    def _call(self, x):
        return inside_unit(x.sigmoid())

    def _inverse(self, y):
        y = inside_unit(y)
        return y.log() - (-y).log1p()

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        """log(y (1 - y)), from x."""
        return -softplus(-x) - softplus(x)


class SoftplusTransform(_Plain):
    """y = log(1 + exp(x)).

    For tensors of any shape and floating dtype; cache_size is 0 or 1.  Never raises.  Source: standard definition.

        SoftplusTransform()(cltensor.tensor(0.0))   # tensor(0.6931)
    """

    domain, codomain, bijective, sign = constraints.real, constraints.positive, True, 1

    def _call(self, x):
        return softplus(x)

    def _inverse(self, y):
        return (-(-y).expm1()).log() + y

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        """log(sigmoid(x))."""
        return -softplus(-x)


class TanhTransform(_Plain):
    """y = tanh(x).

    For tensors of any shape and floating dtype; cache_size is 0 or 1.  With a cache, large x come back as they were.  Never raises.
    Source: standard definition.

        TanhTransform()(cltensor.tensor(0.0))   # tensor(0.)
    """

    domain, codomain, bijective, sign = constraints.real, constraints.interval(-1.0, 1.0), True, 1

    def _call(self, x):
        return x.tanh()

    def _inverse(self, y):
        return y.atanh()

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        """log(1 - y**2), from x."""
        return 2 * (math.log(2) - x - softplus(-2 * x))


class AbsTransform(_Plain):
    """y = |x|; its inverse takes the positive x.

    For tensors of any shape and floating dtype; cache_size is 0 or 1.  Raises MissingError for its Jacobian.  Source: standard
    definition.

        AbsTransform()(cltensor.tensor(-2.0))   # tensor(2.)
    """

    domain, codomain = constraints.real, constraints.positive

    def _call(self, x):
        return x.abs()

    def _inverse(self, y):
        return y


class AffineTransform(Transform):
    """y = loc + scale x.

    loc and scale: numbers or tensors that broadcast with x, of any floating dtype; the last event_dim dimensions are one element.
    Never raises.  Source: standard definition.

        AffineTransform(1.0, 2.0)(cltensor.tensor(3.0))   # tensor(7.)
    """

    bijective = True

    def __init__(self, loc: Tensor | float, scale: Tensor | float, event_dim: int = 0, cache_size: int = 0):
        super().__init__(cache_size=cache_size)
        self.loc, self.scale, self._event_dim = loc, scale, event_dim

    @property
    def event_dim(self) -> int:
        """How many dimensions one element has."""
        return self._event_dim

    def with_cache(self, cache_size: int = 1) -> Transform:
        """See Transform."""
        if self._cache_size == cache_size:
            return self
        return AffineTransform(self.loc, self.scale, self.event_dim, cache_size=cache_size)

    @constraints.dependent_property(is_discrete=False)
    def domain(self) -> constraints.Constraint:
        """All numbers."""
        return _reals(self.event_dim)

    @constraints.dependent_property(is_discrete=False)
    def codomain(self) -> constraints.Constraint:
        """All numbers."""
        return _reals(self.event_dim)

    @property
    def sign(self) -> Tensor | int:
        """That of the scale."""
        if isinstance(self.scale, Number):
            return (self.scale > 0) - (self.scale < 0)
        return self.scale.sign()

    def __eq__(self, other):
        return isinstance(other, AffineTransform) and _same(self.loc, other.loc) and _same(self.scale, other.scale)

    __hash__ = None

    def _call(self, x):
        return self.loc + self.scale * x

    def _inverse(self, y):
        return (y - self.loc) / self.scale

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        """log |scale|, summed over the last event_dim dimensions."""
        size = full_like(x, math.log(abs(self.scale))) if isinstance(self.scale, Number) else self.scale.abs().log()
        size = size.expand(broadcast_shapes(tuple(x.shape), tuple(size.shape)))
        return sum_rightmost(size, self.event_dim)

    def forward_shape(self, shape: Sequence[int]) -> Size:
        """See Transform."""
        return _together(shape, self.loc, self.scale)

    inverse_shape = forward_shape


class CumulativeDistributionTransform(Transform):
    """y = distribution.cdf(x), for a distribution of numbers; its inverse draws from quantiles.

    For tensors of any shape that broadcasts with the distribution's and its floating dtype.  Raises MissingError where the
    distribution has no cdf or icdf.  Source: the probability integral transform.

        CumulativeDistributionTransform(Normal(0.0, 1.0))(cltensor.tensor(0.0))   # tensor(0.5000)
    """

    bijective, codomain, sign = True, constraints.unit_interval, 1

    def __init__(self, distribution: Distribution, cache_size: int = 0):
        super().__init__(cache_size=cache_size)
        self.distribution = distribution

    @property
    def domain(self) -> constraints.Constraint:
        """The distribution's support."""
        return self.distribution.support

    def with_cache(self, cache_size: int = 1) -> Transform:
        """See Transform."""
        if self._cache_size == cache_size:
            return self
        return CumulativeDistributionTransform(self.distribution, cache_size=cache_size)

    def _call(self, x):
        return self.distribution.cdf(x)

    def _inverse(self, y):
        return self.distribution.icdf(y)

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        """The logarithm of the density at x."""
        return self.distribution.log_prob(x)


def _reals(event_dim):
    return constraints.independent(constraints.real, event_dim) if event_dim else constraints.real


def _same(a: Any, b: Any):
    return bool((a == b).all()) if isinstance(a, Tensor) or isinstance(b, Tensor) else a == b


def _together(shape, *values):
    return Size(broadcast_shapes(tuple(shape), *(tuple(getattr(v, "shape", ())) for v in values)))


def inside_unit(y):
    """y kept inside (0, 1)."""
    limits = finfo(y.dtype)
    return y.clamp(min=limits.tiny, max=1 - limits.eps)
