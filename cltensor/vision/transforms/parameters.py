"""The random parameters of transforms, each drawn on the host."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ...base.errors import ArgumentError
from ...tensor import Tensor
from ...tensor.random.sampling import randn
from . import draws
from .kernels.conversion import tensor_of
from .kernels.filters import blurred_array

ATTEMPTS = 10


def crop(height: int, width: int, size: tuple[int, int]) -> tuple[int, int, int, int]:
    """(top, left, height, width) of a crop.  Raises ArgumentError where the picture is too small."""
    if height < size[0] or width < size[1]:
        raise ArgumentError(f"Required crop size {tuple(size)} is larger than input image size {(height, width)}")
    if (height, width) == tuple(size):
        return 0, 0, height, width
    return draws.integer(0, height - size[0] + 1), draws.integer(0, width - size[1] + 1), *size


def _aspect(ratio):
    """An aspect ratio, its logarithm evenly distributed."""
    low, high = np.log(np.asarray(ratio, np.float32))
    return float(np.exp(np.float32(draws.uniform(low, high))))


def resized_crop(height: int, width: int, scale: Sequence[float], ratio: Sequence[float]) -> tuple[int, int, int, int]:
    """(top, left, height, width) of a crop of random area and aspect ratio; in the middle where ten attempts do not fit."""
    area = height * width
    for _ in range(ATTEMPTS):
        target, aspect = area * draws.uniform(scale[0], scale[1]), _aspect(ratio)
        w, h = round(math.sqrt(target * aspect)), round(math.sqrt(target / aspect))
        if 0 < w <= width and 0 < h <= height:
            return draws.integer(0, height - h + 1), draws.integer(0, width - w + 1), h, w
    w, h = width, height
    if width / height < min(ratio):
        h = round(w / min(ratio))
    elif width / height > max(ratio):
        w = round(h * max(ratio))
    return (height - h) // 2, (width - w) // 2, h, w


def erasing(channels: int, height: int, width: int, scale: Sequence[float], ratio: Sequence[float],
            value: Sequence[float] | None) -> tuple[int, int, int, int, Tensor] | None:
    """(top, left, height, width, what to put there) of a rectangle, or None where ten attempts do not fit; value None is noise."""
    for _ in range(ATTEMPTS):
        target, aspect = height * width * draws.uniform(scale[0], scale[1]), _aspect(ratio)
        h, w = round(math.sqrt(target * aspect)), round(math.sqrt(target / aspect))
        if h >= height or w >= width:
            continue
        v = randn(channels, h, w) if value is None else tensor_of(np.asarray(value, np.float32).reshape(-1, 1, 1).copy())
        return draws.integer(0, height - h + 1), draws.integer(0, width - w + 1), h, w, v
    return None


def perspective(width: int, height: int, scale: float) -> tuple[list[list[int]], list[list[int]]]:
    """(the corners, where they go), each corner by up to `scale` of half a side inwards."""
    across, down = int(scale * (width // 2)), int(scale * (height // 2))

    def near(size, reach):
        return draws.integer(0, reach + 1)

    def far(size, reach):
        return draws.integer(size - reach - 1, size)

    ends = [[x(width, across), y(height, down)] for x, y in ((near, near), (far, near), (far, far), (near, far))]
    return [[0, 0], [width - 1, 0], [width - 1, height - 1], [0, height - 1]], ends


def affine(degrees: Sequence[float], translate: Sequence[float] | None, scale: Sequence[float] | None,
           shears: Sequence[float] | None, size: Sequence[int]) -> tuple[float, tuple[int, int], float, tuple[float, float]]:
    """(angle, (x, y) moved, scale, (x, y) sheared) for a picture of size (width, height)."""
    angle = draws.uniform(degrees[0], degrees[1])
    moved = (0, 0)
    if translate is not None:
        reach = [float(t * n) for t, n in zip(translate, size, strict=True)]
        moved = tuple(round(draws.uniform(-r, r)) for r in reach)
    scaled = 1.0 if scale is None else draws.uniform(scale[0], scale[1])
    sheared = (0.0, 0.0)
    if shears is not None:
        sheared = tuple(draws.uniform(shears[i], shears[i + 1]) for i in range(0, len(shears), 2))
        sheared = (*sheared, 0.0)[:2]
    return angle, moved, scaled, sheared


def displacement(alpha: Sequence[float], sigma: Sequence[float], size: Sequence[int]) -> Tensor:
    """Smoothed noise (1, H, W, 2), alpha / side strong (Simard et al. 2003)."""
    parts = []
    for strength, spread, side in zip(alpha, sigma, size[::-1], strict=True):
        noise = draws.field(*size) * np.float32(2) - np.float32(1)
        if spread > 0:
            k = int(8 * spread + 1)
            k += 1 - k % 2
            noise = blurred_array(noise, [k, k], list(sigma))
        parts.append(noise * np.float32(strength) / np.float32(side))
    return tensor_of(np.stack(parts, -1)[None])


def factors(**ranges: Any) -> dict[str, float | None]:
    """A factor for each range, None for those that are None."""
    return {name: None if r is None else draws.uniform(r[0], r[1]) for name, r in ranges.items()}
