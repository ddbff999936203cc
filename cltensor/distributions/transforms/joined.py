"""Transforms side by side: each of a part of a tensor."""

import functools
import operator
from collections.abc import Sequence

from ...base.errors import ArgumentError, MismatchError
from ...tensor import Tensor
from ...tensor.shape.joining import cat, stack
from .. import constraints
from ..parameters import sum_rightmost
from .transform import Transform


class _SideBySide(Transform):
    """Transforms of parts of a tensor along dim."""

    @property
    def bijective(self) -> bool:
        """Whether all are."""
        return all(t.bijective for t in self.transforms)


class CatTransform(_SideBySide):
    """The transforms tseq, each of a part of a tensor along dim; lengths are the parts' sizes, 1 each by default.

    For tensors of any floating dtype.  Raises MismatchError for one whose size along dim is not the sum of lengths.  Source:
    standard definition.

        CatTransform([ExpTransform(), AbsTransform()], lengths=[1, 2])(cltensor.zeros(3))   # tensor([1., 0., 0.])
    """

    def __init__(self, tseq: Sequence[Transform], dim: int = 0, lengths: Sequence[int] | None = None, cache_size: int = 0):
        super().__init__(cache_size=cache_size)
        self.transforms = [t.with_cache(cache_size) for t in tseq] if cache_size else list(tseq)
        self.lengths = [1] * len(self.transforms) if lengths is None else list(lengths)
        if len(self.lengths) != len(self.transforms):
            raise ArgumentError(f"CatTransform: {len(self.transforms)} transforms, but {len(self.lengths)} lengths")
        self.dim = dim

    @property
    def event_dim(self) -> int:
        """The largest of theirs."""
        return max(t.event_dim for t in self.transforms)

    @property
    def length(self) -> int:
        """The size along dim."""
        return sum(self.lengths)

    def with_cache(self, cache_size: int = 1) -> Transform:
        """See Transform."""
        return self if self._cache_size == cache_size else CatTransform(self.transforms, self.dim, self.lengths, cache_size)

    def _split(self, value):
        if not -value.ndim <= self.dim < value.ndim or value.shape[self.dim] != self.length:
            raise MismatchError(f"CatTransform: the size along dimension {self.dim} must be {self.length}, but the shape is "
                                f"{value.shape}")
        return value.split(self.lengths, self.dim)

    def _call(self, x):
        return cat([t(part) for t, part in zip(self.transforms, self._split(x), strict=True)], self.dim)

    def _inverse(self, y):
        return cat([t.inv(part) for t, part in zip(self.transforms, self._split(y), strict=True)], self.dim)

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        """Theirs side by side, or their sum where dim lies inside one element."""
        terms = []
        for t, before, after in zip(self.transforms, self._split(x), self._split(y), strict=True):
            terms.append(sum_rightmost(t.log_abs_det_jacobian(before, after), self.event_dim - t.event_dim))
        dim = (self.dim if self.dim < 0 else self.dim - x.ndim) + self.event_dim
        return cat(terms, dim) if dim < 0 else functools.reduce(operator.add, terms)

    @constraints.dependent_property
    def domain(self) -> constraints.Constraint:
        """Theirs, side by side."""
        return constraints.cat([t.domain for t in self.transforms], self.dim, self.lengths)

    @constraints.dependent_property
    def codomain(self) -> constraints.Constraint:
        """Theirs, side by side."""
        return constraints.cat([t.codomain for t in self.transforms], self.dim, self.lengths)


class StackTransform(_SideBySide):
    """The transforms tseq, each of a slice of a tensor along dim.

    For tensors of any floating dtype.  Raises MismatchError for one whose size along dim is not the number of transforms.  Source:
    standard definition.

        StackTransform([ExpTransform(), AbsTransform()])(cltensor.zeros(2))   # tensor([1., 0.])
    """

    def __init__(self, tseq: Sequence[Transform], dim: int = 0, cache_size: int = 0):
        super().__init__(cache_size=cache_size)
        self.transforms = [t.with_cache(cache_size) for t in tseq] if cache_size else list(tseq)
        self.dim = dim

    def with_cache(self, cache_size: int = 1) -> Transform:
        """See Transform."""
        return self if self._cache_size == cache_size else StackTransform(self.transforms, self.dim, cache_size)

    def _slices(self, value):
        if not -value.ndim <= self.dim < value.ndim or value.shape[self.dim] != len(self.transforms):
            raise MismatchError(f"StackTransform: the size along dimension {self.dim} must be {len(self.transforms)}, but the "
                                f"shape is {value.shape}")
        return value.unbind(self.dim)

    def _call(self, x):
        return stack([t(part) for t, part in zip(self.transforms, self._slices(x), strict=True)], self.dim)

    def _inverse(self, y):
        return stack([t.inv(part) for t, part in zip(self.transforms, self._slices(y), strict=True)], self.dim)

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        """Theirs side by side."""
        parts = zip(self.transforms, self._slices(x), self._slices(y), strict=True)
        return stack([t.log_abs_det_jacobian(before, after) for t, before, after in parts], self.dim)

    @constraints.dependent_property
    def domain(self) -> constraints.Constraint:
        """Theirs, side by side."""
        return constraints.stack([t.domain for t in self.transforms], self.dim)

    @constraints.dependent_property
    def codomain(self) -> constraints.Constraint:
        """Theirs, side by side."""
        return constraints.stack([t.codomain for t in self.transforms], self.dim)
