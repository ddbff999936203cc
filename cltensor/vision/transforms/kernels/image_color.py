"""Colours of pictures in tensors (..., C, H, W), C = 1 or 3."""

from __future__ import annotations

import numpy as np

from ....base import dtypes
from ....base.errors import ArgumentError, ArgumentTypeError
from ....tensor import Tensor
from ....tensor.api.creation import from_array
from ....tensor.math.arithmetic import where
from ....tensor.shape.joining import stack
from .pillow_color import check_gamma, check_hue
from .ranges import back, limit, to_dtype_image
from .ranges import bits as bits_of


def check_channels(image: Tensor, *allowed: int) -> int:
    """The number of channels.  Raises ArgumentTypeError for another than those allowed."""
    c = image.shape[-3] if image.ndim > 2 else 1
    if c not in allowed:
        raise ArgumentTypeError(f"Input image tensor permitted channel values are {' or '.join(map(str, allowed))}, but found {c}")
    return c


def luma(image: Tensor) -> Tensor:
    """0.2989 R + 0.587 G + 0.114 B, in floats (ITU-R BT.601)."""
    red, green, blue = (image[..., i:i + 1, :, :] for i in range(3))
    return red * 0.2989 + green * 0.587 + blue * 0.114


def rgb_to_grayscale_image(image: Tensor, num_output_channels: int = 1) -> Tensor:
    """Luma, in one channel or in three equal ones; grey pictures keep their pixels.  Raises ArgumentError for another number."""
    if num_output_channels not in (1, 3):
        raise ArgumentError(f"num_output_channels must be 1 or 3, got {num_output_channels}.")
    one = image if check_channels(image, 1, 3) == 1 else luma(image).to(image.dtype)
    return tripled(one) if num_output_channels == 3 else one.clone() if one is image else one


def tripled(image: Tensor) -> Tensor:
    """A grey picture in three channels."""
    return image.expand(*image.shape[:-3], 3, *image.shape[-2:])


def grayscale_to_rgb_image(image: Tensor) -> Tensor:
    """Three channels; grey pictures get three equal ones."""
    return tripled(image) if check_channels(image, 1, 3) == 1 else image


def check_factor(name: str, factor: float) -> float:
    """factor.  Raises ArgumentError for a negative one."""
    if factor < 0:
        raise ArgumentError(f"{name}_factor ({factor}) is not non-negative.")
    return factor


def blend(image: Tensor, other: Tensor, ratio: float) -> Tensor:
    """ratio * image + (1 - ratio) * other, in image's dtype."""
    return back(image * float(ratio) + other * (1.0 - ratio), image.dtype)


def adjust_brightness_image(image: Tensor, brightness_factor: float) -> Tensor:
    """Blend with black."""
    check_factor("brightness", brightness_factor)
    check_channels(image, 1, 3)
    return back(image * float(brightness_factor), image.dtype)


def _grey(image):
    """Luma in floats, cut to whole numbers where the pixels are."""
    grey = luma(image)
    return grey if image.is_floating_point() else grey.floor()


def adjust_contrast_image(image: Tensor, contrast_factor: float) -> Tensor:
    """Blend with the mean grey of each picture."""
    check_factor("contrast", contrast_factor)
    grey = _grey(image) if check_channels(image, 1, 3) == 3 else image if image.is_floating_point() else image.to(dtypes.float32)
    return blend(image, grey.mean((-3, -2, -1), keepdim=True), contrast_factor)


def adjust_saturation_image(image: Tensor, saturation_factor: float) -> Tensor:
    """Blend with the grey picture."""
    check_factor("saturation", saturation_factor)
    return image if check_channels(image, 1, 3) == 1 else blend(image, _grey(image), saturation_factor)


def adjust_hue_image(image: Tensor, hue_factor: float) -> Tensor:
    """Turn the hue by a fraction of the circle."""
    check_hue(hue_factor)
    if check_channels(image, 1, 3) == 1 or not image.numel():
        return image
    h, s, v = _hsv(to_dtype_image(image, dtypes.float32, scale=True) if not image.is_floating_point() else image)
    return to_dtype_image(_rgb((h + hue_factor).remainder(1.0), s, v), image.dtype, scale=True)


def _hsv(image):
    """Hue, saturation, value (Smith 1978), without the channel dimension."""
    r, g, b = image.unbind(-3)
    high, low = image.amax(-3), image.amin(-3)
    span, flat = high - low, high == low
    divisor = where(flat, 1.0, span)
    red, green, blue = ((high - c) / divisor for c in (r, g, b))
    h = where(high == r, blue - green, where(high == g, red + 2.0 - blue, green + 4.0 - red))
    h = (where(flat, 0.0, h) / 6.0 + 1.0).fmod(1.0)
    return h, span / where(flat, 1.0, high), high


