"""Resizing of bytes in whole numbers: weights of 16 bits, sums rounded to bytes after each dimension.

Source: the arithmetic of Pillow's resampling, which PyTorch shares for uint8.
"""

from __future__ import annotations

import functools

import numpy as np

from ....base import dtypes
from ....nn.functional import antialias
from ....runtime.device import device as Device
from ....tensor import Tensor
from ....tensor.api.creation import from_array


def resized(x: Tensor, size: tuple[int, int], mode: str, antialiased: bool) -> Tensor:
    """x (N, C, H, W) of uint8 in another size, rows first.  mode: bilinear, bicubic or lanczos."""
    for d in (-1, -2):
        if x.shape[d] != size[d]:
            x = _along(x, d, size[d], mode, antialiased)
    return x


def _along(x, d, new, mode, antialiased):
    """One dimension: products of bytes with the upper and the lower half of the weights are exact in float32."""
    upper, lower, bits = _uploaded(x.shape[d], new, mode, antialiased, x.device)
    floats = x.float()
    sums = [floats @ w.mT if d == -1 else w @ floats for w in (upper, lower)]
    whole = sums[0].int() * 256 + sums[1].int() + (1 << (bits - 1))
    return (whole >> bits).clamp(0, 255).to(dtypes.uint8)


@functools.lru_cache(maxsize=64)
def _uploaded(old: int, new: int, mode: str, antialiased: bool, device: Device):
    """(upper halves, lower halves, bits) of the weights (new, old)."""
    weights, bits = whole_weights(old, new, mode, antialiased)
    upper, lower = np.divmod(weights, 256)
    return *(from_array(half.astype(np.float32), dtypes.float32, device) for half in (upper, lower)), bits


def whole_weights(old: int, new: int, mode: str, antialiased: bool) -> tuple[np.ndarray, int]:
    """(the weights (new, old) times 2 ** bits as whole numbers below 2 ** 15, bits)."""
    weights = antialias.matrix(old, new, None, mode, False) if antialiased else _between(old, new, mode)
    bits = next((p for p in range(22) if int(0.5 + weights.max() * (1 << (p + 1))) >= 1 << 15), 22)
    scaled = weights * (1 << bits)
    return np.trunc(scaled + np.where(scaled < 0, -0.5, 0.5)).astype(np.int64), bits


def _between(old, new, mode):
    """Weights without antialiasing: of the two or four nearest pixels; the border repeats."""
    places = (np.arange(new) + 0.5) * (old / new) - 0.5
    places = places if mode == "bicubic" else np.maximum(places, 0)
    low = np.floor(places)
    t, weights = places - low, np.zeros((new, old))
    parts = ((low, 1 - t), (low + 1, t)) if mode == "bilinear" else [
        (low + k, keys(t - k)) for k in (-1, 0, 1, 2)]
    for at, weight in parts:
        np.add.at(weights, (np.arange(new), np.clip(at, 0, old - 1).astype(int)), weight)
    return weights


def keys(x: np.ndarray, a: float = -0.75) -> np.ndarray:
    """Keys' cubic convolution (Keys 1981)."""
    x = np.abs(x)
    near, far = ((a + 2) * x - (a + 3)) * x * x + 1, (((x - 5) * x + 8) * x - 4) * a
    return np.where(x <= 1, near, np.where(x < 2, far, 0.0))
