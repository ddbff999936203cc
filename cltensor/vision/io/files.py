"""Files as tensors of their bytes."""

from __future__ import annotations

import os
from os import PathLike

import numpy as np

from ...base.errors import ArgumentTypeError, DTypeError, SerializationError, ShapeError
from ...io.atomic import replacing
from ...tensor import Tensor
from ...tensor.api.creation import from_numpy


def read_file(path: str | PathLike[str]) -> Tensor:
    """The bytes of a file, a tensor (N,) of dtype uint8.

    Raises OSError where it cannot be read, SerializationError where it is empty.  Source: as torchvision 0.29 has it.

    Example::

        decode_jpeg(read_file("cat.jpg"))
    """
    return from_numpy(bytes_of_file(path))


def bytes_of_file(path):
    """The bytes of a file as an array."""
    data = np.fromfile(path, np.uint8)
    if not data.size:
        raise SerializationError(f"{os.fspath(path)} is empty")
    return data


def write_file(filename: str | PathLike[str], data: Tensor) -> Tensor:
    """Write a tensor (N,) of dtype uint8 as the bytes of a file, which is replaced once they are all there; returns the tensor.

    Raises DTypeError for another dtype, ShapeError for another shape, OSError where it cannot be written.
    Source: as torchvision 0.29 has it.

    Example::

        write_file("copy.jpg", read_file("cat.jpg"))
    """
    values = bytes_of(data, "data")
    with replacing(filename) as out:
        out.write(values.tobytes())
    return data


def bytes_of(data, name="input"):
    """The bytes in a tensor (N,) of uint8, as an array."""
    if not isinstance(data, Tensor):
        raise ArgumentTypeError(f"{name} is a {type(data).__name__}; it must be a tensor of bytes, as read_file gives it")
    values = data.detach().numpy()
    if values.dtype != np.uint8:
        raise DTypeError(f"{name} has dtype {values.dtype}; the bytes of a file are uint8")
    if values.ndim != 1 or not values.size:
        raise ShapeError(f"{name} has shape {values.shape}; the bytes of a file are a tensor (N,) with N > 0")
    return values
