"""Rebuild tensors from storages: every offset, size and stride is checked against the storage before a view is made."""

import math

import numpy as np

from ...base import dtypes, layouts
from ...base.errors import SerializationError
from ...dispatch.spec import spec
from ...dispatch.storage import Storage
from ...dispatch.tensor_base import check_fp64
from ...nn.parameter import Buffer, Parameter
from ...tensor import Tensor
from ...tensor.api.creation import from_values
from ...tensor.api.typed_storage import TypedStorage
from .. import sparse_parts

_MAX_NDIM = 64
_LARGEST = 1 << 63
_OWN = frozenset(("_storage", "_spec", "_offset"))


def view(storage, dtype, offset, size, stride):
    """A view of a storage.  Raises SerializationError unless it lies in it."""
    if not isinstance(storage, Storage):
        raise SerializationError(f"a tensor is made of {type(storage).__name__}, not of a storage")
    size, stride = _sizes(size, "sizes"), _sizes(stride, "strides")
    _sizes((offset,), "offset")
    if len(size) != len(stride) or math.prod(n for n in size if n) >= _LARGEST:
        raise SerializationError(f"a tensor has the size {size} and the strides {stride}, which fit no tensor")
    count = storage.nbytes() // dtype.itemsize
    needed = offset + (1 + sum((n - 1) * s for n, s in zip(size, stride, strict=True)) if all(size) else 0)
    if needed > count:
        raise SerializationError(f"a tensor of size {size}, strides {stride} and offset {offset} reaches to element {needed} of "
                                 f"a storage of {count}")
    check_fp64(storage.device, dtype)
    return Tensor._make(storage, spec(size, stride, dtype, storage.device), offset)


def _sizes(values, what):
    if not isinstance(values, (tuple, list)) or len(values) > _MAX_NDIM or not all(
            type(n) is int and 0 <= n < _LARGEST for n in values):
        raise SerializationError(f"a tensor has {what} that are not at most {_MAX_NDIM} numbers >= 0: {str(values)[:80]}")
    return tuple(values)


def tensor_v1(storage, offset, size, stride):
    """A tensor as PyTorch before 0.4 wrote it."""
    return tensor_v2(storage, offset, size, stride)


def tensor_v2(storage, offset, size, stride, requires_grad=False, hooks=None, metadata=None):
    """A tensor of a typed storage."""
    if not isinstance(storage, TypedStorage):
        raise SerializationError("a tensor is made of something else than a typed storage")
    return _finished(view(storage.untyped(), storage.dtype, offset, size, stride), requires_grad, metadata)


def tensor_v3(storage, offset, size, stride, requires_grad, hooks, dtype, metadata=None):
    """A tensor of a storage, of a dtype that has no storage class."""
    if not isinstance(storage, (Storage, TypedStorage)):
        raise SerializationError("a tensor is made of something else than a storage")
    return _finished(view(storage.untyped(), _dtype(dtype), offset, size, stride), requires_grad, metadata)


def _dtype(value):
    if not isinstance(value, dtypes.dtype):
        raise SerializationError(f"a tensor has the dtype {str(value)[:80]}, which is none")
    return value


def _finished(made, requires_grad, metadata):
    """The tensor, conjugated or negated where it was lazily so, requiring grad where it did."""
    flags = {} if metadata is None else metadata
    if not isinstance(flags, dict) or not set(flags) <= {"conj", "neg"}:
        raise SerializationError(f"a tensor has metadata of an unknown kind: {str(metadata)[:80]}")
    if flags.get("conj"):
        made = made.conj()
    if flags.get("neg"):
        made = -made
    return with_grad(made, requires_grad)


def with_grad(made, requires_grad):
    """The tensor, requiring grad.  Raises SerializationError where it cannot."""
    if type(requires_grad) is not bool:
        raise SerializationError(f"a tensor's requires_grad is {str(requires_grad)[:80]}, not True or False")
    if requires_grad and made.dtype.category in ("bool", "int"):
        raise SerializationError(f"a tensor of dtype {made.dtype.name} cannot require grad")
    return made.requires_grad_() if requires_grad else made


def parameter(data, requires_grad=True, hooks=None):
    """A Parameter over a tensor."""
    if not isinstance(data, Tensor):
        raise SerializationError(f"a parameter is made of {type(data).__name__}, not of a tensor")
    with_grad(data, requires_grad)
    return Parameter(data, requires_grad)


def parameter_with_state(data, requires_grad, hooks, state):
    """A Parameter with attributes."""
    return with_attributes(parameter(data, requires_grad), state)


def with_attributes(made, state):
    """The tensor with the attributes that its program had set.  Raises SerializationError for names that tensors use themselves."""
    if isinstance(state, tuple) and len(state) == 2:  # (attributes, slots)
        state = {**(state[0] or {}), **(state[1] or {})}
    if not isinstance(state, dict):
        raise SerializationError(f"a tensor's attributes are {type(state).__name__}, not a dict")
    for name, value in state.items():
        if type(name) is not str or name in _OWN or hasattr(type(made), name):
            raise SerializationError(f"a tensor has an attribute named {str(name)[:80]!r}, which tensors have already")
        vars(made)[name] = value
    return made


def buffer_or_tensor(function, cls, args, state):
    """A tensor with attributes; one that says it is a Buffer becomes one."""
    if getattr(function, "function", None) not in FUNCTIONS or not isinstance(args, tuple):
        raise SerializationError("a tensor is made by something else than PyTorch's functions for that")
    made = function.function(*args)
    attributes = dict(state) if isinstance(state, dict) else state
    if isinstance(attributes, dict) and attributes.pop("_is_buffer", False) is True:
        requires_grad = made.requires_grad
        made = Buffer(made, persistent=attributes.pop("persistent", True) is True).requires_grad_(requires_grad)
    elif getattr(cls, "name", "").endswith("Parameter"):
        made = Parameter(made, made.requires_grad)
    return with_attributes(made, attributes)


def of_array(array, dtype, device, requires_grad):
    """A tensor of a NumPy array, as PyTorch writes those of devices without storages."""
    if not isinstance(array, np.ndarray):
        raise SerializationError(f"a tensor is made of {type(array).__name__}, not of a NumPy array")
    return with_grad(from_values(array, _dtype(dtype), device if hasattr(device, "profile") else None), requires_grad)


def of_tensor(data, dtype, device, requires_grad):
    """A tensor that was copied to the CPU to be saved."""
    if not isinstance(data, Tensor):
        raise SerializationError(f"a tensor is made of {type(data).__name__}, not of a tensor")
    return with_grad(data.detach().to(_dtype(dtype)), requires_grad)


def sparse(layout, parts):
    """A sparse tensor of a layout, its dense tensors, its size, and for coordinates whether they are in order."""
    count = sparse_parts.TENSORS.get(layout)
    if count is None or not isinstance(parts, tuple) or len(parts) not in (count + 1, count + 2):
        raise SerializationError(f"it holds a sparse tensor of layout {str(layout)[:40]} and {str(parts)[:40]}; only COO and CSR "
                                 "are read")
    return sparse_parts.made(layout, parts[:count], parts[count], parts[count + 1 :] == (True,))


#: what buffer_or_tensor may call
FUNCTIONS = frozenset((tensor_v1, tensor_v2, tensor_v3, of_array, of_tensor))


def layout(name):
    """A layout by its name, "torch.strided"."""
    found = getattr(layouts, str(name).removeprefix("torch."), None)
    if not isinstance(found, layouts.layout):
        raise SerializationError(f"it names the layout {str(name)[:80]!r}, which there is none of here")
    return found
