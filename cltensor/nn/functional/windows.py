"""Convolution and pooling of integers, which the kernels do not support: sums and extremes over windows that are views.

Exact, but slow compared with the floating kernels.  Settings are tuples with one entry per spatial dimension; paddings are
pairs (before, after).
"""

import math

from ...base import dtypes
from ...ops.conv import pooling
from ...ops.conv.convolution import convolution_shape, input_gradient_shape, pairs
from ...tensor.shape.padding import pad_constant
from ...tensor.shape.rearrange import flip
from ...tensor.shape.shape import as_strided


def windows(x, size, kernel, stride, dilation):
    """The windows of a dense x (N, C, *spatial) as a view (N, C, *size, *kernel)."""
    x = x.contiguous()
    steps = x.stride()[2:]
    return as_strided(x, (*x.shape[:2], *size, *kernel), (*x.stride()[:2], *(s * t for s, t in zip(stride, steps, strict=True)),
                                                         *(d * t for d, t in zip(dilation, steps, strict=True))))


def _padded(x, padding, value=0):
    flat = [n for pair in reversed(padding) for n in pair]
    return pad_constant(x, flat, value) if any(flat) else x


def convolution(x, w, bias, *, stride, padding, dilation, groups):
    """ops.convolution, for integers."""
    shape = convolution_shape(x._spec, w._spec, None if bias is None else bias._spec, stride=stride, padding=padding,
                              dilation=dilation, groups=groups).shape
    n, (k, size), kernel = x.shape[0], (shape[1], shape[2:]), w.shape[2:]
    seen = windows(_padded(x, pairs(padding)), size, kernel, stride, dilation)
    d = len(size)
    seen = seen.unflatten(1, (groups, -1)).movedim(2, 2 + d)  # (N, groups, *size, C / groups, *kernel)
    depth = w.shape[1] * math.prod(kernel)
    rows = seen.reshape(n, groups, math.prod(size), depth)
    y = rows @ w.reshape(groups, k // groups, depth).mT
    y = y.mT.reshape(shape)
    return y if bias is None else y + bias.reshape(-1, *(1,) * d)


def convolution_input_gradient(g, w, *, size, stride, padding, dilation, groups):
    """ops.convolution_input_gradient, for integers: a convolution of g with zeros between its elements."""
    input_gradient_shape(g._spec, w._spec, size=size, stride=stride, padding=padding, dilation=dilation, groups=groups)
    spread = g.new_zeros((*g.shape[:2], *((n - 1) * s + 1 for n, s in zip(g.shape[2:], stride, strict=True))))
    spread[(..., *(slice(None, None, s) for s in stride))] = g
    kernel = w.shape[2:]
    turned = flip(w, tuple(range(2, w.ndim))).unflatten(0, (groups, -1)).transpose(1, 2).flatten(0, 1)
    around = []
    for n, m, k, d, (lo, _) in zip(size, spread.shape[2:], kernel, dilation, pairs(padding), strict=True):
        before = d * (k - 1) - lo
        around.append((before, n + d * (k - 1) - m - before))
    return convolution(_padded(spread, around), turned, None, stride=(1,) * len(size), padding=(0,) * len(size), dilation=dilation,
                       groups=groups)


def _pooled(x, size, kernel, stride, padding, dilation, value):
    """Windows of x, padded so that the last window fits, with the kernel flattened: (N, C, *size, kernel)."""
    reach = [(m - 1) * s + d * (k - 1) + 1 for m, s, d, k in zip(size, stride, dilation, kernel, strict=True)]
    around = [(p, r - n - p) for p, r, n in zip(padding, reach, x.shape[2:], strict=True)]
    return windows(_padded(x, around, value), size, kernel, stride, dilation).flatten(2 + len(size))


def max_pool(x, *, kernel_size, stride, padding, dilation, ceil_mode):
    """ops.max_pool, for integers: (largest values, their flat positions in the plane)."""
    shape = pooling.max_pool_shape(x._spec, kernel_size=kernel_size, stride=stride, padding=padding, dilation=dilation,
                                   ceil_mode=ceil_mode)[0].shape
    size = shape[2:]
    seen = _pooled(x, size, kernel_size, stride, padding, dilation, dtypes.iinfo(x.dtype).min)
    return seen.amax(-1), _positions(seen.argmax(-1), x.shape[2:], size, kernel_size, stride, padding, dilation)


def _positions(chosen, plane, size, kernel, stride, padding, dilation):
    """Convert positions inside the windows to flat positions in the plane."""
    flat = chosen * 0
    for i, (n, k, s, p, d) in enumerate(zip(plane, kernel, stride, padding, dilation, strict=True)):
        within = chosen // math.prod(kernel[i + 1:]) % k
        start = chosen.new_arange(size[i]).reshape(-1, *(1,) * (len(size) - 1 - i)) * s - p
        flat = flat * n + start + within * d
    return flat


def avg_pool(x, *, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override):
    """ops.avg_pool, for integers, rounded towards zero."""
    settings = {"kernel_size": kernel_size, "stride": stride, "padding": padding, "ceil_mode": ceil_mode}
    size = pooling.avg_pool_shape(x._spec, **settings, count_include_pad=count_include_pad,
                                  divisor_override=divisor_override).shape[2:]
    one = (1,) * len(size)
    total = _pooled(x, size, kernel_size, stride, padding, one, 0).sum(-1)
    if divisor_override is not None:
        return total.div(divisor_override, rounding_mode="trunc")
    around = [(p, p) for p in padding]
    counted = _padded(x.new_ones((1, 1, *x.shape[2:])), around, int(count_include_pad))
    counts = _pooled(counted, size, kernel_size, stride, (0,) * len(size), one, 0).sum(-1)
    return total.div(counts, rounding_mode="trunc")
