"""Colours of what is drawn, and pictures as Pillow draws on them."""

import numpy as np

from ...base.errors import ArgumentError, ArgumentTypeError, MismatchError
from ...tensor import Tensor
from ...tensor.api.creation import from_numpy
from .. import pillow
from .errors import PictureTypeError

_PALETTE = 2**25 - 1, 2**15 - 1, 2**21 - 1  # one more colour each, modulo 255
_ALMOST_256 = np.float32(256 - 1e-3)  # the factor from [0, 1] to whole bytes, each of the same width


def colors_of(colors, n):
    """n colours (red, green, blue) of what a user gave: None, one colour or a list, each by name, as "#ff0000" or a tuple."""
    if colors is None:
        return [tuple(i * part % 255 for part in _PALETTE) for i in range(n)]
    if isinstance(colors, list):
        if len(colors) < n:
            raise ArgumentError(f"Number of colors must be equal or larger than the number of objects, but got {len(colors)} < "
                                f"{n}.")
        return [color_of(color) for color in colors]
    if not isinstance(colors, (tuple, str)):
        raise ArgumentError(f"colors must be a tuple or a string, or a list thereof, but got {colors!r}.")
    return [color_of(colors)] * n


def color_of(color):
    """A colour by name, as "#ff0000" or a tuple, as a tuple.  Raises ArgumentError, a ValueError, for no colour."""
    if not isinstance(color, str):
        return color
    try:
        return pillow.module("ImageColor").getrgb(color)
    except ValueError as error:
        raise ArgumentError(f"{error}; name a colour as CSS does, or give (red, green, blue)") from None


def check_picture(image, channels):
    """The values (C, H, W) of a picture, on the host.  channels: how many it may have."""
    if not isinstance(image, Tensor):
        raise ArgumentTypeError(f"The image must be a tensor, got {type(image).__name__}")
    if not (str(image.dtype).endswith("uint8") or image.is_floating_point()):
        raise PictureTypeError(f"The image dtype must be uint8 or float, got {image.dtype}")
    if image.ndim != 3:
        raise MismatchError(f"Pass individual images, not batches: the image has shape {tuple(image.shape)}, not (C, H, W)")
    if image.shape[0] not in channels:
        kinds = "grayscale and RGB images are" if 1 in channels else "RGB images are"
        raise MismatchError(f"Only {kinds} supported: the image has {image.shape[0]} channels")
    return image.detach().numpy()


def to_bytes(values):
    """A picture's values as bytes (H, W, 3)."""
    if values.dtype != np.uint8:
        values = (values.astype(np.float32) * _ALMOST_256).astype(np.uint8)
    return np.ascontiguousarray(np.broadcast_to(values, (3, *values.shape[1:])).transpose(1, 2, 0))


def from_bytes(pixels, like):
    """Bytes (H, W, 3) as a picture of the dtype, and on the device, of another."""
    values = np.array(pixels).transpose(2, 0, 1).copy()
    if like.is_floating_point():
        return from_numpy(values.astype(np.float32) * np.float32(1 / 255)).to(like.device, like.dtype)
    return from_numpy(values).to(like.device)
