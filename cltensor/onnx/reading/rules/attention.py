"""Attention and what goes with it."""

import math

from ....nn import functional as F
from ..operators import operator
from ..public import ct


def _heads(x, count):
    """(batch, heads, length, size) of (batch, length, heads * size)."""
    return x if x.ndim == 4 else x.reshape(x.shape[0], x.shape[1], count, -1).transpose(1, 2)


def _joined(x, q):
    """(batch, length, heads * size) of (batch, heads, length, size)."""
    return x.transpose(1, 2).reshape(q.shape[0], q.shape[1], -1)


def _capped(x, cap):
    return cap * ct.tanh(x / cap) if cap else x


def _repeated(x, heads):
    """Keys or values of a group of heads, for each of them."""
    return x if x.shape[1] == heads else ct.repeat_interleave(x, heads // x.shape[1], 1)


@operator("Attention", since=23)
def attention(q, k, v, attn_mask=None, past_key=None, past_value=None, nonpad_kv_seqlen=None, *, is_causal=0, kv_num_heads=None,
              q_num_heads=None, qk_matmul_output_mode=0, scale=None, softcap=0.0, softmax_precision=None, n_outputs=1,
              left_window_size=-1, right_window_size=-1):
    flat = q.ndim == 3
    query, key, value = _heads(q, q_num_heads), _heads(k, kv_num_heads), _heads(v, kv_num_heads)
    past = 0
    if past_key is not None:
        past = past_key.shape[2]
        key, value = ct.cat([past_key, key], 2), ct.cat([past_value, value], 2)
    plain = attn_mask is None and nonpad_kv_seqlen is None and not softcap and max(left_window_size, right_window_size) < 0
    if plain and n_outputs < 4 and not (is_causal and past):
        found = F.scaled_dot_product_attention(query, _repeated(key, query.shape[1]), _repeated(value, query.shape[1]),
                                               is_causal=bool(is_causal), scale=scale)
        return _joined(found, q) if flat else found, key, value
    heads, wide = query.shape[1], ct.float32 if query.dtype in (ct.float16, ct.bfloat16) else query.dtype
    factor = math.sqrt(1 / math.sqrt(query.shape[-1]) if scale is None else scale)
    scores = ct.matmul(query.to(wide) * factor, _repeated(key, heads).to(wide).transpose(-1, -2) * factor)
    bias = _bias(scores, attn_mask, past, nonpad_kv_seqlen, is_causal, left_window_size, right_window_size)
    capped = _capped(scores, softcap)
    biased = capped if bias is None else capped + bias
    weights = ct.softmax(biased, -1)
    weights = ct.where(ct.isnan(weights), ct.zeros_like(weights), weights) if bias is not None else weights
    found = ct.matmul(weights, _repeated(value, heads).to(wide)).to(q.dtype)
    found = _joined(found, q) if flat else found
    shown = (scores, capped, biased, weights)[qk_matmul_output_mode] if qk_matmul_output_mode else scores
    return found, key, value, shown.to(q.dtype)


def _bias(scores, mask, past, lengths, causal, left, right):
    """What is added to the scores, or None: 0, -inf or the mask's own numbers."""
    queries, keys = scores.shape[-2:]
    seen, bias = None, None
    if mask is not None:
        if mask.shape[-1] < keys:
            fill = 0 if mask.dtype is ct.bool else -math.inf
            more = ct.full([*mask.shape[:-1], keys - mask.shape[-1]], fill, dtype=mask.dtype, device=mask.device)
            mask = ct.cat([mask, more], -1)
        seen, bias = (mask, None) if mask.dtype is ct.bool else (None, mask.to(scores.dtype))
    rows, columns = ct.arange(queries, device=scores.device).reshape(-1, 1), ct.arange(keys, device=scores.device)
    place = rows + past
    if lengths is not None:
        lengths = lengths.to(ct.int64).reshape(-1, 1, 1, 1)
        seen = _both(seen, columns < lengths)
        place = rows + lengths - queries
    if causal:
        seen = _both(seen, columns <= place)
    if left >= 0:
        seen = _both(seen, columns >= place - left)
    if right >= 0:
        seen = _both(seen, columns <= place + right)
    if seen is None:
        return bias
    barred = ct.where(seen, ct.zeros((), dtype=scores.dtype, device=scores.device),
                      ct.full((), -math.inf, dtype=scores.dtype, device=scores.device))
    return barred if bias is None else bias + barred


def _both(a, b):
    return b if a is None else a & b


@operator("RotaryEmbedding", since=23)
def rotary_embedding(x, cos_cache, sin_cache, position_ids=None, *, interleaved=0, num_heads=0, rotary_embedding_dim=0):
    flat = x.ndim == 3
    held = x.reshape(x.shape[0], x.shape[1], num_heads, -1) if flat else x.transpose(1, 2)
    size = rotary_embedding_dim or held.shape[-1]
    turned, rest = held[..., :size], held[..., size:]
    if position_ids is not None:
        shape = [*position_ids.shape, -1]
        cos_cache, sin_cache = (ct.index_select(c, 0, position_ids.reshape(-1)).reshape(shape) for c in (cos_cache, sin_cache))
    cos, sin = cos_cache.unsqueeze(2)[..., : size // 2], sin_cache.unsqueeze(2)[..., : size // 2]
    first, second = (turned[..., 0::2], turned[..., 1::2]) if interleaved else (turned[..., : size // 2], turned[..., size // 2 :])
    real, imaginary = cos * first - sin * second, sin * first + cos * second
    turned = ct.stack([real, imaginary], -1).reshape(turned.shape) if interleaved else ct.cat([real, imaginary], -1)
    found = ct.cat([turned, rest], -1)
    return found.reshape(x.shape) if flat else found.transpose(1, 2)
