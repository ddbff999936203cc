"""cltensor.fft: the helpers of torch.fft that need no complex numbers.

The transforms take or return complex numbers, for which there is no dtype; using one raises AbsentError.
"""

import numpy as np

from .base import absent as _absent
from .base import dtypes as _dtypes
from .base.calls import named_all as _named_all
from .tensor.api.creation import from_array as _from_array
from .tensor.api.creation import made as _made
from .tensor.api.creation import pick_device as _pick_device
from .tensor.core.with_out import with_out as _with_out

_TRANSFORMS = ("fft ifft rfft irfft hfft ihfft fft2 ifft2 rfft2 irfft2 hfft2 ihfft2 fftn ifftn rfftn irfftn hfftn ihfftn").split()


def _frequencies(values, dtype, device, requires_grad):
    dtype = _dtypes.get_default_dtype() if dtype is None else _dtypes.as_dtype(dtype)
    return _made(_from_array(values.astype(dtype.numpy), dtype, _pick_device(device)), requires_grad)


@_with_out
def fftfreq(n, d=1.0, *, dtype=None, device=None, requires_grad=False):
    """The n frequencies of a transform of n samples at distance d, computed on the host: 0, 1/(n d), ..., -1/(n d)."""
    return _frequencies(np.fft.fftfreq(n, d), dtype, device, requires_grad)


@_with_out
def rfftfreq(n, d=1.0, *, dtype=None, device=None, requires_grad=False):
    """The n // 2 + 1 non-negative frequencies, computed on the host."""
    return _frequencies(np.fft.rfftfreq(n, d), dtype, device, requires_grad)


def _shifted(input, dim, shift):
    dims = tuple(range(input.ndim)) if dim is None else (dim,) if hasattr(dim, "__index__") else tuple(dim)
    return input.roll(tuple(shift(input.shape[d]) for d in dims), dims) if dims else input.clone()


def fftshift(input, dim=None):
    """Move frequency 0 to the middle of the dimensions dim (all for None)."""
    return _shifted(input, dim, lambda n: n // 2)


def ifftshift(input, dim=None):
    """The inverse of fftshift."""
    return _shifted(input, dim, lambda n: -(n // 2))


def __getattr__(name):
    _absent.refuse("cltensor.fft", name, dict.fromkeys(_TRANSFORMS, f"{_absent.COMPLEX}; for a short transform multiply by the "
                                                       "matrices of cosines and sines"))
    raise AttributeError(f"module 'cltensor.fft' has no attribute {name!r}")


_named_all(globals())

__all__ = ["fftfreq", "fftshift", "ifftshift", "rfftfreq"]
