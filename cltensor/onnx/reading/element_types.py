"""The element types of ONNX, and the dtypes that hold their values."""

import functools

import numpy as np

from ...base import dtypes
from ...base.errors import DTypeError
from ...tensor import Tensor, namespace
from .package import package

#: number of an element type -> its name, as in onnx.proto
NAMES = dict(enumerate((
    "undefined float32 uint8 int8 uint16 int16 int32 int64 string bool float16 float64 uint32 uint64 complex64 complex128 bfloat16 "
    "float8_e4m3fn float8_e4m3fnuz float8_e5m2 float8_e5m2fnuz uint4 int4 float4_e2m1fn float8_e8m0fnu uint2 int2").split()))
NUMBERS = {name: number for number, name in NAMES.items()}
#: types that devices do not have, and those that hold them
NARROW = {
    "float8_e4m3fn": "float32", "float8_e4m3fnuz": "float32", "float8_e5m2": "float32", "float8_e5m2fnuz": "float32",
    "float4_e2m1fn": "float32", "float8_e8m0fnu": "float32", "uint4": "uint8", "int4": "int8", "uint2": "uint8", "int2": "int8",
}
BITS = {"uint4": 4, "int4": 4, "uint2": 2, "int2": 2, "float4_e2m1fn": 4}
from_numpy = namespace()["from_numpy"]


class Narrow:
    """A tensor whose values are those of an element type that devices do not have, held in a wider one."""

    def __init__(self, tensor, name):
        self.tensor, self.name = tensor, name


def name_of(number):
    """The name of an element type.  Raises DTypeError for a number that is none."""
    if not 0 < number < len(NAMES):
        raise DTypeError(f"onnx: there is no element type {number}")
    return NAMES[number]


def held_as(name):
    """The dtype of tensors that hold an element type."""
    if name == "string":
        raise DTypeError("onnx: tensors of strings exist on the host only")
    return dtypes.BY_NAME[NARROW.get(name, name)]


def bits(name):
    """How many bits an element takes in a file."""
    return BITS.get(name) or numpy_type(name).itemsize * 8


@functools.cache
def numpy_type(name):
    """The NumPy dtype of an element type; those that NumPy lacks are ml_dtypes', which the package onnx brings along."""
    if name == "string":
        return np.dtype(object)
    extended = name in NARROW or name == "bfloat16"
    return np.dtype(getattr(package("ml_dtypes"), name) if extended else name)


def name_of_array(array):
    """The name of an array's element type."""
    name = "string" if array.dtype.kind in "OUS" else array.dtype.name
    return name if name in NUMBERS else NARROW.get(name, name)


def tensor_of(array, device=None):
    """A tensor, or a Narrow, with the values of an array."""
    name = array.dtype.name
    if array.dtype == object:  # sizes that a program may be captured for
        array = array.astype(np.int64)
    if name in NARROW:
        return Narrow(tensor_of(array.astype(NARROW[name]), device), name)
    if name == "bfloat16":
        return tensor_of(array.view(np.uint16), device).view(dtypes.bfloat16)
    if array.dtype.kind not in "biufc":
        raise DTypeError(f"onnx: {array.dtype} has no place on a device")
    tensor = from_numpy(np.array(array, order="C"))
    return tensor if device is None else tensor.to(device)


def array_of(value):
    """The values of a tensor as a NumPy array; waits for the device."""
    if isinstance(value, Narrow):
        return array_of(value.tensor).astype(numpy_type(value.name))
    if isinstance(value, np.ndarray):
        return value
    if value.dtype is dtypes.bfloat16:
        return value.detach().view(dtypes.uint16).numpy().view(numpy_type("bfloat16"))
    return value.detach().numpy()


def name_of_value(value):
    """The name of a value's element type."""
    if isinstance(value, Narrow):
        return value.name
    if isinstance(value, np.ndarray):
        return "int64" if value.dtype == object and value.size and not isinstance(value.flat[0], str) else name_of_array(value)
    return value.dtype.name


def is_tensor(value):
    """Whether a value is a tensor, or stands for one."""
    return isinstance(value, Tensor) or hasattr(value, "requires_grad")
