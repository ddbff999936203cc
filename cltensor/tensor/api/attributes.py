"""What kind of tensor it is, in PyTorch's words.  Every tensor here is dense, on an OpenCL device, and of one process."""

from ...base import calls
from ...base.errors import ArgumentTypeError
from ...runtime.stream import Stream
from ..core.public_api import function, method


@method()
def ndimension(self) -> int:
    """The number of dimensions."""
    return self.ndim


@method()
def is_pinned(self, device=None) -> bool:
    """False: copies to a device need no pinned memory here."""
    return False


@method()
def pin_memory(self, device=None):
    """The tensor itself: it is already on its device."""
    return self


@method()
def is_shared(self) -> bool:
    """False: a device's memory belongs to one process."""
    return False


@method()
def record_stream(self, s):
    """Once the tensor is gone, keep its memory until all work enqueued on the stream `s` by then is done.

    For a tensor of any shape and dtype, made on one stream and used on another: otherwise the first stream reuses the memory while
    the second still reads it.

    Raises ArgumentTypeError for anything but a Stream.  Source: torch.Tensor.record_stream.

        >>> side, x = ct.opencl.Stream(), ct.ones(3)
        >>> side.wait_stream(ct.opencl.current_stream())
        >>> with ct.opencl.stream(side):
        ...     y = x * 2
        ...     x.record_stream(side)
        >>> del x
        >>> side.synchronize()
        >>> y.tolist()
        [2.0, 2.0, 2.0]
    """
    if not isinstance(s, Stream):
        raise ArgumentTypeError(f"record_stream(): argument 's' must be a Stream, not {calls.kind(s)}")
    storage = self._storage
    if storage.extent and not storage.device.host:
        s.keep(storage, storage.buffer)


@method()
def to_dense(self, dtype=None, *, masked_grad=True):
    """The tensor itself, which is dense, in dtype if given."""
    return self if dtype is None else self.to(dtype)


@function(method=False, out=False)
def is_signed(input) -> bool:
    """Whether the dtype can hold negative numbers."""
    return input.is_signed()


@function(method=False, out=False)
def is_inference(input) -> bool:
    """Whether the tensor was made in inference mode."""
    return input.is_inference()


@function(out=False)
def is_same_size(input, other) -> bool:
    """Whether both have the same shape."""
    return tuple(input.shape) == tuple(other.shape)


@method()
def is_set_to(self, tensor) -> bool:
    """Whether both are the same view of the same storage."""
    return self._storage is tensor._storage and self._spec is tensor._spec and self._offset == tensor._offset


@function(method=False, out=False)
def detach(input):
    """input's memory, outside the graph."""
    return input.detach()


@function()
def get_device(input) -> int:
    """The index of input's device."""
    return -1 if input.is_meta else input.device.index


@method()
def const_data_ptr(self) -> int:
    """data_ptr, for reading only: a number that identifies the first element of a tensor of any shape and dtype.

    Never raises.  Source: PyTorch 2.13's Tensor.const_data_ptr.

        cltensor.ones(2).const_data_ptr()
    """
    return self.data_ptr()


@method()
def dense_dim(self) -> int:
    """The number of dense dimensions, which is that of all, whatever the shape and dtype.

    Never raises.  Source: PyTorch 2.13's Tensor.dense_dim.

        cltensor.ones(2, 3).dense_dim()    # 2
    """
    return self.ndim


@method()
def sparse_dim(self) -> int:
    """The number of sparse dimensions: 0, whatever the shape and dtype.

    Never raises.  Source: PyTorch 2.13's Tensor.sparse_dim.

        cltensor.ones(2, 3).sparse_dim()    # 0
    """
    return 0


@method()
def module_load(self, other, assign=False):
    """What load_state_dict puts in this tensor's place for other, of the same shape: its values in this dtype and on this device.

    With assign other itself, detached.  Raises ShapeError for another shape.
    Source: PyTorch 2.13's Tensor.module_load.

        cltensor.zeros(2).module_load(cltensor.ones(2))
    """
    return other.detach() if assign else self.detach().copy_(other)


@method()
def dim_order(self, ambiguity_check=False) -> tuple:
    """The dimensions from the outermost in memory to the innermost."""
    return tuple(sorted(range(self.ndim), key=lambda d: -self.stride(d)))


@function(method=False, out=False)
def is_distributed(input) -> bool:
    """False: a device's memory belongs to one process."""
    return False
