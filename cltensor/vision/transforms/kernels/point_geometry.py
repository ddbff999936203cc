"""Geometry of points: where the pixel at (x, y) goes; x and y are tensors of one shape."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from ....base import dtypes
from ....tensor import Tensor
from ....tensor.shape.joining import stack
from .. import sizes

Move = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]
Canvas = tuple[int, int]


def _forward(matrix):
    """The map that an inverse affine matrix is the inverse of."""
    whole = np.linalg.inv(np.asarray([*matrix, 0.0, 0.0, 1.0]).reshape(3, 3))
    (a, b, c), (d, e, f) = whole[:2].tolist()
    return lambda x, y: (x * a + y * b + c, x * d + y * e + f)


def affine_move(canvas_size: Canvas, angle: float, translate: Sequence[float], scale: float, shear: Sequence[float],
                center: Sequence[float] | None = None) -> Move:
    """What affine does to a point."""
    middle = [canvas_size[1] * 0.5, canvas_size[0] * 0.5] if center is None else center
    return _forward(sizes.inverse_affine(middle, angle, translate, scale, shear))


def rotate_move(canvas_size: Canvas, angle: float, expand: bool = False,
                center: Sequence[float] | None = None) -> tuple[Move, Canvas]:
    """What rotate does to a point, and to the canvas."""
    height, width = canvas_size
    if not expand:
        return affine_move(canvas_size, -angle, [0.0, 0.0], 1.0, [0.0, 0.0], center), canvas_size
    middle = [width * 0.5, height * 0.5] if center is None else center
    matrix = sizes.inverse_affine(middle, -angle, [0.0, 0.0], 1.0, [0.0, 0.0])
    new_width, new_height = sizes.turned(matrix, width, height)
    turn = _forward(matrix)
    ends = [turn(x, y) for x in (0.0, width) for y in (0.0, height)]
    left, top = min(x for x, _ in ends), min(y for _, y in ends)
    return (lambda x, y: (turn(x, y)[0] - left, turn(x, y)[1] - top)), (new_height, new_width)


def perspective_move(coefficients: Sequence[float]) -> Move:
    """What perspective does to a point."""
    whole = np.linalg.inv(np.asarray([*coefficients, 1.0]).reshape(3, 3))
    (a, b, c), (d, e, f), (g, h, i) = (whole / whole[2, 2]).tolist()

    def move(x, y):
        below = x * g + y * h + i
        return (x * a + y * b + c) / below, (x * d + y * e + f) / below

    return move


def displaced(x: Tensor, y: Tensor, canvas_size: Canvas, displacement: Tensor, whole: bool = False) -> tuple[Tensor, Tensor]:
    """Points moved against the displacement (1, H, W, 2) of the pixel that they lie in; whole: from that pixel's place."""
    height, width = canvas_size
    column, row = x.long().clamp(0, width - 1), y.long().clamp(0, height - 1)
    moves = displacement.to(x.device, x.dtype).reshape(height * width, 2)[row * width + column]
    x, y = (column.to(x.dtype), row.to(y.dtype)) if whole else (x, y)
    return x - moves[..., 0] * (0.5 * width), y - moves[..., 1] * (0.5 * height)


def moved(points: Tensor, move: Move) -> Tensor:
    """Points (..., 2) after a map; those of integers are cut to whole numbers."""
    floats = points if points.is_floating_point() else points.to(dtypes.float32)
    return stack(move(*floats.unbind(-1)), -1).to(points.dtype)


def clamp(points: Tensor, canvas_size: Canvas) -> Tensor:
    """The nearest pixels inside the canvas."""
    height, width = canvas_size
    x, y = points.unbind(-1)
    return stack([x.clamp(0, width - 1), y.clamp(0, height - 1)], -1)


def inside(points: Tensor, canvas_size: Canvas) -> Tensor:
    """Which points (N,), or groups of points (N, ...), lie wholly inside the canvas."""
    height, width = canvas_size
    x, y = points.unbind(-1)
    each = (x >= 0) & (x < width) & (y >= 0) & (y < height)
    return each.flatten(1).all(1) if each.ndim > 1 else each
