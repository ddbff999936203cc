"""The windows in torch's own namespace, based on cltensor.signal.windows: periodic by default, as transforms need them."""

from ..base.calls import named_all as _named_all
from ..tensor.core.inert_arguments import accepting_inert_arguments
from . import windows


@accepting_inert_arguments
def bartlett_window(window_length, periodic=True, *, dtype=None, device=None, requires_grad=False):
    """A triangle that is 0 at the ends, of window_length points; periodic: drop the last of window_length + 1 symmetric points."""
    return windows.bartlett(window_length, sym=not periodic, dtype=dtype, device=device, requires_grad=requires_grad)


@accepting_inert_arguments
def blackman_window(window_length, periodic=True, *, dtype=None, device=None, requires_grad=False):
    """0.42 - 0.5 cos(t) + 0.08 cos(2 t), t from 0 to 2 pi."""
    return windows.blackman(window_length, sym=not periodic, dtype=dtype, device=device, requires_grad=requires_grad)


@accepting_inert_arguments
def hamming_window(window_length, periodic=True, alpha=0.54, beta=0.46, *, dtype=None, device=None, requires_grad=False):
    """alpha - beta cos(t), t from 0 to 2 pi."""
    return windows.general_cosine(window_length, a=(alpha, beta), sym=not periodic, dtype=dtype, device=device,
                                  requires_grad=requires_grad)


@accepting_inert_arguments
def hann_window(window_length, periodic=True, *, dtype=None, device=None, requires_grad=False):
    """0.5 - 0.5 cos(t), t from 0 to 2 pi."""
    return windows.hann(window_length, sym=not periodic, dtype=dtype, device=device, requires_grad=requires_grad)


@accepting_inert_arguments
def kaiser_window(window_length, periodic=True, beta=12.0, *, dtype=None, device=None, requires_grad=False):
    """I0(beta sqrt(1 - u**2)) / I0(beta), u from -1 to 1."""
    return windows.kaiser(window_length, beta=beta, sym=not periodic, dtype=dtype, device=device, requires_grad=requires_grad)

_named_all(globals())
