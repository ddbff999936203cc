"""TensorBase: what dispatch needs to know of a tensor."""

from ..base.overlap import extent
from .storage import Storage


class TensorBase:
    """A view of a Storage with its place in the autograd graph; `Tensor` adds the public face."""

    #: the class of what ops return, whatever subclass they are given
    _plain = None
    _node = None
    _index = 0
    _grad = None
    _base = None
    _epoch = 0
    _hooks = None
    _post_hooks = None
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


def extent_of(spec):
    """The number of elements a storage must hold for a tensor of this Spec at offset 0."""
    return spec.numel if spec.contiguous else extent(spec.shape, spec.strides)
