"""Boxes drawn into a picture, with what they are called."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np

from ...autograd.modes import no_grad
from ...base.errors import ArgumentError, MismatchError
from ...tensor import Tensor
from .. import pillow
from .colors import check_picture, colors_of, from_bytes, to_bytes

Color = str | tuple[int, int, int]
Colors = list[Color] | Color | None
_FILLED = 100  # opacity, of 255
_DASH = 5  # pixels


@no_grad()
def draw_bounding_boxes(image: Tensor, boxes: Tensor, labels: list[str] | None = None, colors: Colors = None,
                        fill: bool | None = False, width: int = 1, font: str | None = None,
                        font_size: int | None = None, label_colors: Colors = None,
                        label_background_colors: Colors = None, fill_labels: bool = False) -> Tensor:
    """A picture (3, H, W) of the image's dtype with boxes drawn into it.

    Args: image, (C, H, W) of uint8 or floats in [0, 1], with C = 1 or 3; boxes, (N, 4), as left, top, right and bottom in pixels,
        or (N, 8), four corners in turn; labels, a text or None for each; colors, one for all or a list, by name, as "#ff0000" or a
        tuple; fill, whether to fill them; width of the lines; font, the file of a TrueType font, and font_size of the labels;
        label_colors, by default those of the boxes; fill_labels, whether they have a ground, of label_background_colors, by
        default the colours of the boxes: labels are black then.
    Raises DTypeError and ShapeError for other images, ArgumentError for boxes that are turned around, for too few labels or
    colours and for what is no colour.
    Source: as torchvision 0.29 has it.

    Example::

        draw_bounding_boxes(image, cltensor.tensor([[5, 5, 20, 30]]), ["cat"], colors="red")
    """
    values = check_picture(image, (1, 3))
    corners = np.asarray(boxes.detach().numpy())
    _check_boxes(corners)
    if not len(corners):
        warnings.warn("boxes doesn't contain any box. No box was drawn", stacklevel=2)
        return image
    names = [None] * len(corners) if labels is None else labels
    if len(names) != len(corners):
        raise ArgumentError(f"Number of boxes ({len(corners)}) and labels ({len(names)}) mismatch. Please specify labels for each "
                            "box.")
    box_colors = colors_of(colors, len(corners))
    writing = _Writing(font, font_size, width + 1)
    texts = colors_of(label_colors or ("black" if fill_labels else box_colors), len(corners))
    backs = colors_of(label_background_colors or box_colors, len(corners))
    picture = pillow.module().fromarray(to_bytes(values))
    draw = pillow.module("ImageDraw").Draw(picture, "RGBA") if fill else pillow.module("ImageDraw").Draw(picture)
    for box, color, name, text, back in zip(corners.astype(np.int64).tolist(), box_colors, names, texts, backs, strict=False):
        _outline(draw, box, color, width, fill)
        if name is not None:
            writing.write(draw, box, name, text, back if fill_labels else None)
    return from_bytes(picture, image)


def _check_boxes(corners):
    if corners.ndim != 2 or corners.shape[1] not in (4, 8):
        if corners.size == 0:
            return
        raise MismatchError(f"boxes have shape {corners.shape}; they are (N, 4) or (N, 8)")
    if corners.shape[1] == 4 and ((corners[:, 0] > corners[:, 2]) | (corners[:, 1] > corners[:, 3])).any():
        raise ArgumentError("Boxes need to be in (xmin, ymin, xmax, ymax) format; cltensor.vision.ops.box_convert converts others")


def _outline(draw, box, color, width, fill):
    inside = (*color[:3], _FILLED) if fill else None
    if len(box) == 4:
        draw.rectangle(box, width=width, outline=color, fill=inside)
        return
    corners = list(zip(box[::2], box[1::2], strict=True))
    if fill:
        draw.polygon(corners, fill=inside)
    _dashed(draw, *corners[:2], color, width)
    for edge in zip(corners[1:], [*corners[2:], corners[0]], strict=True):
        draw.line(edge, fill=color, width=width)


def _dashed(draw, start, end, color, width):
    """A dashed line, which shows where a turned box begins: as long as its gaps are."""
    length = math.dist(start, end)
    at, done = start, 0.0
    while done < length:
        step = min(_DASH, length - done), min(_DASH, max(length - done - _DASH, 0))
        to, following = (tuple(a + (e - s) / length * part for a, s, e in zip(at, start, end, strict=True))
                         for part in (step[0], sum(step)))
        draw.line([at, to], fill=color, width=width)
        at, done = following, done + 2 * _DASH


class _Writing:
    """Writes labels: in Pillow's own font, or one from a file."""

    def __init__(self, font, size, margin):
        fonts = pillow.module("ImageFont")
        if font is None and size is not None:
            warnings.warn("Argument 'font_size' will be ignored since 'font' is not set.", stacklevel=3)
        self.font = fonts.load_default() if font is None else fonts.truetype(font=font, size=size or 10)
        self.margin = margin

    def write(self, draw: Any, box, name, color, back):
        """Write a label at the first corner of a box, on a ground of colour `back` if that is not None."""
        at = box[0] + self.margin, box[1] + self.margin
        if back is not None:
            left, top, right, bottom = draw.textbbox(at, name, font=self.font)
            draw.rectangle([left - 1, top - 1, right + 1, bottom + 1], fill=back)
        draw.text(at, name, fill=color, font=self.font)
