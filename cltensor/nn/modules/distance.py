"""Distances between vectors as layers."""

from __future__ import annotations

from ...tensor.core.tensor import Tensor
from .. import functional as F
from .function_layer import FunctionLayer

__all__ = ["CosineSimilarity", "PairwiseDistance"]


class _Distance(FunctionLayer):
    def forward(self, x1: Tensor, x2: Tensor):
        return self._computed(x1, x2)

    def extra_repr(self):
        return ""


class CosineSimilarity(_Distance):
    """The cosine of the angle between x1 and x2 along dim."""

    function = staticmethod(F.cosine_similarity)

    def __init__(self, dim: int = 1, eps: float = 1e-8):
        super().__init__(dim=dim, eps=eps)


class PairwiseDistance(_Distance):
    """The p-norm over the last dimension of x1 - x2 + eps."""

    function = staticmethod(F.pairwise_distance)

    def __init__(self, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False):
        super().__init__(p=p, eps=eps, keepdim=keepdim)


def __dir__():
    return sorted(__all__)
