"""Transforms of size, crops and borders, on Pillow images and tensors (..., C, H, W)."""

from __future__ import annotations

import numbers
from collections.abc import Sequence
from typing import Any

from ...base.errors import ArgumentError, ArgumentTypeError
from ...nn import Module
from . import functional as F
from . import parameters
from .interpolation import InterpolationMode, as_mode
from .setup_arguments import check_part, size_of
from .sizes import check_resize, padding_of

_PADDING_MODES = ("constant", "edge", "reflect", "symmetric")


class _Sized(Module):
    """A transform of one size."""

    def __init__(self, size: int | Sequence[int]) -> None:
        super().__init__()
        self.size = size_of(size)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(size={self.size})"


class Resize(Module):
    """Resize to (height, width), or with one number the shorter edge to it (and the longer to at most max_size).

    Of Pillow images and tensors (..., C, H, W) of any dtype; antialias: for tensors, with bilinear and bicubic.

    Raises ArgumentError, ArgumentTypeError for a size that makes no sense.  Source: torchvision 0.29's transforms.Resize.

        small = transforms.Resize(16)(cltensor.rand(3, 32, 48))
    """

    def __init__(self, size: int | Sequence[int], interpolation: InterpolationMode | int = InterpolationMode.BILINEAR,
                 max_size: int | None = None, antialias: bool | None = True) -> None:
        super().__init__()
        check_resize(size, None, False)
        self.size, self.max_size, self.interpolation, self.antialias = size, max_size, as_mode(interpolation), antialias

    def forward(self, img: Any) -> Any:
        """img, resized."""
        return F.resize(img, self.size, self.interpolation, self.max_size, self.antialias)

    def __repr__(self) -> str:
        return (f"{type(self).__name__}(size={self.size}, interpolation={self.interpolation.value}, max_size={self.max_size}, "
                f"antialias={self.antialias})")


class CenterCrop(_Sized):
    """Cut out the middle, of (height, width), padded with 0 where the picture is too small; of any dtype.

    Raises ArgumentError, ArgumentTypeError for a size that makes no sense.  Source: torchvision 0.29's transforms.CenterCrop.

        middle = transforms.CenterCrop(16)(cltensor.rand(3, 32, 32))
    """

    def forward(self, img: Any) -> Any:
        """The middle of img."""
        return F.center_crop(img, self.size)


class FiveCrop(_Sized):
    """Cut out the four corners and the middle: a tuple of five pictures of size (height, width) and the same dtype.

    Raises ArgumentError where the picture is too small.  Source: torchvision 0.29's transforms.FiveCrop.

        parts = transforms.FiveCrop(16)(cltensor.rand(3, 32, 32))
    """

    def forward(self, img: Any) -> tuple[Any, ...]:
        """The five parts of img."""
        return F.five_crop(img, self.size)


class TenCrop(_Sized):
    """FiveCrop of the picture and of its mirror image: a tuple of ten pictures of size (height, width) and the same dtype.

    Raises ArgumentError where the picture is too small.  Source: torchvision 0.29's transforms.TenCrop.

        parts = transforms.TenCrop(16)(cltensor.rand(3, 32, 32))
    """

    def __init__(self, size: int | Sequence[int], vertical_flip: bool = False) -> None:
        super().__init__(size)
        self.vertical_flip = vertical_flip

    def forward(self, img: Any) -> tuple[Any, ...]:
        """The ten parts of img."""
        return F.ten_crop(img, self.size, self.vertical_flip)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(size={self.size}, vertical_flip={self.vertical_flip})"


