"""Many pictures as one, in rows."""

from __future__ import annotations

import math
from os import PathLike
from typing import IO, Any

import numpy as np

from ...autograd.modes import no_grad
from ...base.errors import ArgumentError, ArgumentTypeError, ShapeError
from ...tensor import Tensor
from ...tensor.shape.joining import cat, stack
from .. import pillow
from .errors import PictureTypeError


@no_grad()
def make_grid(tensor: Tensor | list[Tensor], nrow: int = 8, padding: int = 2, normalize: bool = False,
              value_range: tuple[float, float] | None = None, scale_each: bool = False, pad_value: float = 0.0) -> Tensor:
    """Pictures side by side, in rows: a tensor (C, height, width) of their dtype, without a gradient.

    Args: tensor, (B, C, H, W), (C, H, W) or (H, W), or a list of tensors of one shape; one channel becomes three; nrow, pictures
        in a row; padding, pixels around each, of pad_value; normalize, bring values from value_range (by default from their least
        to their greatest) to [0, 1]; scale_each, by each picture's own least and greatest.
    Raises ArgumentTypeError for anything else, ShapeError for other shapes, ArgumentError for nrow < 1, DTypeError to normalise
    integers.
    Source: as torchvision 0.29 has it.

    Example::

        cltensor.vision.utils.make_grid(cltensor.rand(10, 3, 8, 8), nrow=5).shape
    """
    pictures = _batch(tensor)
    if normalize:
        if value_range is not None and not isinstance(value_range, tuple):
            raise ArgumentTypeError("value_range has to be a tuple (min, max) if specified. min and max are numbers")
        pictures = _normalized(pictures, value_range, scale_each)
    if len(pictures) == 1:
        return pictures[0]
    if nrow < 1:
        raise ArgumentError(f"nrow is {nrow}; a row holds at least one picture")
    return _laid_out(pictures, nrow, padding, pad_value)


def _batch(tensor):
    """Pictures as (B, C, H, W) with C = 3 in place of 1."""
    if isinstance(tensor, list):
        for one in tensor:
            if not isinstance(one, Tensor):
                raise ArgumentTypeError(f"tensor or list of tensors expected, got a list containing {type(one)}")
        if not tensor:
            raise ShapeError("the list holds no picture; give at least one")
        tensor = stack(tensor, 0)
    if not isinstance(tensor, Tensor):
        raise ArgumentTypeError(f"tensor or list of tensors expected, got {type(tensor)}")
    if not 2 <= tensor.ndim <= 4 or not tensor.numel():
        raise ShapeError(f"tensor has shape {tuple(tensor.shape)}; pictures are (B, C, H, W), (C, H, W) or (H, W), and not empty")
    tensor = tensor.detach()
    if tensor.ndim < 4:
        tensor = tensor.reshape(1, *([1] if tensor.ndim == 2 else []), *tensor.shape)
    return cat([tensor] * 3, 1) if tensor.shape[1] == 1 else tensor


def _normalized(pictures, value_range, each):
    """Pictures with their values, or those in a range, brought to [0, 1]."""
    if not pictures.is_floating_point():
        raise PictureTypeError(f"normalize needs a floating dtype, the pictures have {pictures.dtype}; convert them with float()")
    if value_range is not None:
        low, high = value_range
        return (pictures.clamp(low, high) - low) / max(high - low, 1e-5)
    if each:
        return stack([_normalized(one, None, False) for one in pictures])
    low, high = float(pictures.min()), float(pictures.max())
    return (pictures - low) / max(high - low, 1e-5)


def _laid_out(pictures, nrow, padding, pad_value):
    n, channels, height, width = pictures.shape
    columns = min(nrow, n)
    rows = math.ceil(n / columns)
    cell = height + padding, width + padding
    cells = pictures.new_full((rows * columns, channels, *cell), pad_value)
    cells[:n, :, padding:, padding:] = pictures
    grid = pictures.new_full((channels, rows * cell[0] + padding, columns * cell[1] + padding), pad_value)
    inner = cells.reshape(rows, columns, channels, *cell).permute(2, 0, 3, 1, 4)
    grid[:, : rows * cell[0], : columns * cell[1]] = inner.reshape(channels, rows * cell[0], columns * cell[1])
    return grid


@no_grad()
def save_image(tensor: Tensor | list[Tensor], fp: str | PathLike[str] | IO[bytes], format: str | None = None,
               **kwargs: Any) -> None:
    """Write pictures to a file, in rows as make_grid lays them out; values in [0, 1] are rounded to bytes.

    Args: tensor, (B, C, H, W) or what else make_grid takes, of a floating dtype; fp, a path or a binary file; format, by default
        what the path ends with; kwargs, for make_grid.
    Raises what make_grid raises; ArgumentError for an unknown format, OSError where the file cannot be written.
    Source: as torchvision 0.29 has it; the formats by way of Pillow.

    Example::

        cltensor.vision.utils.save_image(cltensor.rand(10, 3, 8, 8), "grid.png", nrow=5)
    """
    grid = make_grid(tensor, **kwargs)
    pixels = (grid * 255 + 0.5).clamp(0, 255).permute(1, 2, 0).numpy().astype(np.uint8)
    image = pillow.module()
    if format is None and isinstance(fp, (str, PathLike)):
        image.init()
        ending = "." + str(fp).rpartition(".")[2].lower()
        if ending not in image.EXTENSION:
            raise ArgumentError(f"unknown file extension: {ending}; give one that Pillow knows, such as .png, or format")
    image.fromarray(np.ascontiguousarray(pixels)).save(fp, format=format)
