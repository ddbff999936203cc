"""Transform: an invertible function with the logarithm of its derivative's size."""

import weakref
from collections.abc import Sequence

from ...base.errors import ArgumentError, MissingError
from ...base.shapes import Size
from ...tensor import Tensor
from .. import constraints


class Transform:
    """A function from `domain` to `codomain`, tensors of any floating dtype whose last `event_dim` dimensions are one element.

    `t(x)` computes it, `t.inv(y)` inverts it, `t.log_abs_det_jacobian(x, y)` is the logarithm of the size of its derivative, of the
    batch's shape.  With cache_size=1 the last pair (x, y) is kept, so that inverting gives back the very x.  Define `_call`,
    `_inverse` and `log_abs_det_jacobian` in a subclass.  Raises MissingError where a subclass does not, ArgumentError for another
    cache_size.  Source: the standard change of variables.

        ExpTransform().inv(cltensor.tensor(1.0))   # tensor(0.)
    """

    bijective = False
    domain: constraints.Constraint
    codomain: constraints.Constraint

    def __init__(self, cache_size: int = 0):
        if cache_size not in (0, 1):
            raise ArgumentError(f"cache_size must be 0 or 1, got {cache_size}")
        self._cache_size = cache_size
        self._inv = None
        self._cached = None, None

    def __getstate__(self):
        return {**self.__dict__, "_inv": None, "_cached": (None, None)}

    @property
    def event_dim(self) -> int:
        """How many dimensions one element has.  Raises ArgumentError where domain and codomain differ in it."""
        if self.domain.event_dim == self.codomain.event_dim:
            return self.domain.event_dim
        raise ArgumentError("Please use either .domain.event_dim or .codomain.event_dim")

    @property
    def inv(self) -> "Transform":
        """The inverse; the inverse of that is this transform."""
        found = self._inv() if self._inv is not None else None
        if found is None:
            found = Inverse(self)
            self._inv = weakref.ref(found)
        return found

    @property
    def sign(self) -> Tensor | int:
        """1 where the function of numbers increases, -1 where it falls.  Raises MissingError where it does both."""
        raise MissingError(f"{type(self).__name__} has no sign: it neither increases nor decreases everywhere")

    def with_cache(self, cache_size: int = 1) -> "Transform":
        """This transform, or a copy, with a cache of that size.  Raises MissingError where a subclass takes other arguments."""
        if self._cache_size == cache_size:
            return self
        if type(self).__init__ is Transform.__init__:
            return type(self)(cache_size=cache_size)
        raise MissingError(f"{type(self)}.with_cache is not implemented; define it")

    def __eq__(self, other):
        return self is other

    __hash__ = None

    def __call__(self, x: Tensor) -> Tensor:
        """y for x."""
        return self._through(x, 0, self._call)

    def _inv_call(self, y):
        return self._through(y, 1, self._inverse)

    def _through(self, value, side, function):
        if self._cache_size and value is self._cached[side]:
            return self._cached[1 - side]
        result = function(value)
        if self._cache_size:
            self._cached = (value, result) if side == 0 else (result, value)
        return result

    def _call(self, x):
        raise MissingError(f"{type(self).__name__} does not define _call")

    def _inverse(self, y):
        raise MissingError(f"{type(self).__name__} has no inverse")

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        """log |dy / dx|, for x in the domain and y, its image; of x's shape without its last event_dim dimensions.

        Raises MissingError where there is none.
        """
        raise MissingError(f"{type(self).__name__} has no log_abs_det_jacobian: it is not bijective, or does not define it")

    def forward_shape(self, shape: Sequence[int]) -> Size:
        """The shape of y for x of a shape.  Raises ArgumentError for one that does not fit."""
        return Size(shape)

    def inverse_shape(self, shape: Sequence[int]) -> Size:
        """The shape of x for y of a shape.  Raises ArgumentError for one that does not fit."""
        return Size(shape)

    def __repr__(self):
        return f"{type(self).__name__}()"


class Inverse(Transform):
    """The inverse of a transform, which it holds on to."""

    def __init__(self, transform: Transform):
        super().__init__(cache_size=transform._cache_size)
        self._forward = transform

    @property
    def inv(self) -> Transform:
        """The transform."""
        return self._forward

    @constraints.dependent_property(is_discrete=False)
    def domain(self) -> constraints.Constraint:
        """The transform's codomain."""
        return self._forward.codomain

    @constraints.dependent_property(is_discrete=False)
    def codomain(self) -> constraints.Constraint:
        """The transform's domain."""
        return self._forward.domain

    @property
    def bijective(self) -> bool:
        """As of the transform."""
        return self._forward.bijective

    @property
    def sign(self) -> Tensor | int:
        """As of the transform."""
        return self._forward.sign

    def with_cache(self, cache_size: int = 1) -> Transform:
        """See Transform."""
        return self._forward.with_cache(cache_size).inv

    def __eq__(self, other):
        return isinstance(other, Inverse) and self._forward == other._forward

    __hash__ = None

    def __call__(self, x: Tensor) -> Tensor:
        """x's inverse image."""
        return self._forward._inv_call(x)

    def _inv_call(self, y):
        return self._forward(y)

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        """See Transform."""
        return -self._forward.log_abs_det_jacobian(y, x)

    def forward_shape(self, shape: Sequence[int]) -> Size:
        """See Transform."""
        return self._forward.inverse_shape(shape)

    def inverse_shape(self, shape: Sequence[int]) -> Size:
        """See Transform."""
        return self._forward.forward_shape(shape)

    def __repr__(self):
        return f"_InverseTransform({self._forward!r})"
