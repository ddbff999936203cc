"""Formats of boxes, upright and rotated, and conversions between them.

A rotated box (x, y, w, h, r) is turned by r degrees, against the clock as seen where y points down, about its first corner or,
as cxcywhr, its centre; xyxyxyxy has the four corners, clockwise from the first.  Source: plane geometry.
"""

from __future__ import annotations

import math

from ...base import dtypes
from ...base.errors import ArgumentError, MismatchError, UnsupportedError
from ...tensor.core.tensor import Tensor
from ...tensor.shape.joining import stack

UPRIGHT, ROTATED = ("xyxy", "xywh", "cxcywh"), ("xywhr", "cxcywhr", "xyxyxyxy")
SIZES = {"xyxy": 4, "xywh": 4, "cxcywh": 4, "xywhr": 5, "cxcywhr": 5, "xyxyxyxy": 8}


def parts(op, boxes, format):
    """The coordinates of boxes (..., n), each of shape (...).  Raises MismatchError if n is not the format's."""
    if boxes.ndim == 0 or boxes.shape[-1] != SIZES[format]:
        raise MismatchError(f"{op}: boxes {tuple(boxes.shape)} are no {format} boxes; their last dimension must be {SIZES[format]}")
    return boxes.unbind(-1)


def _xywh_to_xyxy(x, y, w, h):
    return x, y, x + w, y + h


def _cxcywh_to_xyxy(x, y, w, h):
    return x - 0.5 * w, y - 0.5 * h, x + 0.5 * w, y + 0.5 * h


def _xyxy_to_xywh(left, top, right, bottom):
    return left, top, right - left, bottom - top


def _xyxy_to_cxcywh(left, top, right, bottom):
    return (left + right) / 2, (top + bottom) / 2, right - left, bottom - top


def _turned(r):
    angle = r * (math.pi / 180)
    return angle.cos(), angle.sin()


def _cxcywhr_to_xywhr(x, y, w, h, r):
    cos, sin = _turned(r)
    return x - w / 2 * cos - h / 2 * sin, y - h / 2 * cos + w / 2 * sin, w, h, r


def _xywhr_to_cxcywhr(x, y, w, h, r):
    cos, sin = _turned(r)
    return x + w / 2 * cos + h / 2 * sin, y - w / 2 * sin + h / 2 * cos, w, h, r


def _xywhr_to_xyxyxyxy(x, y, w, h, r):
    cos, sin = _turned(r)
    across, down = (w * cos, -w * sin), (h * sin, h * cos)
    return (x, y, x + across[0], y + across[1], x + across[0] + down[0], y + across[1] + down[1], x + down[0], y + down[1])


def _xyxyxyxy_to_xywhr(x1, y1, x2, y2, x3, y3, x4, y4):
    angle = (y1 - y2).atan2(x2 - x1) * (180 / math.pi)
    return x1, y1, ((x2 - x1) ** 2 + (y2 - y1) ** 2).sqrt(), ((x3 - x2) ** 2 + (y3 - y2) ** 2).sqrt(), angle


_TO_CENTRAL = {"xywh": _xywh_to_xyxy, "cxcywh": _cxcywh_to_xyxy, "cxcywhr": _cxcywhr_to_xywhr, "xyxyxyxy": _xyxyxyxy_to_xywhr}
_FROM_CENTRAL = {"xywh": _xyxy_to_xywh, "cxcywh": _xyxy_to_cxcywh, "cxcywhr": _xywhr_to_cxcywhr, "xyxyxyxy": _xywhr_to_xyxyxyxy}


def _check(in_fmt, out_fmt):
    unknown = [f for f in (in_fmt, out_fmt) if f not in SIZES]
    if unknown:
        raise ArgumentError(f"box_convert: format {unknown[0]!r} is not known; formats are {', '.join(SIZES)}")
    if in_fmt != out_fmt and (in_fmt in ROTATED) != (out_fmt in ROTATED):
        raise UnsupportedError(f"box_convert: {in_fmt} to {out_fmt}: an upright box is not turned, nor a rotated one made upright; "
                               f"{', '.join(UPRIGHT)} convert to each other, and {', '.join(ROTATED)}")


def box_convert(boxes: Tensor, in_fmt: str, out_fmt: str) -> Tensor:
    """Boxes (N, 4), (N, 5) or (N, 8) of one format in another.

    Formats: xyxy (left, top, right, bottom), xywh (left, top, width, height), cxcywh (centre, width, height), and the rotated
    xywhr, cxcywhr and xyxyxyxy (corners), whose angle is in degrees.  Any dtype but bool; centres of integer boxes are float32,
    rotated integer boxes are computed in float32 and rounded.  Raises ArgumentError for an unknown format, UnsupportedError
    between an upright and a rotated one, MismatchError for a wrong number of coordinates.  Source: plane geometry.

        >>> from cltensor.vision.ops import box_convert
        >>> box_convert(ct.tensor([[1.0, 2, 5, 4]]), "xyxy", "cxcywh")
        tensor([[3., 3., 4., 2.]])
    """
    _check(in_fmt, out_fmt)
    if in_fmt == out_fmt:
        return boxes.clone()
    whole = in_fmt in ROTATED and not boxes.is_floating_point()
    found = parts("box_convert", boxes.to(dtypes.float32) if whole else boxes, in_fmt)
    if in_fmt in _TO_CENTRAL:
        found = [f.round() if whole else f for f in _TO_CENTRAL[in_fmt](*found)]
    if out_fmt in _FROM_CENTRAL:
        found = _FROM_CENTRAL[out_fmt](*found)
    common = next((f.dtype for f in found if f.dtype.is_floating_point), found[0].dtype)
    result = stack([f.to(common) for f in found], -1)
    return result.round().to(boxes.dtype) if whole else result
