"""Errors of drawing and grids."""

from ...base.errors import ArgumentError, DTypeError


class PictureTypeError(DTypeError, ArgumentError):
    """A picture, mask or flow of a dtype that cannot be drawn, where torchvision raises ValueError."""
