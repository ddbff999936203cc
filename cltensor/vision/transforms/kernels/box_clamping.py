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
    """Turned rectangles (N, 4) cut to their canvas; those outside of it become its lower left point."""
    height, width = canvas_size
    x, y, lost = _cut(x, y, height, width)
    for _ in range(4 if mode == "hard" else 0):
        x, y = _from_left(x, y)
        x, y = y, width - x  # a quarter turn: the next side is the left one
        height, width = width, height
    return where(lost, 0.0, x), where(lost, float(height), y)


def _cut(x, y, height, width):
    """(x, y, which are outside): the smallest rectangles of the same direction around what is inside the canvas."""
    x0, y0 = x[..., :1], y[..., :1]
    ux, uy, vx, vy = x[..., 1:2] - x0, y[..., 1:2] - y0, x[..., 3:] - x0, y[..., 3:] - y0
    px, py, valid = _shared_corners(x, y, height, width)
    along, down = [((px - x0) * dx + (py - y0) * dy) / (dx * dx + dy * dy).clamp(min=1e-12) for dx, dy in ((ux, uy), (vx, vy))]
    valid = valid & (along > -_NEAR) & (along < 1 + _NEAR) & (down > -_NEAR) & (down < 1 + _NEAR)
    (a0, a1), (b0, b1) = (_extent(share, valid) for share in (along, down))
    a, b = cat([a0, a1, a1, a0], -1), cat([b0, b0, b1, b1], -1)
    return x0 + ux * a + vx * b, y0 + uy * a + vy * b, ~valid.any(-1, keepdim=True)


_NEAR = 1e-5  # of an edge's length, or of a canvas's side


def _shared_corners(x, y, height, width):
    """(x, y, valid) of what may be corners of the part inside: those of either, and where edges cross the canvas's sides."""
    zero = x * 0
    found = [(x, y), (zero + x.new_tensor([0.0, width, width, 0.0]), zero + x.new_tensor([0.0, 0.0, height, height]))]
    dx, dy = x.roll(-1, -1) - x, y.roll(-1, -1) - y
    for side in (0.0, float(width)):
        t = (side - x) / where(dx == 0, 1.0, dx)
        found.append((zero + side, where((dx == 0) | (t < 0) | (t > 1), -1e9, y + t * dy)))
    for side in (0.0, float(height)):
        t = (side - y) / where(dy == 0, 1.0, dy)
        found.append((where((dy == 0) | (t < 0) | (t > 1), -1e9, x + t * dx), zero + side))
    px, py = cat([p for p, _ in found], -1), cat([q for _, q in found], -1)
    inside = [(p > -_NEAR * n) & (p < n * (1 + _NEAR)) for p, n in ((px, width), (py, height))]
    return px, py, inside[0] & inside[1]


def _extent(share, valid):
    """The least and the largest valid number (N, 1), in [0, 1]."""
    low, high = where(valid, share, 1.0).amin(-1, keepdim=True), where(valid, share, 0.0).amax(-1, keepdim=True)
    return low.clamp(0, 1), high.clamp(0, 1)


def _from_left(x, y):
    """Edges shortened until no corner has x < 0: both edges of the corner that lies outside give way by half of it."""
    first = x.argmax(-1, keepdim=True)  # the corner that stays, its neighbours, the opposite one
    (x0, y0), (xa, ya), (xo, _), (xb, yb) = ((x.gather(-1, i), y.gather(-1, i)) for i in ((first + k) % 4 for k in range(4)))
    excess = (-xo).clamp(min=0) / 2
    a, b = (_shortened(px - x0, py - y0, excess) for px, py in ((xa, ya), (xb, yb)))
    back = cat([(k - first) % 4 for k in range(4)], -1)
    moved = ((x0, a[0], b[0]), (y0, a[1], b[1]))
    return tuple(cat([p, p + da, p + da + db, p + db], -1).gather(-1, back) for p, da, db in moved)


def _shortened(dx, dy, excess):
    """An edge whose reach in x shrinks by excess."""
    share = where(dx < 0, ((-dx - excess) / where(dx < 0, -dx, 1.0)).clamp(0, 1), 1.0)
    return dx * share, dy * share


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
