"""Geometry of pictures in tensors (..., H, W): flips, crops, borders and sizes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ....base import dtypes
from ....base.errors import ArgumentError
from ....nn.functional.antialias import antialiased
from ....nn.functional.padding import pad as pad_tensor
from ....nn.functional.vision import interpolate
from ....tensor import Tensor
from ....tensor.api.creation import from_array, from_values
from ..interpolation import InterpolationMode, as_mode
from ..sizes import centre_padding, centred, check_resize, padding_of, pair, resized
from . import byte_resizing

Mode = InterpolationMode
_SMOOTH = (Mode.BILINEAR, Mode.BICUBIC, Mode.LANCZOS)


def horizontal_flip_image(image: Tensor) -> Tensor:
    """Mirror left and right."""
    return image.flip(-1)


def vertical_flip_image(image: Tensor) -> Tensor:
    """Mirror top and bottom."""
    return image.flip(-2)


def crop_image(image: Tensor, top: int, left: int, height: int, width: int) -> Tensor:
    """A rectangle; what lies outside of the picture is 0."""
    h, w = image.shape[-2:]
    inside = image[..., max(top, 0):max(top + height, 0), max(left, 0):max(left + width, 0)]
    if top >= 0 and left >= 0 and top + height <= h and left + width <= w:
        return inside
    border = [min(max(-left, 0), width), max(min(left + width - w, width), 0),
              min(max(-top, 0), height), max(min(top + height - h, height), 0)]
    return pad_tensor(inside, border)


def center_crop_image(image: Tensor, output_size: int | Sequence[int]) -> Tensor:
    """The middle, padded with 0 where the picture is too small."""
    size = pair(output_size)
    canvas = tuple(image.shape[-2:])
    if size[0] > canvas[0] or size[1] > canvas[1]:
        left, top, right, bottom = centre_padding(canvas, size)
        image = pad_tensor(image, [left, right, top, bottom])
        if tuple(image.shape[-2:]) == tuple(size):
            return image
    top, left = centred(tuple(image.shape[-2:]), size)
    return crop_image(image, top, left, *size)


def resize_image(image: Tensor, size: int | Sequence[int] | None,
                 interpolation: InterpolationMode | str | int = InterpolationMode.BILINEAR, max_size: int | None = None,
                 antialias: bool | None = True) -> Tensor:
    """Resize (..., C, H, W); bytes are rounded after each dimension."""
    return resized_image(image, size, as_mode(interpolation), max_size, antialias, True)


def resized_image(image: Tensor, size: int | Sequence[int] | None, interpolation: InterpolationMode, max_size: int | None,
                  antialias: bool | None, native: bool) -> Tensor:
    """resize_image; without `native`, bytes are rounded once, at the end."""
    size = check_resize(size, max_size, True)
    old, new = tuple(image.shape[-2:]), resized(tuple(image.shape[-2:]), size, max_size)
    if interpolation in (Mode.BOX, Mode.HAMMING):
        raise ArgumentError(f"resize: interpolation {interpolation.value!r} is for Pillow images; take nearest, nearest-exact, "
                            "bilinear, bicubic or lanczos")
    if old == new:
        return image
    if not image.numel():
        return image.new_empty((*image.shape[:-2], *new))
    flat = image.reshape(-1, *image.shape[-3:]) if image.ndim > 2 else image.reshape(1, 1, *old)
    return _resized(flat, new, interpolation, bool(antialias), native).reshape(*image.shape[:-2], *new)


def _resized(x, new, interpolation, antialias, native):
    """x (N, C, H, W) resized."""
    kept, smooth = x.dtype, interpolation in _SMOOTH
    if smooth and native and kept is dtypes.uint8:
        return byte_resizing.resized(x, new, interpolation.value, antialias or interpolation is Mode.LANCZOS)
    if smooth and not kept.is_floating_point:
        x = x.to(dtypes.float32)
    if interpolation is Mode.LANCZOS:
        for d in (-1, -2):
            x = antialiased(x, x.ndim + d, new[d], None, "lanczos", False)
    else:
        x = interpolate(x, new, mode=interpolation.value, align_corners=False if smooth else None,
                        antialias=antialias and smooth)
    if x.dtype is kept:
        return x
    if interpolation is not Mode.BILINEAR and kept is dtypes.uint8:
        x = x.clamp(0, 255)
    return x.round().to(kept)


_PADDING = ("constant", "edge", "reflect", "symmetric")


def check_padding_mode(mode: str) -> str:
    """mode, if there is one of that name.  Raises ArgumentError."""
    if mode not in _PADDING:
        raise ArgumentError("`padding_mode` should be either `'constant'`, `'edge'`, `'reflect'` or `'symmetric'`, but got "
                            f"`{mode!r}`.")
    return mode


def pad_image(image: Tensor, padding: int | Sequence[int], fill: Any = None, padding_mode: str = "constant") -> Tensor:
    """Add borders, or cut them off where padding is negative.  fill: a number, or one for each channel."""
    left, top, right, bottom = padding_of(padding)
    if check_padding_mode(padding_mode) != "constant":
        rows = _places(image.shape[-2], top, bottom, padding_mode)
        columns = _places(image.shape[-1], left, right, padding_mode)
        return _picked(_picked(image, -2, rows), -1, columns)
    values = [fill] if fill is None or isinstance(fill, (int, float)) else list(fill)
    if len(values) == 1:
        return _with_border(image, (left, right, top, bottom), values[0] or 0)
    # where the border is, the colour shows
    shape = image.shape
    inside = _with_border(image.new_ones((1, *shape[-2:])).to(dtypes.bool_), (left, right, top, bottom), 0)
    return _with_border(image, (left, right, top, bottom), 0).where(inside, colour(values, image))


def colour(values: Sequence[float], like: Tensor) -> Tensor:
    """A fill (C, 1, 1) in like's dtype."""
    return from_values(np.asarray(values).reshape(-1, 1, 1), like.dtype, like.device)


