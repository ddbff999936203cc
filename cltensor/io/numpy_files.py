"""Read NumPy's files: an array (.npy) as a tensor, an archive of arrays (.npz) as a dict of tensors.

Source: NumPy's NEP 1, and versions 2 and 3 of the format in numpy.lib.format.
"""

import ast
import math
import re

import numpy as np

from ..base import dtypes
from ..base.errors import DTypeError, SerializationError
from ..dispatch.spec import dense
from ..dispatch.tensor_base import check_fp64
from ..tensor import Tensor

MAGIC = b"\x93NUMPY"
_SUFFIX = ".npy"
_LONGEST = 10_000  # bytes up to the end of a header, NumPy's own limit
_NUMBERS = re.compile(r"[<>|=]?(\?|[biufc]\d{1,2})")
_LONG = re.compile(r"(\d)L\b")  # numbers of Python 2


def is_archive(archive):
    """Whether a zip archive is one of NumPy's."""
    return bool(archive.members) and all(name.endswith(_SUFFIX) for name in archive.members)


def read_archive(archive, options):
    """{name: tensor} of an .npz file."""
    return {name.removesuffix(_SUFFIX): _tensor(archive.read(name), options.placement) for name in archive.members}


def read(source, options):
    """The tensor of an .npy file."""
    return _tensor(source.read(0, source.size), options.placement)


def _tensor(raw, placement):
    start, shape, columns, kind = _header(raw)
    dtype = _dtype(kind)
    if kind.itemsize * math.prod(n for n in shape if n) >= 1 << 63 or raw.size - start != kind.itemsize * math.prod(shape):
        raise SerializationError(f"an array of shape {shape} and dtype {kind} takes {kind.itemsize * math.prod(shape)} bytes, "
                                 f"{raw.size - start} are there; the file is truncated or damaged")
    values = raw[start:].view(kind.newbyteorder("=") if kind.isnative else kind).astype(dtype.numpy, copy=False)
    values = values.reshape(shape[::-1]).T if columns else values.reshape(shape)
    check_fp64(placement.device("cpu"), dtype)
    storage = placement.store(np.ascontiguousarray(values))
    return Tensor._make(storage, dense(shape, dtype, storage.device))


def _header(raw):
    """(where the data starts, shape, whether columns come first, NumPy dtype)."""
    major, width = (raw[6], 2 if raw[6] == 1 else 4) if raw.size >= 12 else (0, 0)
    if raw[:6].tobytes() != MAGIC or major not in (1, 2, 3):
        raise SerializationError("an array in it does not start as NumPy's versions 1 to 3 do; it is damaged")
    start = 8 + width + int.from_bytes(raw[8 : 8 + width].tobytes(), "little")
    if start > min(raw.size, _LONGEST):
        raise SerializationError(f"the header of an array in it should end at {start}, it has {raw.size} bytes, and headers at "
                                 f"most {_LONGEST}")
    try:
        described = ast.literal_eval(_LONG.sub(r"\1", raw[8 + width : start].tobytes().decode("utf-8" if major == 3 else "latin1")))
        shape, columns, kind = described["shape"], described["fortran_order"], _kind(described["descr"])
    except (ValueError, TypeError, SyntaxError, LookupError, RecursionError, MemoryError) as error:
        raise SerializationError(f"the header of an array in it is damaged: {str(error)[:200]}") from None
    if type(shape) is not tuple or len(shape) > 64 or not all(type(n) is int and 0 <= n < 1 << 63 for n in shape):
        raise SerializationError(f"an array in it has the shape {str(shape)[:80]}, which is none")
    return start, shape, columns is True, kind


def _kind(text):
    """A NumPy dtype by its short name.  Raises SerializationError for one that is no number's."""
    if not isinstance(text, str) or not _NUMBERS.fullmatch(text):
        what = "Python objects, which are a pickle that could run code" if str(text).endswith("O") else f"{str(text)[:80]!r}"
        raise SerializationError(f"an array in it holds {what}; only arrays of numbers are read")
    return np.dtype(text)


def _dtype(kind):
    try:
        return dtypes.from_numpy_dtype(kind)
    except DTypeError as error:
        raise SerializationError(str(error)) from None
