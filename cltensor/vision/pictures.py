"""Pillow, which reads, draws and writes pictures: imported when the first picture is needed."""

from ..base.optional import optional


def pillow(part="Image"):
    """A module of Pillow, by default PIL.Image.  Raises MissingPackageError where it is not installed."""
    return optional(f"PIL.{part}", "cltensor.vision")
