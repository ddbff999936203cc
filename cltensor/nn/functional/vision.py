"""Functions on images: rearrange channels and pixels, resize, sample along a grid, slide windows."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence

import numpy as np

from ...base import dtypes
from ...base.errors import ArgumentError, DTypeError, MismatchError, ShapeError, UnsupportedError
from ...dispatch.autocast import FLOAT32_OR_PROMOTE, autocasts
from ...ops.kinds.precision import in_float32
from ...tensor.api.creation import from_array, linspace
from ...tensor.core.tensor import Tensor
from ...tensor.index.resizing import along, by_dimension, cubic, resized
from ...tensor.math.arithmetic import where
from ...tensor.shape.joining import stack
from ...tensor.shape.padding import pad_constant
from ...tensor.shape.shape import as_strided
from .antialias import FILTERS, antialiased
from .pooling import adaptive_avg_pool1d, adaptive_avg_pool2d, adaptive_avg_pool3d


def pixel_shuffle(input: Tensor, upscale_factor: int):
    """(*, C r**2, H, W) -> (*, C, H r, W r)."""
    r = int(upscale_factor)
    if input.ndim < 3:
        raise ShapeError(f"pixel_shuffle expects input to have at least 3 dimensions, but got input with {input.ndim} dimension(s)")
    if r <= 0:
        raise ArgumentError(f"pixel_shuffle expects a positive upscale_factor, but got {r}")
    *batch, c, h, w = input.shape
    if c % (r * r):
        raise ShapeError("pixel_shuffle expects its input's 'channel' dimension to be divisible by the square of "
                         "upscale_factor, but "
                         f"input.size(-3)={c} is not divisible by {r * r}")
    n = len(batch)
    x = (input if r > 1 else input.clone()).reshape(*batch, c // (r * r), r, r, h, w)
    return x.permute(*range(n), n, n + 3, n + 1, n + 4, n + 2).reshape(*batch, c // (r * r), h * r, w * r)


def pixel_unshuffle(input: Tensor, downscale_factor: int):
    """(*, C, H r, W r) -> (*, C r**2, H, W)."""
    r = int(downscale_factor)
    if input.ndim < 3:
        raise ShapeError(f"pixel_unshuffle expects input to have at least 3 dimensions, but got input with {input.ndim} "
                         f"dimension(s)")
    if r <= 0:
        raise ArgumentError(f"pixel_unshuffle expects a positive downscale_factor, but got {r}")
    *batch, c, h, w = input.shape
    if h % r or w % r:
        raise ShapeError(f"pixel_unshuffle expects height and width to be divisible by downscale_factor, but {h} x {w} are not "
                         f"divisible by {r}")
    n = len(batch)
    x = (input if r > 1 else input.clone()).reshape(*batch, c, h // r, r, w // r, r)
    return x.permute(*range(n), n, n + 2, n + 4, n + 1, n + 3).reshape(*batch, c * r * r, h // r, w // r)


def channel_shuffle(input: Tensor, groups: int):
    """Interleave the channels of `groups` groups: (N, C, *) -> (N, C, *)."""
    if input.ndim < 3:
        raise ShapeError(f"channel_shuffle expects input with > 2 dims, but got input with sizes {list(input.shape)}")
    if groups <= 0:
        raise ArgumentError(f"Number of groups to divide channels in must be positive. Value of groups:{groups}")
    n, c, *rest = input.shape
    if c % groups:
        raise ShapeError(f"Number of channels must be divisible by groups. Got {c} channels and {groups} groups.")
    return input.reshape(n, groups, c // groups, *rest).transpose(1, 2).reshape(n, c, *rest)


# --- sliding windows -------------------------------------------------------------------------------------------------


native_channel_shuffle = channel_shuffle


def _pair(x):
    return (int(x), int(x)) if hasattr(x, "__index__") else tuple(int(v) for v in x)


def unfold(input: Tensor, kernel_size: int | Sequence[int], dilation: int | Sequence[int] = 1, padding: int | Sequence[int] = 0,
           stride: int | Sequence[int] = 1):
    """Sliding windows as columns: (N, C, H, W) -> (N, C kh kw, L)."""
    (kh, kw), (dh, dw), (ph, pw), (sh, sw) = map(_pair, (kernel_size, dilation, padding, stride))
    if input.ndim not in (3, 4):
        raise ShapeError(f"unfold: Expected 3D or 4D (batch mode) tensor, got shape {list(input.shape)}")
    x = input if input.ndim == 4 else input.unsqueeze(0)
    x = pad_constant(x, (pw, pw, ph, ph)) if ph or pw else x.contiguous()
    n, c, h, w = x.shape
    oh, ow = (h - dh * (kh - 1) - 1) // sh + 1, (w - dw * (kw - 1) - 1) // sw + 1
    if oh < 1 or ow < 1:
        raise ShapeError(f"unfold: Given input with spatial size {list(input.shape[-2:])}, kernel_size=({kh}, {kw}), "
                         f"dilation=({dh}, {dw}), "
                         f"padding=({ph}, {pw}), the array of sliding blocks would be ({oh}, {ow}), but its components must be at "
                         "least one")
    sn, sc, si, sj = x.stride()
    windows = as_strided(x, (n, c, kh, kw, oh, ow), (sn, sc, si * dh, sj * dw, si * sh, sj * sw), x.storage_offset())
    out = windows.reshape(n, c * kh * kw, oh * ow)
    return out if input.ndim == 4 else out.squeeze(0)


def fold(input: Tensor, output_size: int | Sequence[int], kernel_size: int | Sequence[int], dilation: int | Sequence[int] = 1,
         padding: int | Sequence[int] = 0, stride: int | Sequence[int] = 1):
    """The adjoint of unfold: (N, C kh kw, L) -> (N, C, H, W); overlapping windows add up."""
    (oh, ow), (kh, kw), (dh, dw), (ph, pw), (sh, sw) = map(_pair, (output_size, kernel_size, dilation, padding, stride))
    if input.ndim not in (2, 3):
        raise ShapeError(f"fold: Expected 2D or 3D (batch mode) tensor for input, got shape {list(input.shape)}")
    x = input if input.ndim == 3 else input.unsqueeze(0)
    rows, columns = (oh + 2 * ph - dh * (kh - 1) - 1) // sh + 1, (ow + 2 * pw - dw * (kw - 1) - 1) // sw + 1
    if x.shape[1] % (kh * kw) or x.shape[2] != rows * columns:
        raise ShapeError(f"fold: Expected size of input's dimension 2 to match the calculated number of sliding blocks {rows} * "
                         f"{columns} "
                         f"and dimension 1 to be divisible by {kh * kw}, got shape {list(input.shape)}")
    n, c = x.shape[0], x.shape[1] // (kh * kw)
    h, w = oh + 2 * ph, ow + 2 * pw
    places = _positions(h, kh, dh, rows, sh)[:, None, :, None] * w + _positions(w, kw, dw, columns, sw)[None, :, None, :]
    index = from_array(places.reshape(-1).astype(np.int64), dtypes.int64, x.device)
    flat = x.reshape(n, c, kh * kw * rows * columns)
    full = flat.new_zeros((n, c, h * w)).index_add(2, index, flat).reshape(n, c, h, w)
    out = full[:, :, ph:ph + oh, pw:pw + ow]
    return out if input.ndim == 3 else out.squeeze(0)


def _positions(size, k, dilation, count, stride):
    return np.arange(k)[:, None] * dilation + np.arange(count)[None, :] * stride


# --- resizing --------------------------------------------------------------------------------------------------------

_LINEAR = {"linear": 1, "bilinear": 2, "trilinear": 3, "bicubic": 2}


def _sizes(input, size, scale_factor, recompute):
    spatial = input.shape[2:]
    if (size is None) == (scale_factor is None):
        raise ArgumentError("interpolate: only one of size or scale_factor should be defined")
    if size is not None:
        size = (size,) * len(spatial) if hasattr(size, "__index__") else tuple(size)
        if len(size) != len(spatial):
            raise ArgumentError(f"interpolate: Input and output must have the same number of spatial dimensions, got "
                                f"{len(spatial)} and "
                                f"output size {size}")
        return size, [None] * len(spatial)
    scales = (scale_factor,) * len(spatial) if isinstance(scale_factor, (int, float)) else tuple(scale_factor)
    if len(scales) != len(spatial):
        raise ArgumentError(f"interpolate: expected {len(spatial)} scale factors, got {scales}")
    sizes = tuple(math.floor(n * s) for n, s in zip(spatial, scales, strict=True))
    return sizes, [None] * len(spatial) if recompute else list(scales)


def interpolate(input: Tensor, size: int | Sequence[int] | None = None, scale_factor: float | Sequence[float] | None = None,
                mode: str = "nearest", align_corners: bool | None = None, recompute_scale_factor=None, antialias: bool = False):
    """Resize (N, C, *spatial) to `size` or by `scale_factor`.

    mode: nearest, nearest-exact, area (any number of spatial dimensions), linear (1), bilinear and bicubic (2), trilinear (3).
    antialias: where the result is smaller, weigh all pixels that fall into one; for bilinear and bicubic.
    """
    modes = ("nearest", "nearest-exact", "area", *_LINEAR)
    if mode not in modes:
        raise UnsupportedError(f"interpolate: mode {mode!r} is none of {', '.join(modes)}")
    n = input.ndim - 2
    if n not in (1, 2, 3) or (mode in _LINEAR and n != _LINEAR[mode]):
        raise UnsupportedError(f"interpolate: got a {input.ndim}D input of shape {list(input.shape)}, which mode {mode!r} does "
                               "not take")
    if align_corners is not None and mode not in _LINEAR:
        raise ArgumentError("interpolate: align_corners option can only be set with the interpolating modes: linear | bilinear "
                            "| bicubic "
                            "| trilinear")
    if antialias and mode not in FILTERS:
        raise ArgumentError(f"interpolate: Anti-alias option is only supported for bilinear and bicubic modes, "
                            f"but got mode={mode!r}")
    way = antialiased if antialias else along
    sizes, scales = _sizes(input, size, scale_factor, recompute_scale_factor)
    if any(s < 1 for s in sizes) or any(s < 1 for s in input.shape[1:]):
        raise ShapeError(f"interpolate: Input and output sizes should be greater than 0, but got input {list(input.shape[2:])} "
                         f"and output "
                         f"{list(sizes)}")
    if mode == "area":
        return (adaptive_avg_pool1d, adaptive_avg_pool2d, adaptive_avg_pool3d)[n - 1](input, sizes if n > 1 else sizes[0])
    if mode in _LINEAR and not input.dtype.is_floating_point:
        return _bytes_resized(way, input, sizes, scales, mode, bool(align_corners))
    return _resized(way, input, sizes, scales, mode, bool(align_corners))


def _bytes_resized(way, x, sizes, scales, mode, align):
    """Resize uint8 x in floats; round each dimension's result, the last dimension first, as PyTorch does."""
    if x.dtype is not dtypes.uint8:
        raise DTypeError(f"interpolate: mode {mode!r} is not defined for {x.dtype.name}; use .float()")
    x = x.float()
    for i in reversed(range(len(sizes))):
        x = (way(x, 2 + i, sizes[i], scales[i], mode, align) + 0.5).floor().clamp(0, 255)
    return x.to(dtypes.uint8)


