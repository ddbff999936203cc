"""Scaled dot-product attention."""

import math

from ...base import dtypes
from ...base.errors import ArgumentError, ShapeError
from ...tensor.creation import arange
from .dropout import dropout


def scaled_dot_product_attention(query, key, value, attn_mask=None, dropout_p=0.0, is_causal=False, scale=None, enable_gqa=False):
    """softmax(query @ key.mT * scale + mask) @ value.

    query: (..., L, E); key: (..., S, E); value: (..., S, Ev); attn_mask: bool (True takes part) or added to the scores,
    broadcast to (..., L, S); scale: 1 / sqrt(E) unless given; enable_gqa: fewer heads in key and value, each serving several.
    A row that attends to nothing gives 0.  Raises ShapeError, ArgumentError.
    """
    for name, x in (("query", query), ("key", key), ("value", value)):
        if x.ndim < 2:
            raise ShapeError(f"scaled_dot_product_attention: {name} must be at least 2 dimensional, got {x.ndim}")
    if query.shape[-1] != key.shape[-1] or key.shape[-2] != value.shape[-2]:
        raise ShapeError("scaled_dot_product_attention: query and key need the same last size, key and value the same number of "
                         f"rows: query {list(query.shape)}, key {list(key.shape)}, value {list(value.shape)}")
    if is_causal and attn_mask is not None:
        raise ArgumentError("scaled_dot_product_attention: Explicit attn_mask should not be set when is_causal=True")
    if enable_gqa:
        key, value = _shared_heads(query, key), _shared_heads(query, value)
    scores = (query * (1 / math.sqrt(query.shape[-1]) if scale is None else scale)).matmul(key.mT)
    rows, columns = query.shape[-2], key.shape[-2]
    if is_causal:
        attn_mask = arange(columns, device=query.device) <= arange(rows, device=query.device).unsqueeze(-1)
    nothing = None
    if attn_mask is not None:
        if attn_mask.dtype is dtypes.bool_:
            scores = scores.masked_fill(~attn_mask, -math.inf)
            nothing = ~attn_mask.any(-1, keepdim=True)
        else:
            scores = scores + attn_mask
    weights = scores.softmax(-1)
    if nothing is not None:
        weights = weights.masked_fill(nothing, 0.0)
    return dropout(weights, dropout_p).matmul(value) if dropout_p else weights.matmul(value)


def _shared_heads(query, x):
    times, rest = divmod(query.shape[-3], x.shape[-3])
    if rest:
        raise ShapeError(f"scaled_dot_product_attention: {query.shape[-3]} query heads are no multiple of {x.shape[-3]}")
    return x.repeat_interleave(times, -3)
