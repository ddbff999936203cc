"""Transforms of colours, on Pillow images and tensors (..., C, H, W)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...nn import Module
from . import draws, parameters
from . import functional as F
from .geometry import _WithProbability
from .setup_arguments import check_blur, jitter

_HUE = {"center": 0.0, "bound": (-0.5, 0.5), "positive": False}
FACTORS = ("brightness", "contrast", "saturation", "hue")


class Grayscale(Module):
    """Luma of pictures of any size, of bytes or floats, in one channel or in three equal ones.

    Raises ArgumentError for another number.  Source: ITU-R BT.601; torchvision 0.29's transforms.Grayscale.

        grey = transforms.Grayscale()(cltensor.rand(3, 32, 32))
    """

    def __init__(self, num_output_channels: int = 1) -> None:
        super().__init__()
        self.num_output_channels = num_output_channels

    def forward(self, img: Any) -> Any:
        """img in grey."""
        return F.rgb_to_grayscale(img, self.num_output_channels)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(num_output_channels={self.num_output_channels})"


class RandomGrayscale(_WithProbability):
    """With probability p, luma in as many channels as there were; pictures of any size, of bytes or floats.

    Raises ArgumentTypeError for another number of channels than 1 and 3.
    Source: ITU-R BT.601; torchvision 0.29's transforms.RandomGrayscale.

        perhaps_grey = transforms.RandomGrayscale(p=0.2)(cltensor.rand(3, 32, 32))
    """

    def __init__(self, p: float = 0.1) -> None:
        super().__init__(p)

    def forward(self, img: Any) -> Any:
        """img, in grey or not."""
        channels = F.get_image_num_channels(img)
        return F.rgb_to_grayscale(img, channels) if draws.below(self.p) else img


class ColorJitter(Module):
    """Change brightness, contrast, saturation and hue at random, in random order; pictures of any size, of bytes or floats.

    Each is a range (low, high) of factors, or a number: how far they may be from 1 (0 for the hue, in [-0.5, 0.5]).

    Raises ArgumentError, ArgumentTypeError for ranges that make no sense.  Source: torchvision 0.29's transforms.ColorJitter.

        tinted = transforms.ColorJitter(brightness=0.2, hue=0.1)(cltensor.rand(3, 32, 32))
    """

    def __init__(self, brightness: float | Sequence[float] = 0, contrast: float | Sequence[float] = 0,
                 saturation: float | Sequence[float] = 0, hue: float | Sequence[float] = 0) -> None:
        super().__init__()
        self.brightness, self.contrast = jitter("brightness", brightness), jitter("contrast", contrast)
        self.saturation, self.hue = jitter("saturation", saturation), jitter("hue", hue, **_HUE)

    @staticmethod
    def get_params(brightness: Sequence[float] | None, contrast: Sequence[float] | None, saturation: Sequence[float] | None,
                   hue: Sequence[float] | None) -> tuple[list[int], float | None, float | None, float | None, float | None]:
        """(the order of the four, their factors)."""
        order = draws.permutation(4)
        found = parameters.factors(brightness=brightness, contrast=contrast, saturation=saturation, hue=hue)
        return order, *(found[name] for name in FACTORS)

    def forward(self, img: Any) -> Any:
        """img, changed."""
        order, *factors = self.get_params(self.brightness, self.contrast, self.saturation, self.hue)
        for i in order:
            if factors[i] is not None:
                img = getattr(F, f"adjust_{FACTORS[i]}")(img, factors[i])
        return img

    def __repr__(self) -> str:
        return (f"{type(self).__name__}(brightness={self.brightness}, contrast={self.contrast}, saturation={self.saturation}, "
                f"hue={self.hue})")


class GaussianBlur(Module):
    """Smooth with a Gaussian of size kernel_size, (width, height), and a random sigma in a range; pictures of bytes or floats.

    Raises ArgumentError for even sizes and for a sigma that is not positive.  Source: torchvision 0.29's transforms.GaussianBlur.

        smooth = transforms.GaussianBlur(5)(cltensor.rand(3, 32, 32))
    """

    def __init__(self, kernel_size: int | Sequence[int], sigma: float | Sequence[float] = (0.1, 2.0)) -> None:
        super().__init__()
        self.kernel_size, self.sigma = check_blur(kernel_size, sigma)

    @staticmethod
    def get_params(sigma_min: float, sigma_max: float) -> float:
        """A sigma."""
        return draws.uniform(sigma_min, sigma_max)

    def forward(self, img: Any) -> Any:
        """img, smoothed."""
        sigma = self.get_params(*self.sigma)
        return F.gaussian_blur(img, list(self.kernel_size), [sigma, sigma])

    def __repr__(self) -> str:
        return f"{type(self).__name__}(kernel_size={self.kernel_size}, sigma={self.sigma})"


class RandomInvert(_WithProbability):
    """With probability p, the largest value minus each pixel; pictures of any size, of bytes or floats.

    Raises ArgumentTypeError for anything else.  Source: torchvision 0.29's transforms.RandomInvert.

        negative = transforms.RandomInvert(p=1)(cltensor.rand(3, 32, 32))
    """

    def changed(self, img: Any) -> Any:
        """img, inverted."""
        return F.invert(img)


class RandomAutocontrast(_WithProbability):
    """With probability p, stretch each channel to the full range; pictures of any size, of bytes or floats.

    Raises ArgumentTypeError for anything else.  Source: torchvision 0.29's transforms.RandomAutocontrast.

        stretched = transforms.RandomAutocontrast(p=1)(cltensor.rand(3, 32, 32))
    """

    def changed(self, img: Any) -> Any:
        """img, stretched."""
        return F.autocontrast(img)


class RandomEqualize(_WithProbability):
    """With probability p, spread each channel's histogram evenly; pictures of any size, of bytes.

    Raises ArgumentTypeError for another dtype.  Source: torchvision 0.29's transforms.RandomEqualize.

        even = transforms.RandomEqualize(p=1)((255 * cltensor.rand(3, 32, 32)).to(cltensor.uint8))
    """

    def changed(self, img: Any) -> Any:
        """img, equalised."""
        return F.equalize(img)


class RandomPosterize(_WithProbability):
    """With probability p, keep the upper bits of each pixel; pictures of any size, of bytes.

    Raises ArgumentTypeError for another dtype.  Source: torchvision 0.29's transforms.RandomPosterize.

        flat = transforms.RandomPosterize(2, p=1)((255 * cltensor.rand(3, 32, 32)).to(cltensor.uint8))
    """

    def __init__(self, bits: int, p: float = 0.5) -> None:
        super().__init__(p)
        self.bits = bits

    def changed(self, img: Any) -> Any:
        """img, posterised."""
        return F.posterize(img, self.bits)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(bits={self.bits},p={self.p})"


class RandomSolarize(_WithProbability):
    """With probability p, invert the pixels from a threshold on; pictures of any size, of bytes or floats.

    Raises ArgumentTypeError for a threshold above all values.  Source: torchvision 0.29's transforms.RandomSolarize.

        burnt = transforms.RandomSolarize(0.5, p=1)(cltensor.rand(3, 32, 32))
    """

    def __init__(self, threshold: float, p: float = 0.5) -> None:
        super().__init__(p)
        self.threshold = threshold

    def changed(self, img: Any) -> Any:
        """img, solarised."""
        return F.solarize(img, self.threshold)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(threshold={self.threshold},p={self.p})"


class RandomAdjustSharpness(_WithProbability):
    """With probability p, blend with the smoothed picture; pictures of any size, of bytes or floats.

    sharpness_factor: 0 is the smoothed picture, 1 the picture itself.

    Raises ArgumentError for a negative factor.  Source: torchvision 0.29's transforms.RandomAdjustSharpness.

        sharp = transforms.RandomAdjustSharpness(2, p=1)(cltensor.rand(3, 32, 32))
    """

    def __init__(self, sharpness_factor: float, p: float = 0.5) -> None:
        super().__init__(p)
        self.sharpness_factor = sharpness_factor

    def changed(self, img: Any) -> Any:
        """img, sharpened."""
        return F.adjust_sharpness(img, self.sharpness_factor)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(sharpness_factor={self.sharpness_factor},p={self.p})"
