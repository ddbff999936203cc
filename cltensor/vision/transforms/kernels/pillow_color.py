"""Colours of Pillow images, by Pillow."""

from __future__ import annotations

from typing import Any

import numpy as np

from ....base.errors import ArgumentError
from ... import pillow


def brightness(image: Any, brightness_factor: float) -> Any:
    """Blend with black."""
    return pillow.module("ImageEnhance").Brightness(image).enhance(brightness_factor)


def contrast(image: Any, contrast_factor: float) -> Any:
    """Blend with the mean grey."""
    return pillow.module("ImageEnhance").Contrast(image).enhance(contrast_factor)


def saturation(image: Any, saturation_factor: float) -> Any:
    """Blend with the grey picture."""
    return pillow.module("ImageEnhance").Color(image).enhance(saturation_factor)


def sharpness(image: Any, sharpness_factor: float) -> Any:
    """Blend with the smoothed picture."""
    return pillow.module("ImageEnhance").Sharpness(image).enhance(sharpness_factor)


def check_hue(factor: float) -> float:
    """factor.  Raises ArgumentError outside [-0.5, 0.5]."""
    if not -0.5 <= factor <= 0.5:
        raise ArgumentError(f"hue_factor ({factor}) is not in [-0.5, 0.5].")
    return factor


def hue(image: Any, hue_factor: float) -> Any:
    """Turn the hue by a fraction of the circle."""
    check_hue(hue_factor)
    mode = image.mode
    if mode in ("L", "1", "I", "F"):
        return image
    h, s, v = image.convert("HSV").split()
    turned = np.asarray(h) + np.uint8(int(hue_factor * 255) & 255)
    return pillow.module().merge("HSV", (pillow.module().fromarray(turned.astype(np.uint8), "L"), s, v)).convert(mode)


def check_gamma(gamma: float) -> float:
    """gamma.  Raises ArgumentError for a negative one."""
    if gamma < 0:
        raise ArgumentError(f"Gamma should be a non-negative real number, got {gamma}")
    return gamma


def gamma(image: Any, gamma: float, gain: float = 1) -> Any:
    """255 gain (pixel / 255) ** gamma."""
    check_gamma(gamma)
    table = [int((255 + 1 - 1e-3) * gain * pow(n / 255.0, gamma)) for n in range(256)]
    return image.convert("RGB").point(table * 3).convert(image.mode)


def grayscale(image: Any, num_output_channels: int = 1) -> Any:
    """Luma, in one band or in three equal ones.  Raises ArgumentError for another number."""
    if num_output_channels not in (1, 3):
        raise ArgumentError(f"num_output_channels should be either 1 or 3, got {num_output_channels}")
    grey = image.convert("L")
    return grey if num_output_channels == 1 else pillow.module().merge("RGB", (grey, grey, grey))


def rgb(image: Any) -> Any:
    """Three bands."""
    return image if image.mode == "RGB" else image.convert(mode="RGB")


def invert(image: Any) -> Any:
    """255 - pixel."""
    return pillow.module("ImageOps").invert(image)


def posterize(image: Any, bits: int) -> Any:
    """Keep the upper bits."""
    return pillow.module("ImageOps").posterize(image, bits)


def solarize(image: Any, threshold: float) -> Any:
    """Invert the pixels from a threshold on."""
    return pillow.module("ImageOps").solarize(image, threshold)


def autocontrast(image: Any) -> Any:
    """Stretch each band to the full range."""
    return pillow.module("ImageOps").autocontrast(image)


def equalize(image: Any) -> Any:
    """Spread each band's histogram evenly."""
    return pillow.module("ImageOps").equalize(image)
