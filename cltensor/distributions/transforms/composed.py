"""Transforms made of others: one after another, along dimensions, and of another shape."""

import functools
import operator
import weakref
from collections.abc import Sequence

from ...base.errors import ArgumentError, MismatchError
from ...base.shapes import Size
from ...tensor import Tensor
from .. import constraints
from ..parameters import sum_rightmost
from .transform import Transform


class ComposeTransform(Transform):
    """The transforms of a list one after another, the first one first.

    parts: Transforms of tensors of any shape and floating dtype that fit each other.  Never raises.  Source: standard definition.

        ComposeTransform([ExpTransform(), AffineTransform(1.0, 2.0)])(cltensor.tensor(0.0))   # tensor(3.)
    """

    def __init__(self, parts: Sequence[Transform], cache_size: int = 0):
        super().__init__(cache_size=cache_size)
        self.parts = [part.with_cache(cache_size) for part in parts] if cache_size else list(parts)

    def __eq__(self, other):
        return isinstance(other, ComposeTransform) and self.parts == other.parts

    __hash__ = None

    @constraints.dependent_property(is_discrete=False)
    def domain(self) -> constraints.Constraint:
        """The first one's, with as many dimensions as the others need."""
        return self._end("domain", self.parts, lambda part: part.codomain.event_dim - part.domain.event_dim)

    @constraints.dependent_property(is_discrete=False)
    def codomain(self) -> constraints.Constraint:
        """The last one's, with as many dimensions as the others need."""
        return self._end("codomain", self.parts[::-1], lambda part: part.domain.event_dim - part.codomain.event_dim)

    def _end(self, name, parts, growth):
        if not parts:
            return constraints.real
        result, far = getattr(parts[0], name), "codomain" if name == "domain" else "domain"
        event_dim = getattr(parts[-1], far).event_dim
        for part in reversed(parts):
            event_dim = max(event_dim - growth(part), getattr(part, name).event_dim)
        more = event_dim - result.event_dim
        return constraints.independent(result, more) if more else result

    @property
    def bijective(self) -> bool:
        """Whether all are."""
        return all(part.bijective for part in self.parts)

    @property
    def sign(self) -> Tensor | int:
        """The product of theirs."""
        return functools.reduce(operator.mul, (part.sign for part in self.parts), 1)

    @property
    def inv(self) -> Transform:
        """The inverses in the opposite order."""
        found = self._inv() if self._inv is not None else None
        if found is None:
            found = ComposeTransform([part.inv for part in reversed(self.parts)])
            self._inv, found._inv = weakref.ref(found), weakref.ref(self)
        return found

    def with_cache(self, cache_size: int = 1) -> Transform:
        """See Transform."""
        return self if self._cache_size == cache_size else ComposeTransform(self.parts, cache_size=cache_size)

    def __call__(self, x: Tensor) -> Tensor:
        """y for x."""
        return functools.reduce(lambda value, part: part(value), self.parts, x)

    def _inv_call(self, y):
        return self.inv(y)

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        """The sum of theirs, over the dimensions of one element."""
        if not self.parts:
            return x.new_zeros(x.shape)
        values = [x]
        for part in self.parts[:-1]:
            values.append(part(values[-1]))
        event_dim, terms = self.domain.event_dim, []
        for part, before, after in zip(self.parts, values, [*values[1:], y], strict=True):
            terms.append(sum_rightmost(part.log_abs_det_jacobian(before, after), event_dim - part.domain.event_dim))
            event_dim += part.codomain.event_dim - part.domain.event_dim
        return functools.reduce(operator.add, terms)

    def forward_shape(self, shape: Sequence[int]) -> Size:
        """See Transform."""
        return functools.reduce(lambda found, part: part.forward_shape(found), self.parts, Size(shape))

    def inverse_shape(self, shape: Sequence[int]) -> Size:
        """See Transform."""
        return functools.reduce(lambda found, part: part.inverse_shape(found), reversed(self.parts), Size(shape))

    def __repr__(self):
        return "ComposeTransform(\n    " + ",\n    ".join(repr(part) for part in self.parts) + "\n)"


