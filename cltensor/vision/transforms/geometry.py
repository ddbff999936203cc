"""Flips, rotations and other warps, on Pillow images and tensors (..., C, H, W)."""

from __future__ import annotations

import numbers
from collections.abc import Sequence
from typing import Any

from ...base.errors import ArgumentTypeError
from ...nn import Module
from ...tensor import Tensor
from . import draws, parameters
from . import functional as F
from .interpolation import InterpolationMode, as_mode
from .setup_arguments import angles, check_affine, is_fill, pair_of_floats


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
