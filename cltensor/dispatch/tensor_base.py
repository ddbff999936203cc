"""TensorBase: the part of a tensor that dispatch needs."""

import math

import numpy as np

from ..base import dtypes
from ..base.errors import DTypeError
from ..base.overlap import extent
from .spec import dense
from .storage import Storage


class TensorBase:
    """A view of a Storage with its place in the autograd graph; `Tensor` adds the public methods."""

    #: the class of op results, whatever subclass the inputs have
    _plain = None
    _node = None
    _index = 0
    _grad = None
    _base = None
    _history_version = 0
    _hooks = None
    _post_hooks = None
    _end_hooks = None  # of the leaf's AccumulateGrad
    _req = False
    _retains = False
    _untracked = False  # a view made in no_grad mode of a tensor that requires grad

    @classmethod
    def _make(cls, storage, spec, offset=0):
        t = object.__new__(cls)
        t._storage, t._spec, t._offset = storage, spec, offset
        return t

    @classmethod
    def _fresh(cls, spec):
        """A tensor of this Spec with uninitialised memory."""
        return cls._make(Storage(spec.device, extent_of(spec) * spec.dtype.itemsize), spec)

    @classmethod
    def _from_array(cls, array, dtype, device):
        """A tensor holding a copy of a NumPy array whose bytes are those of dtype."""
        check_fp64(device, dtype)
        t = cls._fresh(dense(array.shape, dtype, device))
        if array.size and not device.meta:
            device.write(t._storage.buffer, 0, np.ascontiguousarray(array))
        return t


class SparseBase:
    """A sparse tensor, as far as the engine knows it: a gradient that adds to others by `+`, and has a Spec to compare."""


def extent_of(spec):
    """The number of elements a storage must hold for a tensor of this Spec at offset 0."""
    return spec.numel if spec.contiguous else extent(spec.shape, spec.strides)


def touched(spec):
    """The distinct bytes of a tensor of this Spec: what a broadcast repeats counts once."""
    distinct = math.prod(n for n, step in zip(spec.shape, spec.strides, strict=True) if step or not n)
    return min(distinct, extent_of(spec)) * spec.itemsize


def check_fp64(device, dtype):
    """Raise DTypeError for float64 or complex128 on a device without double precision."""
    if dtype.to_real() is dtypes.float64 and not device.profile.fp64:
        cure = "complex64" if dtype.is_complex else "float32"
        raise DTypeError(f"{dtype.name}: {device} ({device.name}) has no double precision arithmetic; use {cure}, or another "
                         "device")
