"""Resizing: give an output the shape of its result."""

import warnings

from ..base import calls
from ..base.errors import ArgumentTypeError, ShapeError
from ..base.shapes import broadcast_shapes
from .spec import dense, spec
from .tensor_base import TensorBase
from .writable import check_writable


def check_out(name, out):
    """Raise ArgumentTypeError unless out is a Tensor."""
    if not isinstance(out, TensorBase):
        raise ArgumentTypeError(f"{name}: out must be a Tensor, got {calls.kind(out)}")


def fit(name, out, shape):
    """Resize out to this shape; warn if that changes a tensor with elements."""
    if tuple(out.shape) == tuple(shape):
        return
    if out.numel():
        warnings.warn(f"{name}: An output with one or more elements was resized since it had shape {list(out.shape)}, which does "
                      f"not match the required output shape {list(shape)}. This behavior is deprecated; reuse it with "
                      "out.resize_(0) first", stacklevel=4)
    resize(out, tuple(shape))


def fit_elementwise(op, tensors, outs):
    """Resize outs to the shape of an elementwise op on these tensors.  Raises ShapeError for one that is also an input."""
    if not tensors:
        return
    shape = broadcast_shapes(*(t._spec.shape for t in tensors), op=op.name)
    for out in outs:
        check_out(op.name, out)
        if tuple(out.shape) != shape:
            check_writable(op.name, outs)
            if any(out is t for t in tensors):
                raise ShapeError(f"{op.name}: output with shape {list(out.shape)} doesn't match the broadcast shape {list(shape)}")
            fit(op.name, out, shape)


def resize(x, shape, strides=None):
    """Give x a shape (row-major without strides) over the same storage, which grows if needed; new elements are not set."""
    s = dense(shape, x.dtype, x.device) if strides is None else spec(shape, strides, x.dtype, x.device)
    needed = (x._offset + s.numel) * x.itemsize
    if s.numel and needed > x._storage.extent:
        x._storage.resize_(needed)
    x._spec = s
    return x
