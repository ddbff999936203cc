"""Geometry of boxes (N, K) in a canvas (height, width); what changes the canvas returns the new one beside the boxes."""

from __future__ import annotations

from collections.abc import Sequence

from ....base.errors import ArgumentError
from ....tensor import Tensor
from ....tensor.api.creation import from_values
from ....tensor.shape.joining import cat
from ...tv_tensors.bounding_boxes import BoundingBoxFormat, is_rotated_bounding_format
from .. import sizes
from .box_clamping import clamp
from .box_formats import convert, corners, from_corners, mapped
from .point_geometry import affine_move, displaced, perspective_move, rotate_move
from .warps import check_affine, check_center, check_displacement, perspective_coefficients

Format = BoundingBoxFormat
Canvas = tuple[int, int]


def _clamping(canvas_size, mode):
    """What settles mapped boxes: they are clamped before they are rounded."""
    return lambda boxes, format: clamp(boxes, format, canvas_size, mode)


def _mirrored(bounding_boxes, format, flip):
    """Boxes whose corners flip(x, y) moves; the corners of a turned box change places in pairs."""
    x, y = flip(*corners(bounding_boxes, format))
    order = (slice(1, 2), slice(0, 1), slice(3, 4), slice(2, 3))
    return from_corners(*(cat([p[..., i] for i in order], -1) for p in (x, y)), format)


def _about_centre(flip, boxes, canvas_size):
    """A flip of XYWHR boxes, done to their centres."""
    centred = convert(boxes, Format.XYWHR, Format.CXCYWHR)
    return convert(flip(centred, Format.CXCYWHR, canvas_size), Format.CXCYWHR, Format.XYWHR)


def horizontal_flip_bounding_boxes(bounding_boxes: Tensor, format: BoundingBoxFormat, canvas_size: Canvas) -> Tensor:
    """Mirror left and right."""
    width = canvas_size[1]
    if format is Format.XYXYXYXY:
        return _mirrored(bounding_boxes, format, lambda x, y: (width - x, y))
    if format is Format.XYWHR:
        return _about_centre(horizontal_flip_bounding_boxes, bounding_boxes, canvas_size)
    first, rest = bounding_boxes[..., :1], bounding_boxes[..., 1:]
    if format is Format.CXCYWHR:
        return cat([width - first, bounding_boxes[..., 1:4], -bounding_boxes[..., 4:]], -1)
    if format is Format.CXCYWH:
        return cat([width - first, rest], -1)
    if format is Format.XYWH:
        return cat([width - first - bounding_boxes[..., 2:3], rest], -1)
    return cat([width - bounding_boxes[..., 2:3], bounding_boxes[..., 1:2], width - first, bounding_boxes[..., 3:]], -1)


def vertical_flip_bounding_boxes(bounding_boxes: Tensor, format: BoundingBoxFormat, canvas_size: Canvas) -> Tensor:
    """Mirror top and bottom."""
    height = canvas_size[0]
    if format is Format.XYXYXYXY:
        return _mirrored(bounding_boxes, format, lambda x, y: (x, height - y))
    if format is Format.XYWHR:
        return _about_centre(vertical_flip_bounding_boxes, bounding_boxes, canvas_size)
    first, second, rest = bounding_boxes[..., :1], bounding_boxes[..., 1:2], bounding_boxes[..., 2:]
    if format is Format.CXCYWHR:
        return cat([first, height - second, bounding_boxes[..., 2:4], 180 - bounding_boxes[..., 4:]], -1)
    if format is Format.CXCYWH:
        return cat([first, height - second, rest], -1)
    if format is Format.XYWH:
        return cat([first, height - second - bounding_boxes[..., 3:], rest], -1)
    return cat([first, height - bounding_boxes[..., 3:], bounding_boxes[..., 2:3], height - second], -1)


def shift(bounding_boxes: Tensor, format: BoundingBoxFormat, dx: int, dy: int) -> Tensor:
    """Move by (dx, dy)."""
    points = {Format.XYXY: 2, Format.XYXYXYXY: 4}.get(format, 1)
    by = [dx, dy] * points + [0] * (bounding_boxes.shape[-1] - 2 * points)
    return bounding_boxes + from_values(by, bounding_boxes.dtype, bounding_boxes.device)


def crop_bounding_boxes(bounding_boxes: Tensor, format: BoundingBoxFormat, top: int, left: int, height: int, width: int,
         clamping_mode: str | None = "soft") -> tuple[Tensor, Canvas]:
    """Cut out a rectangle."""
    canvas = (height, width)
    return clamp(shift(bounding_boxes, format, -left, -top), format, canvas, clamping_mode), canvas


