"""Poolings."""

import math

import numpy as np

from ....nn import functional as F
from ..operators import operator
from ..public import ct, ints
from ..windows import Windows

_WITH_INDICES = {1: F.max_pool1d_with_indices, 2: F.max_pool2d_with_indices, 3: F.max_pool3d_with_indices}
_MAX = {1: F.max_pool1d, 2: F.max_pool2d, 3: F.max_pool3d}
_AVERAGE = {1: F.avg_pool1d, 2: F.avg_pool2d, 3: F.avg_pool3d}


@operator("MaxPool")
def max_pool(x, *, kernel_shape, auto_pad="NOTSET", ceil_mode=0, dilations=None, pads=None, storage_order=0, strides=None,
             n_outputs=1):
    windows = Windows(x.shape[2:], kernel_shape, auto_pad, dilations, pads, strides, ceil_mode)
    n, dtype = x.ndim - 2, x.dtype
    held = x if dtype.is_floating_point else x.to(ct.float32)
    held = F.pad(held, windows.flat(), value=-math.inf) if any(windows.flat()) else held
    if n_outputs == 1:
        return _MAX[n](held, windows.kernel, windows.strides, 0, windows.dilations).to(dtype)
    found, places = _WITH_INDICES[n](held, windows.kernel, windows.strides, 0, windows.dilations)
    return found.to(dtype), _in_the_input(places, held.shape[2:], x.shape, windows.before, storage_order)


def _in_the_input(places, padded, shape, before, storage_order):
    """Positions in the whole input of positions in a padded image."""
    parts = []
    for size, low in zip(reversed(padded), reversed(before), strict=True):
        parts.append(ct.remainder(places, size) - low)
        places = ct.div(places, size, rounding_mode="trunc")
    sizes = list(shape[2:])
    parts = list(reversed(parts))
    if storage_order:
        parts, sizes = list(reversed(parts)), list(reversed(sizes))
    inside = 0
    for part, size in zip(parts, sizes, strict=True):
        inside = inside * size + part
    images = ct.arange(shape[0] * shape[1], device=places.device).reshape(list(shape[:2]) + [1] * len(sizes))
    return inside + images * math.prod(sizes)


@operator("AveragePool", since=7)
def average_pool(x, *, kernel_shape, auto_pad="NOTSET", ceil_mode=0, count_include_pad=0, dilations=None, pads=None, strides=None):
    windows = Windows(x.shape[2:], kernel_shape, auto_pad, dilations, pads, strides, ceil_mode)
    total = _window_sums(x, windows)
    if not any(windows.flat()):
        return total / math.prod(windows.kernel)
    counted = ct.ones([1, 1, *x.shape[2:]], dtype=x.dtype, device=x.device)
    if count_include_pad:
        inside = Windows(x.shape[2:], kernel_shape, "NOTSET", dilations, (*windows.before, *windows.after), strides)
        counted = F.pad(counted, inside.flat(), value=1)
        ends = [n for more in reversed(windows.more) for n in (0, more)]
        counted = F.pad(counted, ends)
        windows = Windows(counted.shape[2:], kernel_shape, "NOTSET", dilations, None, strides)
    return total / _window_sums(counted, windows)


def _window_sums(x, windows):
    """The sums over the windows of x, padded with zeros."""
    x = F.pad(x, windows.flat()) if any(windows.flat()) else x
    if all(d == 1 for d in windows.dilations):
        return _AVERAGE[len(windows.sizes)](x, windows.kernel, windows.strides) * math.prod(windows.kernel)
    one = ct.ones([1, 1, *windows.kernel], dtype=x.dtype, device=x.device)
    conv = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}[len(windows.sizes)]
    images = x.reshape(x.shape[0] * x.shape[1], 1, *x.shape[2:])
    found = conv(images, one, None, windows.strides, 0, windows.dilations)
    return found.reshape(*x.shape[:2], *found.shape[2:])


@operator("LpPool", since=2)
def lp_pool(x, *, kernel_shape, auto_pad="NOTSET", ceil_mode=0, dilations=None, p=2, pads=None, strides=None):
    windows = Windows(x.shape[2:], kernel_shape, auto_pad, dilations, pads, strides, ceil_mode)
    return ct.pow(_window_sums(ct.pow(ct.abs(x), p), windows), 1 / p)


@operator("GlobalAveragePool")
def global_average_pool(x):
    return ct.mean(x, tuple(range(2, x.ndim)), True)


@operator("GlobalMaxPool")
def global_max_pool(x):
    return ct.amax(x, tuple(range(2, x.ndim)), True)


@operator("GlobalLpPool", since=2)
def global_lp_pool(x, *, p=2):
    return ct.pow(ct.sum(ct.pow(ct.abs(x), p), tuple(range(2, x.ndim)), True), 1 / p)


@operator("MaxUnpool", since=9, host="output_shape")
def max_unpool(x, i, output_shape=None, *, kernel_shape, pads=None, strides=None):
    n = x.ndim - 2
    strides, pads = strides or (1,) * n, pads or (0,) * (2 * n)
    sizes = [(x.shape[i + 2] - 1) * strides[i] + kernel_shape[i] - pads[i] - pads[i + n] for i in range(n)]
    shape = [*x.shape[:2], *sizes]
    flat = ct.zeros(math.prod(shape), dtype=x.dtype, device=x.device)
    made = ct.scatter(flat, 0, i.reshape(-1), x.reshape(-1)).reshape(shape)
    if output_shape is None:
        return made
    more = [wanted - size for wanted, size in zip(ints(output_shape), shape, strict=True)]
    return F.pad(made, [n for m in reversed(more) for n in (0, m)])


@operator("MaxRoiPool", host="rois")
def max_roi_pool(x, rois, *, pooled_shape, spatial_scale=1.0):
    parts = []
    for roi in np.asarray(rois):
        image = x[int(roi[0])]
        x1, y1, x2, y2 = (int(np.floor(v * spatial_scale + 0.5)) for v in roi[1:])
        parts.append(_bins(image, (y1, x1), (max(y2 - y1 + 1, 1), max(x2 - x1 + 1, 1)), pooled_shape))
    return ct.stack(parts)


def _bins(image, start, size, pooled):
    def edges(axis, k):
        low = start[axis] + int(np.floor(k * size[axis] / pooled[axis]))
        high = start[axis] + int(np.ceil((k + 1) * size[axis] / pooled[axis]))
        return min(max(low, 0), image.shape[axis + 1]), min(max(high, 0), image.shape[axis + 1])

    rows = []
    for i in range(pooled[0]):
        top, bottom = edges(0, i)
        row = []
        for j in range(pooled[1]):
            left, right = edges(1, j)
            empty = bottom <= top or right <= left
            row.append(image[:, 0, 0] * 0 if empty else ct.amax(image[:, top:bottom, left:right], (1, 2)))
        rows.append(ct.stack(row, -1))
    return ct.stack(rows, -2)
