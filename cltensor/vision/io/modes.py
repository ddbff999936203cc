"""The kinds of colours that a picture can be read as."""

from enum import Enum

from ...base.errors import ArgumentError


class ImageReadMode(Enum):
    """The channels of a picture that is read: those of the file, or converted; UNCHANGED leaves palettes as indices, too.

    Pictures are uint8 of shape (C, H, W), with C = 1, 2, 3 or 4.  Never raises.  Source: as torchvision 0.29 has it.

    Example::

        read_image("cat.png", ImageReadMode.RGB)
    """

    UNCHANGED = 0
    GRAY = 1
    GRAY_ALPHA = 2
    RGB = 3
    RGB_ALPHA = 4


def mode_of(mode):
    """An ImageReadMode, also by its name in any case.  Raises ArgumentError for anything else."""
    if isinstance(mode, str) and mode.upper() in ImageReadMode.__members__:
        return ImageReadMode[mode.upper()]
    if not isinstance(mode, ImageReadMode):
        raise ArgumentError(f"mode is {mode!r}; it must be an ImageReadMode, one of {', '.join(ImageReadMode.__members__)}")
    return mode
