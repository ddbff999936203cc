"""Pillow, which reads, draws and writes pictures: imported when the first picture is needed."""

from ..base.errors import ArgumentError, DTypeError
from ..base.optional import optional


class PictureTypeError(DTypeError, ArgumentError):
    """A picture, mask or flow of a dtype that cannot be drawn, where torchvision raises ValueError."""


def pillow(part="Image"):
    """A module of Pillow, by default PIL.Image.  Raises MissingPackageError where it is not installed."""
    return optional(f"PIL.{part}", "cltensor.vision")
