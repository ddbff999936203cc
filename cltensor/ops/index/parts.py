"""Views between complex numbers and their parts: a complex tensor as a real one with a last dimension of 2, and back.

The parts of a complex number are neighbours in memory, the real part first.  Strides and offsets count elements, so they double
where a complex tensor is seen in parts.
"""

import numpy as np

from ..kinds.view import view
from .strided import as_strided_backward


def layout_in_parts(shape, strides):
    """Shape and strides of a complex layout, in parts."""
    return (*shape, 2), (*(2 * s for s in strides), 1)


def _as_real(x):
    return (*layout_in_parts(x.shape, x.strides), 0, x.dtype.to_real())


def _as_complex(x):
    return x.shape[:-1], tuple(s // 2 for s in x.strides[:-1]), 0, x.dtype.to_complex()


def paired(x):
    """view_as_complex of x, copied first if its pairs do not lie as complex numbers do."""
    fits = x._offset % 2 == 0 and x._spec.strides[-1] == 1 and all(s % 2 == 0 for s in x._spec.strides[:-1])
    return view_as_complex(x if fits else x.contiguous())


def _halves(a):
    return np.stack([a.real, a.imag], -1)


def _whole(a):
    return a[..., 0] + 1j * a[..., 1]


view_as_real = view("view_as_real", _as_real, dtypes="none", complex=True, vjp=(lambda g, y, x: paired(g),), ref=_halves,
                    samples=lambda rng: [((rng.standard_normal((3, 4)) + 1j * rng.standard_normal((3, 4)),), {})], public=False,
                    doc="The memory of complex numbers in parts, along a new last dimension of 2.")
view_as_complex = view("view_as_complex", _as_complex, public=False, dtypes="parts", vjp=(lambda g, y, x: view_as_real(g),),
                       ref=_whole, samples=lambda rng: [((rng.standard_normal((3, 4, 2)),), {})],
                       doc="The memory of pairs, the last dimension of 2, as complex numbers.")


def _recast_gradient(g, y, x, size, stride, offset):
    if x.dtype.is_complex:
        shape, strides = layout_in_parts(x.shape, x.strides)
        return paired(as_strided_backward(g, shape=shape, strides=strides, size=size, stride=stride, offset=offset))
    size, stride = layout_in_parts(size, stride)
    return as_strided_backward(view_as_real(g), shape=tuple(x.shape), strides=x.strides, size=size, stride=stride,
                               offset=2 * offset)


def _recast(x, size, stride, offset):
    whole = np.ascontiguousarray(x)
    kind = whole.real.dtype if whole.dtype.kind == "c" else np.result_type(whole.dtype, np.complex64)
    flat = whole.reshape(-1).view(kind)[offset:]
    return np.lib.stride_tricks.as_strided(flat, size, [s * flat.itemsize for s in stride])


recast = view("recast_view", lambda x, size, stride, offset: (
    size, stride, offset, x.dtype.to_real() if x.dtype.is_complex else x.dtype.to_complex()),
    public=False, dtypes="parts", complex=True, vjp=(_recast_gradient,), ref=_recast,
    samples=lambda rng: [((rng.standard_normal((3, 4)),), {"size": (2, 3), "stride": (3, 1), "offset": 0})],
    doc="as_strided of the same memory in parts if x is complex, in pairs if it is real; size, stride and offset count those.")
