"""InterpolationMode: how pixels are read between pixels."""

from __future__ import annotations

from enum import Enum

from ...base.errors import ArgumentError


class InterpolationMode(Enum):
    """How a picture is read between its pixels; box, hamming (and lanczos in transforms of version 1) are for Pillow images.

    Of any dtype and size.  Raises ValueError for a name there is none of.
    Source: torchvision 0.29's transforms.InterpolationMode; Keys (1981) for bicubic.

        mode = InterpolationMode("bilinear")
    """

    NEAREST = "nearest"
    NEAREST_EXACT = "nearest-exact"
    BILINEAR = "bilinear"
    BICUBIC = "bicubic"
    BOX = "box"
    HAMMING = "hamming"
    LANCZOS = "lanczos"


#: Pillow's number of each mode
PILLOW = {InterpolationMode.NEAREST: 0, InterpolationMode.LANCZOS: 1, InterpolationMode.BILINEAR: 2, InterpolationMode.BICUBIC: 3,
          InterpolationMode.BOX: 4, InterpolationMode.HAMMING: 5, InterpolationMode.NEAREST_EXACT: 0}
_BY_NUMBER = {number: mode for mode, number in PILLOW.items() if mode is not InterpolationMode.NEAREST_EXACT}


def as_mode(interpolation: InterpolationMode | str | int) -> InterpolationMode:
    """The mode of this name or of Pillow's number.  Raises ArgumentError for another value."""
    if isinstance(interpolation, InterpolationMode):
        return interpolation
    try:
        return InterpolationMode(interpolation.lower()) if isinstance(interpolation, str) else _BY_NUMBER[interpolation]
    except (KeyError, ValueError, TypeError):
        raise ArgumentError("interpolation: expected an InterpolationMode, its name or one of Pillow's numbers, "
                            f"got {interpolation!r}") from None