@in_float32
def _resized(way, x, sizes, scales, mode, align):
    if way is along:
        return resized(x, sizes=tuple(sizes), scales=tuple(scales), mode=mode, align=align)
    return by_dimension(way, x, sizes, scales, mode, align)


def upsample(input: Tensor, size: int | Sequence[int] | None = None, scale_factor: float | Sequence[float] | None = None,
             mode: str = "nearest", align_corners: bool | None = None):
    """interpolate."""
    return interpolate(input, size, scale_factor, mode, align_corners)


def upsample_nearest(input: Tensor, size: int | Sequence[int] | None = None,
                     scale_factor: float | Sequence[float] | None = None):
    """interpolate with mode nearest."""
    return interpolate(input, size, scale_factor, "nearest")


def upsample_bilinear(input: Tensor, size: int | Sequence[int] | None = None,
                      scale_factor: float | Sequence[float] | None = None):
    """interpolate with mode bilinear and aligned corners."""
    return interpolate(input, size, scale_factor, "bilinear", align_corners=True)


# --- sampling along a grid -------------------------------------------------------------------------------------------


def _aligned(align_corners):
    """Whether the corner pixels' centres are the corners; a warning where that is left open."""
    if align_corners is None:
        warnings.warn("Default grid_sample and affine_grid behavior has changed to align_corners=False since 1.3.0. Please specify "
                      "align_corners=True if the old behavior is desired. See the documentation of grid_sample for details.",
                      stacklevel=4)
    return bool(align_corners)


