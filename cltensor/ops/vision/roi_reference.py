"""Pooling of regions of interest in NumPy, bin by bin."""

import math

import numpy as np


def _tent(places, size):
    """(samples, size) weights of the pixels of an axis at places on it: a tent of width 2, level beyond the outer pixels."""
    places = np.asarray(places, np.float64)
    inside = (places >= -1) & (places <= size)
    near = np.clip(places, 0, size - 1)
    return np.maximum(0, 1 - np.abs(near[:, None] - np.arange(size))) * inside[:, None]


def _sampled(low, high, q, bins, size, ratio, at_least):
    """The mean weights of the pixels of an axis over the samples of bin q."""
    width = max(high - low, at_least) / bins
    count = ratio if ratio > 0 else math.ceil(width)
    return _tent(low + (q + (np.arange(count) + 0.5) / count) * width, size).sum(0), count


def _covered(low, high, q, bins, size):
    """1 for the pixels of bin q, between ends that are rounded to pixels; the last pixel of the plane is in none."""
    low, high = _rounded(low), _rounded(high)
    width = max(high - low, 1) / bins
    first, last = (min(max(v, 0), size - 1) for v in (math.floor(q * width + low), math.ceil((q + 1) * width + low)))
    return ((np.arange(size) >= first) & (np.arange(size) < last)).astype(float), max(last - first, 0)


def _rounded(v):
    return math.copysign(math.floor(abs(v) + 0.5), v)


def mean_of_regions(x, rois, kind, output_size, sampling_ratio, aligned, spatial_scale):
    """See roi_mean."""
    own = kind != "align"
    shift = 0.5 if aligned or kind == "ps_align" else 0.0
    y = np.zeros((len(rois), x.shape[1] // (math.prod(output_size) if own else 1), *output_size))
    for k, c, i, j in np.ndindex(*y.shape):
        left, top, right, bottom = rois[k, 1:] * spatial_scale
        axes = ((top, bottom, i, output_size[0], x.shape[2]), (left, right, j, output_size[1], x.shape[3]))
        if kind == "ps_pool":
            (rows, m), (columns, n) = (_covered(*axis) for axis in axes)
        else:
            at_least = -math.inf if own or shift else 1.0
            (rows, m), (columns, n) = (_sampled(low - shift, high - shift, *axis, sampling_ratio, at_least)
                                       for low, high, *axis in axes)
        channel = (c * output_size[0] + i) * output_size[1] + j if own else c
        y[k, c, i, j] = rows @ x[int(rois[k, 0]), channel] @ columns / max(m * n, 1)
    return y


def max_of_regions(x, rois, *, output_size, spatial_scale):
    """See roi_max."""
    y, places = np.zeros((len(rois), x.shape[1], *output_size)), np.full((len(rois), x.shape[1], *output_size), -1)
    for k, c, i, j in np.ndindex(*y.shape):
        left, top, right, bottom = map(_rounded, rois[k, 1:] * spatial_scale)
        rows, columns = (_bin(low, high, q, bins, size) for low, high, q, bins, size in (
            (top, bottom, i, output_size[0], x.shape[2]), (left, right, j, output_size[1], x.shape[3])))
        for row in rows:
            for column in columns:
                value = x[int(rois[k, 0]), c, row, column]
                if places[k, c, i, j] < 0 or value > y[k, c, i, j]:
                    y[k, c, i, j], places[k, c, i, j] = value, (int(rois[k, 0]) * x.shape[2] + row) * x.shape[3] + column
    return y, places


def _bin(low, high, q, bins, size):
    width = max(high - low + 1, 1) / bins
    first, last = math.floor(q * width) + low, math.ceil((q + 1) * width) + low
    return range(int(min(max(first, 0), size)), int(min(max(last, 0), size)))
