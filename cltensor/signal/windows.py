"""Window functions of M points, computed on the host in float64.

sym=True gives a symmetric window, for filters; sym=False the first M points of a symmetric one of M + 1, for spectra.
"""

import functools
import math
from collections.abc import Iterable

import numpy as np

from ..base import dtypes
from ..base.calls import named_all as _named_all
from ..base.errors import AbsentError, ArgumentError, ArgumentTypeError
from ..tensor.api.creation import count, from_array, made, pick_device
from ..tensor.core.inert_arguments import accepting_inert_arguments


def _check(name, m, dtype):
    dtype = dtypes.get_default_dtype() if dtype is None else dtypes.as_dtype(dtype)
    if count(name, "M", m) < 0:
        raise ArgumentError(f"{name} requires non-negative window length, got M={m}")
    if dtype not in (dtypes.float32, dtypes.float64):
        raise ArgumentError(f"{name} expects float32 or float64 dtypes, got: {dtype.name}")
    return dtype


def _line(start, step, m):
    return start + step * np.arange(m)


def _made(values, dtype, device, requires_grad):
    return made(from_array(np.asarray(values, dtype.numpy), dtype, pick_device(device)), requires_grad)


def _accepting_inert_arguments(fn):
    """accepting_inert_arguments, with PyTorch's error for a layout that is not strided: no window has one there either."""
    accepting = accepting_inert_arguments(fn)

    @functools.wraps(accepting)
    def function(*args, **kwargs):
        try:
            return accepting(*args, **kwargs)
        except AbsentError as error:
            raise ArgumentError(f"{fn.__name__} is implemented for strided tensors only, got: {kwargs['layout']}") from error

    return function


def _length(m, sym):
    """The number of intervals the window spans."""
    return m - 1 if sym or m <= 1 else m


@_accepting_inert_arguments
def exponential(M, *, center=None, tau=1.0, sym=True, dtype=None, device=None, requires_grad=False):
    """exp(-|n - center| / tau)."""
    dtype = _check("exponential_window", M, dtype)
    if tau <= 0:
        raise ArgumentError(f"Tau must be positive, got: {tau} instead.")
    if sym and center is not None:
        raise ArgumentError("Center must be None for symmetric windows")
    center = _length(M, sym) / 2 if center is None else center
    return _made(np.exp(-np.abs(_line(-center / tau, 1 / tau, M))), dtype, device, requires_grad)


@_accepting_inert_arguments
def cosine(M, *, sym=True, dtype=None, device=None, requires_grad=False):
    """sin(pi (n + 1/2) / M): half a wave."""
    dtype = _check("cosine_window", M, dtype)
    step = math.pi / (_length(M, sym) + 1) if M else 0.0
    return _made(np.sin(_line(0.5 * step, step, M)), dtype, device, requires_grad)


@_accepting_inert_arguments
def gaussian(M, *, std=1.0, sym=True, dtype=None, device=None, requires_grad=False):
    """exp(-(n - center)**2 / (2 std**2))."""
    dtype = _check("gaussian_window", M, dtype)
    if std <= 0:
        raise ArgumentError(f"Standard deviation must be positive, got: {std} instead.")
    step = 1 / (std * math.sqrt(2))
    return _made(np.exp(-_line(-_length(M, sym) / 2 * step, step, M) ** 2), dtype, device, requires_grad)


@_accepting_inert_arguments
def kaiser(M, *, beta=12.0, sym=True, dtype=None, device=None, requires_grad=False):
    """I0(beta sqrt(1 - x**2)) / I0(beta) for x from -1 to 1."""
    dtype = _check("kaiser_window", M, dtype)
    if beta < 0:
        raise ArgumentError(f"beta must be non-negative, got: {beta} instead.")
    if M <= 1:
        return _made(np.ones(M), dtype, device, requires_grad)
    k = np.minimum(_line(-beta, 2 * beta / _length(M, sym), M), beta)
    return _made(np.i0(np.sqrt(np.maximum(beta**2 - k**2, 0))) / np.i0(beta), dtype, device, requires_grad)


@_accepting_inert_arguments
def general_cosine(M, *, a, sym=True, dtype=None, device=None, requires_grad=False):
    """The sum of (-1)**i a[i] cos(2 pi i n / N)."""
    dtype = _check("general_cosine_window", M, dtype)
    if not isinstance(a, Iterable):
        raise ArgumentTypeError("Coefficients must be a list/tuple")
    a = list(a)
    if not a:
        raise ArgumentError("Coefficients cannot be empty")
    if M <= 1:
        return _made(np.ones(M), dtype, device, requires_grad)
    k = _line(0.0, 2 * math.pi / _length(M, sym), M)
    values = sum((-1) ** i * w * np.cos(i * k) for i, w in enumerate(a))
    return _made(values, dtype, device, requires_grad)


@_accepting_inert_arguments
def general_hamming(M, *, alpha=0.54, sym=True, dtype=None, device=None, requires_grad=False):
    """alpha - (1 - alpha) cos(2 pi n / N)."""
    return general_cosine(M, a=[alpha, 1 - alpha], sym=sym, dtype=dtype, device=device, requires_grad=requires_grad)


@_accepting_inert_arguments
def hamming(M, *, sym=True, dtype=None, device=None, requires_grad=False):
    """general_hamming with alpha 0.54."""
    return general_hamming(M, sym=sym, dtype=dtype, device=device, requires_grad=requires_grad)


@_accepting_inert_arguments
def hann(M, *, sym=True, dtype=None, device=None, requires_grad=False):
    """general_hamming with alpha 0.5: sin(pi n / N)**2."""
    return general_hamming(M, alpha=0.5, sym=sym, dtype=dtype, device=device, requires_grad=requires_grad)


@_accepting_inert_arguments
def blackman(M, *, sym=True, dtype=None, device=None, requires_grad=False):
    """general_cosine with coefficients 0.42, 0.5, 0.08."""
    return general_cosine(M, a=[0.42, 0.5, 0.08], sym=sym, dtype=dtype, device=device, requires_grad=requires_grad)


@_accepting_inert_arguments
def nuttall(M, *, sym=True, dtype=None, device=None, requires_grad=False):
    """general_cosine with Nuttall's four coefficients for the lowest side lobes."""
    a = [0.3635819, 0.4891775, 0.1365995, 0.0106411]
    return general_cosine(M, a=a, sym=sym, dtype=dtype, device=device, requires_grad=requires_grad)


@_accepting_inert_arguments
def bartlett(M, *, sym=True, dtype=None, device=None, requires_grad=False):
    """1 - |x| for x from -1 to 1: a triangle."""
    dtype = _check("bartlett_window", M, dtype)
    if M <= 1:
        return _made(np.ones(M), dtype, device, requires_grad)
    return _made(1 - np.abs(_line(-1.0, 2 / _length(M, sym), M)), dtype, device, requires_grad)


__all__ = ["bartlett", "blackman", "cosine", "exponential", "gaussian", "general_cosine", "general_hamming", "hamming", "hann",
           "kaiser", "nuttall"]

_named_all(globals())


def __dir__():
    return sorted(__all__)
