"""Exchange with other libraries' arrays: copying, pickling, DLPack and NumPy's protocols.

A tensor's memory belongs to an OpenCL device, which other libraries cannot address.  So every exchange makes a copy;
asking for none raises BufferError.
"""

from copy import deepcopy

import numpy as np

from ...base import dtypes
from ...base.errors import ArgumentError, AutogradError
from ...base.overlap import packed
from ...dispatch.tensor_base import TensorBase
from ...runtime.device import here_or_default
from ..core.public_api import function, method
from ..core.tensor import Tensor
from .creation import empty_strided, from_array, pick_device, tensor

_CPU = (1, 0)  # DLPack's kDLCPU, device 0: where the copies are


def _rebuilt(values, dtype, device, requires_grad, cls=Tensor, strides=None):
    made = from_array(values, dtypes.BY_NAME[dtype], here_or_default(device))
    if strides is not None:
        made = empty_strided(made.shape, strides, dtype=made.dtype, device=made.device).copy_(made)
    return _typed(made, cls, requires_grad)


def _rebuilt_meta(shape, strides, dtype, requires_grad, cls=Tensor):
    return _typed(empty_strided(shape, strides, dtype=dtypes.BY_NAME[dtype], device="meta"), cls, requires_grad)


def _typed(x, cls, requires_grad):
    return (x if cls is Tensor else x._as(cls)).requires_grad_(requires_grad)


@method("__reduce_ex__")
def _reduce(self, protocol):
    """A leaf of its class, values, strides and attributes, whether or not it is one itself."""
    how = self.requires_grad, type(self)
    if self.is_meta:
        made = _rebuilt_meta, (tuple(self.shape), self.stride(), self.dtype.name, *how)
    else:
        strides = None if self._spec.contiguous or not packed(self._spec.shape, self._spec.strides) else self.stride()
        made = _rebuilt, (self.detach()._read(), self.dtype.name, str(self.device), *how, strides)
    return *made, attributes_of(self) or None


_OWN = frozenset(("_storage", "_spec", "_offset", *(name for name in vars(TensorBase) if name.startswith("_") and name[1] != "_")))


def attributes_of(x):
    """The attributes that the program set on a tensor."""
    return {name: value for name, value in vars(x).items() if name not in _OWN}


@method("__copy__")
def _copy(self):
    """Another tensor object over the same memory, as a leaf."""
    copied = self.detach()._as(type(self))
    vars(copied).update(attributes_of(self))
    return copied.requires_grad_() if self.requires_grad else copied


@method("__deepcopy__")
def _deepcopy(self, memo):
    """A tensor over a copy of the storage; copies of all views of that storage share it."""
    if not self.is_leaf:
        raise AutogradError("deepcopy: Only Tensors created explicitly by the user (graph leaves) support the deepcopy protocol at "
                            "the moment; use .detach().clone()")
    if id(self) not in memo:
        storage = memo.get(id(self._storage))
        if storage is None:
            storage = memo[id(self._storage)] = self._storage.clone()
        copied = memo[id(self)] = type(self)._make(storage, self._spec, self._offset)
        copied.requires_grad_(self.requires_grad)
        vars(copied).update(deepcopy(attributes_of(self), memo))
        if self.grad is not None:
            copied.grad = deepcopy(self.grad, memo) if self.grad.is_leaf else self.grad.detach().clone()
    return memo[id(self)]


@method("__dlpack_device__")
def _dlpack_device(self):
    return _CPU


@method("__dlpack__")
def _dlpack(self, *, stream=None, max_version=None, dl_device=None, copy=None):
    """A DLPack capsule of a copy in host memory.  Raises BufferError for copy=False or another device."""
    if copy is False:
        raise BufferError(f"__dlpack__: the memory is on {self.device}, so only a copy can be given away; pass copy=None or True")
    if dl_device not in (None, _CPU):
        raise BufferError(f"__dlpack__: only copies to the CPU {_CPU} can be given away, {dl_device} was asked for")
    if self.requires_grad:
        raise BufferError("__dlpack__: Can't export tensors that require gradient, use tensor.detach()")
    if self.is_meta:
        raise BufferError("__dlpack__: Cannot pack tensors on meta, which have no values; use a real device")
    if self.dtype is dtypes.bfloat16:
        raise BufferError("__dlpack__: the copy is made through NumPy, which has no bfloat16; use tensor.float()")
    return self.numpy().__dlpack__()


@function(method=False, out=False)
def from_dlpack(ext_tensor, *, device=None, copy=None):
    """A copy, as a tensor, of any object that supports DLPack and is in host memory.

    Raises BufferError for copy=False, for memory that is not the host's, and for dtypes NumPy lacks.
    """
    if copy is False:
        raise BufferError("from_dlpack: the memory of a tensor is a device's own, so only a copy can be taken; leave copy out")
    try:
        array = np.from_dlpack(ext_tensor)
    except (RuntimeError, BufferError) as e:
        raise BufferError(f"from_dlpack: {e}; convert it first, to host memory and a dtype NumPy has") from None
    return tensor(array, device=device)


@function(method=False, out=False)
def frombuffer(buffer, *, dtype, count=-1, offset=0, requires_grad=False):
    """A copy, as a tensor, of the values in a Python buffer (bytes, array, memoryview, ...)."""
    d = dtypes.as_dtype(dtype)
    try:
        values = np.frombuffer(buffer, d.numpy, count, offset)
    except ValueError as e:
        raise ArgumentError(f"frombuffer: {e}") from None
    return from_array(values, d, pick_device(None)).requires_grad_(requires_grad)
