"""Geometry of keypoints (..., 2) in a canvas (height, width); what changes the canvas returns the new one beside the points."""

from __future__ import annotations

from collections.abc import Sequence

from ....base.errors import ArgumentError
from ....tensor import Tensor
from .. import sizes
from .point_geometry import affine_move, displaced, moved, perspective_move, rotate_move
from .warps import check_affine, check_center, check_displacement, perspective_coefficients

Canvas = tuple[int, int]


def horizontal_flip_keypoints(keypoints: Tensor, canvas_size: Canvas) -> Tensor:
    """Mirror left and right."""
    return moved(keypoints, lambda x, y: (canvas_size[1] - 1 - x, y))


def vertical_flip_keypoints(keypoints: Tensor, canvas_size: Canvas) -> Tensor:
    """Mirror top and bottom."""
    return moved(keypoints, lambda x, y: (x, canvas_size[0] - 1 - y))


def crop_keypoints(keypoints: Tensor, top: int, left: int, height: int, width: int) -> tuple[Tensor, Canvas]:
    """Cut out a rectangle."""
    return moved(keypoints, lambda x, y: (x - left, y - top)), (height, width)


def center_crop_keypoints(inpt: Tensor, canvas_size: Canvas, output_size: int | Sequence[int]) -> tuple[Tensor, Canvas]:
    """Cut out the middle."""
    size = sizes.pair(output_size)
    return crop_keypoints(inpt, *sizes.centred(canvas_size, size), *size)


def pad_keypoints(keypoints: Tensor, canvas_size: Canvas, padding: int | Sequence[int],
                  padding_mode: str = "constant") -> tuple[Tensor, Canvas]:
    """Add borders.  Raises ArgumentError for another padding_mode than constant, which would repeat points."""
    if padding_mode != "constant":
        raise ArgumentError(f"Padding mode '{padding_mode}' is not supported with KeyPoints (supported modes are constant)")
    left, top, right, bottom = sizes.padding_of(padding)
    canvas = (canvas_size[0] + top + bottom, canvas_size[1] + left + right)
    return moved(keypoints, lambda x, y: (x + left, y + top)), canvas


def resize_keypoints(keypoints: Tensor, size: int | Sequence[int] | None, canvas_size: Canvas,
                     max_size: int | None = None) -> tuple[Tensor, Canvas]:
    """Resize the canvas."""
    new = sizes.resized(canvas_size, sizes.check_resize(size, max_size, True), max_size)
    if tuple(new) == tuple(canvas_size):
        return keypoints, canvas_size
    by_y, by_x = (n / o for n, o in zip(new, canvas_size, strict=True))
    return moved(keypoints, lambda x, y: (x * by_x, y * by_y)), new


def resized_crop_keypoints(keypoints: Tensor, top: int, left: int, height: int, width: int,
                           size: int | Sequence[int]) -> tuple[Tensor, Canvas]:
    """Cut out a rectangle and resize it."""
    cut, canvas = crop_keypoints(keypoints, top, left, height, width)
    return resize_keypoints(cut, size, canvas)


def affine_keypoints(keypoints: Tensor, canvas_size: Canvas, angle: float, translate: Sequence[float], scale: float,
                     shear: float | Sequence[float], center: Sequence[float] | None = None) -> Tensor:
    """Turn, move, scale and shear about a centre."""
    angle, translate, shear, center = check_affine(angle, translate, scale, shear, center)
    return moved(keypoints, affine_move(canvas_size, angle, translate, scale, shear, center))


def rotate_keypoints(keypoints: Tensor, canvas_size: Canvas, angle: float, expand: bool = False,
                     center: Sequence[float] | None = None) -> tuple[Tensor, Canvas]:
    """Turn counter-clockwise."""
    move, canvas = rotate_move(canvas_size, angle, expand, check_center(center))
    return moved(keypoints, move), canvas


def perspective_keypoints(keypoints: Tensor, canvas_size: Canvas, startpoints: Sequence[Sequence[int]] | None,
                          endpoints: Sequence[Sequence[int]] | None, coefficients: Sequence[float] | None = None) -> Tensor:
    """Look at the picture from another point."""
    return moved(keypoints, perspective_move(perspective_coefficients(startpoints, endpoints, coefficients)))


def elastic_keypoints(keypoints: Tensor, canvas_size: Canvas, displacement: Tensor) -> Tensor:
    """Follow what a displacement does to the pixels that the points lie in."""
    check_displacement(displacement, *canvas_size)
    return moved(keypoints, lambda x, y: displaced(x, y, canvas_size, displacement, whole=True))
