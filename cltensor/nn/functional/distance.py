"""Norms and angles of vectors along a dimension."""

import math

from ...tensor.arithmetic import where
from ...tensor.products import pdist as pdist  # the same function in both namespaces
from ...tensor.shape import broadcast_tensors
from .out import into


def _norm(x, p, dim, keepdim=False):
    """The p-norm over dim; its gradient is 0 where the norm is."""
    if p == math.inf:
        return x.abs().amax(dim, keepdim)
    if p == 0:
        return (x != 0).to(x.dtype).sum(dim, keepdim)
    if p == 1:
        return x.abs().sum(dim, keepdim)
    total = (x * x if p == 2 else x.abs().pow(p)).sum(dim, keepdim)
    zero = total == 0
    root = where(zero, 1.0, total)
    return where(zero, 0.0, root.sqrt() if p == 2 else root.pow(1.0 / p))


def normalize(input, p=2.0, dim=1, eps=1e-12, out=None):
    """input divided by its p-norm over dim, or by eps where the norm is smaller."""
    return into(out, input / _norm(input, p, dim, True).clamp_min(eps))


def cosine_similarity(x1, x2, dim=1, eps=1e-8):
    """The cosine of the angle between x1 and x2 along dim; norms count as at least eps."""
    x1, x2 = broadcast_tensors(x1, x2)
    dot = (x1 * x2).sum(dim)
    return dot / (_norm(x1, 2, dim).clamp_min(eps) * _norm(x2, 2, dim).clamp_min(eps))


def pairwise_distance(x1, x2, p=2.0, eps=1e-6, keepdim=False):
    """The p-norm over the last dimension of x1 - x2 + eps."""
    return _norm(x1 - x2 + eps, p, -1, keepdim)
