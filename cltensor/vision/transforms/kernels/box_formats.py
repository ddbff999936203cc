"""Boxes (N, K) from one format to another, and as corners."""

from __future__ import annotations

import math

from ....base import dtypes
from ....base.errors import ArgumentError
from ....tensor import Tensor
from ....tensor.shape.joining import cat, stack
from ...tv_tensors.bounding_boxes import BoundingBoxFormat, is_rotated_bounding_format

Format = BoundingBoxFormat


def half(x: Tensor) -> Tensor:
    """x / 2, rounded down for integers."""
    return x / 2 if x.is_floating_point() else x.div(2, rounding_mode="floor")


def convert(boxes: Tensor, old: BoundingBoxFormat, new: BoundingBoxFormat) -> Tensor:
    """boxes in another format.  Raises ArgumentError between upright and turned ones."""
    if old is new:
        return boxes
    if is_rotated_bounding_format(old) != is_rotated_bounding_format(new):
        raise ArgumentError("Cannot convert between rotated and unrotated bounding boxes.")
    if {old, new} == {Format.XYWHR, Format.CXCYWHR}:
        return _other_place(boxes, -1 if new is Format.XYWHR else 1)
    if is_rotated_bounding_format(old):
        return from_corners(*corners(boxes, old), new)
    return _from_xyxy(_to_xyxy(boxes, old), new)


def _to_xyxy(boxes, old):
    if old is Format.XYXY:
        return boxes
    at, size = boxes[..., :2], boxes[..., 2:]
    if old is Format.XYWH:
        return cat([at, at + size], -1)
    if boxes.is_floating_point():
        return cat([at - size / 2, at + size / 2], -1)
    return cat([2 * at - size, 2 * at + size], -1).div(2, rounding_mode="trunc")


def _from_xyxy(boxes, new):
    if new is Format.XYXY:
        return boxes
    low, high = boxes[..., :2], boxes[..., 2:]
    return cat([low if new is Format.XYWH else half(low + high), high - low], -1)


def _other_place(boxes, sign):
    """Turned boxes with their centre for their top left corner (sign 1), or the reverse (-1)."""
    x, y, w, h, r = boxes.unbind(-1)
    turn = r * (math.pi / 180)
    cos, sin = turn.cos(), turn.sin()
    return stack([x + sign * (w * cos + h * sin) / 2, y - sign * (w * sin - h * cos) / 2, w, h, r], -1)


def corners(boxes: Tensor, format: BoundingBoxFormat) -> tuple[Tensor, Tensor]:
    """The x and the y (N, 4) of the corners: top left, top right, bottom right, bottom left, as seen from the box."""
    if not is_rotated_bounding_format(format):
        left, top, right, bottom = _to_xyxy(boxes, format).unbind(-1)
        return stack([left, right, right, left], -1), stack([top, top, bottom, bottom], -1)
    if format is Format.XYXYXYXY:
        return boxes[..., 0::2], boxes[..., 1::2]
    x, y, w, h, r = boxes.unbind(-1)
    turn = r * (math.pi / 180)
    cos, sin = turn.cos(), turn.sin()
    if format is Format.CXCYWHR:
        x, y = x - (w * cos + h * sin) / 2, y + (w * sin - h * cos) / 2
    across, down = (w * cos, -w * sin), (h * sin, h * cos)
    return (stack([x, x + across[0], x + across[0] + down[0], x + down[0]], -1),
            stack([y, y + across[1], y + across[1] + down[1], y + down[1]], -1))


def from_corners(x: Tensor, y: Tensor, format: BoundingBoxFormat) -> Tensor:
    """Turned boxes from the corners of rectangles."""
    if format is Format.XYXYXYXY:
        return stack([x, y], -1).reshape(*x.shape[:-1], 8)
    x0, x1, x2, x3 = x.unbind(-1)
    y0, y1, y2, y3 = y.unbind(-1)
    w, h = ((x1 - x0) ** 2 + (y1 - y0) ** 2).sqrt(), ((x3 - x0) ** 2 + (y3 - y0) ** 2).sqrt()
    turn = (y0 - y1).atan2(x1 - x0) * (180 / math.pi)
    at = (x0, y0) if format is Format.XYWHR else ((x0 + x2) / 2, (y0 + y2) / 2)
    return stack([*at, w, h, turn], -1)


def rectangle(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """The corners of the rectangle with the same top left and bottom right corners and direction of the top edge."""
    x0, x1, x2, _ = x.unbind(-1)
    y0, y1, y2, _ = y.unbind(-1)
    turn = (y0 - y1).atan2(x1 - x0)
    cos, sin = turn.cos(), turn.sin()
    w = (x2 - x0) * cos - (y2 - y0) * sin
    x1, y1 = x0 + w * cos, y0 - w * sin
    return stack([x0, x1, x2, x0 + x2 - x1], -1), stack([y0, y1, y2, y0 + y2 - y1], -1)


def mapped(boxes: Tensor, format: BoundingBoxFormat, move, settle=lambda moved, format: moved) -> Tensor:
    """The boxes around the corners that move(x, y) gives: upright ones enclose them.  settle: done to the result."""
    floats = boxes if boxes.is_floating_point() else boxes.to(dtypes.float32)
    x, y = move(*corners(floats, format))
    if is_rotated_bounding_format(format):
        return settle(from_corners(*rectangle(x, y), format), format)
    around = stack([x.amin(-1), y.amin(-1), x.amax(-1), y.amax(-1)], -1)
    return _from_xyxy(settle(around, Format.XYXY), format).to(boxes.dtype)
