"""The facts about a tensor that the generator uses."""

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Facts:
    """Facts about one tensor."""

    shape: tuple
    dtype: str
    requires_grad: bool = False
    leaf: bool = True
    finite: bool = True
    low: float = 0.0
    high: float = 0.0
    distinct: bool = True
    repeats: bool = False  # whether two of its elements are one place in memory
    row_major: bool = True  # whether it is contiguous

    @property
    def ndim(self):
        """The number of dimensions."""
        return len(self.shape)

    @property
    def size(self):
        """The number of elements."""
        return math.prod(self.shape)

    @property
    def floating(self):
        """Whether its dtype is a float."""
        return "float" in self.dtype

    @property
    def integral(self):
        """Whether its dtype is an integer, bool excepted."""
        return "int" in self.dtype
