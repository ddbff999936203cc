"""Resizing along one dimension with a filter that widens as the result shrinks, so that no pixel is passed over."""

import numpy as np

from ...base import dtypes
from ...tensor.api.creation import from_array


def _triangle(x):
    return np.maximum(1 - np.abs(x), 0)


def _keys(x, a=-0.5):
    """Keys' cubic convolution; a = -1/2 makes it exact for parabolas (Keys 1981)."""
    x = np.abs(x)
    near, far = ((a + 2) * x - (a + 3)) * x * x + 1, (((x - 5) * x + 8) * x - 4) * a
    return np.where(x < 1, near, np.where(x < 2, far, 0.0))


def _lanczos(x):
    """A sinc in a window of three lobes of another (Duchon 1979)."""
    return np.where(np.abs(x) < 3, np.sinc(x) * np.sinc(x / 3), 0.0)


#: mode -> (filter, how far it reaches on either side)
FILTERS = {"bilinear": (_triangle, 1), "bicubic": (_keys, 2), "lanczos": (_lanczos, 3)}


def matrix(old, new, scale, mode, align):
    """The weights (new, old) with which the old pixels enter the new ones; each row adds up to 1."""
    kernel, reach = FILTERS[mode]
    step = ((old - 1) / (new - 1) if new > 1 else 0.0) if align else (1 / scale if scale else old / new)
    width = max(step, 1.0)
    centres = step * (np.arange(new)[:, None] + 0.5)
    first = np.maximum(np.trunc(centres - reach * width + 0.5), 0)
    last = np.minimum(np.trunc(centres + reach * width + 0.5), old)
    at = np.arange(old)
    weights = kernel((at - centres + 0.5) / width) * ((at >= first) & (at < last))
    total = weights.sum(1, keepdims=True)
    return weights / np.where(total == 0, 1, total)


def antialiased(x, d, new, scale, mode, align):
    """Resize x along dimension d, one of the last two."""
    wide = dtypes.float64 if x.dtype is dtypes.float64 else dtypes.float32
    weights = from_array(matrix(x.shape[d], new, scale, mode, align).astype(wide.numpy), wide, x.device).to(x.dtype)
    return x @ weights.mT if d == x.ndim - 1 else weights @ x
