"""Fourier transforms, windows and what is made of them."""

import math

import numpy as np

from ....fft import fft, ifft, irfft, rfft
from ....nn import functional as F
from ..element_types import held_as, name_of
from ..operators import operator
from ..public import axis_of, ct, integer, number


def _complex(x):
    """A complex tensor of one whose last dimension holds real and imaginary parts, or only real ones."""
    return ct.view_as_complex(x.contiguous()) if x.shape[-1] == 2 else x.squeeze(-1)


def _wide(x):
    return x if x.dtype is ct.float64 else x.to(ct.float32)


@operator("DFT", since=17, host="dft_length")
def dft_by_attribute(input, dft_length=None, *, axis=1, inverse=0, onesided=0):
    return _transformed(input, dft_length, axis_of(axis, input.ndim), inverse, onesided)


@operator("DFT", since=20, host="dft_length axis")
def dft(input, dft_length=None, axis=None, *, inverse=0, onesided=0):
    return _transformed(input, dft_length, axis_of(-2 if axis is None else integer(axis), input.ndim), inverse, onesided)


def _transformed(input, length, axis, inverse, onesided):
    x, n = _complex(_wide(input)), None if length is None else integer(length)
    if onesided and inverse:
        return irfft(x, n, axis).unsqueeze(-1).to(input.dtype)
    transform = rfft if onesided else ifft if inverse else fft
    return ct.view_as_real(transform(x, n, axis)).to(input.dtype)


@operator("STFT", since=17, host="frame_step frame_length")
def short_time_fourier(signal, frame_step, window=None, frame_length=None, *, onesided=1):
    length = integer(frame_length) if frame_length is not None else window.shape[0]
    frames = _complex(_wide(signal)).unfold(1, length, integer(frame_step))
    if window is not None:
        before = (length - window.shape[0]) // 2
        frames = frames * F.pad(_wide(window), (before, length - window.shape[0] - before))
    found = (rfft if onesided and not frames.dtype.is_complex else fft)(frames)
    return ct.view_as_real(found).to(signal.dtype)


def _given(values, datatype):
    """A tensor of numbers that the host has computed, of an element type by number."""
    wanted = name_of(datatype)
    return ct.from_numpy(values.astype(np.float64 if wanted == "float64" else np.float32)).to(held_as(wanted))


def _window(a):
    """The rule of a window that is a sum of cosines with these factors."""
    def window(size, *, output_datatype=1, periodic=1):
        n = integer(size)
        turns = np.arange(n) * (2 * math.pi / (n if periodic else max(n - 1, 1)))
        found = a[0] + sum(factor * np.cos(turns * k) for k, factor in enumerate(a[1:], 1))
        return _given(found, output_datatype)

    return window


operator("HannWindow", since=17, host="size")(_window((0.5, -0.5)))
operator("HammingWindow", since=17, host="size")(_window((25 / 46, -21 / 46)))
operator("BlackmanWindow", since=17, host="size")(_window((0.42, -0.5, 0.08)))


@operator("MelWeightMatrix", since=17, host="num_mel_bins dft_length sample_rate lower_edge_hertz upper_edge_hertz")
def mel_weight_matrix(num_mel_bins, dft_length, sample_rate, lower_edge_hertz, upper_edge_hertz, *, output_datatype=1):
    bins, length, rate = integer(num_mel_bins), integer(dft_length), integer(sample_rate)
    low, high = (2595 * np.log10(1 + number(edge) / 700) for edge in (lower_edge_hertz, upper_edge_hertz))
    hertz = 700 * (10 ** ((np.arange(bins + 2) * ((high - low) / (bins + 2)) + low) / 2595) - 1)
    edges = (hertz * (length + 1) // rate).astype(int)
    found = np.zeros((length // 2 + 1, bins))
    for i in range(bins):
        left, peak, right = edges[i : i + 3]
        if left == peak:
            found[peak, i] = 1
        else:
            found[left : peak + 1, i] = np.arange(peak - left + 1) / (peak - left)
        if peak != right:
            found[peak:right, i] = (right - np.arange(peak, right)) / (right - peak)
    return _given(found, output_datatype)


@operator("TfIdfVectorizer", since=9, host="x")
def tf_idf(x, *, max_gram_length, max_skip_count, min_gram_length, mode, ngram_counts, ngram_indexes, pool_int64s=None,
           pool_strings=None, weights=None):
    pool = list(pool_strings if pool_strings is not None else pool_int64s)
    grams = _grams(pool, ngram_counts, min_gram_length, max_gram_length)
    rows = x.reshape(1, -1) if x.ndim == 1 else x
    found = np.zeros((len(rows), max(ngram_indexes) + 1), np.float32)
    for row, counts in zip(rows.tolist(), found, strict=True):
        for gram in _skipped(row, min_gram_length, max_gram_length, max_skip_count):
            if gram in grams:
                counts[ngram_indexes[grams[gram]]] += 1
    factors = np.ones(found.shape[1], np.float32)
    for at, weight in zip(ngram_indexes, weights or (), strict=False):
        factors[at] = weight
    found = found if mode == "TF" else (found > 0) * factors if mode == "IDF" else found * factors
    return ct.from_numpy(np.ascontiguousarray(found[0] if x.ndim == 1 else found, np.float32))


def _grams(pool, starts, shortest, longest):
    """{n-gram: its number}."""
    found, i = {}, 0
    for n, (start, end) in enumerate(zip(starts, [*starts[1:], len(pool)], strict=True), 1):
        for at in range(start, end, n):
            if shortest <= n <= longest:
                found[tuple(pool[at : at + n])] = i
            i += 1
    return found


def _skipped(row, shortest, longest, most):
    """All n-grams of a row whose elements stand 1 to most + 1 apart, each length once for every distance that differs."""
    for n in range(shortest, longest + 1):
        for step in range(1, (most if n > 1 else 0) + 2):
            for start in range(len(row) - (n - 1) * step):
                yield tuple(row[start : start + n * step : step][:n])
