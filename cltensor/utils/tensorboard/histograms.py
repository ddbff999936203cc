"""Summaries of how values are distributed."""

import functools
import itertools

import numpy as np

from ...base.errors import ArgumentError
from ..host_arrays import array_of
from .protocol import protocol
from .values import one_value

_FIRST, _LAST, _STEP = 1e-12, 1e20, 1.1


@functools.cache
def default_edges():
    """TensorFlow's edges: each 1.1 times the one before, from 1e-12 to 1e20, with zero and the same below zero."""
    grown = itertools.accumulate(itertools.repeat(_STEP), lambda edge, step: edge * step, initial=_FIRST)
    positive = list(itertools.takewhile(lambda edge: edge < _LAST, grown))
    return np.array([-edge for edge in reversed(positive)] + [0.0] + positive)


def histogram(tag, values, bins, max_bins):
    """The Summary of values counted in bins: "tensorflow", or what numpy.histogram takes."""
    values = array_of(values, "add_histogram").astype(np.float64).reshape(-1)
    if not values.size:
        raise ArgumentError("add_histogram: the input has no element; log tensors with at least one")
    if not np.isfinite(values).all():
        raise ArgumentError(f"add_histogram: {int((~np.isfinite(values)).sum())} of {values.size} values are NaN or infinite, "
                            "which have no bin; take them out, for instance with values[values.isfinite()]")
    counts, edges = np.histogram(values, default_edges() if isinstance(bins, str) and bins == "tensorflow" else bins)
    if max_bins is not None and len(counts) > max_bins:
        together = len(counts) // max_bins
        counts = np.add.reduceat(counts, np.arange(0, len(counts), together))
        edges = np.append(edges[:-1:together], edges[-1])
    full = np.flatnonzero(counts)
    if not full.size:
        raise ArgumentError(f"add_histogram: no value lies within the bins, which go from {edges[0]} to {edges[-1]}")
    first, last = full[0], full[-1] + 1
    return histogram_raw(tag, values.min(), values.max(), values.size, values.sum(), values @ values, edges[first:last + 1],
                         [0, *counts[first:last]])


def histogram_raw(tag, low, high, count, total, squares, limits, counts):
    """The Summary of counts up to limits, and what else is known of the values."""
    limits, counts = array_of(limits, "add_histogram_raw").tolist(), array_of(counts, "add_histogram_raw").tolist()
    if len(limits) != len(counts):
        raise ArgumentError(f"add_histogram_raw: expected as many bucket_limits as bucket_counts, got {len(limits)} and "
                            f"{len(counts)}")
    p = protocol("SummaryWriter")
    return one_value(tag, histo=p.HistogramProto(min=float(low), max=float(high), num=float(count), sum=float(total),
                                                 sum_squares=float(squares), bucket_limit=limits, bucket=counts))
