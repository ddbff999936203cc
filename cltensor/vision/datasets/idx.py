"""Arrays in IDX files, the format of MNIST: what kind of numbers, how many dimensions, their sizes, then the numbers."""

from __future__ import annotations

import os
from os import PathLike

import numpy as np

from ...base.errors import SerializationError
from ...io.unpacking import DAMAGED, OPENERS
from ...tensor import Tensor
from ...tensor.api.creation import from_numpy

#: the third byte of a file -> the dtype of its numbers, of which the first byte is the most significant
_KINDS = {8: "u1", 9: "i1", 11: ">i2", 12: ">i4", 13: ">f4", 14: ">f8"}
_MOST = 8  # dimensions


def read_sn3_pascalvincent_tensor(path: str | PathLike[str], strict: bool = True) -> Tensor:
    """The array in an IDX file, of any shape, with dtype uint8, int8, int16, int32, float32 or float64; it may be compressed (.gz,
    .xz).

    Raises SerializationError for a file of another kind or size; with strict=False, numbers after the last are left out.
    Source: the format's description at yann.lecun.com/exdb/mnist.

    Example::

        read_sn3_pascalvincent_tensor("t10k-labels-idx1-ubyte").shape
    """
    return from_numpy(array_in(path, strict))


def array_in(path, strict=True):
    """The array in an IDX file, in the processor's order of bytes."""
    try:
        with OPENERS.get(os.path.splitext(path)[1], open)(path, "rb") as file:
            data = file.read()
    except DAMAGED as error:
        raise SerializationError(f"{path} is damaged ({error}); remove it and get it again") from error
    shape, dtype, start = _header(path, data)
    expected = int(np.prod(shape, dtype=object)) * dtype.itemsize if shape else dtype.itemsize
    if len(data) - start < expected or (strict and len(data) - start != expected):
        raise SerializationError(f"{path} is damaged: it should hold {expected} bytes of numbers for shape {shape}, and holds "
                                 f"{len(data) - start}; remove it and get it again")
    found = np.frombuffer(data, dtype, expected // dtype.itemsize, start).reshape(shape)
    return found.astype(dtype.newbyteorder("="))


def _header(path, data):
    """(shape, dtype of the numbers, where they begin) of an IDX file's bytes."""
    dims = data[3] if len(data) > 3 else 0
    start = 4 + 4 * dims
    if len(data) < 4 or data[:2] != b"\0\0" or data[2] not in _KINDS or not 1 <= dims <= _MOST or len(data) < start:
        raise SerializationError(f"{path} is no IDX file: it begins with {data[:4]!r}; remove it and get it again")
    return tuple(np.frombuffer(data, ">u4", dims, 4).tolist()), np.dtype(_KINDS[data[2]]), start


def labels_in(path):
    """The labels in an IDX file of bytes in one dimension, as int64."""
    return _checked(path, 1).astype(np.int64)


def pictures_in(path):
    """The pictures in an IDX file of bytes in three dimensions, (N, H, W)."""
    return _checked(path, 3)


def _checked(path, dims):
    found = array_in(path, strict=False)
    if found.dtype != np.uint8 or found.ndim != dims:
        raise SerializationError(f"{path} holds {found.dtype} of shape {found.shape}, where bytes in {dims} dimensions are "
                                 "expected; "
                                 "remove it and get it again")
    return found
