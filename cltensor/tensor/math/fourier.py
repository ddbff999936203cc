"""Which tensors a Fourier transform takes, and what its norm= means."""

import math

from ...base import dtypes
from ...base.calls import kind
from ...base.errors import ArgumentError, ArgumentTypeError, DTypeError, UnsupportedDTypeError
from ...dispatch.tensor_base import TensorBase
from .arithmetic import convert

_NORMS = (None, "backward", "ortho", "forward")


def floating(name, input):
    """input as a tensor of float32, float64, complex64 or complex128; integers and bools in the default dtype."""
    if not isinstance(input, TensorBase):
        raise ArgumentTypeError(f"{name}(): argument 'input' must be Tensor, not {kind(input)}")
    d = input.dtype
    if not d.is_inexact:
        return convert(input, dtypes.get_default_dtype())
    if d.to_real() not in (dtypes.float32, dtypes.float64):
        cure = ".cfloat()" if d.is_complex else ".float()"
        raise UnsupportedDTypeError(f"{name}: Unsupported dtype {d.name}; transforms are computed in float32, float64, complex64 "
                                    f"and complex128. Convert first, for instance with {cure}")
    return input


def real(name, input):
    """input as a tensor of float32 or float64.  Raises DTypeError for a complex one."""
    input = floating(name, input)
    if input.dtype.is_complex:
        cure = "fftn" if name.endswith(("n", "2")) else "fft"
        raise DTypeError(f"{name} expects a real input tensor, but got {input.dtype.name}; use {cure}, or .real for the real part")
    return input


def complex_(name, input):
    """input as a tensor of complex64 or complex128."""
    input = floating(name, input)
    return convert(input, dtypes.complex_for(input.dtype))


def scale(name, norm, n, inverse):
    """What to multiply a transform of n points with: 1, 1 / n or 1 / sqrt(n).  Raises ArgumentError for an unknown norm."""
    if norm not in _NORMS:
        raise ArgumentError(f'{name}: Invalid normalization mode: "{norm}"; it may be "forward", "backward" or "ortho"')
    if norm == "ortho":
        return 1 / math.sqrt(n)
    return 1 / n if (norm == "forward") != inverse else 1.0
