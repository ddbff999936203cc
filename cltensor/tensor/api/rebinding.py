"""Put a tensor over other memory: set_, and the old constructor new."""

from ...base import calls
from ...base.context import context
from ...base.errors import ArgumentError, ArgumentTypeError, AutogradError, DeviceError, DTypeError, ShapeError
from ...base.shapes import contiguous_strides
from ...dispatch.spec import spec
from ...dispatch.storage import Storage
from ...dispatch.tensor_base import TensorBase
from ..core.public_api import method
from .creation import empty, tensor


def _check(self, source):
    if context.grad and (self.requires_grad or getattr(source, "requires_grad", False)):
        raise AutogradError("set_: derivative for set_ is not implemented; call it under no_grad(), or on detach()ed tensors")
    if isinstance(source, TensorBase) and source.dtype is not self.dtype:
        raise DTypeError(f"set_: Could not set tensor of type {source.dtype.name} to a tensor of type {self.dtype.name}")
    if source.device is not self.device:
        raise DeviceError(f"set_: the source is on {source.device}, the tensor on {self.device}; they must agree")


def _geometry(source, itemsize, offset, size, stride):
    """(offset, shape, strides) of the requested view, in elements; all of source if size is None."""
    if size is None:
        if isinstance(source, Storage):
            shape = (source.extent // itemsize,)
            return 0, shape, contiguous_strides(shape)
        return source._offset, source.shape, source._spec.strides
    shape = tuple(size)
    strides = contiguous_strides(shape) if stride is None or (len(stride) == 0 and shape) else tuple(stride)
    if len(strides) != len(shape):
        raise ShapeError(f"set_: {len(shape)} sizes but {len(strides)} strides; give one for each dimension")
    if offset < 0 or any(n < 0 for n in (*shape, *strides)):
        raise ArgumentError(f"set_: offset {offset}, size {list(shape)} and stride {list(strides)} must not be negative")
    return getattr(source, "_offset", 0) + offset, shape, strides


@method()
def set_(self, source=None, storage_offset=0, size=None, stride=None):
    """Make self a view of source, a tensor of its dtype or a storage: of all of it, or of the given size and stride.

    storage_offset counts elements from source's first.  The storage grows if it must; without a source self becomes
    empty.  Raises DTypeError, DeviceError for a source of another kind, AutogradError where a gradient is recorded.
    """
    source = empty(0, dtype=self.dtype, device=self.device) if source is None else source
    if not isinstance(source, (TensorBase, Storage)):
        raise ArgumentTypeError(f"set_: source must be a Tensor or a storage, got {calls.kind(source)}")
    _check(self, source)
    offset, shape, strides = _geometry(source, self.itemsize, storage_offset, size, stride)
    s = spec(shape, strides, self.dtype, self.device)
    storage = getattr(source, "_storage", source)
    last = offset + sum((n - 1) * st for n, st in zip(shape, strides, strict=True)) + 1
    if s.numel and last * self.itemsize > storage.extent:
        storage.resize_(last * self.itemsize)
    if storage.version == self._storage.version:  # the gradient that saved self must notice the change
        storage.version += 1
    self._base, self._storage, self._spec, self._offset = None, storage, s, offset
    return self


@method()
def new(self, *data, device=None):
    """A tensor of self's dtype from a sequence, or with the given sizes and uninitialised memory; prefer new_tensor, new_empty."""
    if len(data) == 1 and isinstance(data[0], TensorBase):
        if data[0].dtype is not self.dtype:
            raise DTypeError(f"new: expected a tensor of {self.dtype.name}, got {data[0].dtype.name}")
        return data[0].detach()
    if all(hasattr(n, "__index__") for n in data) or (len(data) == 1 and type(data[0]) is type(self.shape)):
        return empty(*data or (0,), dtype=self.dtype, device=device or self.device)
    return tensor(*data, dtype=self.dtype, device=device or self.device)