def _rgb(h, s, v):
    """The inverse of _hsv: each channel falls and rises with the distance of the hue from its own."""
    h6 = h * 6
    sector = h6.floor()
    rest = h6 - sector
    sector = sector.remainder(6.0)
    p, q, t = ((v * (1.0 - part)).clamp(0.0, 1.0) for part in (s, s * rest, s * (1.0 - rest)))
    columns = ((v, q, p, p, t, v), (t, v, v, q, p, p), (p, p, t, v, v, q))
    return stack([_chosen(sector, column) for column in columns], -3)


def _chosen(sector, values):
    out = values[5]
    for i in range(4, -1, -1):
        out = where(sector == float(i), values[i], out)
    return out


def adjust_gamma_image(image: Tensor, gamma: float, gain: float = 1.0) -> Tensor:
    """gain * image ** gamma, of pixels in [0, 1]."""
    check_gamma(gamma)
    x = image if image.is_floating_point() else to_dtype_image(image, dtypes.float32, scale=True)
    x = x.pow(gamma)
    return to_dtype_image((x * gain if gain != 1 else x).clamp(0.0, 1.0), image.dtype, scale=True)


def invert_image(image: Tensor) -> Tensor:
    """The largest value minus the pixel."""
    if image.is_floating_point():
        return 1.0 - image
    return ~image if image.dtype is dtypes.uint8 else image ^ limit(image.dtype)


def posterize_image(image: Tensor, bits: int) -> Tensor:
    """Keep the upper bits; floats get 2 ** bits levels."""
    if image.is_floating_point():
        levels = 1 << bits
        return (image * levels).floor().clamp(0, levels - 1) * (1.0 / levels)
    total = bits_of(image.dtype)
    if not isinstance(bits, int) or not 0 <= bits <= total:
        raise ArgumentTypeError(f"bits must be a positive integer in the range [0, {total}], got {bits} instead.")
    return image if bits == total else image & (((1 << bits) - 1) << (total - bits))


def solarize_image(image: Tensor, threshold: float) -> Tensor:
    """Invert the pixels from a threshold on."""
    if threshold > limit(image.dtype):
        raise ArgumentTypeError(f"Threshold should be less or equal the maximum value of the dtype, but got {threshold}")
    return where(image >= threshold, invert_image(image), image)


def autocontrast_image(image: Tensor) -> Tensor:
    """Stretch each channel to the full range."""
    check_channels(image, 1, 3)
    if not image.numel():
        return image
    bound, x = limit(image.dtype), image if image.is_floating_point() else image.to(dtypes.float32)
    low, high = x.amin((-2, -1), keepdim=True), x.amax((-2, -1), keepdim=True)
    flat = low == high
    return back((x - where(flat, 0.0, low)) / (where(flat, float(bound), high - low) * (1.0 / bound)), image.dtype)


def equalize_image(image: Tensor) -> Tensor:
    """Spread each channel's histogram of 256 bins evenly."""
    if not image.numel():
        return image
    x = image if image.dtype is dtypes.uint8 else to_dtype_image(image, dtypes.uint8, scale=True)
    flat = x.reshape(-1, x.shape[-2] * x.shape[-1]).to(dtypes.int64)
    n, size = flat.shape
    ones = flat.new_ones(flat.shape)
    counts = flat.new_zeros((n, 256)).scatter_add(1, flat, ones)
    last = counts.gather(1, flat.amax(1, keepdim=True))  # pixels of the largest value that there is
    step = (size - last).div(255, rounding_mode="floor")
    before = counts.cumsum(1) - counts
    table = (before + step.div(2, rounding_mode="floor")).div(step.clamp(min=1), rounding_mode="floor").clamp(0, 255)
    mapped = where(step == 0, flat, table.gather(1, flat)).to(dtypes.uint8).reshape(x.shape)
    return mapped if image.dtype is dtypes.uint8 else to_dtype_image(mapped, image.dtype, scale=True)


def permute_channels_image(image: Tensor, permutation: list[int]) -> Tensor:
    """Channel i of the result is channel permutation[i]."""
    places = from_array(np.asarray(permutation, np.int64), dtypes.int64, image.device)
    if image.shape[-3] != len(permutation):
        raise ArgumentError(f"Length of permutation {len(permutation)} must be equal to the number of channels {image.shape[-3]}")
    return image.index_select(-3, places)
