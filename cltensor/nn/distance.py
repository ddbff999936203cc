"""Distances between vectors as layers."""

from . import functional as F
from .function_layer import FunctionLayer


class _Distance(FunctionLayer):
    def extra_repr(self):
        return ""


class CosineSimilarity(_Distance):
    """The cosine of the angle between x1 and x2 along dim."""

    function = staticmethod(F.cosine_similarity)

    def __init__(self, dim=1, eps=1e-8):
        super().__init__(dim=dim, eps=eps)


class PairwiseDistance(_Distance):
    """The p-norm over the last dimension of x1 - x2 + eps."""

    function = staticmethod(F.pairwise_distance)

    def __init__(self, p=2.0, eps=1e-6, keepdim=False):
        super().__init__(p=p, eps=eps, keepdim=keepdim)
