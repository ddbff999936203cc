"""Layers that rearrange or resize images: pixel and channel shuffling, sliding windows, upsampling."""

from __future__ import annotations

from collections.abc import Sequence

from . import functional as F
from .function_layer import FunctionLayer


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


class ChannelShuffle(FunctionLayer):
    """Interleave the channels of `groups` groups of x (N, C, *)."""

    function = staticmethod(F.channel_shuffle)

    def __init__(self, groups: int):
        super().__init__(groups=groups)


class Unfold(FunctionLayer):
    """Sliding windows of x (N, C, H, W) as columns (N, C kh kw, L)."""

    function = staticmethod(F.unfold)

    def __init__(self, kernel_size: int | Sequence[int], dilation: int | Sequence[int] = 1, padding: int | Sequence[int] = 0,
                 stride: int | Sequence[int] = 1):
        super().__init__(kernel_size=kernel_size, dilation=dilation, padding=padding, stride=stride)


class Fold(FunctionLayer):
    """Put columns (N, C kh kw, L) back as windows of (N, C, *output_size); overlaps add up: the adjoint of Unfold."""

    function = staticmethod(F.fold)

    def __init__(self, output_size: int | Sequence[int], kernel_size: int | Sequence[int], dilation: int | Sequence[int] = 1,
                 padding: int | Sequence[int] = 0, stride: int | Sequence[int] = 1):
        super().__init__(output_size=output_size, kernel_size=kernel_size, dilation=dilation, padding=padding, stride=stride)


class Upsample(FunctionLayer):
    """Resize x (N, C, *spatial) to `size`, or by scale_factor; see F.interpolate for the modes."""

    function = staticmethod(F.interpolate)

    def __init__(self, size: int | Sequence[int] | None = None, scale_factor: float | Sequence[float] | None = None,
                 mode: str = "nearest", align_corners: bool | None = None, recompute_scale_factor=None):
        if scale_factor is not None:
            scale_factor = tuple(map(float, scale_factor)) if isinstance(scale_factor, (tuple, list)) else float(scale_factor)
        super().__init__(size=size, scale_factor=scale_factor, mode=mode, align_corners=align_corners,
                         recompute_scale_factor=recompute_scale_factor)

    def extra_repr(self):
        by = f"size={self.size!r}" if self.scale_factor is None else f"scale_factor={self.scale_factor!r}"
        return f"{by}, mode={self.mode!r}"


class UpsamplingNearest2d(Upsample):
    """Upsample by the nearest pixel."""

    def __init__(self, size: int | Sequence[int] | None = None, scale_factor: float | Sequence[float] | None = None):
        super().__init__(size, scale_factor, mode="nearest")


class UpsamplingBilinear2d(Upsample):
    """Upsample bilinearly, with the corner pixels aligned."""

    def __init__(self, size: int | Sequence[int] | None = None, scale_factor: float | Sequence[float] | None = None):
        super().__init__(size, scale_factor, mode="bilinear", align_corners=True)
