"""Transforms of colours, smoothing and noise: pictures and videos; masks, boxes and keypoints stay."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ....base.errors import ArgumentError
from .. import color, draws
from ..kernels.values import check_quality
from ..setup_arguments import check_blur, jitter
from ..sizes import pair
from . import functional as F
from .samples import query_chw
from .transform import RandomApplyTransform, Transform

_HUE = {"center": 0.0, "bound": (-0.5, 0.5), "positive": False}


class Grayscale(Transform):
    """Luma of pictures and videos of any size, of bytes or floats, in one channel or in three equal ones.

    Raises ArgumentError for another number.  Source: ITU-R BT.601; torchvision 0.29's transforms.v2.Grayscale.

        grey = v2.Grayscale()(cltensor.rand(3, 32, 32))
    """

    def __init__(self, num_output_channels: int = 1) -> None:
        super().__init__()
        self.num_output_channels = num_output_channels

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """One leaf in grey."""
        return self._call_kernel(F.rgb_to_grayscale, inpt, num_output_channels=self.num_output_channels)


class RandomGrayscale(RandomApplyTransform):
    """With probability p, luma in as many channels as there were; pictures of any size, of bytes or floats.

    Raises ArgumentError for a p that is no probability.  Source: ITU-R BT.601; torchvision 0.29's transforms.v2.RandomGrayscale.

        perhaps_grey = v2.RandomGrayscale(p=0.2)(cltensor.rand(3, 32, 32))
    """

    def __init__(self, p: float = 0.1) -> None:
        super().__init__(p=p)

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """The number of channels."""
        return {"num_input_channels": query_chw(flat_inputs)[0]}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """One leaf in grey."""
        return self._call_kernel(F.rgb_to_grayscale, inpt, num_output_channels=params["num_input_channels"])


class RGB(Transform):
    """Three channels: grey pictures of any size and dtype get three equal ones, others stay.

    Raises ArgumentTypeError for another number of channels.  Source: torchvision 0.29's transforms.v2.RGB.

        image = v2.RGB()(cltensor.rand(1, 32, 32))
    """

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """One leaf in three channels."""
        return self._call_kernel(F.grayscale_to_rgb, inpt)


class ColorJitter(Transform):
    """Change brightness, contrast, saturation and hue at random, in random order; pictures of any size, of bytes or floats.

    Each is a range (low, high) of factors, or a number: how far they may be from 1 (0 for the hue, in [-0.5, 0.5]).

    Raises ArgumentError, ArgumentTypeError for ranges that make no sense.  Source: torchvision 0.29's transforms.v2.ColorJitter.

        tinted = v2.ColorJitter(brightness=0.2, hue=0.1)(cltensor.rand(3, 32, 32))
    """

    def __init__(self, brightness: float | Sequence[float] | None = None, contrast: float | Sequence[float] | None = None,
                 saturation: float | Sequence[float] | None = None, hue: float | Sequence[float] | None = None) -> None:
        super().__init__()
        self.brightness, self.contrast = jitter("brightness", brightness), jitter("contrast", contrast)
        self.saturation, self.hue = jitter("saturation", saturation), jitter("hue", hue, **_HUE)

    get_params = staticmethod(color.ColorJitter.get_params)

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """The order and the factors."""
        order, *factors = self.get_params(self.brightness, self.contrast, self.saturation, self.hue)
        return {"order": order, "factors": factors}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """One leaf, changed."""
        for i in params["order"]:
            if params["factors"][i] is not None:
                inpt = self._call_kernel(getattr(F, f"adjust_{color.FACTORS[i]}"), inpt, params["factors"][i])
        return inpt


class RandomChannelPermutation(Transform):
    """Change the order of the channels at random; pictures of any size and dtype.

    Raises ArgumentTypeError for a sample without picture.  Source: torchvision 0.29's transforms.v2.RandomChannelPermutation.

        mixed = v2.RandomChannelPermutation()(cltensor.rand(3, 32, 32))
    """

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """The order."""
        return {"permutation": draws.permutation(query_chw(flat_inputs)[0])}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """One leaf, its channels in another order."""
        return self._call_kernel(F.permute_channels, inpt, params["permutation"])


class RandomPhotometricDistort(Transform):
    """Brightness, contrast, saturation, hue and the order of channels, each with probability p; pictures of any size.

    Each is a range of factors (shares of the circle for the hue); of bytes or floats.

    Raises what the operations raise.  Source: Liu et al. 2016 (SSD); torchvision 0.29's transforms.v2.RandomPhotometricDistort.

        distorted = v2.RandomPhotometricDistort()(cltensor.rand(3, 32, 32))
    """

    def __init__(self, brightness: tuple[float, float] = (0.875, 1.125), contrast: tuple[float, float] = (0.5, 1.5),
                 saturation: tuple[float, float] = (0.5, 1.5), hue: tuple[float, float] = (-0.05, 0.05), p: float = 0.5) -> None:
        super().__init__()
        self.brightness, self.contrast, self.hue, self.saturation, self.p = brightness, contrast, hue, saturation, p

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """The factors, None for what does not happen."""
        channels = query_chw(flat_inputs)[0]
        found: dict[str, Any] = {name: self._drawn(getattr(self, name)) for name in color.FACTORS}
        found["contrast_before"] = draws.below(0.5)
        found["channel_permutation"] = draws.permutation(channels) if draws.below(self.p) else None
        return found

    def _drawn(self, span):
        return draws.uniform(span[0], span[1]) if draws.below(self.p) else None

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """One leaf, distorted."""
        before = params["contrast_before"]
        for name in ("brightness", *(["contrast"] if before else []), "saturation", "hue", *([] if before else ["contrast"])):
            if params[name] is not None:
                inpt = self._call_kernel(getattr(F, f"adjust_{name}"), inpt, params[name])
        if params["channel_permutation"] is not None:
            inpt = self._call_kernel(F.permute_channels, inpt, params["channel_permutation"])
        return inpt


class GaussianBlur(Transform):
    """Smooth with a Gaussian of size kernel_size, (width, height), and a random sigma in a range; pictures of bytes or floats.

    Raises ArgumentError for even sizes and for a sigma that is not positive.
    Source: torchvision 0.29's transforms.v2.GaussianBlur.

        smooth = v2.GaussianBlur(5)(cltensor.rand(3, 32, 32))
    """

    def __init__(self, kernel_size: int | Sequence[int], sigma: float | Sequence[float] = (0.1, 2.0)) -> None:
        super().__init__()
        self.kernel_size, span = check_blur(kernel_size, sigma)
        self.sigma = list(span)

    get_params = staticmethod(color.GaussianBlur.get_params)

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """A sigma."""
        return {"sigma": [draws.uniform(self.sigma[0], self.sigma[1])] * 2}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """One leaf, smoothed."""
        return self._call_kernel(F.gaussian_blur, inpt, list(self.kernel_size), **params)


class GaussianNoise(Transform):
    """Add normal noise to pictures and videos of any size, of floats or bytes; clip keeps them in their range.

    Raises ArgumentError for Pillow images, other dtypes and a negative sigma.
    Source: torchvision 0.29's transforms.v2.GaussianNoise.

        noisy = v2.GaussianNoise(sigma=0.1)(cltensor.rand(3, 32, 32))
    """

    def __init__(self, mean: float = 0.0, sigma: float = 0.1, clip: bool = True) -> None:
        super().__init__()
        self.mean, self.sigma, self.clip = mean, sigma, clip

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """One leaf, with noise."""
        return self._call_kernel(F.gaussian_noise, inpt, mean=self.mean, sigma=self.sigma, clip=self.clip)


class JPEG(Transform):
    """Pictures (..., C, H, W) of bytes as JPEG stores them, at a quality from 1 to 100 or a random one in (low, high).

    Raises ArgumentError for another quality, CLTensorError for another dtype.  Source: torchvision 0.29's transforms.v2.JPEG.

        stored = v2.JPEG((25, 75))((255 * cltensor.rand(3, 32, 32)).to(cltensor.uint8))
    """

    def __init__(self, quality: int | Sequence[int]) -> None:
        super().__init__()
        low, high = [quality] * 2 if isinstance(quality, int) else pair(quality, "quality should be one or two integers.")
        if not (isinstance(low, int) and isinstance(high, int) and 1 <= low <= high <= 100):
            raise ArgumentError(f"quality must be an integer from 1 to 100, got quality ={[low, high]}")
        self.quality = [check_quality(low), high] if isinstance(quality, int) else quality

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """A quality."""
        low, high = self.quality
        return {"quality": draws.integer(low, high + 1)}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """One leaf, stored and read again."""
        return self._call_kernel(F.jpeg, inpt, quality=params["quality"])


class RandomInvert(RandomApplyTransform):
    """With probability p, the largest value minus each pixel; pictures of any size, of bytes or floats.

    Raises ArgumentError for a p that is no probability.  Source: torchvision 0.29's transforms.v2.RandomInvert.

        negative = v2.RandomInvert(p=1)(cltensor.rand(3, 32, 32))
    """

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """One leaf, inverted."""
        return self._call_kernel(F.invert, inpt)


class RandomAutocontrast(RandomApplyTransform):
    """With probability p, stretch each channel to the full range; pictures of any size, of bytes or floats.

    Raises ArgumentError for a p that is no probability.  Source: torchvision 0.29's transforms.v2.RandomAutocontrast.

        stretched = v2.RandomAutocontrast(p=1)(cltensor.rand(3, 32, 32))
    """

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """One leaf, stretched."""
        return self._call_kernel(F.autocontrast, inpt)


class RandomEqualize(RandomApplyTransform):
    """With probability p, spread each channel's histogram evenly; pictures of any size, of bytes or floats.

    Raises ArgumentError for a p that is no probability.  Source: torchvision 0.29's transforms.v2.RandomEqualize.

        even = v2.RandomEqualize(p=1)(cltensor.rand(3, 32, 32))
    """

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """One leaf, equalised."""
        return self._call_kernel(F.equalize, inpt)


class RandomPosterize(RandomApplyTransform):
    """With probability p, keep the upper bits of each pixel; pictures of any size, of bytes or floats.

    Raises ArgumentError for a p that is no probability.  Source: torchvision 0.29's transforms.v2.RandomPosterize.

        flat = v2.RandomPosterize(2, p=1)(cltensor.rand(3, 32, 32))
    """

    def __init__(self, bits: int, p: float = 0.5) -> None:
        super().__init__(p=p)
        self.bits = bits

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """One leaf, posterised."""
        return self._call_kernel(F.posterize, inpt, bits=self.bits)


class RandomSolarize(RandomApplyTransform):
    """With probability p, invert the pixels from a threshold on; pictures of any size, of bytes or floats.

    Raises ArgumentError for a p that is no probability.  Source: torchvision 0.29's transforms.v2.RandomSolarize.

        burnt = v2.RandomSolarize(0.5, p=1)(cltensor.rand(3, 32, 32))
    """

    def __init__(self, threshold: float, p: float = 0.5) -> None:
        super().__init__(p=p)
        self.threshold = threshold

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """One leaf, solarised."""
        return self._call_kernel(F.solarize, inpt, threshold=self.threshold)


class RandomAdjustSharpness(RandomApplyTransform):
    """With probability p, blend with the smoothed picture; pictures of any size, of bytes or floats.

    sharpness_factor: 0 is the smoothed picture, 1 the picture itself.

    Raises ArgumentError for a p that is no probability.  Source: torchvision 0.29's transforms.v2.RandomAdjustSharpness.

        sharp = v2.RandomAdjustSharpness(2, p=1)(cltensor.rand(3, 32, 32))
    """

    def __init__(self, sharpness_factor: float, p: float = 0.5) -> None:
        super().__init__(p=p)
        self.sharpness_factor = sharpness_factor

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """One leaf, sharpened."""
        return self._call_kernel(F.adjust_sharpness, inpt, sharpness_factor=self.sharpness_factor)
