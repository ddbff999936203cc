"""Attention inside windows of an image, shifted or not, with a bias by relative position; the core of Swin transformers."""

from __future__ import annotations

import math

import numpy as np

from ...nn import functional as F
from ...tensor.api.creation import arange, tensor
from ...tensor.core.tensor import Tensor
from ...tensor.shape.joining import cat


def relative_positions(height: int, width: int) -> np.ndarray:
    """int64 (n, n), n = height * width: for each pair of pixels the row of their offset in a table of all offsets."""
    rows, columns = np.divmod(np.arange(height * width), width)
    return (rows[:, None] - rows + height - 1) * (2 * width - 1) + columns[:, None] - columns + width - 1


def relative_position_index(height: int, width: int) -> Tensor:
    """relative_positions as a tensor."""
    return tensor(relative_positions(height, width))


def relative_coordinates(height: int, width: int) -> Tensor:
    """(1, 2 height - 1, 2 width - 1, 2): all offsets of pixels in a window, -8 to 8, on a logarithmic scale."""
    rows, columns = (np.arange(1 - size, size, dtype=np.float32) / np.float32(max(size - 1, 1)) * 8 for size in (height, width))
    offsets = np.stack(np.meshgrid(rows, columns, indexing="ij"), -1)[None]
    return tensor(np.sign(offsets) * np.log2(np.abs(offsets) + 1) / np.float32(3))


def cosine_similarity(q: Tensor, k: Tensor, logit_scale: Tensor) -> Tensor:
    """The cosines of all pairs times exp(logit_scale), which is at most 100."""
    products = F.normalize(q, dim=-1) @ F.normalize(k, dim=-1).transpose(-2, -1)
    return products * logit_scale.clamp(max=math.log(100.0)).exp()


def windows(x: Tensor, size: list[int]) -> Tensor:
    """(N, H, W, C) cut into (N * windows, size[0] * size[1], C)."""
    n, h, w, c = x.shape
    x = x.reshape(n, h // size[0], size[0], w // size[1], size[1], c)
    return x.permute(0, 1, 3, 2, 4, 5).reshape(-1, size[0] * size[1], c)


def joined(x: Tensor, size: list[int], h: int, w: int) -> Tensor:
    """The inverse of `windows`."""
    x = x.reshape(-1, h // size[0], w // size[1], size[0], size[1], x.shape[-1])
    return x.permute(0, 1, 3, 2, 4, 5).reshape(-1, h, w, x.shape[-1])


def _regions(length, size, shift, device):
    """Which of up to three regions each row belongs to; rows of different regions met in a window by the shift alone."""
    at = arange(length, device=device)
    return (at >= length - size).int() + (at >= length - shift).int() if shift else at * 0


def shift_mask(h: int, w: int, size: list[int], shift: list[int], like: Tensor) -> Tensor:
    """(windows, 1, n, n): -100 for pairs of pixels that the shift alone has brought together, else 0."""
    rows, columns = (_regions(*given, like.device) for given in zip((h, w), size, shift, strict=True))
    regions = windows((rows[:, None] * 3 + columns).reshape(1, h, w, 1), size).squeeze(-1)
    return ((regions[:, None, :] != regions[:, :, None]).to(like.dtype) * -100.0)[:, None]


def shifted_window_attention(input: Tensor, qkv_weight: Tensor, proj_weight: Tensor, relative_position_bias: Tensor,
                             window_size: list[int], num_heads: int, shift_size: list[int], attention_dropout: float = 0.0,
                             dropout: float = 0.0, qkv_bias: Tensor | None = None, proj_bias: Tensor | None = None,
                             logit_scale: Tensor | None = None, training: bool = True) -> Tensor:
    """Self-attention in windows of window_size, shifted by shift_size: (N, H, W, C) -> (N, H, W, C).

    H and W are padded to multiples of the window; a side that one window covers is not shifted.  relative_position_bias
    (1, num_heads, n, n), n = window_size[0] * window_size[1], is added to the products, which with logit_scale
    (num_heads, 1, 1) are cosines, and have no bias for keys.  Floating dtypes.  Raises ShapeError where num_heads does not divide
    C.  Source: Liu et al., Swin Transformer, 2021; Liu et al., Swin Transformer V2, 2022.

        >>> from cltensor.vision.models.swin_transformer import shifted_window_attention
        >>> w = ct.zeros(12, 4)
        >>> shifted_window_attention(ct.ones(1, 3, 3, 4), w, w[:4], ct.zeros(1, 2, 4, 4), [2, 2], 2, [1, 1]).shape
        cltensor.Size([1, 3, 3, 4])
    """
    n, height, width, c = input.shape
    x = F.pad(input, (0, 0, 0, -width % window_size[1], 0, -height % window_size[0]))
    h, w = x.shape[1:3]
    shift = [0 if size >= length else step for size, length, step in zip(window_size, (h, w), shift_size, strict=True)]
    if any(shift):
        x = x.roll((-shift[0], -shift[1]), (1, 2))
    x = windows(x, window_size)
    if logit_scale is not None and qkv_bias is not None:  # a bias of keys changes their directions
        qkv_bias = cat([qkv_bias[:c], qkv_bias[c:2 * c] * 0, qkv_bias[2 * c:]])
    qkv = F.linear(x, qkv_weight, qkv_bias).reshape(*x.shape[:2], 3, num_heads, c // num_heads).permute(2, 0, 3, 1, 4)
    q, k, v = qkv[0], qkv[1], qkv[2]
    if logit_scale is None:
        attention = (q * (c // num_heads) ** -0.5) @ k.transpose(-2, -1)
    else:
        attention = cosine_similarity(q, k, logit_scale)
    attention = attention + relative_position_bias
    if any(shift):
        mask = shift_mask(h, w, window_size, shift, x)
        attention = (attention.reshape(n, -1, *attention.shape[1:]) + mask).reshape(attention.shape)
    attention = F.dropout(attention.softmax(-1), attention_dropout, training)
    x = (attention @ v).transpose(1, 2).reshape(*x.shape[:2], c)
    x = joined(F.dropout(F.linear(x, proj_weight, proj_bias), dropout, training), window_size, h, w)
    if any(shift):
        x = x.roll((shift[0], shift[1]), (1, 2))
    return x[:, :height, :width]
