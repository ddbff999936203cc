"""Pictures to bytes and files: tensors (C, H, W) encoded by Pillow."""

from __future__ import annotations

import io
from os import PathLike

import numpy as np

from ...base.errors import ArgumentError, ArgumentTypeError, DTypeError, ShapeError
from ...tensor import Tensor
from ...tensor.api.creation import from_numpy
from .. import pillow
from .files import write_file


def encode_jpeg(input: Tensor | list[Tensor], quality: int = 75) -> Tensor | list[Tensor]:
    """The bytes of a picture as JPEG, a tensor (N,) of dtype uint8; for a list of pictures a list of them.

    Args: input, a tensor (C, H, W) of uint8 with C = 1 or 3, or several; quality, 1 to 100.
    Raises ArgumentError for another quality, DTypeError and ShapeError for other tensors.
    Source: as torchvision 0.29 has it; ITU T.81 by way of Pillow.

    Example::

        encode_jpeg(cltensor.zeros(3, 8, 8, dtype=cltensor.uint8))
    """
    if not 1 <= quality <= 100:
        raise ArgumentError(f"Image quality should be a positive number between 1 and 100, got {quality}")
    if isinstance(input, (list, tuple)):
        if not input:
            raise ArgumentError("encode_jpeg requires at least one picture when the input is a list")
        return [encode_jpeg(one, quality) for one in input]
    return _encoded(input, "JPEG", quality=quality)


def encode_png(input: Tensor, compression_level: int = 6) -> Tensor:
    """The bytes of a picture as PNG, a tensor (N,) of dtype uint8.

    Args: input, a tensor (C, H, W) of uint8 with C = 1 or 3; compression_level, 0 to 9.
    Raises ArgumentError for another level, DTypeError and ShapeError for other tensors.
    Source: as torchvision 0.29 has it; ISO 15948 by way of Pillow.

    Example::

        encode_png(cltensor.zeros(3, 8, 8, dtype=cltensor.uint8))
    """
    if not 0 <= compression_level <= 9:
        raise ArgumentError(f"Compression level should be between 0 and 9, got {compression_level}")
    return _encoded(input, "PNG", compress_level=compression_level)


def write_jpeg(input: Tensor, filename: str | PathLike[str], quality: int = 75) -> Tensor:
    """Write a picture as JPEG; the file is replaced once it is complete.  Returns its bytes, (N,) of dtype uint8.

    Args: input, a tensor (C, H, W) of uint8 with C = 1 or 3; filename; quality, 1 to 100.
    Raises ArgumentError for another quality, DTypeError and ShapeError for other tensors, OSError where it cannot be written.
    Source: as torchvision 0.29 has it; ITU T.81 by way of Pillow.

    Example::

        write_jpeg(picture, "out.jpg", quality=90)
    """
    return write_file(filename, encode_jpeg(input, quality))


def write_png(input: Tensor, filename: str | PathLike[str], compression_level: int = 6) -> Tensor:
    """Write a picture as PNG; the file is replaced once it is complete.  Returns its bytes, (N,) of dtype uint8.

    Args: input, a tensor (C, H, W) of uint8 with C = 1 or 3; filename; compression_level, 0 to 9.
    Raises ArgumentError for another level, DTypeError and ShapeError for other tensors, OSError where it cannot be written.
    Source: as torchvision 0.29 has it; ISO 15948 by way of Pillow.

    Example::

        write_png(picture, "out.png")
    """
    return write_file(filename, encode_png(input, compression_level))


def _encoded(input, kind, **options):
    image, out = pillow.module(), io.BytesIO()
    image.fromarray(_pixels(input)).save(out, kind, **options)
    return from_numpy(np.frombuffer(out.getvalue(), np.uint8).copy())


def _pixels(input):
    """The pixels (H, W) or (H, W, 3) of a picture (C, H, W)."""
    if not isinstance(input, Tensor):
        raise ArgumentTypeError(f"input is a {type(input).__name__}; it must be a tensor (C, H, W) of uint8")
    values = input.detach().numpy()
    if values.dtype != np.uint8:
        raise DTypeError(f"input has dtype {values.dtype}; a picture to encode has dtype uint8")
    if values.ndim != 3 or values.shape[0] not in (1, 3) or not values.size:
        raise ShapeError(f"input has shape {values.shape}; a picture to encode is (C, H, W) with 1 or 3 channels")
    return np.ascontiguousarray(values[0] if values.shape[0] == 1 else values.transpose(1, 2, 0))
