"""Pixels from channels, and channels from pixels."""


from __future__ import annotations

from .. import functional as F
from .function_layer import FunctionLayer

__all__ = ["PixelShuffle", "PixelUnshuffle"]


class PixelShuffle(FunctionLayer):
    """x (*, C r**2, H, W) -> (*, C, H r, W r), r being upscale_factor.  Source: Shi et al. 2016."""

    function = staticmethod(F.pixel_shuffle)

    def __init__(self, upscale_factor: int):
        super().__init__(upscale_factor=upscale_factor)


class PixelUnshuffle(FunctionLayer):
    """x (*, C, H r, W r) -> (*, C r**2, H, W), r being downscale_factor."""

    function = staticmethod(F.pixel_unshuffle)

    def __init__(self, downscale_factor: int):
        super().__init__(downscale_factor=downscale_factor)


def __dir__():
    return sorted(__all__)
