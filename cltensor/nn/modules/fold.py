"""Sliding windows of images as columns, and back."""


from __future__ import annotations

from collections.abc import Sequence

from .. import functional as F
from .function_layer import FunctionLayer

__all__ = ["Fold", "Unfold"]


class Unfold(FunctionLayer):
    """Sliding windows of x (N, C, H, W) as columns (N, C kh kw, L)."""

    function = staticmethod(F.unfold)

    def __init__(self, kernel_size: int | Sequence[int], dilation: int | Sequence[int] = 1, padding: int | Sequence[int] = 0,
                 stride: int | Sequence[int] = 1):
        super().__init__(kernel_size=kernel_size, dilation=dilation, padding=padding, stride=stride)


class Fold(FunctionLayer):
    """Put columns (N, C kh kw, L) back as windows of (N, C, *output_size); overlaps add up: the adjoint of Unfold."""

    function = staticmethod(F.fold)

    def __init__(self, output_size: int | Sequence[int], kernel_size: int | Sequence[int], dilation: int | Sequence[int] = 1,
                 padding: int | Sequence[int] = 0, stride: int | Sequence[int] = 1):
        super().__init__(output_size=output_size, kernel_size=kernel_size, dilation=dilation, padding=padding, stride=stride)


def __dir__():
    return sorted(__all__)