class Pad(Module):
    """Add borders (one, two or four numbers: left, top, right, bottom) to pictures of any dtype.

    padding_mode: constant (with fill), edge, reflect or symmetric.

    Raises ArgumentError, ArgumentTypeError for arguments that make no sense.  Source: torchvision 0.29's transforms.Pad.

        framed = transforms.Pad(2)(cltensor.rand(3, 32, 32))
    """

    def __init__(self, padding: int | Sequence[int], fill: Any = 0, padding_mode: str = "constant") -> None:
        super().__init__()
        padding_of(padding)
        if not isinstance(fill, (numbers.Number, str, tuple, list)):
            raise ArgumentTypeError(f"Got inappropriate fill arg: {fill!r}")
        if padding_mode not in _PADDING_MODES:
            raise ArgumentError(f"Padding mode should be either constant, edge, reflect or symmetric, got {padding_mode!r}")
        self.padding, self.fill, self.padding_mode = padding, fill, padding_mode

    def forward(self, img: Any) -> Any:
        """img with borders."""
        return F.pad(img, self.padding, self.fill, self.padding_mode)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(padding={self.padding}, fill={self.fill}, padding_mode={self.padding_mode})"


class RandomCrop(Module):
    """Cut out (height, width) somewhere, after padding; of pictures of any dtype.

    Raises ArgumentError where the picture is too small.  Source: torchvision 0.29's transforms.RandomCrop.

        part = transforms.RandomCrop(32, padding=4)(cltensor.rand(3, 32, 32))
    """

    def __init__(self, size: int | Sequence[int], padding: int | Sequence[int] | None = None, pad_if_needed: bool = False,
                 fill: Any = 0, padding_mode: str = "constant") -> None:
        super().__init__()
        self.size = size_of(size)
        self.padding, self.pad_if_needed, self.fill, self.padding_mode = padding, pad_if_needed, fill, padding_mode

    @staticmethod
    def get_params(img: Any, output_size: tuple[int, int]) -> tuple[int, int, int, int]:
        """(top, left, height, width)."""
        _, height, width = F.get_dimensions(img)
        return parameters.crop(height, width, output_size)

    def forward(self, img: Any) -> Any:
        """A part of img."""
        if self.padding is not None:
            img = F.pad(img, self.padding, self.fill, self.padding_mode)
        if self.pad_if_needed:
            for at, axis in ((2, 0), (1, 1)):
                lacking = self.size[1 - axis] - F.get_dimensions(img)[at]
                if lacking > 0:
                    img = F.pad(img, [lacking, 0] if axis == 0 else [0, lacking], self.fill, self.padding_mode)
        return F.crop(img, *self.get_params(img, self.size))

    def __repr__(self) -> str:
        return f"{type(self).__name__}(size={self.size}, padding={self.padding})"


class RandomResizedCrop(Module):
    """Cut out a part of random area (its share in scale) and aspect ratio (in ratio), and resize it; of pictures of any dtype.

    Raises ArgumentError, ArgumentTypeError for arguments that make no sense.
    Source: Szegedy et al. 2014; torchvision 0.29's transforms.RandomResizedCrop.

        part = transforms.RandomResizedCrop(16)(cltensor.rand(3, 32, 32))
    """

    def __init__(self, size: int | Sequence[int], scale: Sequence[float] = (0.08, 1.0), ratio: Sequence[float] = (3 / 4, 4 / 3),
                 interpolation: InterpolationMode | int = InterpolationMode.BILINEAR, antialias: bool | None = True) -> None:
        super().__init__()
        self.size = size_of(size)
        check_part(scale, ratio)
        self.scale, self.ratio, self.interpolation, self.antialias = scale, ratio, as_mode(interpolation), antialias

    @staticmethod
    def get_params(img: Any, scale: Sequence[float], ratio: Sequence[float]) -> tuple[int, int, int, int]:
        """(top, left, height, width)."""
        _, height, width = F.get_dimensions(img)
        return parameters.resized_crop(height, width, scale, ratio)

    def forward(self, img: Any) -> Any:
        """A part of img, resized."""
        return F.resized_crop(img, *self.get_params(img, self.scale, self.ratio), self.size, self.interpolation, self.antialias)

    def __repr__(self) -> str:
        scale, ratio = (tuple(round(v, 4) for v in r) for r in (self.scale, self.ratio))
        return (f"{type(self).__name__}(size={self.size}, scale={scale}, ratio={ratio}, interpolation={self.interpolation.value}, "
                f"antialias={self.antialias})")