@in_float32
def affine_grid(theta: Tensor, size: int | Sequence[int], align_corners: bool | None = None):
    """The grid of an affine map: theta (N, 2, 3) and size (N, C, H, W) -> (N, H, W, 2); or (N, 3, 4) -> (N, D, H, W, 3)."""
    align_corners = _aligned(align_corners)
    n = len(size) - 2
    if tuple(theta.shape[1:]) != (n, n + 1) or theta.ndim != 3:
        raise MismatchError(f"affine_grid: Expected a batch of {n}x{n + 1} affine matrices for size {tuple(size)}, got "
                         f"{list(theta.shape)}")
    axes = [_base(k, align_corners, theta) for k in size[2:]]
    shape = tuple(size[2:])
    grids = [a.reshape([-1 if j == i else 1 for j in range(n)]).expand(shape) for i, a in enumerate(axes)]
    base = stack([*reversed(grids), grids[0] * 0 + 1], -1).reshape(-1, n + 1)
    return base.matmul(theta.transpose(1, 2)).reshape((theta.shape[0], *shape, n))


def _base(k, align, like):
    if k == 1:
        return like.detach().new_zeros(1)
    points = linspace(-1, 1, k, dtype=like.dtype, device=like.device)
    return points if align else points * ((k - 1) / k)


