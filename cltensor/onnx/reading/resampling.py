"""Resampling along one dimension: which elements make each result, and with which weights."""

import numpy as np

from .public import ct

_MOST = 1 << 24  # taps of one dimension


class Axis:
    """One dimension of `size` elements that becomes `new` long.  scale: how much longer; roi: the part of it, from 0 to 1."""

    def __init__(self, size, new, scale, roi, transformation):
        self.size, self.new, self.scale, self.roi, self.transformation = int(size), int(new), float(scale), roi, transformation
        self.same = self.size == self.new and transformation != "tf_crop_and_resize" and scale == 1

    def places(self):
        """Where each result lies in the input, between its elements."""
        x, scale, size = np.arange(self.new, dtype=np.float64), self.scale, self.size
        new, whole = self.new, self.scale * self.size
        start, end = self.roi
        kind = self.transformation
        if kind == "half_pixel":
            return (x + 0.5) / scale - 0.5
        if kind == "half_pixel_symmetric":
            adjusted = new / whole
            return size / 2 * (1 - adjusted) + (x + 0.5) / scale - 0.5
        if kind == "pytorch_half_pixel":
            return (x + 0.5) / scale - 0.5 if new > 1 else np.zeros_like(x)
        if kind == "tf_half_pixel_for_nn":
            return (x + 0.5) / scale
        if kind == "align_corners":
            return x * (size - 1) / (whole - 1) if whole != 1 and new > 1 else np.zeros_like(x)
        if kind == "asymmetric":
            return x / scale
        if kind == "tf_crop_and_resize":
            if new > 1:
                return start * (size - 1) + x * (end - start) * (size - 1) / (new - 1)
            return np.full_like(x, 0.5 * (start + end) * (size - 1))
        raise ValueError(f"there is no coordinate transformation {kind!r}")

    def beyond(self):
        """Which results lie outside the input."""
        places = self.places()
        return (places < 0) | (places > self.size - 1)

    def taps(self, mode, nearest, cubic, exclude, antialias):
        """(indices, weights), each of (results, taps)."""
        places = self.places()
        if mode == "nearest":
            return _nearest(places, nearest, self.size)[:, None], None
        stretch = max(1 / self.scale, 1.0) if antialias else 1.0
        reach = {"linear": 1, "cubic": 2}.get(mode)
        if reach is None:
            raise ValueError(f"there is no mode {mode!r} of resizing")
        first = np.floor(places - reach * stretch).astype(int) + 1
        count = int(np.ceil(2 * reach * stretch)) + (1 if antialias else 0)
        if count * self.new > _MOST:
            raise ValueError(f"a scale of {self.scale} would take {count} elements for each of {self.new}")
        indices = first[:, None] + np.arange(count)
        away = np.abs(indices - places[:, None]) / stretch
        weights = np.clip(1 - away, 0, None) if mode == "linear" else _cubic(away, cubic)
        if antialias and mode == "cubic":
            weights[away >= 2] = 0
        if exclude or antialias:
            weights = np.where((indices < 0) | (indices >= self.size), 0, weights) if exclude else weights
            weights = weights / weights.sum(1, keepdims=True)
        return np.clip(indices, 0, self.size - 1), weights


def resampled(x, axis, indices, weights):
    """x with the results along an axis; weights None: each is one element."""
    new, count = indices.shape
    taken = ct.index_select(x, axis, ct.tensor(indices.T.reshape(-1).tolist(), device=x.device))
    if weights is None:
        return taken
    taken = taken.reshape([*x.shape[:axis], count, new, *x.shape[axis + 1 :]])
    shape = [1] * axis + [count, new] + [1] * (x.ndim - axis - 1)
    return ct.sum(taken * ct.tensor(weights.T.tolist(), dtype=x.dtype, device=x.device).reshape(shape), axis)


def _nearest(places, mode, size):
    places = places.round(10)  # a half, and not what rounding made of it
    found = {"round_prefer_floor": lambda p: np.ceil(p - 0.5), "round_prefer_ceil": lambda p: np.floor(p + 0.5), "floor": np.floor,
             "ceil": np.ceil}.get(mode)
    if found is None:
        raise ValueError(f"there is no nearest_mode {mode!r}")
    return np.clip(found(places).astype(int), 0, size - 1)


def _cubic(away, a):
    """Keys's kernel of cubic convolution."""
    near = (a + 2) * away**3 - (a + 3) * away**2 + 1
    far = a * away**3 - 5 * a * away**2 + 8 * a * away - 4 * a
    return np.where(away <= 1, near, np.where(away < 2, far, 0.0))
