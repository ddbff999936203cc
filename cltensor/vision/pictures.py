"""Pillow, which reads, draws and writes pictures: imported when the first picture is needed."""

import contextlib

from ..base.errors import ArgumentError, DTypeError, MissingPackageError
from ..base.extras import extra


class PictureTypeError(DTypeError, ArgumentError):
    """A picture, mask or flow of a dtype that cannot be drawn, where torchvision raises ValueError."""


def pillow(part="Image"):
    """A module of Pillow, by default PIL.Image.  Raises MissingPackageError where it is not installed."""
    return extra(f"PIL.{part}", "vision", "cltensor.vision")


def ready():
    """Import Pillow and its usual formats now, so that forked workers find them loaded.  Without Pillow nothing happens."""
    with contextlib.suppress(MissingPackageError):
        pillow().preinit()