def _with_border(x, border, value):
    """Constant borders; (left, right, top, bottom) may be negative."""
    return pad_tensor(x, list(border), value=value) if any(border) else x


def _places(n, before, after, mode):
    """Which of n rows stand in the padded picture."""
    rows = np.arange(max(-before, 0), n - max(-after, 0))
    return np.pad(rows, (max(before, 0), max(after, 0)), mode)


def _picked(x, dim, places):
    if len(places) == x.shape[dim] and (places == np.arange(len(places))).all():
        return x
    return x.index_select(dim, from_array(places.astype(np.int64), dtypes.int64, x.device))


def resized_crop_image(image: Tensor, top: int, left: int, height: int, width: int, size: int | Sequence[int],
                       interpolation: InterpolationMode | str | int = InterpolationMode.BILINEAR,
                       antialias: bool | None = True) -> Tensor:
    """Cut out a rectangle and resize it."""
    return resize_image(crop_image(image, top, left, height, width), size, interpolation, None, antialias)


def five_crop_image(image: Tensor, size: int | Sequence[int]) -> tuple[Tensor, ...]:
    """The four corners and the middle.  Raises ArgumentError where the picture is too small."""
    return five_crops(image, pair(size), tuple(image.shape[-2:]), crop_image, center_crop_image)


def ten_crop_image(image: Tensor, size: int | Sequence[int], vertical_flip: bool = False) -> tuple[Tensor, ...]:
    """five_crop_image of the picture and of its mirror image."""
    mirrored = vertical_flip_image(image) if vertical_flip else horizontal_flip_image(image)
    return (*five_crop_image(image, size), *five_crop_image(mirrored, size))


def five_crops(image: Any, size: tuple[int, int], canvas: tuple[int, int], cut: Any, middle: Any) -> tuple[Any, ...]:
    """The corners, and the middle, of any kind of image.  cut, middle: crop and center_crop for it.  Raises ArgumentError."""
    (h, w), (ch, cw) = canvas, size
    if ch > h or cw > w:
        raise ArgumentError(f"Requested crop size {[ch, cw]} is bigger than input size {(h, w)}")
    corners = ((0, 0), (0, w - cw), (h - ch, 0), (h - ch, w - cw))
    return (*(cut(image, top, left, ch, cw) for top, left in corners), middle(image, (ch, cw)))