@autocasts(FLOAT32_OR_PROMOTE)
@in_float32
def grid_sample(input: Tensor, grid: Tensor, mode: str = "bilinear", padding_mode: str = "zeros",
                align_corners: bool | None = None):
    """Read input (N, C, H, W) at the points of grid (N, h, w, 2), each (x, y) in [-1, 1]: (N, C, h, w); three dimensions likewise.

    mode: bilinear, nearest, bicubic (two dimensions); padding_mode: zeros, border, reflection.
    """
    n = input.ndim - 2
    if mode not in ("bilinear", "nearest", "bicubic") or padding_mode not in ("zeros", "border", "reflection"):
        raise ArgumentError(f"grid_sample: mode {mode!r} or padding_mode {padding_mode!r} is not known; modes are bilinear, "
                            f"nearest, "
                            "bicubic, paddings zeros, border, reflection")
    if n not in (2, 3) or grid.ndim != input.ndim or grid.shape[-1] != n or grid.shape[0] != input.shape[0]:
        raise ShapeError(f"grid_sample: expected input (N, C, H, W) and grid (N, h, w, 2), or (N, C, D, H, W) and (N, d, h, w, "
                         f"3), got "
                         f"{list(input.shape)} and {list(grid.shape)}")
    if mode == "bicubic" and n != 2:
        raise ArgumentError("grid_sample: bicubic interpolation only supports 4D input")
    sizes = input.shape[2:]
    align = _aligned(align_corners)
    raw = [_pixels(grid.select(-1, n - 1 - i), sizes[i], align) for i in range(n)]
    if mode == "nearest":
        points = [_inside(p, k, padding_mode, align).round() for p, k in zip(raw, sizes, strict=True)]
        return _weighted(input, points, padding_mode == "zeros", None)
    if mode == "bicubic":
        return _bicubic_sample(input, raw, sizes, padding_mode, align)
    points = [_inside(p, k, padding_mode, align) for p, k in zip(raw, sizes, strict=True)]
    low = [p.detach().floor() for p in points]
    out = None
    for corner in range(2**n):
        bits = [corner >> i & 1 for i in range(n)]
        weight = None
        for bit, p, q in zip(bits, points, low, strict=True):
            part = p - q if bit else 1 - (p - q)
            weight = part if weight is None else weight * part
        term = _weighted(input, [q + bit for bit, q in zip(bits, low, strict=True)], True, weight)
        out = term if out is None else out + term
    return out


def _pixels(x, size, align):
    """Coordinates in [-1, 1] as positions in pixels."""
    return (x + 1) * ((size - 1) / 2) if align else ((x + 1) * size - 1) * 0.5


def _inside(p, size, padding, align):
    if padding == "zeros":
        return p
    if padding == "reflection":
        low, high = (0.0, float(size - 1)) if align else (-0.5, size - 0.5)
        span = high - low
        if span <= 0:
            return p.detach().new_zeros(p.shape)
        away = (p - low).abs()
        turns = (away / span).detach().floor()
        rest = away - turns * span
        p = (span - rest).where(turns.remainder(2) == 1, rest) + low
    return p.clamp(0, size - 1)


def _weighted(input, points, mask, weight):
    """input at whole positions times a weight; with mask, 0 outside, even where input is NaN or infinite."""
    sizes = input.shape[2:]
    flat, valid = None, None
    for p, k in zip(points, sizes, strict=True):
        p = p.detach()
        if mask:
            here = (p >= 0) & (p <= k - 1)
            valid = here if valid is None else valid & here
        at = p.clamp(0, k - 1).nan_to_num(0.0).long()
        flat = at if flat is None else flat * k + at
    n, c = input.shape[:2]
    index = flat.reshape(n, 1, -1).expand(n, c, flat[0].numel())
    out = input.reshape(n, c, -1).gather(2, index).reshape((n, c, *flat.shape[1:]))
    out = out if weight is None else out * weight.unsqueeze(1)
    return where(valid.unsqueeze(1), out, 0.0) if mask else out


def _bicubic_sample(input, raw, sizes, padding, align):
    low = [p.detach().floor() for p in raw]
    weights = [cubic(p - q) for p, q in zip(raw, low, strict=True)]
    out = None
    for i in range(4):
        for j in range(4):
            at = [_inside(low[0] + (i - 1), sizes[0], padding, align), _inside(low[1] + (j - 1), sizes[1], padding, align)]
            term = _weighted(input, at, padding == "zeros", weights[0][i] * weights[1][j])
            out = term if out is None else out + term
    return out
