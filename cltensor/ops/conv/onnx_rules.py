"""What ONNX has for convolutions and pooling."""

import itertools
import math

import numpy as np

from ...base import dtypes


def _pads(padding):
    """Padding as ONNX lists it: all before, then all after."""
    pairs = [p if isinstance(p, tuple) else (p, p) for p in padding]
    return [p for p, _ in pairs] + [p for _, p in pairs]


def convolution(b, x, w, bias, *, stride, padding, dilation, groups):
    """Conv."""
    return b("Conv", x, w, bias, shape=b.results[0].shape, kernel_shape=list(w.shape[2:]), strides=list(stride),
             pads=_pads(padding), dilations=list(dilation), group=groups)


def input_gradient(b, g, w, *, size, stride, padding, dilation, groups):
    """ConvTranspose, which adds what the sizes of the result say to the end."""
    pads, n = _pads(padding), len(stride)
    plain = [(o - 1) * s - lo - hi + d * (k - 1) + 1 for o, s, lo, hi, d, k in
             zip(g.shape[2:], stride, pads[:n], pads[n:], dilation, w.shape[2:], strict=True)]
    return b("ConvTranspose", g, w, shape=b.results[0].shape, kernel_shape=list(w.shape[2:]), strides=list(stride), pads=pads,
             dilations=list(dilation), group=groups, output_padding=[m - p for m, p in zip(size, plain, strict=True)])


def weight_gradient(b, g, x, *, size, stride, padding, dilation, groups):
    """Conv of each channel of x with each of g, over the samples."""
    n, cg, k = x.shape[0], x.shape[1] // groups, g.shape[1]
    # (N, G, Cg, *) as one sample of Cg rows with G * N channels, in groups of N that meet the K / G kernels of each group
    rows = b.reshape(x, (n, groups, cg, *x.shape[2:]))
    rows = b.reshape(b.transpose(rows, (2, 1, 0, *range(3, rows.ndim))), (cg, groups * n, *x.shape[2:]))
    kernels = b.transpose(g, (1, 0, *range(2, g.ndim)))
    pads, m = _pads(padding), len(stride)
    out = [(i + lo + hi - s * (o - 1) - 1) // d + 1 for i, lo, hi, s, o, d in
           zip(x.shape[2:], pads[:m], pads[m:], stride, g.shape[2:], dilation, strict=True)]
    y = b("Conv", rows, kernels, shape=(cg, k, *out), kernel_shape=list(g.shape[2:]), strides=list(dilation), pads=pads,
          dilations=list(stride), group=groups)
    y = b.transpose(y, (1, 0, *range(2, y.ndim)))
    return b.slice(y, {d + 2: (0, taps, 1) for d, taps in enumerate(size)})


def max_pool(b, x, *, kernel_size, stride, padding, dilation, ceil_mode):
    """MaxPool; its positions count through samples and channels, those here start anew in each plane."""
    y, places = b("MaxPool", x, outputs=[(r.shape, r.dtype) for r in b.results], kernel_shape=list(kernel_size),
                  strides=list(stride), pads=_pads(padding), dilations=list(dilation), ceil_mode=int(ceil_mode))
    return y, b("Mod", places, b.constant(math.prod(x.shape[2:]), dtypes.int64))


def avg_pool(b, x, *, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override):
    """AveragePool; with a divisor of its own it takes the sum of the window instead of the mean."""
    if divisor_override or ceil_mode:
        return _summed(b, x, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override)
    return b("AveragePool", x, shape=b.results[0].shape, kernel_shape=list(kernel_size), strides=list(stride), pads=_pads(padding),
             ceil_mode=int(ceil_mode), count_include_pad=int(count_include_pad))


def _summed(b, x, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor):
    """Sums of windows over an input padded as far as they reach, and what they are divided by."""
    y, n = b.results[0], len(kernel_size)
    reach = [max(0, (o - 1) * s + k - i - p) for o, s, k, i, p in
             zip(y.shape[2:], stride, kernel_size, x.shape[2:], padding, strict=True)]
    size = math.prod(kernel_size)

    def sums(of, before, after):
        wider = [i + p + q for i, p, q in zip(of.shape[2:], before, after, strict=True)]
        padded = b("Pad", of, b.ints([0, 0, *before, 0, 0, *after]), b.constant(0.0, of.dtype), shape=(*of.shape[:2], *wider),
                   mode="constant")
        mean = b("AveragePool", padded, shape=(*of.shape[:2], *y.shape[2:]), kernel_shape=list(kernel_size), strides=list(stride),
                 pads=[0] * (2 * n))
        return b("Mul", mean, size)

    found = sums(x, padding, reach)
    if divisor:
        return b("Div", found, divisor)
    counted = b.expand(b.constant(1.0, x.dtype), (1, 1, *x.shape[2:]))
    if count_include_pad:  # the padding asked for counts, what lies beyond does not
        after = [min(p, q) for p, q in zip(padding, reach, strict=True)]
        wider = [i + p + q for i, p, q in zip(x.shape[2:], padding, after, strict=True)]
        counted = b.expand(b.constant(1.0, x.dtype), (1, 1, *wider))
        return b("Div", found, sums(counted, [0] * n, [q - p for p, q in zip(after, reach, strict=True)]))
    return b("Div", found, sums(counted, padding, reach))


