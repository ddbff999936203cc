"""The area that two rotated boxes share, for all pairs.

A box is cut by the four sides of the other, one after the other (Sutherland and Hodgman, Reentrant polygon clipping, 1974).  A
polygon is a list of directed segments around it; its area is half the sum of their cross products.  Each cut keeps the
part of every segment inside, and adds the segment between where the outline leaves and where it comes back.
"""

from __future__ import annotations

from ...tensor.shape.joining import cat
from .box_convert import box_convert


def _cross(ax, ay, bx, by):
    return ax * by - ay * bx


def _cut(start, end, corner, along):
    """Segments (x, y each (..., s)) cut by the line through `corner` along a direction, both ((..., 1), (..., 1))."""
    before, after = (_cross(*along, p[0] - corner[0], p[1] - corner[1]) for p in (start, end))
    leaves, enters = (before >= 0) & (after < 0), (before < 0) & (after >= 0)
    share = before / (before - after).where(leaves | enters, 1.0)
    crossing = [s + share * (e - s) for s, e in zip(start, end, strict=True)]
    kept = (before >= 0) | (after >= 0)
    begins = [c.where(enters, s).where(kept, 0.0) for c, s in zip(crossing, start, strict=True)]
    ends = [c.where(leaves, e).where(kept, 0.0) for c, e in zip(crossing, end, strict=True)]
    closing = [[c.where(mask, 0.0).sum(-1, keepdim=True) for c in crossing] for mask in (leaves, enters)]
    return ([cat([b, c], -1) for b, c in zip(begins, closing[0], strict=True)],
            [cat([e, c], -1) for e, c in zip(ends, closing[1], strict=True)])


def _corners(boxes, centre):
    """x and y (..., 4) of the corners of boxes (..., 8), seen from a centre."""
    return [boxes[..., i::2] - centre[..., i:i + 1] for i in (0, 1)]


def _next(corners):
    return [cat([c[..., 1:], c[..., :1]], -1) for c in corners]


def rotated_overlap(boxes1, boxes2, fmt):
    """(intersection, union) of the areas (N, M) of boxes1 (N, n) and boxes2 (M, n) in a rotated format."""
    first, second = (box_convert(b, fmt, "xywhr") for b in (boxes1, boxes2))
    areas = (first[:, 2] * first[:, 3]).unsqueeze(1) + (second[:, 2] * second[:, 3]).unsqueeze(0)
    centre = box_convert(first, "xywhr", "cxcywhr")[:, :2].unsqueeze(1)
    first, second = (box_convert(b, "xywhr", "xyxyxyxy") for b in (first, second))
    start = [c.expand((-1, len(second), -1)) for c in _corners(first.unsqueeze(1), centre)]
    sides = _corners(second.unsqueeze(0), centre)
    end, along = _next(start), [n - s for n, s in zip(_next(sides), sides, strict=True)]
    for i in range(4):
        start, end = _cut(start, end, [s[..., i:i + 1] for s in sides], [a[..., i:i + 1] for a in along])
    shared = (_cross(*start, *end).sum(-1) / 2).clamp(min=0)
    return shared, areas - shared