class IndependentTransform(Transform):
    """base_transform, with reinterpreted_batch_ndims more dimensions in one element: the Jacobian is summed over them.

    For tensors of at least that many dimensions and any floating dtype.  Raises ArgumentError for fewer.  Source: standard
    definition.

        IndependentTransform(ExpTransform(), 1).log_abs_det_jacobian(cltensor.ones(3), None)   # tensor(3.)
    """

    def __init__(self, base_transform: Transform, reinterpreted_batch_ndims: int, cache_size: int = 0):
        super().__init__(cache_size=cache_size)
        self.base_transform = base_transform.with_cache(cache_size)
        self.reinterpreted_batch_ndims = reinterpreted_batch_ndims

    def with_cache(self, cache_size: int = 1) -> Transform:
        """See Transform."""
        if self._cache_size == cache_size:
            return self
        return IndependentTransform(self.base_transform, self.reinterpreted_batch_ndims, cache_size=cache_size)

    @constraints.dependent_property(is_discrete=False)
    def domain(self) -> constraints.Constraint:
        """The base's, with more dimensions."""
        return constraints.independent(self.base_transform.domain, self.reinterpreted_batch_ndims)

    @constraints.dependent_property(is_discrete=False)
    def codomain(self) -> constraints.Constraint:
        """The base's, with more dimensions."""
        return constraints.independent(self.base_transform.codomain, self.reinterpreted_batch_ndims)

    @property
    def bijective(self) -> bool:
        """As of the base."""
        return self.base_transform.bijective

    @property
    def sign(self) -> Tensor | int:
        """As of the base."""
        return self.base_transform.sign

    def _enough(self, value, set_):
        if value.ndim < set_.event_dim:
            raise ArgumentError(f"Too few dimensions on input: {value.ndim}, but one element has {set_.event_dim}")
        return value

    def _call(self, x):
        return self.base_transform(self._enough(x, self.domain))

    def _inverse(self, y):
        return self.base_transform.inv(self._enough(y, self.codomain))

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        """The base's, summed."""
        return sum_rightmost(self.base_transform.log_abs_det_jacobian(x, y), self.reinterpreted_batch_ndims)

    def forward_shape(self, shape: Sequence[int]) -> Size:
        """See Transform."""
        return self.base_transform.forward_shape(shape)

    def inverse_shape(self, shape: Sequence[int]) -> Size:
        """See Transform."""
        return self.base_transform.inverse_shape(shape)

    def __repr__(self):
        return f"{type(self).__name__}({self.base_transform!r}, {self.reinterpreted_batch_ndims})"


class ReshapeTransform(Transform):
    """Elements of shape in_shape as elements of shape out_shape, with the same numbers.

    For tensors (*, *in_shape) of any dtype.  Raises ArgumentError for shapes of different size, and for tensors of another shape.
    Source: standard definition.

        ReshapeTransform((2, 3), (6,))(cltensor.zeros(5, 2, 3)).shape   # (5, 6)
    """

    bijective = True

    def __init__(self, in_shape: Sequence[int], out_shape: Sequence[int], cache_size: int = 0):
        self.in_shape, self.out_shape = Size(in_shape), Size(out_shape)
        if self.in_shape.numel() != self.out_shape.numel():
            raise ArgumentError(f"in_shape, out_shape have different numbers of elements: {self.in_shape}, {self.out_shape}")
        super().__init__(cache_size=cache_size)

    @constraints.dependent_property
    def domain(self) -> constraints.Constraint:
        """All tensors."""
        return constraints.independent(constraints.real, len(self.in_shape))

    @constraints.dependent_property
    def codomain(self) -> constraints.Constraint:
        """All tensors."""
        return constraints.independent(constraints.real, len(self.out_shape))

    def with_cache(self, cache_size: int = 1) -> Transform:
        """See Transform."""
        return self if self._cache_size == cache_size else ReshapeTransform(self.in_shape, self.out_shape, cache_size=cache_size)

    def _call(self, x):
        return x.reshape(self.forward_shape(x.shape))

    def _inverse(self, y):
        return y.reshape(self.inverse_shape(y.shape))

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        """0."""
        return x.new_zeros(x.shape[: x.ndim - len(self.in_shape)])

    def forward_shape(self, shape: Sequence[int]) -> Size:
        """See Transform."""
        return _exchanged(shape, self.in_shape, self.out_shape)

    def inverse_shape(self, shape: Sequence[int]) -> Size:
        """See Transform."""
        return _exchanged(shape, self.out_shape, self.in_shape)


def _exchanged(shape, before, after):
    """A shape that ends with `before`, with `after` in its place."""
    if len(shape) < len(before):
        raise ArgumentError("Too few dimensions on input")
    cut = len(shape) - len(before)
    if tuple(shape[cut:]) != tuple(before):
        raise MismatchError(f"Shape mismatch: expected {Size(shape[cut:])} but got {before}")
    return Size((*shape[:cut], *after))


identity_transform = ComposeTransform([])