def adaptive_avg_pool(b, x, *, output_size):
    """GlobalAveragePool, AveragePool where windows are of one size, else products with the windows' weights."""
    if all(o == 1 for o in output_size):
        return b("GlobalAveragePool", x, shape=b.results[0].shape)
    if all(n % o == 0 for n, o in zip(x.shape[2:], output_size, strict=True)):
        steps = [n // o for n, o in zip(x.shape[2:], output_size, strict=True)]
        return b("AveragePool", x, shape=b.results[0].shape, kernel_shape=steps, strides=steps)
    for d, (n, o) in enumerate(zip(x.shape[2:], output_size, strict=True)):
        x = _along(b, x, d + 2, _windows(n, o))
    return x


def _windows(n, o):
    """Rows of weights: the mean of each of o windows over n elements."""
    rows = []
    for i in range(o):
        first, last = i * n // o, -(-(i + 1) * n // o)
        rows.append([1 / (last - first) if first <= j < last else 0.0 for j in range(n)])
    return rows


def _along(b, x, dim, rows):
    """x multiplied by a matrix along a dimension."""
    matrix = b.constant(np.array(rows, np.float64).T, x.dtype)
    order = [d for d in range(x.ndim) if d != dim] + [dim]
    y = b.product(b.transpose(x, order), matrix)
    return b.transpose(y, [order.index(d) for d in range(x.ndim)])


def adaptive_max_pool(b, x, *, output_size):
    """MaxPool where windows are of one size, else the largest of each slice."""
    if all(n % o == 0 for n, o in zip(x.shape[2:], output_size, strict=True)):
        steps = tuple(n // o for n, o in zip(x.shape[2:], output_size, strict=True))
        return max_pool(b, x, kernel_size=steps, stride=steps, padding=(0,) * len(steps), dilation=(1,) * len(steps),
                        ceil_mode=False)
    planes = b.reshape(x, (*x.shape[:2], math.prod(x.shape[2:])))
    ranges = [[range(i * n // o, -(-(i + 1) * n // o)) for i in range(o)] for n, o in zip(x.shape[2:], output_size, strict=True)]
    found = [_largest(b, planes, np.ravel_multi_index(np.meshgrid(*window, indexing="ij"), x.shape[2:]).ravel())
             for window in itertools.product(*ranges)]
    places = b.concat(found, 2)
    y = b("GatherElements", planes, places, shape=places.shape, axis=2)
    return tuple(b.reshape(v, (*x.shape[:2], *output_size)) for v in (y, places))


def _largest(b, planes, window):
    """The first place of a window at which planes are largest."""
    places, lead = b.ints(window), planes.shape[:2]
    inside = b("Gather", planes, places, shape=(*lead, len(window)), axis=2)
    best = b("ArgMax", inside, shape=(*lead, 1), dtype=dtypes.int64, axis=2, keepdims=1)
    return b("Gather", places, best, shape=(*lead, 1), axis=0)


def max_pool_take(b, x, positions, *, window):
    """The elements at flat positions in each plane."""
    planes = b.reshape(x, (*x.shape[:2], math.prod(x.shape[2:])))
    places = b.reshape(positions, (*x.shape[:2], math.prod(positions.shape[2:])))
    return b.reshape(b("GatherElements", planes, places, shape=places.shape, axis=2), positions.shape)


def max_pool_gradient(b, g, positions, *, size, window):
    """Each g added at its position."""
    b.needs(16, "a sum at positions")
    planes = b.expand(b.constant(0, g.dtype), (*g.shape[:2], math.prod(size)))
    flat = (*g.shape[:2], math.prod(g.shape[2:]))
    y = b("ScatterElements", planes, b.reshape(positions, flat), b.reshape(g, flat), shape=planes.shape, axis=2, reduction="add")
    return b.reshape(y, (*g.shape[:2], *size))


def avg_pool_gradient(b, g, *, size, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override):
    """ConvTranspose of shares, which are g divided by what its window counts."""
    if not divisor_override and not (count_include_pad and not ceil_mode):
        return NotImplemented
    channels = g.shape[1]
    share = 1 / (divisor_override or math.prod(kernel_size))
    kernels = b.constant(np.full((channels, 1, *kernel_size), share), g.dtype)
    return input_gradient(b, g, kernels, size=size, stride=stride, padding=padding, dilation=(1,) * len(stride), groups=channels)


def adaptive_avg_pool_gradient(b, g, *, size):
    """Products with the windows' weights, transposed."""
    for d, (n, o) in enumerate(zip(size, g.shape[2:], strict=True)):
        g = _along(b, g, d + 2, np.array(_windows(n, o)).T)
    return g
