"""Geometry of masks (..., H, W): pixels keep their values, so nothing is read between them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ....base.errors import ArgumentError
from ....tensor import Tensor
from ..interpolation import InterpolationMode, as_mode
from . import image_geometry, warps

NEAREST, NEAREST_EXACT = InterpolationMode.NEAREST, InterpolationMode.NEAREST_EXACT


def _with_channel(mask, change):
    """change(mask), of a mask (H, W) with a channel put in front."""
    return change(mask) if mask.ndim > 2 else change(mask.unsqueeze(0)).squeeze(0)


def resize_mask(mask: Tensor, size: int | Sequence[int] | None,
                interpolation: InterpolationMode | str | int = InterpolationMode.BILINEAR, max_size: int | None = None) -> Tensor:
    """Resize by nearest neighbours; interpolation nearest-exact takes those of the middles of pixels."""
    mode = NEAREST_EXACT if as_mode(interpolation) is NEAREST_EXACT else NEAREST
    return _with_channel(mask, lambda m: image_geometry.resize_image(m, size, mode, max_size, False))


def resized_crop_mask(mask: Tensor, top: int, left: int, height: int, width: int, size: int | Sequence[int]) -> Tensor:
    """Cut out a rectangle and resize it."""
    return resize_mask(image_geometry.crop_image(mask, top, left, height, width), size)


def pad_mask(mask: Tensor, padding: int | Sequence[int], fill: Any = None, padding_mode: str = "constant") -> Tensor:
    """Add borders.  Raises ArgumentError for a fill that is no number."""
    if isinstance(fill, (tuple, list)):
        raise ArgumentError(f"pad_mask: Non-scalar fill value is not supported, got {fill}")
    return image_geometry.pad_image(mask, padding, 0 if fill is None else fill, padding_mode)


def affine_mask(mask: Tensor, angle: float, translate: Sequence[float], scale: float, shear: float | Sequence[float],
                fill: Any = None, center: Sequence[float] | None = None) -> Tensor:
    """Turn, move, scale and shear about a centre."""
    return _with_channel(mask, lambda m: warps.affine_image(m, angle, translate, scale, shear, NEAREST, fill, center))


def rotate_mask(mask: Tensor, angle: float, expand: bool = False, center: Sequence[float] | None = None,
                fill: Any = None) -> Tensor:
    """Turn counter-clockwise."""
    return _with_channel(mask, lambda m: warps.rotate_image(m, angle, NEAREST, expand, center, fill))


def perspective_mask(mask: Tensor, startpoints: Sequence[Sequence[int]] | None, endpoints: Sequence[Sequence[int]] | None,
                     fill: Any = None, coefficients: Sequence[float] | None = None) -> Tensor:
    """Look at the picture from another point."""
    return _with_channel(mask, lambda m: warps.perspective_image(m, startpoints, endpoints, NEAREST, fill, coefficients))


def elastic_mask(mask: Tensor, displacement: Tensor, fill: Any = None) -> Tensor:
    """Read each pixel somewhere else."""
    return _with_channel(mask, lambda m: warps.elastic_image(m, displacement, NEAREST, fill))
