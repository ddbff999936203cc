"""Values to make a tensor of, as a NumPy array and a dtype, and their copy to a device."""

import functools

import numpy as np

from ...base import bfloat16, calls, complex32, dtypes
from ...base.errors import ArgumentError, ArgumentTypeError
from ...dispatch.tensor_base import TensorBase
from ...runtime.device import default_device
from ...runtime.device import device as Device


def pick_device(d):
    """A device from None (the default), a device, a name or an index."""
    return default_device() if d is None else Device(d)


def any_true(flags):
    """Whether a bool tensor holds a True (this waits for it); False for a meta tensor: what nobody knows is not refused."""
    return not flags.is_meta and bool(flags.any())


def array_of(data, dtype):
    """(NumPy array, dtype) of nested sequences, numbers or an array."""
    if isinstance(data, (np.ndarray, np.generic)) or hasattr(data, "__array_interface__"):
        array = np.asarray(data)
        found = dtypes.from_numpy_dtype(array.dtype)
    else:
        array, found = _from_sequence(data, dtype is dtypes.uint64)
    dtype = dtype or found
    if dtype is dtypes.bfloat16:
        return bfloat16.encode(array), dtype
    if dtype is dtypes.complex32:
        return complex32.encode(array), dtype
    if array.dtype.kind == "c" and not dtype.is_complex:
        array = array.real if dtype is not dtypes.bool_ else array != 0
    with np.errstate(all="ignore"):
        return array.astype(dtype.numpy, copy=False), dtype


def _from_sequence(data, unsigned=False):
    """(array, dtype) of nested sequences or a number; unsigned: whether ints may be as large as uint64 holds."""
    kinds = set()
    data = _plain(data, kinds)
    if unsigned and kinds == {int}:
        return _of_large_numbers(data), dtypes.uint64
    try:
        array = np.asarray(data)
    except ValueError as e:
        raise ArgumentError(f"tensor: the nested sequences have different lengths; every row must be as long as the others "
                            f"({e})") from None
    found = _promoted(kinds)
    if found is not None:
        return array, found
    if array.dtype.kind == "f" or array.size == 0:
        return array.astype(np.float64), dtypes.get_default_dtype()
    if array.dtype.kind == "b":
        return array, dtypes.bool_
    if array.dtype.kind in "iu":
        if array.dtype == np.uint64 and array.size and array.max() > np.iinfo(np.int64).max:
            raise ArgumentError("tensor: Overflow: a value does not fit int64")
        return array.astype(np.int64), dtypes.int64
    if array.dtype.kind == "c":
        return array, dtypes.default_for("complex")
    raise ArgumentTypeError(f"tensor: could not infer a dtype for {calls.kind(data)} data {str(data)[:60]!r}; "
                            "give numbers, bools, or nested sequences of them")


def _of_large_numbers(data):
    """Nested sequences of ints as uint64, negative ones with wraparound."""
    array = np.asarray(data, object)
    if array.size and not -2**63 <= array.min() <= array.max() < 2**64:
        raise ArgumentError("tensor: Overflow: a value does not fit uint64")
    return (array % 2**64).astype(np.uint64)


def _plain(data, kinds):
    """data with tensors as lists; add each element's type, or NumPy dtype, to kinds."""
    if isinstance(data, (list, tuple)):
        return [_plain(x, kinds) for x in data]
    kinds.add(data.dtype if isinstance(data, (np.generic, np.ndarray)) else type(data))
    return data.tolist() if isinstance(data, TensorBase) else data


def _promoted(kinds):
    """The promoted dtype if any element is NumPy's, which keeps its dtype; else None."""
    if not any(isinstance(k, np.dtype) for k in kinds):
        return None
    python = {bool: "bool", int: "int", float: "float", complex: "complex"}
    found = [dtypes.from_numpy_dtype(k) if isinstance(k, np.dtype) else dtypes.default_for(python[k])
             for k in kinds if isinstance(k, np.dtype) or k in python]
    return functools.reduce(dtypes.promote_types, found)
