"""What Pillow has no function for, done to the pixels of its images."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ....base.errors import ArgumentError
from ....tensor import Tensor
from ... import pillow
from ..interpolation import InterpolationMode
from . import warps
from .conversion import image_of, pil_to_tensor, to_pil_image
from .filters import blurred_array
from .values import erase_image


def gaussian_blur(image: Any, kernel_size: int | Sequence[int], sigma=None) -> Any:
    """Smooth with a Gaussian, on the host.  Raises ArgumentError for palettes and pictures of one bit."""
    if image.mode in ("1", "P", "PA"):
        raise ArgumentError(f"gaussian_blur: a picture of mode {image.mode!r} has no values between its own; convert it first, "
                            "for instance with .convert('RGB')")
    return image_of(blurred_array(pillow.array(image), kernel_size, sigma), image.mode)


def elastic(image: Any, displacement: Tensor, interpolation: InterpolationMode | str | int = InterpolationMode.BILINEAR,
            fill: Any = None) -> Any:
    """Read each pixel somewhere else."""
    return to_pil_image(warps.elastic_image(pil_to_tensor(image), displacement, interpolation, fill), mode=image.mode)


def erase(image: Any, i: int, j: int, h: int, w: int, v: Tensor, inplace: bool = False) -> Any:
    """Put v into a rectangle."""
    return to_pil_image(erase_image(pil_to_tensor(image), i, j, h, w, v), mode=image.mode)


def permute_channels(image: Any, permutation: list[int]) -> Any:
    """Band i of the result is band permutation[i]."""
    bands = image.split()
    return pillow.module().merge(image.mode, [bands[i] for i in permutation])


def channels(image: Any) -> int:
    """The number of bands."""
    return len(image.getbands())


def no_noise(image: Any, mean: float = 0.0, sigma: float = 0.1, clip: bool = True) -> Any:
    """Raises ArgumentError: Pillow images take no noise."""
    raise ArgumentError("Gaussian Noise is not implemented for PIL images; convert to a tensor first, with ToImage")
