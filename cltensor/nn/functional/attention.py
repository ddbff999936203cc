"""Scaled dot-product attention: by a kernel that never stores all scores, or of ordinary ops."""

from __future__ import annotations

import math

from ...base import dtypes
from ...base.context import context
from ...base.errors import ArgumentError, ShapeError
from ...dispatch.autocast import LOW, autocasts
from ...ops.kinds.precision import in_float32
from ...ops.nn.attention import fits
from ...ops.nn.attention_gradient import attention, weighed
from ...tensor.core.tensor import Tensor
from .attention_backends import takes_kernel
from .causal_bias import CausalBias
from .dropout import dropout


@autocasts(LOW)
def scaled_dot_product_attention(query: Tensor, key: Tensor, value: Tensor, attn_mask: Tensor | None = None,
                                 dropout_p: float = 0.0, is_causal: bool = False, scale: float | None = None,
                                 enable_gqa: bool = False):
    """softmax(query @ key.mT * scale + mask) @ value.

    query: (..., L, E); key: (..., S, E); value: (..., S, Ev); attn_mask: bool (True takes part) or added to the scores,
    broadcast to (..., L, S); scale: 1 / sqrt(E) by default; enable_gqa: fewer heads in key and value, each shared by several.
    A row that attends to nothing gives 0.  nn.attention.sdpa_kernel chooses the way.  Raises ShapeError, ArgumentError.
    """
    for name, x in (("query", query), ("key", key), ("value", value)):
        if x.ndim < 2:
            raise ShapeError(f"scaled_dot_product_attention: {name} must be at least 2 dimensional, got {x.ndim}")
    if query.shape[-1] != key.shape[-1] or key.shape[-2] != value.shape[-2]:
        raise ShapeError("scaled_dot_product_attention: query and key need the same last size, key and value the same number of "
                         f"rows: query {list(query.shape)}, key {list(key.shape)}, value {list(value.shape)}")
    if isinstance(attn_mask, CausalBias):
        if is_causal:
            raise ArgumentError("scaled_dot_product_attention: CausalBias should not be used with causal=True")
        attn_mask, is_causal = (None, True) if attn_mask.is_plain() else (attn_mask, False)
    if is_causal and attn_mask is not None:
        raise ArgumentError("scaled_dot_product_attention: Explicit attn_mask should not be set when is_causal=True")
    if enable_gqa:
        key, value = _shared_heads(query, key), _shared_heads(query, value)
    scale = 1 / math.sqrt(query.shape[-1] or 1) if scale is None else scale
    if takes_kernel(lambda: not dropout_p and _fusible(query, key, value, attn_mask), lambda: _is_faster(query),
                    lambda: "it has no dropout" if dropout_p else "it does not support these shapes, dtypes and masks"):
        return _fused(query, key, value, attn_mask, float(scale), bool(is_causal))
    return in_float32(lambda *tensors: _composed(*tensors, dropout_p, is_causal, scale))(query, key, value, attn_mask)


# --- of ordinary ops -------------------------------------------------------------------------------------------------


def _composed(query, key, value, mask, dropout_p, causal, scale):
    weights = weighed(query, key, mask, causal, scale)[0]
    return (dropout(weights, dropout_p) if dropout_p else weights).matmul(value)


def _shared_heads(query, x):
    times, rest = divmod(query.shape[-3], x.shape[-3])
    if rest:
        raise ShapeError(f"scaled_dot_product_attention: {query.shape[-3]} query heads are no multiple of {x.shape[-3]}")
    return x.repeat_interleave(times, -3)


# --- by one kernel ---------------------------------------------------------------------------------------------------


def _fusible(query, key, value, mask):
    """Whether the kernel supports these tensors."""
    dtype, device = query.dtype, query.device
    if not dtype.is_floating_point or not all(x.dtype is dtype and x.numel() and x.device is device for x in (query, key, value)):
        return False
    if any(x.shape[:-2] != query.shape[:-2] for x in (key, value)) or not fits(device, query.shape[-1], value.shape[-1]):
        return False
    return mask is None or _takes(query, key, mask)


def _is_faster(query):
    """Whether the kernel is the faster way: on a CPU it needs a plane for each core."""
    profile = query.device.profile
    return profile.style == "gpu" or math.prod(query.shape[:-2]) >= profile.compute_units


def _takes(query, key, mask):
    """Whether the kernel can read the mask; a mask that needs a gradient goes to ordinary ops."""
    full = (*query.shape[:-1], key.shape[-2])
    if mask.dtype not in (dtypes.bool_, query.dtype) or (context.grad and mask.requires_grad) or mask.device is not query.device:
        return False
    if query.ndim not in (3, 4) and mask.ndim > 2:
        return False
    return mask.ndim <= len(full) and all(n in (1, m) for n, m in zip(mask.shape[::-1], full[::-1], strict=False))


def _fused(query, key, value, mask, scale, causal):
    """Attention by the kernel, which needs heads (N, H, L, E) with contiguous rows."""
    if mask is not None and query.ndim == 3 and mask.ndim == 3:
        mask = mask.unsqueeze(1)
    heads = (x if x.stride(-1) == 1 else x.contiguous() for x in map(_as_heads, (query, key, value)))
    y = attention(*heads, mask, scale=scale, causal=causal)[0]
    return y if query.ndim == 4 else y.reshape(*query.shape[:-1], value.shape[-1])


def _as_heads(x):
    if x.ndim == 4:
        return x
    return x.unsqueeze(1) if x.ndim == 3 else x.reshape(-1, 1, *x.shape[-2:])
