"""Pillow, which reads, changes and writes pictures: imported when the first is needed; its images, and their pixels as arrays."""

from __future__ import annotations

import contextlib
import sys
from typing import Any

import numpy as np

from ..base.errors import ArgumentTypeError, MissingPackageError, SerializationError
from ..base.extras import extra


class DamagedPictureError(SerializationError, OSError):
    """A file that holds no picture, or not all of it: an OSError too, which programs that pass such files by catch."""


def module(part: str = "Image") -> Any:
    """A module of Pillow, by default PIL.Image.  Raises MissingPackageError where it is not installed."""
    return extra(f"PIL.{part}", "vision", "cltensor.vision")


def ready() -> None:
    """Import Pillow and its usual formats now, so that forked workers find them loaded.  Without Pillow nothing happens."""
    with contextlib.suppress(MissingPackageError):
        module().preinit()


def is_pillow(x: Any) -> bool:
    """Whether x is a Pillow image.  Does not import Pillow: without it there are none."""
    known = sys.modules.get("PIL.Image")
    return known is not None and isinstance(x, known.Image)


#: the array type of modes whose pixels are no bytes
_WIDE = {"1": np.bool_, "I": np.int32, "I;16": np.uint16, "I;16L": np.uint16, "I;16B": np.uint16, "F": np.float32}


def array(image: Any) -> np.ndarray:
    """A Pillow image as an array (H, W) or (H, W, C): of bytes, or of what its mode holds."""
    return np.asarray(image, _WIDE.get(image.mode))


def pixels(image: Any) -> np.ndarray:
    """A Pillow image as an array (C, H, W), a view of (H, W, C) in memory."""
    a = array(image)
    return a[None] if a.ndim == 2 else a.transpose(2, 0, 1)


def check_pillow(image: Any) -> Any:
    """image, if it is a Pillow image.  Raises ArgumentTypeError."""
    if not is_pillow(image):
        raise ArgumentTypeError(f"img should be PIL Image. Got {type(image)}")
    return image


def is_pillow_class(cls: type) -> bool:
    """Whether a class is that of Pillow images, or one of its subclasses."""
    known = sys.modules.get("PIL.Image")
    return known is not None and issubclass(cls, known.Image)
