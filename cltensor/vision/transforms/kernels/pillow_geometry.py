"""Geometry of Pillow images, by Pillow."""

from __future__ import annotations

import numbers
from collections.abc import Sequence
from typing import Any

import numpy as np

from ....base.errors import ArgumentError, ArgumentTypeError
from ... import pillow
from ..interpolation import PILLOW, InterpolationMode, as_mode
from ..sizes import centre_padding, centred, check_resize, inverse_affine, padding_of, pair, resized
from .image_geometry import check_padding_mode, five_crops
from .warps import check_affine, check_center, perspective_coefficients

FLIP_LEFT_RIGHT, FLIP_TOP_BOTTOM = 0, 1
AFFINE, PERSPECTIVE = 0, 2


def size_of(image: Any) -> list[int]:
    """[height, width]."""
    return [image.height, image.width]


def hflip(image: Any) -> Any:
    """Mirror left and right."""
    return image.transpose(FLIP_LEFT_RIGHT)


def vflip(image: Any) -> Any:
    """Mirror top and bottom."""
    return image.transpose(FLIP_TOP_BOTTOM)


def crop(image: Any, top: int, left: int, height: int, width: int) -> Any:
    """A rectangle; what lies outside of the image is black."""
    return image.crop((left, top, left + width, top + height))


def resize(image: Any, size: int | Sequence[int] | None, interpolation: InterpolationMode | str | int = InterpolationMode.BILINEAR,
           max_size: int | None = None) -> Any:
    """Resize, always antialiased."""
    size = check_resize(size, max_size, True)
    height, width = resized((image.height, image.width), size, max_size)
    if (image.width, image.height) == (width, height):
        return image
    return image.resize((width, height), PILLOW[as_mode(interpolation)])


def center_crop(image: Any, output_size: int | Sequence[int]) -> Any:
    """The middle, padded with black where the image is too small."""
    size = pair(output_size)
    canvas = image.height, image.width
    if size[0] > canvas[0] or size[1] > canvas[1]:
        image = pad(image, list(centre_padding(canvas, size)), 0)
        if (image.height, image.width) == tuple(size):
            return image
    top, left = centred((image.height, image.width), size)
    return crop(image, top, left, *size)


def fill_of(fill: Any, image: Any) -> Any:
    """A fill as Pillow takes it: one number for each band.  Raises ArgumentError, ArgumentTypeError."""
    bands = len(image.getbands())
    fill = 0 if fill is None else fill
    if isinstance(fill, (list, tuple)):
        if len(fill) == 1 and bands == 1:
            fill = fill[0]
        elif len(fill) == 1:
            fill = tuple(fill) * bands
        elif len(fill) != bands:
            raise ArgumentError("The number of elements in 'fill' does not match the number of channels of the image "
                                f"({len(fill)} != {bands})")
    elif isinstance(fill, (int, float)) and bands > 1:
        fill = (fill,) * bands
    if image.mode == "F":
        return fill
    return tuple(int(n) for n in fill) if isinstance(fill, (list, tuple)) else int(fill)


_NUMPY_PADDING = {"edge": "edge", "reflect": "reflect", "symmetric": "symmetric"}


def pad(image: Any, padding: Any, fill: Any = 0, padding_mode: str = "constant") -> Any:
    """Add borders, or cut them off where padding is negative."""
    if not isinstance(padding, (numbers.Number, tuple, list)):
        raise ArgumentTypeError(f"Got inappropriate padding arg: {padding!r}")
    left, top, right, bottom = padding_of(padding)
    if check_padding_mode(padding_mode) == "constant":
        return _bordered(image, (left, top, right, bottom), fill)
    cut = [-min(n, 0) for n in (left, top, right, bottom)]
    if any(cut):
        image = image.crop((cut[0], cut[1], image.width - cut[2], image.height - cut[3]))
    left, top, right, bottom = (max(n, 0) for n in (left, top, right, bottom))
    widths = ((top, bottom), (left, right))
    a = np.asarray(image)
    padded = pillow.module().fromarray(np.pad(a, widths if a.ndim == 2 else (*widths, (0, 0)), _NUMPY_PADDING[padding_mode]))
    if image.mode == "P":
        padded = padded.convert("P") if padded.mode != "P" else padded
        padded.putpalette(image.getpalette())
    return padded


def _bordered(image, border, fill):
    """image with borders of one colour."""
    ops = pillow.module("ImageOps")
    fill = fill_of(fill, image)
    if image.mode != "P":
        return ops.expand(image, border=border, fill=fill)
    palette = image.getpalette()
    made = ops.expand(image, border=border, fill=fill)
    made.putpalette(palette)
    return made


def affine(image: Any, angle: float, translate: Sequence[float], scale: float, shear: float | Sequence[float],
           interpolation: InterpolationMode | str | int = InterpolationMode.NEAREST, fill: Any = None,
           center: Sequence[float] | None = None) -> Any:
    """Turn, move, scale and shear about a centre."""
    angle, translate, shear, center = check_affine(angle, translate, scale, shear, center)
    middle = [image.width * 0.5, image.height * 0.5] if center is None else center
    matrix = inverse_affine(middle, angle, translate, scale, shear)
    return image.transform(image.size, AFFINE, matrix, PILLOW[as_mode(interpolation)], fillcolor=fill_of(fill, image))


def rotate(image: Any, angle: float, interpolation: InterpolationMode | str | int = InterpolationMode.NEAREST,
           expand: bool = False, center: Sequence[float] | None = None, fill: Any = None) -> Any:
    """Turn counter-clockwise."""
    return image.rotate(angle, PILLOW[as_mode(interpolation)], expand, check_center(center), fillcolor=fill_of(fill, image))


def perspective(image: Any, startpoints: Sequence[Sequence[int]] | None, endpoints: Sequence[Sequence[int]] | None,
                interpolation: InterpolationMode | str | int = InterpolationMode.BILINEAR, fill: Any = None,
                coefficients: Sequence[float] | None = None) -> Any:
    """Look at the picture from another point."""
    coefficients = perspective_coefficients(startpoints, endpoints, coefficients)
    return image.transform(image.size, PERSPECTIVE, coefficients, PILLOW[as_mode(interpolation)], fillcolor=fill_of(fill, image))


def resized_crop(image: Any, top: int, left: int, height: int, width: int, size: int | Sequence[int],
                 interpolation: InterpolationMode | str | int = InterpolationMode.BILINEAR) -> Any:
    """Cut out a rectangle and resize it."""
    return resize(crop(image, top, left, height, width), size, interpolation)


def five_crop(image: Any, size: int | Sequence[int]) -> tuple[Any, ...]:
    """The four corners and the middle."""
    return five_crops(image, pair(size), (image.height, image.width), crop, center_crop)


def ten_crop(image: Any, size: int | Sequence[int], vertical_flip: bool = False) -> tuple[Any, ...]:
    """five_crop of the picture and of its mirror image."""
    return (*five_crop(image, size), *five_crop(vflip(image) if vertical_flip else hflip(image), size))
