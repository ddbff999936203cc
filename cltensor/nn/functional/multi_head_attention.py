"""Multi-head attention: projections, heads, masks and scaled dot-product attention together."""

from __future__ import annotations

import math
import warnings

from ...base import dtypes
from ...base.errors import AssertedShapeError, ShapeError
from ...tensor.core.tensor import Tensor
from ...tensor.shape.joining import cat
from .attention import scaled_dot_product_attention
from .dropout import dropout
from .linear import linear
from .padding import pad

_OP = "multi_head_attention_forward"


def multi_head_attention_forward(query: Tensor, key: Tensor, value: Tensor, embed_dim_to_check: int, num_heads: int,
                                 in_proj_weight, in_proj_bias, bias_k, bias_v, add_zero_attn, dropout_p, out_proj_weight,
                                 out_proj_bias, training: bool = True, key_padding_mask: Tensor | None = None,
                                 need_weights: bool = True, attn_mask: Tensor | None = None,
                                 use_separate_proj_weight: bool = False, q_proj_weight=None, k_proj_weight=None,
                                 v_proj_weight=None, static_k=None, static_v=None, average_attn_weights: bool = True,
                                 is_causal: bool = False):
    """Attention with num_heads heads over projections of query (L, N, E), key and value (S, N, E), or the same without N.

    key_padding_mask (N, S) and attn_mask (L, S) or (N * num_heads, L, S): bool, where True does not take part, or added to the
    scores.  is_causal is a hint that attn_mask is the causal one.
    Returns (output (L, N, E), weights (N, L, S), averaged over the heads or (N, num_heads, L, S); None unless need_weights).
    Raises AssertedShapeError, ShapeError.  Source: Vaswani et al. 2017.
    """
    single = _check_inputs(query, key, value, key_padding_mask, attn_mask, num_heads)
    if single:
        query, key, value = (x.unsqueeze(1) for x in (query, key, value))
        key_padding_mask = None if key_padding_mask is None else key_padding_mask.unsqueeze(0)
    rows, batch, width = query.shape
    _check_sizes(query, key, value, embed_dim_to_check, num_heads, use_separate_proj_weight)
    if is_causal and attn_mask is None:
        raise ShapeError(f"{_OP}: Need attn_mask if specifying the is_causal hint. You may use the Transformer module method "
                         "`generate_square_subsequent_mask` to create this mask.")
    if key_padding_mask is not None and attn_mask is not None and key_padding_mask.dtype is not attn_mask.dtype:
        warnings.warn("Support for mismatched key_padding_mask and attn_mask is deprecated. Use same type for both instead.",
                      stacklevel=2)
    key_padding_mask = additive(key_padding_mask, "key_padding_mask", query.dtype)
    causal = is_causal and key_padding_mask is None and not need_weights
    attn_mask = additive(attn_mask, "attn_mask", query.dtype)
    attn_mask = None if causal else _heads_of_mask(attn_mask, rows, key.shape[0], batch, num_heads)

    weights = (q_proj_weight, k_proj_weight, v_proj_weight) if use_separate_proj_weight else in_proj_weight
    q, k, v = _projected(query, key, value, weights, in_proj_bias)
    if bias_k is not None:
        k, v = (cat((x, b.expand(1, batch, width))) for x, b in ((k, bias_k), (v, bias_v)))
    head = (num_heads, width // num_heads)
    q, k, v = (x.unflatten(-1, head).permute(1, 2, 0, 3) for x in (q, k, v))
    k, v = (x if fixed is None else fixed.unflatten(0, (batch, num_heads)) for x, fixed in ((k, static_k), (v, static_v)))
    if add_zero_attn:
        k, v = (cat((x, x.new_zeros((batch, num_heads, 1, head[1]))), 2) for x in (k, v))
    mask = _merged_mask(attn_mask, key_padding_mask, k.shape[2])
    dropout_p = dropout_p if training else 0.0
    if need_weights:
        y, shares = _weighed(q, k, v, mask, dropout_p)
        shares = shares.mean(1) if average_attn_weights else shares
    else:
        y, shares = scaled_dot_product_attention(q, k, v, mask, dropout_p, causal), None
    y = linear(y.permute(2, 0, 1, 3).reshape(rows, batch, width), out_proj_weight, out_proj_bias)
    if single:
        return y.squeeze(1), None if shares is None else shares.squeeze(0)
    return y, shares


def additive(mask, name, dtype):
    """A mask to add to the scores: -infinity where a bool mask is True, a floating mask as it is.  Raises AssertedShapeError."""
    if mask is None or mask.dtype.is_floating_point:
        return mask
    if mask.dtype is not dtypes.bool_:
        raise AssertedShapeError(f"only bool and floating types of {name} are supported, got {mask.dtype.name}")
    return mask.new_zeros(mask.shape, dtype=dtype).masked_fill(mask, -math.inf)


def _projected(query, key, value, weights, bias):
    """q, k, v: the inputs times their weights, in one product if the inputs are one tensor."""
    if not isinstance(weights, tuple):
        width = query.shape[-1]
        if query is key and key is value:
            return linear(query, weights, bias).chunk(3, -1)
        if key is value:
            q_bias, kv_bias = (None, None) if bias is None else (bias.narrow(0, 0, width), bias.narrow(0, width, 2 * width))
            return (linear(query, weights.narrow(0, 0, width), q_bias),
                    *linear(key, weights.narrow(0, width, 2 * width), kv_bias).chunk(2, -1))
        weights = weights.chunk(3)
    biases = (None,) * 3 if bias is None else bias.chunk(3)
    return tuple(linear(x, w, b) for x, w, b in zip((query, key, value), weights, biases, strict=True))


def _heads_of_mask(mask, rows, columns, batch, heads):
    """attn_mask in a shape that broadcasts against (N, heads, L, S)."""
    if mask is None:
        return None
    expected = (rows, columns) if mask.ndim == 2 else (batch * heads, rows, columns)
    if tuple(mask.shape) != expected:
        raise ShapeError(f"{_OP}: The shape of the {mask.ndim}D attn_mask is {tuple(mask.shape)}, but should be {expected}.")
    return mask if mask.ndim == 2 else mask.unflatten(0, (batch, heads))


def _merged_mask(attn_mask, padding, columns):
    """The sum of both masks; keys appended later are not masked."""
    masks = [m for m in (attn_mask, None if padding is None else padding.unsqueeze(1).unsqueeze(1)) if m is not None]
    masks = [m if m.shape[-1] == columns else pad(m, (0, columns - m.shape[-1])) for m in masks]
    return sum(masks[1:], masks[0]) if masks else None


def _weighed(q, k, v, mask, dropout_p):
    """(attention, its weights)."""
    scores = (q * (1 / math.sqrt(q.shape[-1]))).matmul(k.mT)
    weights = (scores if mask is None else scores + mask).softmax(-1)
    weights = dropout(weights, dropout_p) if dropout_p else weights
    return weights.matmul(v), weights


# --- checks -----------------------------------------------------------------------------------------------------------


def _check_inputs(query, key, value, key_padding_mask, attn_mask, heads):
    """Whether query has no batch dimension.  Raises AssertedShapeError unless the others agree."""
    if query.ndim not in (2, 3):
        raise AssertedShapeError(f"{_OP}: query should be unbatched 2D or batched 3D tensor but received {query.ndim}-D query "
                                 "tensor")
    single, how = query.ndim == 2, "unbatched (2-D)" if query.ndim == 2 else "batched (3-D)"
    if key.ndim != query.ndim or value.ndim != query.ndim:
        raise AssertedShapeError(f"{_OP}: For {how} `query`, expected `key` and `value` to be {query.ndim}-D but found "
                                 f"{key.ndim}-D and {value.ndim}-D tensors respectively")
    if key_padding_mask is not None and key_padding_mask.ndim != query.ndim - 1:
        raise AssertedShapeError(f"{_OP}: For {how} `query`, expected `key_padding_mask` to be `None` or {query.ndim - 1}-D but "
                                 f"found {key_padding_mask.ndim}-D tensor instead")
    if attn_mask is not None and attn_mask.ndim not in (2, 3):
        raise AssertedShapeError(f"{_OP}: For {how} `query`, expected `attn_mask` to be `None`, 2-D or 3-D but found "
                                 f"{attn_mask.ndim}-D tensor instead")
    expected = (heads, query.shape[0], key.shape[0])
    if single and attn_mask is not None and attn_mask.ndim == 3 and tuple(attn_mask.shape) != expected:
        raise AssertedShapeError(f"{_OP}: Expected `attn_mask` shape to be {expected} but got {tuple(attn_mask.shape)}")
    return single


def _check_sizes(query, key, value, width, heads, separate):
    if query.shape[-1] != width:
        raise AssertedShapeError(f"{_OP}: was expecting embedding dimension of {width}, but got {query.shape[-1]}")
    if width % heads:
        raise AssertedShapeError(f"{_OP}: embed_dim {width} not divisible by num_heads {heads}")
    if separate and key.shape[:2] != value.shape[:2]:
        raise AssertedShapeError(f"{_OP}: key's sequence and batch dims {tuple(key.shape[:2])} do not match value's "
                                 f"{tuple(value.shape[:2])}")
    if not separate and key.shape != value.shape:
        raise AssertedShapeError(f"{_OP}: key shape {tuple(key.shape)} does not match value shape {tuple(value.shape)}")
