"""Convolutions of complex tensors: convolutions of real ones with twice the channels, for the real and the imaginary parts."""

from ...dispatch import autocast
from ..conv import reference
from ..conv.convolution import convolution, convolution_input_gradient
from ..index.concat import stack
from ..index.parts import paired, view_as_real
from ..kinds.composite import composite


def _split(x):
    """(N, C, *) complex as (N, 2 C, *) real: the parts of a channel are neighbours."""
    parts = view_as_real(x)
    return parts.movedim(-1, 2).reshape((x.shape[0], 2 * x.shape[1], *x.shape[2:]))


def _joined(y):
    """The inverse of _split."""
    return paired(y.reshape((y.shape[0], y.shape[1] // 2, 2, *y.shape[2:])).movedim(2, -1).contiguous())


def _filters(w, turned):
    """(A, B, *) complex as (2 A, 2 B, *) real: w and i w, in parts."""
    rows = stack(view_as_real(w), view_as_real(turned), dim=1)  # (A, 2, B, *, 2)
    return rows.movedim(-1, 3).reshape((2 * w.shape[0], 2 * w.shape[1], *w.shape[2:]))


def _drawn(*shapes, **attributes):
    return lambda rng: [(tuple(rng.uniform(-1, 1, s) + 1j * rng.uniform(-1, 1, s) for s in shapes), attributes)]


_PLAIN = {"stride": (2,), "padding": (1,), "dilation": (1,), "groups": 2}


@composite("complex_convolution", batch=None, public=False, dtypes="none", complex=True,
           ref=reference.forward, samples=_drawn((2, 4, 7), (6, 2, 3), (6,), **_PLAIN))
def complex_convolution(x, w, bias=None, *, stride, padding, dilation, groups):
    """convolution of complex tensors."""
    conjugate = w.conj()
    real_bias = None if bias is None else view_as_real(bias).reshape((-1,))
    with autocast.off():
        return _joined(convolution(_split(x), _filters(conjugate, conjugate * 1j), real_bias, stride=stride, padding=padding,
                                   dilation=dilation, groups=groups))


@composite("complex_convolution_input_gradient", batch=None, public=False, dtypes="none", complex=True,
           ref=reference.input_gradient, samples=_drawn((2, 6, 4), (6, 2, 3), size=(7,), **_PLAIN))
def complex_convolution_input_gradient(g, w, *, size, stride, padding, dilation, groups):
    """The transpose of a convolution of complex tensors."""
    with autocast.off():
        return _joined(convolution_input_gradient(_split(g), _filters(w, w * 1j), size=size, stride=stride, padding=padding,
                                                  dilation=dilation, groups=groups))
