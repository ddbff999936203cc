"""Pictures and volumes of other sizes: each dimension is resized on its own."""

import numpy as np

from ...base import dtypes
from ...ops.kinds.composite import composite
from ...ops.kinds.precision import in_float32
from ...ops.nn import onnx_rules
from ..api.creation import from_array


def _reference(x, *, sizes, scales, mode, align):
    """NumPy: along each dimension np.interp between pixels, or the pixel at a place rounded down."""
    for d, (new, scale) in enumerate(zip(sizes, scales, strict=True), 2):
        old = x.shape[d]
        places = np.arange(new) / (scale or new / old)
        if mode == "nearest":
            x = x.take(np.minimum(places.astype(int), old - 1), d)
        else:
            places = np.linspace(0, old - 1, new) if align else places + 0.5 / (scale or new / old) - 0.5
            x = np.apply_along_axis(lambda line, at=places, n=old: np.interp(at, range(n), line), d, x)
    return x


def _samples(rng):
    ways = ((None, None), "nearest", False), ((2.0, 0.75), "bilinear", False), ((None, None), "bilinear", True)
    return [((rng.standard_normal((2, 1, 3, 4)),), {"sizes": (6, 3), "scales": scales, "mode": mode, "align": align})
            for scales, mode, align in ways]


@composite("resized", public=False, dtypes="floating", ref=_reference, onnx=onnx_rules.resized, samples=_samples)
@in_float32
def resized(x, *, sizes, scales, mode, align):
    """x (N, C, *spatial) with other spatial sizes, see `interpolate`."""
    return by_dimension(along, x, sizes, scales, mode, align)


def by_dimension(way, x, sizes, scales, mode, align):
    """Resize x along each spatial dimension in turn.  way: `along`, or a function like it."""
    for i, (new, scale) in enumerate(zip(sizes, scales, strict=True)):
        x = way(x, 2 + i, new, scale, mode, align)
    return x


def along(x, d, new, scale, mode, align):
    """Resize x along one dimension; resizing is separable."""
    old = x.shape[d]
    if mode == "nearest":
        at = np.minimum(np.floor(np.arange(new, dtype=np.float32) * _ratio(old, new, scale)), old - 1)
        return x.index_select(d, _index(at, x))
    if mode == "nearest-exact":
        at = np.minimum(np.floor((np.arange(new, dtype=np.float32) + np.float32(0.5)) * _ratio(old, new, scale)), old - 1)
        return x.index_select(d, _index(at, x))
    if align:
        position = np.arange(new) * ((old - 1) / (new - 1) if new > 1 else 0.0)
    else:
        position = (np.arange(new) + 0.5) * (1 / scale if scale else old / new) - 0.5
        position = np.maximum(position, 0) if mode != "bicubic" else position
    low = np.floor(position)
    t = position - low
    if mode == "bicubic":
        parts = [(low + k, weight) for k, weight in zip((-1, 0, 1, 2), cubic(t), strict=True)]
    else:
        parts = [(low, 1 - t), (low + 1, t)]
    out = None
    for at, weight in parts:
        picked = x.index_select(d, _index(np.clip(at, 0, old - 1), x)) * _weights(weight, x, d)
        out = picked if out is None else out + picked
    return out


def _ratio(old, new, scale):
    """Old pixels for each new one, in the precision that places are computed in."""
    return np.float32(1 / scale) if scale else np.float32(old) / np.float32(new)


def cubic(t, a=-0.75):
    """Weights of the four neighbours in Keys' cubic convolution (Keys 1981)."""

    def near(s):
        return ((a + 2) * s - (a + 3)) * s * s + 1

    def far(s):
        return ((a * s - 5 * a) * s + 8 * a) * s - 4 * a

    return far(t + 1), near(t), near(1 - t), far(2 - t)


def _index(at, x):
    return from_array(np.asarray(at).astype(np.int64), dtypes.int64, x.device)


def _weights(w, x, d):
    wide = dtypes.float64 if x.dtype is dtypes.float64 else dtypes.float32
    return from_array(w.astype(wide.numpy), wide, x.device).to(x.dtype).reshape([-1 if i == d else 1 for i in range(x.ndim)])
