"""Transforms of geometry, on Pillow images and tensors (..., C, H, W)."""

from __future__ import annotations

import numbers
from collections.abc import Sequence
from typing import Any

from ...base.errors import ArgumentError, ArgumentTypeError
from ...nn import Module
from ...tensor import Tensor
from . import draws, parameters
from . import functional as F
from .interpolation import InterpolationMode, as_mode
from .setup_arguments import angles, check_affine, is_fill, pair_of_floats, size_of
from .sizes import check_resize, padding_of

_PADDING_MODES = ("constant", "edge", "reflect", "symmetric")


def fill_for(fill: Any, img: Any) -> Any:
    """A colour for this picture: for tensors, a list of one float for each channel."""
    if not isinstance(img, Tensor):
        return fill
    if isinstance(fill, numbers.Number):
        return [float(fill)] * F.get_image_num_channels(img)
    return None if fill is None else [float(f) for f in fill]


def checked_fill(fill: Any) -> Any:
    """fill, 0 for None.  Raises ArgumentTypeError for what is no colour."""
    if fill is not None and not is_fill(fill):
        raise ArgumentTypeError(f"Fill should be either a sequence or a number, got {fill!r}")
    return 0 if fill is None else fill


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


class _Sized(Module):
    """A transform of one size."""

    def __init__(self, size: int | Sequence[int]) -> None:
        super().__init__()
        self.size = size_of(size)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(size={self.size})"


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
        for name, found in (("Scale", scale), ("Ratio", ratio)):
            if not isinstance(found, Sequence):
                raise ArgumentTypeError(f"{name} should be a sequence, got {found!r}")
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


class _WithProbability(Module):
    """A transform that happens with probability p."""

    def __init__(self, p: float = 0.5) -> None:
        super().__init__()
        self.p = p

    def forward(self, img: Any) -> Any:
        """img, transformed or not."""
        return self.changed(img) if draws.below(self.p) else img

    def changed(self, img: Any) -> Any:
        """img, transformed."""
        raise NotImplementedError

    def __repr__(self) -> str:
        return f"{type(self).__name__}(p={self.p})"


class RandomHorizontalFlip(_WithProbability):
    """Mirror left and right with probability p; pictures of any size and dtype.

    Raises ArgumentTypeError for anything else.  Source: torchvision 0.29's transforms.RandomHorizontalFlip.

        flipped = transforms.RandomHorizontalFlip()(cltensor.rand(3, 32, 32))
    """

    def changed(self, img: Any) -> Any:
        """img, mirrored."""
        return F.hflip(img)


class RandomVerticalFlip(_WithProbability):
    """Mirror top and bottom with probability p; pictures of any size and dtype.

    Raises ArgumentTypeError for anything else.  Source: torchvision 0.29's transforms.RandomVerticalFlip.

        flipped = transforms.RandomVerticalFlip()(cltensor.rand(3, 32, 32))
    """

    def changed(self, img: Any) -> Any:
        """img, mirrored."""
        return F.vflip(img)


class RandomRotation(Module):
    """Turn by a random angle: within degrees, a number or (low, high), counter-clockwise; pictures of any size and dtype.

    expand: grow the canvas to hold all of it; center: (x, y), by default the middle; fill: a colour.

    Raises ArgumentError, ArgumentTypeError for arguments that make no sense.
    Source: torchvision 0.29's transforms.RandomRotation.

        turned = transforms.RandomRotation(30)(cltensor.rand(3, 32, 32))
    """

    def __init__(self, degrees: float | Sequence[float], interpolation: InterpolationMode | int = InterpolationMode.NEAREST,
                 expand: bool = False, center: Sequence[float] | None = None, fill: Any = 0) -> None:
        super().__init__()
        self.degrees, self.interpolation, self.expand = angles("degrees", degrees), as_mode(interpolation), expand
        self.center, self.fill = center, checked_fill(fill)

    @staticmethod
    def get_params(degrees: Sequence[float]) -> float:
        """The angle."""
        return draws.uniform(degrees[0], degrees[1])

    def forward(self, img: Any) -> Any:
        """img, turned."""
        fill = fill_for(self.fill, img)
        return F.rotate(img, self.get_params(self.degrees), self.interpolation, self.expand, self.center, fill)

    def __repr__(self) -> str:
        text = f"degrees={self.degrees}, interpolation={self.interpolation.value}, expand={self.expand}"
        text += "" if self.center is None else f", center={self.center}"
        return f"{type(self).__name__}({text}{'' if self.fill is None else f', fill={self.fill}'})"


