"""What belongs to the elements of a transform: their frequencies, and orders with frequency 0 in the middle."""

from collections.abc import Sequence

import numpy as np

from ..base import dtypes
from ..base.dtypes import dtype as _dtype
from ..base.errors import ArgumentError, DTypeError
from ..runtime.device import device as _device
from ..tensor.api.creation import count, from_values, made, pick_device
from ..tensor.core.tensor import Tensor
from ..tensor.core.with_out import with_out


def _frequencies(name, values, n, d, dtype, device, requires_grad):
    dtype = dtypes.get_default_dtype() if dtype is None else dtypes.as_dtype(dtype)
    if not dtype.is_floating_point:
        raise DTypeError(f"{name} requires a floating point dtype, got {dtype.name}")
    if count(name, "n", n) < 0:
        raise ArgumentError(f"{name}: n is a number of samples, which cannot be negative, got {n}")
    with np.errstate(divide="ignore", invalid="ignore"):
        numbers = values(n) / np.float64(n * d)
    return made(from_values(numbers, dtype, pick_device(device)), requires_grad)


@with_out
def fftfreq(n: int, d: float = 1.0, *, dtype: _dtype | None = None, device: _device | str | int | None = None,
            requires_grad: bool = False) -> Tensor:
    """The n frequencies of a transform of n samples at distance d: 0, 1 / (n d), ..., then the negative ones up to -1 / (n d).

    The result is a vector (n,) of dtype, the default dtype for None, computed on the host.  Raises ArgumentError for n < 0,
    DTypeError for a dtype that is not floating.  Source: the definition, as numpy.fft.fftfreq.

        fftfreq(4, 0.5)  # tensor([0.0, 0.5, -1.0, -0.5])
    """
    return _frequencies("fftfreq", lambda n: np.fft.ifftshift(np.arange(-(n // 2), n - n // 2)), n, d, dtype, device, requires_grad)


@with_out
def rfftfreq(n: int, d: float = 1.0, *, dtype: _dtype | None = None, device: _device | str | int | None = None,
             requires_grad: bool = False) -> Tensor:
    """The n // 2 + 1 frequencies of rfft of n samples at distance d: 0, 1 / (n d), ..., all positive.

    The result is a vector of dtype, the default dtype for None, computed on the host.  Raises ArgumentError for n < 0,
    DTypeError for a dtype that is not floating.  Source: the definition, as numpy.fft.rfftfreq.

        rfftfreq(4, 0.5)  # tensor([0.0, 0.5, 1.0])
    """
    return _frequencies("rfftfreq", lambda n: np.arange(n // 2 + 1), n, d, dtype, device, requires_grad)


def _shifted(input, dim, shift):
    dims = tuple(range(input.ndim)) if dim is None else (dim,) if hasattr(dim, "__index__") else tuple(dim)
    return input.roll(tuple(shift(input.shape[d]) for d in dims), dims) if dims else input.clone()


def fftshift(input: Tensor, dim: int | Sequence[int] | None = None) -> Tensor:
    """Roll dimensions, so that frequency 0 of a transform stands in the middle.

    input: any shape and dtype; dim: the dimensions, all for None.  Raises DimensionError for one out of range.
    Source: the definition, as numpy.fft.fftshift.

        fftshift(tensor([0, 1, -2, -1]))  # tensor([-2, -1, 0, 1])
    """
    return _shifted(input, dim, lambda n: n // 2)


def ifftshift(input: Tensor, dim: int | Sequence[int] | None = None) -> Tensor:
    """The inverse of fftshift: frequency 0 stands first again.

    input: any shape and dtype; dim: the dimensions, all for None.  Raises DimensionError for one out of range.
    Source: the definition, as numpy.fft.ifftshift.

        ifftshift(tensor([-2, -1, 0, 1]))  # tensor([0, 1, -2, -1])
    """
    return _shifted(input, dim, lambda n: -(n // 2))
