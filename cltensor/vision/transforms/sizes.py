"""Sizes and places: of resized pictures, crops and paddings."""

from __future__ import annotations

import math
import numbers
from collections.abc import Sequence

from ...base.errors import ArgumentError, ArgumentTypeError


def pair(size, message: str = "Please provide only two dimensions (h, w) for size.") -> tuple[int, int]:
    """(height, width) from an int, (n,) or (h, w).  Raises ArgumentError with this message."""
    if isinstance(size, numbers.Number):
        return int(size), int(size)
    if isinstance(size, Sequence) and len(size) == 1:
        return size[0], size[0]
    if len(size) != 2:
        raise ArgumentError(f"{message} Got {size!r}")
    return tuple(size)


def resized(canvas: tuple[int, int], size, max_size: int | None = None) -> tuple[int, int]:
    """The (height, width) of a canvas resized to `size`: both edges, the shorter one, or None for the longer one at max_size."""
    if size is not None and not isinstance(size, int):
        if len(size) == 2:
            return int(size[0]), int(size[1])
        size = size[0]
    short, long = sorted(canvas)
    if size is None:
        new_long, new_short = max_size, int(max_size * short / long)
    else:
        new_short, new_long = size, int(size * long / short)
        if max_size is not None and new_long > max_size:
            new_short, new_long = int(max_size * new_short / new_long), max_size
    return (new_short, new_long) if canvas[0] <= canvas[1] else (new_long, new_short)


def check_resize(size, max_size: int | None, without: bool) -> list[int] | None:
    """size as a list, or None where `without` allows that.  Raises ArgumentError, ArgumentTypeError for what makes no sense."""
    if size is None and without:
        if not isinstance(max_size, int):
            raise ArgumentError(f"max_size must be an integer when size is None, but got {max_size} instead.")
        return None
    if not isinstance(size, (int, Sequence)):
        raise ArgumentTypeError(f"Size should be int or sequence. Got {type(size)}")
    size = [size] if isinstance(size, int) else list(size)
    if len(size) not in (1, 2):
        raise ArgumentError(f"If size is a sequence, it should have 1 or 2 values, got {size}")
    if max_size is not None and len(size) != 1:
        raise ArgumentError("max_size should only be passed if size specifies the length of the smaller edge, i.e. size should be "
                            f"an int or a sequence of length 1; got size {size}")
    if max_size is not None and max_size <= size[0]:
        raise ArgumentError(f"max_size = {max_size} must be strictly greater than the requested size for the smaller edge "
                            f"size = {size}")
    return size


def padding_of(padding: int | Sequence[int]) -> tuple[int, int, int, int]:
    """(left, top, right, bottom) from one, two or four numbers.  Raises ArgumentError, ArgumentTypeError."""
    if isinstance(padding, int):
        return (padding,) * 4
    if not isinstance(padding, (list, tuple)):
        raise ArgumentTypeError(f"`padding` should be an integer or tuple or list of integers, but got {padding!r}")
    if len(padding) not in (1, 2, 4):
        raise ArgumentError(f"Padding must be an int or a 1, 2, or 4 element tuple or list. Found {len(padding)} elements")
    left, top, right, bottom = {1: (0, 0, 0, 0), 2: (0, 1, 0, 1), 4: (0, 1, 2, 3)}[len(padding)]
    return padding[left], padding[top], padding[right], padding[bottom]


def centred(canvas: tuple[int, int], crop: tuple[int, int]) -> tuple[int, int]:
    """(top, left) of a crop in the middle of a canvas that is at least as large."""
    return tuple(round((n - k) / 2.0) for n, k in zip(canvas, crop, strict=True))


def centre_padding(canvas: tuple[int, int], crop: tuple[int, int]) -> tuple[int, int, int, int]:
    """(left, top, right, bottom) that make a canvas at least as large as a crop."""
    (h, w), (ch, cw) = canvas, crop
    return ((cw - w) // 2 if cw > w else 0, (ch - h) // 2 if ch > h else 0,
            (cw - w + 1) // 2 if cw > w else 0, (ch - h + 1) // 2 if ch > h else 0)


def inverse_affine(center, angle: float, translate, scale: float, shear) -> list[float]:
    """The six numbers that map a point of the result to one of the picture.

    The map is: translate, move the centre back, rotate by angle (degrees, clockwise), scale and shear, move the centre to 0.
    """
    turn, shear_x, shear_y = math.radians(angle), math.radians(shear[0]), math.radians(shear[1])
    a, c = math.cos(turn - shear_y) / math.cos(shear_y), math.sin(turn - shear_y) / math.cos(shear_y)
    b = -math.cos(turn - shear_y) * math.tan(shear_x) / math.cos(shear_y) - math.sin(turn)
    d = -math.sin(turn - shear_y) * math.tan(shear_x) / math.cos(shear_y) + math.cos(turn)
    # the matrix ((a, b), (c, d)) has determinant 1
    m = [x / scale for x in (d, -b, 0.0, -c, a, 0.0)]
    (cx, cy), (tx, ty) = center, translate
    m[2] += m[0] * (-cx - tx) + m[1] * (-cy - ty) + cx
    m[5] += m[3] * (-cx - tx) + m[4] * (-cy - ty) + cy
    return m


def turned(matrix: Sequence[float], width: int, height: int) -> tuple[int, int]:
    """The (width, height) that a rotated picture needs, counted in whole pixels from its top left corner, as Pillow counts."""
    size = []
    for row, middle in ((matrix[:3], 0.5 * width), (matrix[3:], 0.5 * height)):
        corners = [(x, y) for x in (-0.5 * width, 0.5 * width) for y in (-0.5 * height, 0.5 * height)]
        ends = [row[0] * x + row[1] * y + row[2] + middle for x, y in corners]
        # floats of 4 digits: rounding must not add a pixel
        high, low = (math.trunc(round(end, 7) / 1e-4) * 1e-4 for end in (max(ends), min(ends)))
        size.append(math.ceil(round(high, 7)) - math.floor(round(low, 7)))
    return size[0], size[1]
