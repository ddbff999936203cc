"""Pictures beside each other, and the filters of convolutions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ...base.errors import ArgumentError, ShapeError
from ...nn.modules.module import Module
from ..host_arrays import array_of
from .axes import axes

_GAP, _TITLE = 0.09, 0.16  # between pictures, and for a title, in heights of a picture


def images(pictures: Any, *, titles: Sequence[Any] | None = None, columns: int | None = None, normalize: bool = False,
           channels_last: bool = False, cmap: str = "gray", ax: Any = None) -> Any:
    """Draw pictures beside each other, each with its title.

    Args: pictures, a tensor (n, channels, height, width) with 1, 3 or 4 channels, (n, height, width), (channels, height, width) of
        one picture with 3 or 4 channels, (height, width), or a list of pictures of one size; uint8, or floats from 0 to 1, clipped;
        titles, one for each; columns, about a square by default; normalize stretches each picture from its least to its greatest
        value; channels_last for (n, height, width, channels); cmap, colours for one channel; ax, an Axes.
    Returns the Axes.  Raises ShapeError for other shapes, ArgumentError for titles in another number, MissingPackageError without
    Matplotlib.  Source: none, it is a grid.

        >>> ax = ct.utils.plot.images(ct.rand(6, 1, 8, 8), titles=range(6))
        >>> len(ax.images)
        6
    """
    batch = _batch(pictures, channels_last)
    batch = _stretched(batch) if normalize else _unit(batch)
    return _grid(batch, "images", titles, columns, cmap, ax, (0, 1))


def _batch(pictures, channels_last):
    """An array (n, height, width, channels)."""
    values = array_of(pictures, "images")
    shape = values.shape
    if values.ndim == 2:
        values = values[None, ..., None]
    elif values.ndim == 3:
        last, first = channels_last and shape[-1] in (3, 4), not channels_last and shape[0] in (3, 4)
        values = values[None] if last else values.transpose(1, 2, 0)[None] if first else values[..., None]
    elif values.ndim == 4 and not channels_last:
        values = values.transpose(0, 2, 3, 1)
    if values.ndim != 4 or values.shape[-1] not in (1, 3, 4) or not values.size:
        raise ShapeError(f"images: expected (n, 1, 3 or 4 channels, height, width), got shape {list(shape)}; channels_last says "
                         "that channels come last")
    return values


def _unit(values):
    return values / 255.0 if values.dtype == np.uint8 else np.clip(values.astype(np.float64), 0, 1)


def _stretched(values):
    values = values.astype(np.float64)
    low, high = values.min(axis=(1, 2, 3), keepdims=True), values.max(axis=(1, 2, 3), keepdims=True)
    return (values - low) / np.maximum(high - low, 1e-12)


def _grid(batch, call, titles, columns, cmap, ax, limits):
    n, height, width = batch.shape[:3]
    titles = None if titles is None else [str(t) for t in titles]
    if titles is not None and len(titles) != n:
        raise ArgumentError(f"{call}: expected a title for each of the {n} pictures, got {len(titles)}")
    columns = min(n, columns or math.ceil(math.sqrt(n)))
    rows = -(-n // columns)
    across, down = width + _GAP * height, height * (1 + _GAP + (_TITLE if titles else 0))
    ax = axes(ax, call, _size(columns * across, rows * down))
    for i, picture in enumerate(batch):
        left, bottom = i % columns * across, -(i // columns) * down
        ax.imshow(picture[..., 0] if picture.shape[-1] == 1 else picture, cmap=cmap, vmin=limits[0], vmax=limits[1],
                  extent=(left, left + width, bottom - height, bottom), interpolation="nearest")
        if titles:
            ax.text(left + width / 2, bottom + 0.02 * height, titles[i], ha="center", va="bottom", fontsize=8)
    ax.set(xlim=(0, columns * across - _GAP * height), ylim=(-(rows - 1) * down - height, _TITLE * height if titles else 0))
    ax.set_axis_off()
    return ax


def _size(width, height):
    """A size in inches of these proportions."""
    scale = 7 / max(width, height)
    return max(width * scale, 1.5), max(height * scale, 1.0)


def filters(layer: Module | Any, *, most: int = 64, columns: int | None = None, cmap: str = "RdBu_r", ax: Any = None) -> Any:
    """Draw the filters of a convolution: with 3 input channels in colour, others channel by channel, red above zero and blue below.

    Args: layer, a Conv1d, Conv2d or other module with a weight, or a weight (out, in, height, width) or (out, in, width) of any
        floating dtype; most, how many are drawn; columns, a row for each filter by default; ax, an Axes.
    Returns the Axes.  Raises ShapeError for a weight of another shape, ArgumentError for a module without weight,
    MissingPackageError without Matplotlib.  Source: first-layer filters as in Krizhevsky et al. 2012.

        >>> len(ct.utils.plot.filters(ct.nn.Conv2d(3, 8, 5)).images)
        8
    """
    weight = getattr(layer, "weight", None) if isinstance(layer, Module) else layer
    if weight is None:
        raise ArgumentError(f"filters: {type(layer).__name__} has no weight; give a convolution, such as model.conv1")
    values = array_of(weight, "filters").astype(np.float64)
    if values.ndim not in (3, 4) or not values.size:
        raise ShapeError(f"filters: expected a weight (out, in, height, width), got shape {list(values.shape)}")
    values = values[:, :, None] if values.ndim == 3 else values
    if values.shape[1] == 3:
        return _grid(_stretched(values.transpose(0, 2, 3, 1))[:most], "filters", None, columns, cmap, ax, (0, 1))
    inside = values.shape[1]
    columns = columns or (inside if 1 < inside <= most else None)
    shown = values.reshape(-1, *values.shape[2:], 1)[:most]
    limit = max(np.abs(shown).max(), 1e-12)
    return _grid(shown, "filters", None, columns, cmap, ax, (-limit, limit))
