"""Attention with gradients of every order: kernels compute the first, ordinary ops the higher ones."""

import math

import numpy as np

from ...autograd.api import grad
from ...base import dtypes
from ...base.context import context
from ..kinds.composite import composite
from ..kinds.precision import wide
from . import onnx_rules
from .attention import attention_backward, attention_forward, reference, samples


def _numbers(n, x):
    """0, 1, ..., n - 1 on x's device."""
    return x._plain._from_array(np.arange(n), dtypes.int64, x.device)


def weighed(query, key, mask, causal, scale):
    """(attention weights, masked scores, which rows attend to nothing or None), computed by ordinary ops."""
    scores, nothing = (query * scale).matmul(key.mT), None
    rows, columns = query.shape[-2], key.shape[-2]
    if causal:
        taken = _numbers(columns, query) <= _numbers(rows, query).unsqueeze(-1)
        scores = scores.masked_fill(~taken, -math.inf)
    if mask is not None:
        taken = mask if mask.dtype is dtypes.bool_ else mask != -math.inf
        nothing = ~taken.any(-1, keepdim=True)
        scores = scores.masked_fill(~mask, -math.inf) if mask.dtype is dtypes.bool_ else scores + mask
    weights = scores.softmax(-1)
    if nothing is not None:
        weights = weights.masked_fill(nothing, 0.0)
    return weights, scores, nothing


def _gradient(g, y, q, k, v, mask, *, needs, scale, causal):
    if context.grad:
        return _composed_gradient(g, q, k, v, mask, needs, scale, causal)
    (gy, g_lse, _), (y, lse, rest) = g, (x.detach() for x in y)  # rest is rounding error: it has no gradient
    gy = gy if gy.stride(-1) == 1 else gy.contiguous()
    if q.device.profile.style == "gpu":
        g_lse = (gy * y).sum(-1, dtype=lse.dtype) - g_lse
    return (*attention_backward(gy, g_lse, q, k, v, mask, y, lse, rest, scale=scale, causal=causal), None)


def _composed_gradient(g, q, k, v, mask, needs, scale, causal):
    """The same gradient, computed by differentiable ops."""
    seen = [x.view(x.shape) for x in (q, k, v)]  # distinct, even if two of them are the same tensor
    query, key, value = wide(seen)
    weights, scores, nothing = weighed(query, key, wide(mask), causal, scale)
    y = weights.matmul(value)
    lse = scores.logsumexp(-1) if nothing is None else scores.masked_fill(nothing, 0.0).logsumexp(-1)
    wanted = [x for x, need in zip(seen, needs, strict=False) if need]
    found = iter(grad((y, lse), wanted, wide(g[:2]), create_graph=True, allow_unused=True))
    return tuple(next(found) if need else None for need in (*needs[:3], False))


@composite("attention", onnx=onnx_rules.attention,
           public=False, dtypes="floating", saves="q k v mask y", vjp=_gradient, ref=reference, samples=samples)
def attention(q, k, v, mask, *, scale, causal):
    """attention_forward with gradients: (y, lse, rest)."""
    return attention_forward(q, k, v, mask, scale=scale, causal=causal)
