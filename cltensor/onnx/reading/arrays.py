"""NumPy arrays of the tensors in a file: sizes are compared with what the file holds before anything is allocated."""

import math
import sys

import numpy as np

from ...base.errors import SerializationError
from .element_types import BITS, bits, name_of, numpy_type

_LARGEST_SPARSE = 1 << 28  # bytes of a sparse tensor once it is dense
#: where values of a type are without raw_data; all others are in int32_data
_FIELDS = {"float32": "float_data", "complex64": "float_data", "float64": "double_data", "complex128": "double_data",
           "int64": "int64_data", "uint32": "uint64_data", "uint64": "uint64_data", "string": "string_data"}
#: types whose bits, not values, are in int32_data
_AS_BITS = ("float16", "bfloat16", "float8_e4m3fn", "float8_e4m3fnuz", "float8_e5m2", "float8_e5m2fnuz", "float8_e8m0fnu")


def described(tensor):
    """(name of the element type, shape, bytes) of a TensorProto.  Raises SerializationError where they make no sense."""
    name, shape = name_of(tensor.data_type), tuple(tensor.dims)
    if any(n < 0 for n in shape) or len(shape) > 64:
        raise SerializationError(f"tensor {tensor.name!r}: its shape is {shape}")
    return name, shape, 0 if name == "string" else (math.prod(shape) * bits(name) + 7) // 8


def array_of_tensor(tensor, file):
    """The values of a TensorProto.  Raises SerializationError where the file does not hold as many as its shape says."""
    name, shape, size = described(tensor)
    if tensor.HasField("segment"):
        raise SerializationError(f"tensor {tensor.name!r}: is in segments, which ONNX files no longer are")
    if tensor.data_location == tensor.EXTERNAL:
        entries = {entry.key: entry.value for entry in tensor.external_data}
        return _from_bytes(file.external(entries, size), name, shape)
    if tensor.HasField("raw_data"):
        if len(tensor.raw_data) != size or name == "string":
            raise SerializationError(f"tensor {tensor.name!r}: {name} of shape {shape} takes {size} bytes, and the file holds "
                                     f"{len(tensor.raw_data)}")
        return _from_bytes(np.frombuffer(tensor.raw_data, np.uint8), name, shape)
    return _from_field(tensor, name, shape, size)


def dense_array_of_sparse(sparse, file):
    """The dense array of a SparseTensorProto."""
    values, indices = array_of_tensor(sparse.values, file), array_of_tensor(sparse.indices, file)
    shape = tuple(sparse.dims)
    if any(n < 0 for n in shape) or math.prod(shape) * values.itemsize > _LARGEST_SPARSE:
        raise SerializationError(f"sparse tensor {sparse.values.name!r}: of shape {shape} is too large to be made dense")
    dense = np.zeros(shape, values.dtype)
    try:
        place = tuple(indices.T) if indices.ndim == 2 else np.unravel_index(indices, shape)
        dense[place] = values
    except (IndexError, ValueError) as error:
        raise SerializationError(f"sparse tensor {sparse.values.name!r}: {error}") from error
    return dense


def _from_bytes(data, name, shape):
    """An array from little-endian bytes."""
    if name in BITS:
        return _unpacked(data, name, math.prod(shape)).reshape(shape)
    if name == "bool":
        return (data != 0).reshape(shape)
    dtype = numpy_type(name)
    data = np.frombuffer(data, dtype)
    return (data if sys.byteorder == "little" else data.byteswap()).reshape(shape)


def _from_field(tensor, name, shape, size):
    field = getattr(tensor, _FIELDS.get(name, "int32_data"))
    parts = 2 if name.startswith("complex") else 1
    count = size if name in BITS else math.prod(shape) * parts
    if len(field) != count:
        raise SerializationError(f"tensor {tensor.name!r}: {name} of shape {shape} takes {count} entries, and the file holds "
                                 f"{len(field)}")
    if name == "string":
        return np.array([text.decode("utf-8", "replace") for text in field], object).reshape(shape)
    if name in BITS:
        return _unpacked(np.array(field, np.int32).astype(np.uint8), name, math.prod(shape)).reshape(shape)
    if parts == 2:
        return np.array(field, numpy_type(name).type(0).real.dtype).view(numpy_type(name)).reshape(shape)
    dtype = numpy_type(name)
    if name in _AS_BITS:
        return np.array(field, np.int64).astype(f"uint{dtype.itemsize * 8}").view(dtype).reshape(shape)
    values = np.array(field, np.uint64 if _FIELDS.get(name) == "uint64_data" else None)
    return values.astype(dtype).reshape(shape)


def _unpacked(data, name, count):
    """Elements of 2 or 4 bits, the lowest first."""
    width = BITS[name]
    codes = np.stack([(data >> shift) & ((1 << width) - 1) for shift in range(0, 8, width)], -1).reshape(-1)[:count]
    if name.startswith("float"):
        return codes.astype(np.uint8).view(numpy_type(name))
    values = codes.astype(np.int8)
    if name.startswith("int"):
        values = np.where(values >> (width - 1), values - (1 << width), values)
    return values.astype(numpy_type(name))
