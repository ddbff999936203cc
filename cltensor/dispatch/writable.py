"""Checks before a write: outputs must not overlap themselves, their history must allow it, overlapping inputs are copied."""

from ..base.context import context
from ..base.errors import AutogradError, ShapeError
from ..base.overlap import meet, packed
from .node import leaf_at
from .tensor_base import extent_of


def check_writable(name, outs, once=True):
    """Raise ShapeError if `once` and elements of an output share memory (an expanded tensor).

    Raises AutogradError for a write to an inference tensor outside inference mode.
    """
    if context.mutation is not None:
        context.mutation.before_write(outs)
    for o in outs:
        s = o._spec
        if once and not s.contiguous and any(st == 0 and n > 1 for n, st in zip(s.shape, s.strides, strict=True)):
            raise ShapeError(f"{name}: unsupported operation: more than one element of the written-to tensor refers to "
                             f"a single memory location (shape {list(s.shape)}, strides {list(s.strides)}). "
                             "Please clone() the tensor before performing the operation")
        if o._storage.inference and not context.inference:
            raise AutogradError(f"{name}: Inplace update to inference tensor outside InferenceMode is not allowed; "
                                "clone() it first")


def check_history(op, outs, inplace):
    """Raise AutogradError when a write to outs would lose or break a recorded history."""
    if not inplace:
        raise AutogradError(f"{op.name}(): functions with out=... arguments don't support automatic differentiation, but "
                            "one of the arguments requires grad; use the result, or wrap the call in no_grad()")
    for o in outs:
        check_leaf(op.name, o)


def check_leaf(name, o):
    """Raise AutogradError when o is a leaf that requires grad, a view of one, or a Function's output that views an input."""
    what = leaf_at(o)
    if what:
        raise AutogradError(f"{name}: {what} that requires grad is being used in an in-place operation; "
                            "do it under cltensor.no_grad(), or on a clone()")
    base = o._base if o._base is not None else o
    if base._index in getattr(base._node, "views", ()):
        raise AutogradError(f"{name}: Output {base._index} of {base._node.name()} is a view and is being modified inplace. "
                            "It shares memory with an input of a custom Function, whose backward the write would bypass; "
                            "clone() the output first")


def apart(op, tensors, outs):
    """tensors, with copies in place of those that partly overlap an output; one that coincides with an output stays."""
    for o in outs:
        for i, t in enumerate(tensors):
            if t._storage is o._storage and not (t._offset == o._offset and t._spec is o._spec) and overlap(t, o):
                return apart(op, [*tensors[:i], _copied(op, t, o), *tensors[i + 1:]], outs)
    return tensors


def _copied(op, t, o):
    """A copy of t, which overlaps the output o.  Raises ShapeError where PyTorch refuses the overlap."""
    if _packed(t._spec) and _packed(o._spec):
        raise ShapeError(f"{op.name}: unsupported operation: some elements of the input tensor and the written-to tensor refer to "
                         "a single memory location. Please clone() the tensor before performing the operation")
    return t.detach().clone()


def overlap(a, b):
    """Whether two tensors share a byte."""
    if a._storage is not b._storage:
        return False
    s, r = a._spec, b._spec
    size, other = s.dtype.itemsize, r.dtype.itemsize
    distance = b._offset * other - a._offset * size
    if distance >= extent_of(s) * size or -distance >= extent_of(r) * other:
        return False
    return meet(distance, s.shape, s.strides, size, r.shape, r.strides, other)


def _packed(s):
    return s.contiguous or packed(s.shape, s.strides)
