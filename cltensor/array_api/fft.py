"""The fft extension of the array API standard, over cltensor.fft."""

from .. import fft as _ours
from ..base import dtypes as _dtypes
from ..base.errors import DTypeError

__all__ = ["fft", "fftfreq", "fftn", "fftshift", "hfft", "ifft", "ifftn", "ifftshift", "ihfft", "irfft", "irfftn", "rfft",
           "rfftfreq", "rfftn"]

_INEXACT = (*_dtypes.FLOATS, _dtypes.complex64, _dtypes.complex128)


def _inexact(x, name):
    if x.dtype not in _INEXACT:
        raise DTypeError(f"{name}: expects floating-point or complex input, got {x.dtype.name}")
    return x


def _complex(x, name):
    if not x.dtype.is_complex:
        raise DTypeError(f"{name}: expects complex input, got {x.dtype.name}")
    return x


def _real(x, name):
    if not x.dtype.is_floating_point:
        raise DTypeError(f"{name}: expects real floating-point input, got {x.dtype.name}")
    return x


def fft(x, /, *, n=None, axis=-1, norm="backward"):
    """The discrete Fourier transform along an axis."""
    return _ours.fft(_complex(x, "fft"), n, axis, norm)


def ifft(x, /, *, n=None, axis=-1, norm="backward"):
    """The inverse of fft."""
    return _ours.ifft(_complex(x, "ifft"), n, axis, norm)


def fftn(x, /, *, s=None, axes=None, norm="backward"):
    """fft along several axes."""
    return _ours.fftn(_complex(x, "fftn"), s, axes, norm)


def ifftn(x, /, *, s=None, axes=None, norm="backward"):
    """The inverse of fftn."""
    return _ours.ifftn(_complex(x, "ifftn"), s, axes, norm)


def rfft(x, /, *, n=None, axis=-1, norm="backward"):
    """The first half of the transform of real numbers."""
    return _ours.rfft(_real(x, "rfft"), n, axis, norm)


def irfft(x, /, *, n=None, axis=-1, norm="backward"):
    """The inverse of rfft."""
    return _ours.irfft(_complex(x, "irfft"), n, axis, norm)


def rfftn(x, /, *, s=None, axes=None, norm="backward"):
    """rfft along the last of several axes, fft along the others."""
    return _ours.rfftn(_real(x, "rfftn"), s, axes, norm)


def irfftn(x, /, *, s=None, axes=None, norm="backward"):
    """The inverse of rfftn."""
    return _ours.irfftn(_complex(x, "irfftn"), s, axes, norm)


def hfft(x, /, *, n=None, axis=-1, norm="backward"):
    """The real transform of numbers whose second half are conjugates of the first."""
    return _ours.hfft(_complex(x, "hfft"), n, axis, norm)


def ihfft(x, /, *, n=None, axis=-1, norm="backward"):
    """The inverse of hfft."""
    return _ours.ihfft(_real(x, "ihfft"), n, axis, norm)


def fftfreq(n, /, *, d=1.0, dtype=None, device=None):
    """The frequencies of a transform of n samples."""
    return _ours.fftfreq(n, d, dtype=dtype, device=device)


def rfftfreq(n, /, *, d=1.0, dtype=None, device=None):
    """The positive frequencies of a transform of n samples."""
    return _ours.rfftfreq(n, d, dtype=dtype, device=device)


def fftshift(x, /, *, axes=None):
    """Frequency 0 to the middle."""
    return _ours.fftshift(_inexact(x, "fftshift"), axes)


def ifftshift(x, /, *, axes=None):
    """Frequency 0 to the front again."""
    return _ours.ifftshift(_inexact(x, "ifftshift"), axes)


def __dir__():
    return sorted(__all__)
