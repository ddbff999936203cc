"""Boxes moved into their canvas, and which of them are sound."""

from __future__ import annotations

from ....base import dtypes
from ....tensor import Tensor
from ....tensor.math.arithmetic import where
from ....tensor.shape.joining import cat, stack
from ...tv_tensors.bounding_boxes import BoundingBoxFormat, check_clamping_mode, is_rotated_bounding_format
from .box_formats import convert, corners, from_corners


def clamp(boxes: Tensor, format: BoundingBoxFormat, canvas_size: tuple[int, int], mode: str | None) -> Tensor:
    """boxes inside their canvas; mode: None (as they are), hard, or soft, which lets one corner of a turned box stay outside."""
    if check_clamping_mode(mode) is None or not boxes.numel():
        return boxes
    if is_rotated_bounding_format(format):
        x, y = corners(boxes.to(dtypes.float64) if boxes.dtype is dtypes.float64 else boxes, format)
        return from_corners(*_shrunk(x, y, canvas_size, mode), format)
    low_high = convert(boxes, format, BoundingBoxFormat.XYXY)
    height, width = canvas_size
    x, y = low_high[..., 0::2].clamp(0, width), low_high[..., 1::2].clamp(0, height)
    inside = stack([x, y], -1).reshape(low_high.shape)
    return convert(inside, BoundingBoxFormat.XYXY, format)


def _shrunk(x, y, canvas_size, mode):
    """Turned rectangles (N, 4) shrunk from the left, the top, the right and the bottom; those outside become its lower left."""
    height, width = canvas_size
    lost = None
    for _ in range(4):
        x, y, outside = _from_left(x, y, mode == "hard")
        lost = outside if lost is None else lost | outside
        x, y = y, width - x  # a quarter turn: the next side is the left one
        height, width = width, height
    return where(lost, 0.0, x), where(lost, float(height), y)


def _from_left(x, y, hard):
    """(x, y, which boxes have no corner with x >= 0): edges shortened until one corner at most, or with hard none, has x < 0."""
    first = x.argmax(-1, keepdim=True)  # the corner that stays, its neighbours, the opposite one
    order = [(first + k) % 4 for k in range(4)]
    (x0, y0), (xa, ya), (_, _), (xb, yb) = ((x.gather(-1, i), y.gather(-1, i)) for i in order)
    shares = []
    reach_a, reach_b = (x0 - xa).clamp(min=0), (x0 - xb).clamp(min=0)
    kept_a, kept_b = _least(reach_a, x0), _least(reach_b, x0)
    if hard:
        excess = (kept_a + kept_b - x0).clamp(min=0) / 2
        kept_a, kept_b = kept_a - excess, kept_b - excess
    for kept, reach in ((kept_a, reach_a), (kept_b, reach_b)):
        shares.append(where(reach > 0, kept / where(reach > 0, reach, 1.0), 1.0))
    a = (xa - x0) * shares[0], (ya - y0) * shares[0]
    b = (xb - x0) * shares[1], (yb - y0) * shares[1]
    moved = [cat([p, p + da, p + da + db, p + db], -1) for p, da, db in ((x0, a[0], b[0]), (y0, a[1], b[1]))]
    back = cat([(i - first) % 4 for i in (first * 0, first * 0 + 1, first * 0 + 2, first * 0 + 3)], -1)
    return (*(m.gather(-1, back) for m in moved), x0 < 0)


def _least(reach, room):
    return where(reach < room, reach, room)


def sound(boxes: Tensor, format: BoundingBoxFormat, canvas_size: tuple[int, int], min_size: float, min_area: float) -> Tensor:
    """Which boxes (N,) lie inside their canvas and are large enough."""
    height, width = canvas_size
    if is_rotated_bounding_format(format):
        x, y = corners(boxes, format)
        sizes = convert(boxes, format, BoundingBoxFormat.CXCYWHR)
        w, h = sizes[..., 2], sizes[..., 3]
    else:
        upright = convert(boxes, format, BoundingBoxFormat.XYXY)
        x, y = upright[..., 0::2], upright[..., 1::2]
        w, h = x[..., 1] - x[..., 0], y[..., 1] - y[..., 0]
    inside = ((x >= 0) & (x <= width)).all(-1) & ((y >= 0) & (y <= height)).all(-1)
    return inside & (w >= min_size) & (h >= min_size) & (w * h >= min_area)
