"""Norms and angles of vectors along a dimension."""

from __future__ import annotations

from ...dispatch.autocast import FLOAT32_ON_GPU, autocasts
from ...ops.kinds.precision import in_float32
from ...tensor.core.tensor import Tensor
from ...tensor.math.distance import pdist as pdist  # the same function in both namespaces
from ...tensor.math.statistics import vector_norm
from ...tensor.shape.shape import broadcast_tensors
from .out import into


@autocasts(FLOAT32_ON_GPU)
def normalize(input: Tensor, p: float = 2.0, dim: int = 1, eps: float = 1e-12, out: Tensor | None = None):
    """input divided by its p-norm over dim, or by eps where the norm is smaller."""
    return into("normalize", out, _normalized(input, p, dim, eps))


@in_float32
def _normalized(x, p, dim, eps):
    return x / vector_norm(x, p, dim, True).clamp_min(eps)


@autocasts(FLOAT32_ON_GPU)
@in_float32
def cosine_similarity(x1: Tensor, x2: Tensor, dim: int = 1, eps: float = 1e-8):
    """The cosine of the angle between x1 and x2 along dim; norms count as at least eps."""
    x1, x2 = broadcast_tensors(x1, x2)
    dot = (x1 * x2).sum(dim)
    return dot / (vector_norm(x1, 2, dim).clamp_min(eps) * vector_norm(x2, 2, dim).clamp_min(eps))


@in_float32
def pairwise_distance(x1: Tensor, x2: Tensor, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False):
    """The p-norm over the last dimension of x1 - x2 + eps."""
    return vector_norm(x1 - x2 + eps, p, -1, keepdim)
