"""Smoothing, sharpening and noise of pictures (..., C, H, W)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ....base import dtypes
from ....base.errors import ArgumentError, ArgumentTypeError
from ....nn.functional.conv import conv2d
from ....tensor import Tensor
from ....tensor.api.creation import from_array
from ....tensor.random.sampling import randn_like
from .image_color import check_channels, check_factor
from .image_geometry import pad_image
from .ranges import back, rounded


def check_blur(kernel_size, sigma) -> tuple[list[int], list[float]]:
    """Both as lists (x, y); sigma follows from the size where it is None.  Raises ArgumentError, ArgumentTypeError."""
    if isinstance(kernel_size, int):
        kernel_size = [kernel_size, kernel_size]
    elif not isinstance(kernel_size, (list, tuple)):
        raise ArgumentTypeError(f"kernel_size should be int or a sequence of integers. Got {type(kernel_size)}")
    if len(kernel_size) != 2:
        raise ArgumentError(f"If kernel_size is a sequence its length should be 2. Got {len(kernel_size)}")
    for k in kernel_size:
        if k % 2 == 0 or k < 0:
            raise ArgumentError(f"kernel_size should have odd and positive integers. Got {kernel_size}")
    if sigma is None:
        sigma = [k * 0.15 + 0.35 for k in kernel_size]
    elif isinstance(sigma, (int, float)):
        sigma = [float(sigma)] * 2
    elif not isinstance(sigma, (list, tuple)):
        raise ArgumentTypeError(f"sigma should be either float or sequence of floats. Got {type(sigma)}")
    elif len(sigma) not in (1, 2):
        raise ArgumentError(f"If sigma is a sequence, its length should be 2. Got {len(sigma)}")
    sigma = [float(s) for s in sigma] * (2 if len(sigma) == 1 else 1)
    if any(s <= 0 for s in sigma):
        raise ArgumentError(f"sigma should have positive values. Got {sigma}")
    return list(kernel_size), sigma


def bell(size: int, sigma: float) -> np.ndarray:
    """A Gaussian of `size` weights that sum to 1."""
    x = np.linspace(-(size - 1) * 0.5, (size - 1) * 0.5, size, dtype=np.float32)
    weights = np.exp(-0.5 * (x / np.float32(sigma)) ** 2, dtype=np.float32)
    return weights / weights.sum(dtype=np.float32)


def gaussian_blur_image(image: Tensor, kernel_size: int | Sequence[int], sigma=None) -> Tensor:
    """Smooth with a Gaussian, rows first; borders are reflected."""
    size, sigma = check_blur(kernel_size, sigma)
    if not image.numel():
        return image
    *leading, h, w = image.shape
    x = image if image.is_floating_point() else image.to(dtypes.float32)
    x = pad_image(x.reshape(-1, 1, h, w), [size[0] // 2, size[1] // 2], None, "reflect")
    for along, (k, s) in enumerate(zip(size, sigma, strict=True)):
        if k > 1:
            weight = bell(k, s).reshape((1, 1, 1, k) if along == 0 else (1, 1, k, 1))
            x = conv2d(x, from_array(weight, dtypes.float32, x.device).to(x.dtype))
    return rounded(x.reshape(*leading, h, w), image.dtype)


def blurred_array(a: np.ndarray, kernel_size, sigma=None) -> np.ndarray:
    """gaussian_blur_image of an array (H, W) or (H, W, C) of bytes on the host, with the same arithmetic."""
    size, sigma = check_blur(kernel_size, sigma)
    widths = ((size[1] // 2,) * 2, (size[0] // 2,) * 2, (0, 0))[:a.ndim]
    x = np.pad(a, widths, "reflect").astype(np.float32)
    for axis, k, s in ((1, size[0], sigma[0]), (0, size[1], sigma[1])):
        if k > 1:
            n, weights = x.shape[axis] - k + 1, bell(k, s)
            parts = [x[(slice(None),) * axis + (slice(i, i + n),)] for i in range(k)]
            out = parts[0] * weights[0]
            for part, weight in zip(parts[1:], weights[1:], strict=True):
                out += part * weight
            x = out
    return np.rint(x).astype(a.dtype) if a.dtype.kind != "f" else x


def adjust_sharpness_image(image: Tensor, sharpness_factor: float) -> Tensor:
    """Blend with the picture smoothed by ((1, 1, 1), (1, 5, 1), (1, 1, 1)) / 13; the border stays."""
    check_factor("sharpness", sharpness_factor)
    check_channels(image, 1, 3)
    *leading, h, w = image.shape
    if not image.numel() or h <= 2 or w <= 2:
        return image
    x = image if image.is_floating_point() else image.to(dtypes.float32)
    weight = np.full((1, 1, 3, 3), 1 / 13, np.float32)
    weight[0, 0, 1, 1] = 5 / 13
    inside = conv2d(x.reshape(-1, 1, h, w), from_array(weight, dtypes.float32, x.device).to(x.dtype))
    inside = (inside if image.is_floating_point() else inside.round()).reshape(*leading, h - 2, w - 2)
    smooth = x.clone()
    smooth[..., 1:-1, 1:-1] = inside
    return back(x * float(sharpness_factor) + smooth * (1.0 - sharpness_factor), image.dtype)


def gaussian_noise_image(image: Tensor, mean: float = 0.0, sigma: float = 0.1, clip: bool = True) -> Tensor:
    """Add normal noise; of bytes, mean and sigma are in units of 255."""
    if sigma < 0:
        raise ArgumentError(f"sigma shouldn't be negative. Got {sigma}")
    if image.is_floating_point():
        noisy = image + (mean + randn_like(image) * sigma)
        return noisy.clamp(0, 1) if clip else noisy
    if image.dtype is not dtypes.uint8:
        raise ArgumentError(f"Input tensor is expected to be in uint8 or float dtype, got dtype={image.dtype}")
    noise = (mean * 255 + randn_like(image, dtype=dtypes.float32) * (sigma * 255)).to(dtypes.int16)
    noisy = noise + image.to(dtypes.int16)
    return (noisy.clamp(0, 255) if clip else noisy).to(dtypes.uint8)
