"""Convolutions in NumPy: a sum over filter taps; each term multiplies a channel matrix by the part of x under the tap."""

import itertools

import numpy as np


def forward(x, w, bias, stride, padding, dilation, groups):
    """y of the op convolution."""
    padded = np.pad(x, _borders(padding))
    out = [(n - d * (k - 1) - 1) // s + 1
           for n, k, s, d in zip(padded.shape[2:], w.shape[2:], stride, dilation, strict=True)]
    y = np.zeros((len(x), len(w), *out), np.result_type(x, w)) + (0 if bias is None else bias.reshape(-1, *(1,) * len(out)))
    for c, k, tap, met in _taps(w.shape, out, stride, dilation, groups):
        y[:, k] += np.tensordot(w[(k, slice(None), *tap)], padded[(slice(None), c, *met)], (1, 1)).swapaxes(0, 1)
    return y


def input_gradient(g, w, size, stride, padding, dilation, groups):
    """gx, of spatial size `size`."""
    borders = _borders(padding)
    channels = w.shape[1] * groups
    spatial = (n + lo + hi for n, (lo, hi) in zip(size, borders[2:], strict=True))
    padded = np.zeros((len(g), channels, *spatial), np.result_type(g, w))
    for c, k, tap, met in _taps(w.shape, g.shape[2:], stride, dilation, groups):
        padded[(slice(None), c, *met)] += np.tensordot(w[(k, slice(None), *tap)], g[:, k], (0, 1)).swapaxes(0, 1)
    return padded[(..., *(slice(lo, lo + n) for n, (lo, _) in zip(size, borders[2:], strict=True)))]


def weight_gradient(g, x, size, stride, padding, dilation, groups):
    """gw, with kernels of size `size`."""
    padded = np.pad(x, _borders(padding))
    gw = np.zeros((g.shape[1], x.shape[1] // groups, *size))
    summed = (0, *range(2, x.ndim))
    for c, k, tap, met in _taps(gw.shape, g.shape[2:], stride, dilation, groups):
        gw[(k, slice(None), *tap)] = np.tensordot(g[:, k], padded[(slice(None), c, *met)], (summed, summed))
    return gw


def _borders(padding):
    return [(0, 0), (0, 0), *((p, p) if isinstance(p, int) else p for p in padding)]


def _taps(w_shape, out, stride, dilation, groups):
    """For each group and tap: the channels of x and of y, the tap, and the elements of padded x the outputs read."""
    lanes, channels = w_shape[0] // groups, w_shape[1]
    for group in range(groups):
        c, k = slice(group * channels, (group + 1) * channels), slice(group * lanes, (group + 1) * lanes)
        for tap in itertools.product(*map(range, w_shape[2:])):
            yield c, k, tap, tuple(slice(t * d, t * d + (n - 1) * s + 1, s)
                                   for t, d, n, s in zip(tap, dilation, out, stride, strict=True))