def center_crop_bounding_boxes(bounding_boxes: Tensor, format: BoundingBoxFormat, canvas_size: Canvas,
                               output_size: int | Sequence[int], clamping_mode: str | None = "soft") -> tuple[Tensor, Canvas]:
    """Cut out the middle."""
    size = sizes.pair(output_size)
    top, left = sizes.centred(canvas_size, size)
    return crop_bounding_boxes(bounding_boxes, format, top, left, *size, clamping_mode=clamping_mode)


def pad_bounding_boxes(bounding_boxes: Tensor, format: BoundingBoxFormat, canvas_size: Canvas, padding: int | Sequence[int],
                       padding_mode: str = "constant", clamping_mode: str | None = "soft") -> tuple[Tensor, Canvas]:
    """Add borders.  Raises ArgumentError for another padding_mode than constant, which would repeat what is in the boxes."""
    if padding_mode != "constant":
        raise ArgumentError(f"Padding mode '{padding_mode}' is not supported with bounding boxes")
    left, top, right, bottom = sizes.padding_of(padding)
    canvas = (canvas_size[0] + top + bottom, canvas_size[1] + left + right)
    return clamp(shift(bounding_boxes, format, left, top), format, canvas, clamping_mode), canvas


def resize_bounding_boxes(bounding_boxes: Tensor, canvas_size: Canvas, size: int | Sequence[int] | None,
                          max_size: int | None = None, format: BoundingBoxFormat = Format.XYXY,
                          clamping_mode: str | None = "soft") -> tuple[Tensor, Canvas]:
    """Resize the canvas."""
    new = sizes.resized(canvas_size, sizes.check_resize(size, max_size, True), max_size)
    if tuple(new) == tuple(canvas_size):
        return bounding_boxes, canvas_size
    by_y, by_x = (n / o for n, o in zip(new, canvas_size, strict=True))
    if is_rotated_bounding_format(format):
        moved = mapped(bounding_boxes, format, lambda x, y: (x * by_x, y * by_y))
        return clamp(moved, format, new, clamping_mode), new
    ratios = from_values([by_x, by_y] * 2, None, bounding_boxes.device)
    return (bounding_boxes * ratios).to(bounding_boxes.dtype), new


def resized_crop_bounding_boxes(bounding_boxes: Tensor, format: BoundingBoxFormat, top: int, left: int, height: int, width: int,
                                size: int | Sequence[int], clamping_mode: str | None = "soft") -> tuple[Tensor, Canvas]:
    """Cut out a rectangle and resize it."""
    cut, canvas = crop_bounding_boxes(bounding_boxes, format, top, left, height, width, clamping_mode)
    return resize_bounding_boxes(cut, canvas, size, None, format, clamping_mode)


def affine_bounding_boxes(bounding_boxes: Tensor, format: BoundingBoxFormat, canvas_size: Canvas, angle: float,
                          translate: Sequence[float], scale: float, shear: float | Sequence[float],
                          center: Sequence[float] | None = None, clamping_mode: str | None = "soft") -> Tensor:
    """Turn, move, scale and shear about a centre."""
    angle, translate, shear, center = check_affine(angle, translate, scale, shear, center)
    move = affine_move(canvas_size, angle, translate, scale, shear, center)
    return mapped(bounding_boxes, format, move, _clamping(canvas_size, clamping_mode))


def rotate_bounding_boxes(bounding_boxes: Tensor, format: BoundingBoxFormat, canvas_size: Canvas, angle: float,
                          expand: bool = False, center: Sequence[float] | None = None,
                          clamping_mode: str | None = "soft") -> tuple[Tensor, Canvas]:
    """Turn counter-clockwise."""
    move, canvas = rotate_move(canvas_size, angle, expand, check_center(center))
    return mapped(bounding_boxes, format, move, _clamping(canvas, clamping_mode)), canvas


def perspective_bounding_boxes(bounding_boxes: Tensor, format: BoundingBoxFormat, canvas_size: Canvas,
                               startpoints: Sequence[Sequence[int]] | None, endpoints: Sequence[Sequence[int]] | None,
                               coefficients: Sequence[float] | None = None, clamping_mode: str | None = "soft") -> Tensor:
    """Look at the picture from another point."""
    move = perspective_move(perspective_coefficients(startpoints, endpoints, coefficients))
    return mapped(bounding_boxes, format, move, _clamping(canvas_size, clamping_mode))


def elastic_bounding_boxes(bounding_boxes: Tensor, format: BoundingBoxFormat, canvas_size: Canvas, displacement: Tensor,
                           clamping_mode: str | None = "soft") -> Tensor:
    """Follow what a displacement does to the picture."""
    check_displacement(displacement, *canvas_size)
    return mapped(bounding_boxes, format, lambda x, y: displaced(x, y, canvas_size, displacement),
                  _clamping(canvas_size, clamping_mode))