class RandomAffine(Module):
    """Turn (degrees), move (by up to translate, shares of the size), scale and shear at random, about a centre.

    Pictures of any size and dtype; fill: the colour of what comes from outside.

    Raises ArgumentError, ArgumentTypeError for arguments that make no sense.
    Source: torchvision 0.29's transforms.RandomAffine.

        moved = transforms.RandomAffine(10, translate=(0.1, 0.1))(cltensor.rand(3, 32, 32))
    """

    def __init__(self, degrees: float | Sequence[float], translate: Sequence[float] | None = None,
                 scale: Sequence[float] | None = None, shear: float | Sequence[float] | None = None,
                 interpolation: InterpolationMode | int = InterpolationMode.NEAREST, fill: Any = 0,
                 center: Sequence[float] | None = None) -> None:
        super().__init__()
        self.degrees, self.translate, self.scale, self.shear = check_affine(degrees, translate, scale, shear)
        self.interpolation, self.fill, self.center = as_mode(interpolation), checked_fill(fill), center

    @staticmethod
    def get_params(degrees: Sequence[float], translate: Sequence[float] | None, scale_ranges: Sequence[float] | None,
                   shears: Sequence[float] | None, img_size: Sequence[int]
                   ) -> tuple[float, tuple[int, int], float, tuple[float, float]]:
        """(angle, (x, y) moved, scale, (x, y) sheared); img_size: (width, height)."""
        return parameters.affine(degrees, translate, scale_ranges, shears, img_size)

    def forward(self, img: Any) -> Any:
        """img, moved."""
        fill = fill_for(self.fill, img)
        _, height, width = F.get_dimensions(img)
        found = self.get_params(self.degrees, self.translate, self.scale, self.shear, [width, height])
        return F.affine(img, *found, interpolation=self.interpolation, fill=fill, center=self.center)

    def __repr__(self) -> str:
        facts = [f"degrees={self.degrees}"]
        facts += [f"{name}={getattr(self, name)}" for name in ("translate", "scale", "shear") if getattr(self, name) is not None]
        if self.interpolation is not InterpolationMode.NEAREST:
            facts.append(f"interpolation={self.interpolation.value}")
        facts += [f"fill={self.fill}"] if self.fill != 0 else []
        facts += [f"center={self.center}"] if self.center is not None else []
        return f"{type(self).__name__}({', '.join(facts)})"


class RandomPerspective(Module):
    """With probability p, move each corner inwards by up to distortion_scale of half a side; pictures of any size and dtype.

    Raises ArgumentTypeError for a fill that is no colour.  Source: torchvision 0.29's transforms.RandomPerspective.

        seen = transforms.RandomPerspective(p=1)(cltensor.rand(3, 32, 32))
    """

    def __init__(self, distortion_scale: float = 0.5, p: float = 0.5,
                 interpolation: InterpolationMode | int = InterpolationMode.BILINEAR, fill: Any = 0) -> None:
        super().__init__()
        self.p, self.distortion_scale, self.interpolation = p, distortion_scale, as_mode(interpolation)
        self.fill = checked_fill(fill)

    @staticmethod
    def get_params(width: int, height: int, distortion_scale: float) -> tuple[list[list[int]], list[list[int]]]:
        """(the corners, where they go)."""
        return parameters.perspective(width, height, distortion_scale)

    def forward(self, img: Any) -> Any:
        """img, seen from elsewhere or not."""
        fill = fill_for(self.fill, img)
        if not draws.below(self.p):
            return img
        _, height, width = F.get_dimensions(img)
        return F.perspective(img, *self.get_params(width, height, self.distortion_scale), self.interpolation, fill)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(p={self.p})"


class ElasticTransform(Module):
    """Displace pixels by smoothed noise: alpha is its strength, sigma its smoothness, a number or (x, y); pictures of any dtype.

    Raises ArgumentError, ArgumentTypeError for arguments that make no sense.
    Source: Simard et al. 2003; torchvision 0.29's transforms.ElasticTransform.

        waved = transforms.ElasticTransform(alpha=20.0, sigma=2.0)(cltensor.rand(3, 32, 32))
    """

    def __init__(self, alpha: float | Sequence[float] = 50.0, sigma: float | Sequence[float] = 5.0,
                 interpolation: InterpolationMode | int = InterpolationMode.BILINEAR, fill: Any = 0) -> None:
        super().__init__()
        self.alpha, self.sigma = pair_of_floats("alpha", alpha), pair_of_floats("sigma", sigma)
        self.interpolation = as_mode(interpolation)
        fill = checked_fill(fill)
        self.fill = [float(fill)] if isinstance(fill, numbers.Number) else [float(f) for f in fill]

    @staticmethod
    def get_params(alpha: Sequence[float], sigma: Sequence[float], size: Sequence[int]) -> Tensor:
        """The displacement (1, H, W, 2)."""
        return parameters.displacement(alpha, sigma, size)

    def forward(self, tensor: Any) -> Any:
        """tensor, its pixels displaced."""
        _, height, width = F.get_dimensions(tensor)
        return F.elastic_transform(tensor, self.get_params(self.alpha, self.sigma, [height, width]), self.interpolation, self.fill)

    def __repr__(self) -> str:
        return (f"{type(self).__name__}(alpha={self.alpha}, sigma={self.sigma}, interpolation={self.interpolation}, "
                f"fill={self.fill})")
