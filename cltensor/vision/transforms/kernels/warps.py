"""Pictures in tensors (..., C, H, W) read along a grid: affine maps, rotations, perspectives, displacements."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ....base import dtypes
from ....base.errors import ArgumentError, ArgumentTypeError
from ....nn.functional.vision import grid_sample
from ....tensor import Tensor
from ....tensor.api.creation import from_array
from ....tensor.shape.joining import cat
from ..interpolation import InterpolationMode, as_mode
from ..sizes import inverse_affine, turned
from .ranges import as_floats, rounded

_MODES = (InterpolationMode.NEAREST, InterpolationMode.BILINEAR)


def check_mode(interpolation: InterpolationMode | str | int) -> str:
    """The name that grid_sample knows the mode by.  Raises ArgumentError."""
    mode = as_mode(interpolation)
    if mode not in _MODES:
        raise ArgumentError(f"Interpolation mode '{mode.value}' is unsupported with Tensor input; take nearest or bilinear")
    return mode.value


def check_affine(angle, translate, scale, shear, center) -> tuple[float, list[float], list[float], list[float] | None]:
    """The arguments of affine, shear as (x, y).  Raises ArgumentError, ArgumentTypeError for what makes no sense."""
    if not isinstance(angle, (int, float)):
        raise ArgumentTypeError(f"Argument angle should be int or float, got {angle!r}")
    if not isinstance(translate, (list, tuple)):
        raise ArgumentTypeError(f"Argument translate should be a sequence, got {translate!r}")
    if len(translate) != 2:
        raise ArgumentError(f"Argument translate should be a sequence of length 2, got {translate!r}")
    if scale <= 0:
        raise ArgumentError(f"Argument scale should be positive, got {scale}")
    if not isinstance(shear, (int, float, list, tuple)):
        raise ArgumentTypeError(f"Shear should be either a single value or a sequence of two values, got {shear!r}")
    shear = [shear, 0.0] if isinstance(shear, (int, float)) else list(shear)
    shear = shear * 2 if len(shear) == 1 else shear
    if len(shear) != 2:
        raise ArgumentError(f"Shear should be a sequence containing two values. Got {shear}")
    return float(angle), list(translate), [float(s) for s in shear], check_center(center)


def check_center(center) -> list[float] | None:
    """A centre [x, y], or None.  Raises ArgumentTypeError, ArgumentError for anything else."""
    if center is None:
        return None
    if not isinstance(center, (list, tuple)):
        raise ArgumentTypeError(f"Argument center should be a sequence, got {center!r}")
    if len(center) != 2:
        raise ArgumentError(f"Argument center should be a sequence of length 2, got {center!r}")
    return [float(c) for c in center]


def affine_grid(matrix: Sequence[float], width: int, height: int, out_width: int, out_height: int) -> np.ndarray:
    """Where in [-1, 1] each pixel (out_height, out_width) is read, for a map of centred pixel coordinates."""
    m = np.asarray(matrix, np.float32).reshape(2, 3)
    x, y = centred_pixels(out_width), centred_pixels(out_height)[:, None]
    scaled = m / np.asarray([[0.5 * width], [0.5 * height]], np.float32)
    return np.stack([np.broadcast_to(x * row[0] + y * row[1] + row[2], (out_height, out_width)) for row in scaled], -1)


def centred_pixels(n: int) -> np.ndarray:
    """The middles of n pixels, 0 in the centre."""
    return (np.arange(n) - n * 0.5 + 0.5).astype(np.float32)


def sampled(image: Tensor, grid: np.ndarray | Tensor, mode: str, fill: Any) -> Tensor:
    """image (..., C, H, W) read at grid (H, W, 2) or (1, H, W, 2); outside of it is fill: None, a number, or one a channel."""
    *leading, c, h, w = image.shape
    grid = from_array(np.ascontiguousarray(grid), dtypes.float32, image.device) if isinstance(grid, np.ndarray) else grid
    grid = grid.reshape(1, *grid.shape[-3:])
    out = tuple(grid.shape[1:3])
    if not image.numel():
        return image.new_empty((*leading, c, *out))
    x = as_floats(image).reshape(1, -1, h, w)
    values = _fill(fill, c)
    if values is not None:
        x = cat([x, x.new_ones((1, 1, h, w))], 1)
    x = grid_sample(x, grid.to(x.dtype), mode, "zeros", False)
    if values is not None:
        x, mask = x[:, :-1], x[:, -1:]
        border = from_array(np.tile(values, x.shape[1] // c).reshape(1, -1, 1, 1), dtypes.float32, x.device).to(x.dtype)
        x = x.where(mask >= 0.5, border) if mode == "nearest" else (x - border) * mask + border
    return rounded(x.reshape(*leading, c, *out), image.dtype)


def _fill(fill, channels):
    """One number for each channel, or None for black.  Raises ArgumentError."""
    if fill is None:
        return None
    values = np.asarray(fill, np.float32).reshape(-1)
    if len(values) not in (1, channels):
        raise ArgumentError("The number of elements in 'fill' cannot broadcast to match the number of channels of the image "
                            f"({len(values)} != {channels})")
    return np.broadcast_to(values, (channels,))


def offset(center: Sequence[float] | None, width: int, height: int) -> list[float]:
    """A centre, from the top left corner, as a distance from the middle."""
    return [0.0, 0.0] if center is None else [1.0 * (c - s * 0.5) for c, s in zip(center, (width, height), strict=True)]


def affine_image(image: Tensor, angle: float, translate: Sequence[float], scale: float, shear: Sequence[float],
                 interpolation: InterpolationMode | str | int = InterpolationMode.NEAREST, fill: Any = None,
                 center: Sequence[float] | None = None) -> Tensor:
    """Turn, move, scale and shear about a centre."""
    mode = check_mode(interpolation)
    h, w = image.shape[-2:]
    angle, translate, shear, center = check_affine(angle, translate, scale, shear, center)
    matrix = inverse_affine(offset(center, w, h), angle, [1.0 * t for t in translate], scale, shear)
    return sampled(image, affine_grid(matrix, w, h, w, h), mode, fill)


def rotate_image(image: Tensor, angle: float, interpolation: InterpolationMode | str | int = InterpolationMode.NEAREST,
                 expand: bool = False, center: Sequence[float] | None = None, fill: Any = None) -> Tensor:
    """Turn counter-clockwise; quarter turns about the middle only move pixels."""
    check_mode(interpolation)
    quarters = angle % 360 / 90
    if center is None and quarters in (0, 2):
        return image.clone() if quarters == 0 else image.flip(-2, -1)
    if center is None and quarters in (1, 3) and (expand or image.shape[-1] == image.shape[-2]):
        return image.transpose(-2, -1).flip(-2 if quarters == 1 else -1)
    return rotated_image(image, angle, interpolation, expand, center, fill)


def rotated_image(image: Tensor, angle: float, interpolation: InterpolationMode | str | int = InterpolationMode.NEAREST,
                  expand: bool = False, center: Sequence[float] | None = None, fill: Any = None) -> Tensor:
    """Turn counter-clockwise, any angle in the same way."""
    mode = check_mode(interpolation)
    h, w = image.shape[-2:]
    matrix = inverse_affine(offset(check_center(center), w, h), -angle, [0.0, 0.0], 1.0, [0.0, 0.0])
    out_w, out_h = turned(matrix, w, h) if expand else (w, h)
    return sampled(image, affine_grid(matrix, w, h, out_w, out_h), mode, fill)


def perspective_coefficients(startpoints: Sequence[Sequence[int]] | None, endpoints: Sequence[Sequence[int]] | None,
                             coefficients: Sequence[float] | None = None) -> list[float]:
    """The eight numbers that map endpoints to startpoints, by least squares; or coefficients as they are.  Raises ArgumentError."""
    if coefficients is not None:
        if startpoints is not None and endpoints is not None:
            raise ArgumentError("The startpoints/endpoints and the coefficients shouldn't be defined concurrently.")
        if len(coefficients) != 8:
            raise ArgumentError(f"Argument coefficients should have 8 float values, got {len(coefficients)}")
        return list(coefficients)
    if startpoints is None or endpoints is None:
        raise ArgumentError("Either the startpoints/endpoints or the coefficients must have non `None` values.")
    if len(startpoints) != 4 or len(endpoints) != 4:
        raise ArgumentError("Please provide exactly four corners, "
                            f"got {len(startpoints)} startpoints and {len(endpoints)} endpoints.")
    rows = []
    for (u, v), (x, y) in zip(startpoints, endpoints, strict=True):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
    target = np.asarray(startpoints, np.float64).reshape(8)
    return np.linalg.lstsq(np.asarray(rows, np.float64), target, rcond=None)[0].astype(np.float32).tolist()


def perspective_image(image: Tensor, startpoints: Sequence[Sequence[int]] | None, endpoints: Sequence[Sequence[int]] | None,
                      interpolation: InterpolationMode | str | int = InterpolationMode.BILINEAR, fill: Any = None,
                      coefficients: Sequence[float] | None = None) -> Tensor:
    """Look at the picture from another point: the four endpoints show what was at the startpoints."""
    coefficients = perspective_coefficients(startpoints, endpoints, coefficients)
    h, w = image.shape[-2:]
    m = np.asarray([*coefficients, 1.0], np.float32).reshape(3, 3)
    x, y = (np.arange(w) + 0.5).astype(np.float32), (np.arange(h) + 0.5).astype(np.float32)[:, None]
    top = [(x * row[0] + y * row[1] + row[2]) / np.float32(0.5 * n) for row, n in zip(m[:2], (w, h), strict=True)]
    below = x * m[2, 0] + y * m[2, 1] + m[2, 2]
    return sampled(image, np.stack([part / below - 1 for part in top], -1), check_mode(interpolation), fill)


def check_displacement(displacement: Any, height: int, width: int) -> Tensor:
    """displacement.  Raises ArgumentTypeError for anything but a tensor, ArgumentError for another shape than (1, H, W, 2)."""
    if not isinstance(displacement, Tensor):
        raise ArgumentTypeError("Argument displacement should be a Tensor")
    if tuple(displacement.shape) != (1, height, width, 2):
        raise ArgumentError(f"Argument displacement shape should be {(1, height, width, 2)}, but given {tuple(displacement.shape)}")
    return displacement


def identity_grid(height: int, width: int) -> np.ndarray:
    """The place of each pixel (1, H, W, 2) in [-1, 1]."""
    x, y = (np.linspace((1 - n) / n, (n - 1) / n, n, dtype=np.float32) for n in (width, height))
    return np.stack(np.broadcast_arrays(x, y[:, None]), -1)[None]


def elastic_image(image: Tensor, displacement: Tensor,
                  interpolation: InterpolationMode | str | int = InterpolationMode.BILINEAR, fill: Any = None) -> Tensor:
    """Read each pixel somewhere else: at its place in [-1, 1] plus displacement (1, H, W, 2)."""
    h, w = image.shape[-2:]
    check_displacement(displacement, h, w)
    grid = from_array(identity_grid(h, w), dtypes.float32, image.device) + displacement.to(image.device, dtypes.float32)
    return sampled(image, grid, check_mode(interpolation), fill)
