"""The three transforms: complex to complex, real to half of a symmetric spectrum, and back.

Each is linear, and its gradient is one of them: of c2c the one in the other direction, of r2c and c2r each other, with the elements
counted that the half leaves out.
"""

import math

import numpy as np

from ...base import dtypes
from ...dispatch.plan import In, Out
from ..kinds.kernel import kernel
from . import transform
from .lines import Room, Work, side


def _resized(x, dim, n, dtype):
    """A contiguous Spec like x with n elements along dim."""
    return x.dense((*x.shape[:dim], n, *x.shape[dim + 1:]), dtype)


def _launch(steps, n, specs, outs, dim, inverse, scale, *rest):
    """The Steps of one of the functions of transform.py, from In(0) to Out(0)."""
    x, y = specs[0], outs[0]
    work = Work(x.device, x.dtype.to_real(), Room(x.dtype.to_real()), inverse, scale)
    return steps(work, n, (*y.shape[:dim], *y.shape[dim + 1:]), side(In(0), x, dim), side(Out(0), y, dim), *rest)


def _half(x, dim, n, middle, scale):
    """scale times the first n // 2 + 1 elements along dim, and middle times those that stand for two."""
    factors = np.full(n // 2 + 1, scale * middle)
    factors[:1] = scale
    if n % 2 == 0:
        factors[-1] = scale
    kept = np.take(x, np.arange(n // 2 + 1), dim)
    return np.moveaxis(np.moveaxis(kept, dim, -1) * factors, -1, dim)


def _c2c_ref(x, dim, inverse, scale):
    return (np.fft.ifft(x, axis=dim, norm="forward") if inverse else np.fft.fft(x, axis=dim)) * scale


def _r2c_ref(x, dim, inverse, scale, middle):
    half = _half(np.fft.fft(x, axis=dim), dim, x.shape[dim], middle, scale)
    return half.conj() if inverse else half


def _c2r_ref(x, dim, inverse, scale, n, middle):
    return np.fft.irfft(_half(x if inverse else x.conj(), dim, n, middle, scale), n, dim, norm="forward")


def _samples(rng, *shapes, **attributes):
    return [((rng.standard_normal(shape),), {"dim": dim, "inverse": inverse, "scale": scale, **attributes})
            for shape, dim in shapes for inverse, scale in ((False, 1.0), (True, 0.25))]


def _complex_samples(rng, *shapes, **attributes):
    return [((x + 1j * rng.standard_normal(x.shape),), named) for (x,), named in _samples(rng, *shapes, **attributes)]


def _work(each, n, numbers):
    """The work of transforms of n numbers each, as fast algorithms count it: `each` for a number and a doubling."""
    return round(each * numbers * math.log2(max(n, 1)))


c2c = kernel("fft_c2c", dtypes="wide, complex or not", public=False, batch="dim", ref=_c2c_ref,
             work=lambda specs, outs, dim, **_: _work(5, outs[0].shape[dim], outs[0].numel),
             shape=lambda x, *, dim, inverse, scale: x.dense(dtype=dtypes.complex_for(x.dtype)),
             launch=lambda specs, outs, dim, inverse, scale: _launch(
                 transform.complex_steps, specs[0].shape[dim], specs, outs, dim, inverse, scale),
             vjp=(lambda g, y, x, dim, inverse, scale: c2c(g, dim=dim, inverse=not inverse, scale=scale),),
             samples=lambda rng: _complex_samples(rng, ((3, 12), 1), ((10, 9), 0), ((2, 17), 1)),
             doc="scale times the discrete Fourier transform along dim: the sum over j of x[j] exp(-2 pi i j k / n), or "
                 "exp(2 pi i j k / n) for the inverse.")

r2c = kernel("fft_r2c", dtypes="wide", public=False, batch="dim", ref=_r2c_ref,
             work=lambda specs, outs, dim, **_: _work(2.5, specs[0].shape[dim], specs[0].numel),
             shape=lambda x, *, dim, inverse, scale, middle: _resized(x, dim, x.shape[dim] // 2 + 1, dtypes.complex_for(x.dtype)),
             launch=lambda specs, outs, dim, inverse, scale, middle: _launch(
                 transform.real_to_half_steps, specs[0].shape[dim], specs, outs, dim, inverse, scale, middle),
             vjp=(lambda g, y, x, dim, inverse, scale, middle: c2r(
                 g, dim=dim, inverse=not inverse, scale=scale, n=x.shape[dim], middle=middle / 2),),
             samples=lambda rng: _samples(rng, ((3, 12), 1), ((9, 10), 0), middle=1.0),
             doc="The elements k <= n / 2 of the transform of n real numbers, those for 0 < k < n / 2 times middle.")

c2r = kernel("fft_c2r", dtypes="wide complex", public=False, batch="dim", ref=_c2r_ref,
             work=lambda specs, outs, n, **_: _work(2.5, n, outs[0].numel),
             shape=lambda x, *, dim, inverse, scale, n, middle: _resized(x, dim, n, x.dtype.to_real()),
             launch=lambda specs, outs, dim, inverse, scale, n, middle: _launch(
                 transform.half_to_real_steps, n, specs, outs, dim, inverse, scale, middle),
             vjp=(lambda g, y, x, dim, inverse, scale, n, middle: r2c(
                 g, dim=dim, inverse=not inverse, scale=scale, middle=2 * middle),),
             samples=lambda rng: _complex_samples(rng, ((3, 7), 1), n=12, middle=1.0) + _complex_samples(
                 rng, ((5, 4), 0), n=9, middle=1.0),
             doc="The real numbers, n of them, whose transform has these elements for k <= n / 2, those for 0 < k < n / 2 times "
                 "middle.")
