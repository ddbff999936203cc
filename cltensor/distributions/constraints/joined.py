"""Sets of tensors whose parts lie each in a set of their own."""

from collections.abc import Sequence

from ...tensor import Tensor
from ...tensor.shape.joining import cat, stack
from .constraint import Constraint


class _Joined(Constraint):
    def __init__(self, cseq: Sequence[Constraint], dim: int = 0):
        self.cseq, self.dim = list(cseq), dim

    @property
    def is_discrete(self) -> bool:
        """Whether one of them is."""
        return any(c.is_discrete for c in self.cseq)

    @property
    def event_dim(self) -> int:
        """The largest of them."""
        return max(c.event_dim for c in self.cseq)


class Cat(_Joined):
    """Parts along dim lie each in their own set; lengths are the parts' sizes, 1 each by default."""

    def __init__(self, cseq: Sequence[Constraint], dim: int = 0, lengths: Sequence[int] | None = None):
        super().__init__(cseq, dim)
        self.lengths = [1] * len(self.cseq) if lengths is None else list(lengths)

    def check(self, value: Tensor) -> Tensor:
        """See Constraint."""
        parts = value.split(self.lengths, self.dim)
        return cat([c.check(part) for c, part in zip(self.cseq, parts, strict=True)], self.dim)


class Stack(_Joined):
    """The slices along dim lie each in their own set."""

    @property
    def event_dim(self) -> int:
        """The largest of them, and 1 where dim lies inside one element."""
        largest = super().event_dim
        return largest + (self.dim + largest < 0)

    def check(self, value: Tensor) -> Tensor:
        """See Constraint."""
        return stack([c.check(value.select(self.dim, i)) for i, c in enumerate(self.cseq)], self.dim)
