"""The windows in torch's own namespace, based on cltensor.signal.windows: periodic by default, as transforms need them."""

from ..base import dtypes
from ..base.calls import named_all as _named_all
from ..base.dtypes import dtype as _dtype
from ..base.errors import ArgumentError
from ..runtime.device import device as _device
from ..tensor.api.creation import count, made
from ..tensor.core.inert_arguments import accepting_inert_arguments
from ..tensor.core.tensor import Tensor
from ..tensor.math.arithmetic import convert
from . import windows

_Device = _device | str | int | None


def _window(name, window, window_length, periodic, dtype, device, requires_grad, **shape):
    """The window of signal.windows, checked under its name here, in any floating dtype."""
    dtype = dtypes.get_default_dtype() if dtype is None else dtypes.as_dtype(dtype)
    if not dtype.is_floating_point:
        raise ArgumentError(f"{name} expects floating point dtypes, got: {dtype.name}")
    if count(name, "window_length", window_length) < 0:
        raise ArgumentError(f"{name} requires non-negative window_length, got window_length={window_length}")
    computed = dtype if dtype is dtypes.float64 else dtypes.float32
    return made(convert(window(window_length, sym=not periodic, dtype=computed, device=device, **shape), dtype), requires_grad)


@accepting_inert_arguments
def bartlett_window(window_length: int, periodic: bool = True, *, dtype: _dtype | None = None, device: _Device = None,
                    requires_grad: bool = False) -> Tensor:
    """A triangle from 0 to 1 to 0.

    The result is a vector of window_length numbers of a floating dtype, the default dtype for None.  periodic: the first of
    window_length + 1 symmetric ones, as transforms need; False: symmetric ones.  Raises ArgumentError for a negative length and a
    dtype that is not floating.  Source: Harris 1978.

        bartlett_window(4)  # tensor([0.0, 0.5, 1.0, 0.5])
    """
    return _window("bartlett_window", windows.bartlett, window_length, periodic, dtype, device, requires_grad)


@accepting_inert_arguments
def blackman_window(window_length: int, periodic: bool = True, *, dtype: _dtype | None = None, device: _Device = None,
                    requires_grad: bool = False) -> Tensor:
    """0.42 - 0.5 cos(t) + 0.08 cos(2 t), t from 0 to 2 pi.

    Result, arguments, dtypes and what it Raises are bartlett_window's.  Source: Harris 1978.

        blackman_window(4)  # tensor([0.00, 0.34, 1.00, 0.34])
    """
    return _window("blackman_window", windows.blackman, window_length, periodic, dtype, device, requires_grad)


@accepting_inert_arguments
def hamming_window(window_length: int, periodic: bool = True, alpha: float = 0.54, beta: float = 0.46, *,
                   dtype: _dtype | None = None, device: _Device = None, requires_grad: bool = False) -> Tensor:
    """alpha - beta cos(t), t from 0 to 2 pi.

    Result, further arguments, dtypes and what it Raises are bartlett_window's.  Source: Harris 1978.

        hamming_window(4)  # tensor([0.08, 0.54, 1.00, 0.54])
    """
    return _window("hamming_window", windows.general_cosine, window_length, periodic, dtype, device, requires_grad, a=(alpha, beta))


@accepting_inert_arguments
def hann_window(window_length: int, periodic: bool = True, *, dtype: _dtype | None = None, device: _Device = None,
                requires_grad: bool = False) -> Tensor:
    """0.5 - 0.5 cos(t), t from 0 to 2 pi.

    Result, arguments, dtypes and what it Raises are bartlett_window's.  Source: Harris 1978.

        hann_window(4)  # tensor([0.0, 0.5, 1.0, 0.5])
    """
    return _window("hann_window", windows.hann, window_length, periodic, dtype, device, requires_grad)


@accepting_inert_arguments
def kaiser_window(window_length: int, periodic: bool = True, beta: float = 12.0, *, dtype: _dtype | None = None,
                  device: _Device = None, requires_grad: bool = False) -> Tensor:
    """I0(beta sqrt(1 - u**2)) / I0(beta), u from -1 to 1.

    Result, further arguments, dtypes and what it Raises are bartlett_window's.  Source: Kaiser and Schafer 1980.

        kaiser_window(3, periodic=False, beta=0.0)  # tensor([1.0, 1.0, 1.0])
    """
    return _window("kaiser_window", windows.kaiser, window_length, periodic, dtype, device, requires_grad, beta=beta)


_named_all(globals())
