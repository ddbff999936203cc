"""Matrices of numbers: which class was taken for which, and what attends to what."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ...base.errors import ArgumentError, ShapeError
from ...base.extras import extra
from ..host_arrays import array_of
from .axes import axes

_MOST = 20  # classes whose counts are written


def confusion_matrix(target: Any, prediction: Any, *, classes: Sequence[Any] | int | None = None, normalize: str | None = None,
                     cmap: str = "Blues", ax: Any = None) -> Any:
    """Draw how often each class was predicted for each class: a row for each true one, the counts written in.

    Args: target, integers (n,) of any dtype; prediction, integers (n,), or scores (n, classes) of which the greatest counts;
        classes, their names or their number, by default as many as occur; normalize, "true", "pred" or "all": shares of the row,
        the column, or of everything; cmap, colours; ax, an Axes.
    Returns the Axes, with the matrix as an array (classes, classes) in ax.images[0].
    Raises ShapeError where the numbers differ, ArgumentError for a class outside and for another normalize, MissingPackageError
    without Matplotlib.  Source: Kohavi and Provost 1998; arguments as in scikit-learn.

        >>> ax = ct.utils.plot.confusion_matrix(ct.tensor([0, 1, 1]), ct.tensor([0, 1, 0]))
        >>> ax.images[0].get_array().tolist()
        [[1.0, 0.0], [1.0, 1.0]]
    """
    if normalize not in (None, "true", "pred", "all"):
        raise ArgumentError(f"confusion_matrix: normalize must be 'true', 'pred', 'all' or None, got {normalize!r}")
    counts, names = _counts(target, prediction, classes)
    shown = _shares(counts, normalize)
    n = len(counts)
    ax = axes(ax, "confusion_matrix", (max(4.0, 0.45 * n + 2), max(3.5, 0.42 * n + 1.5)))
    image = ax.imshow(shown, cmap=cmap, vmin=0)
    ax.figure.colorbar(image, ax=ax)
    if n <= _MOST:
        for i, j in np.ndindex(n, n):
            text = f"{counts[i, j]:.0f}" if normalize is None else f"{shown[i, j]:.2f}"
            dark = shown[i, j] > shown.max() / 2
            ax.text(j, i, text, ha="center", va="center", color="white" if dark else "black", fontsize=8)
    ax.set(xlabel="predicted", ylabel="true")
    _ticks(ax, names, names)
    return ax


def _counts(target, prediction, classes):
    """(matrix of counts, names of the classes)."""
    target, prediction = array_of(target, "confusion_matrix"), array_of(prediction, "confusion_matrix")
    if prediction.ndim == target.ndim + 1:
        prediction = prediction.argmax(axis=1)
    if target.shape != prediction.shape or target.ndim != 1:
        raise ShapeError(f"confusion_matrix: expected a prediction for each target (n,), got {list(target.shape)} and "
                         f"{list(prediction.shape)}")
    seen = np.concatenate([target, prediction]).astype(np.int64)
    names = range(classes) if isinstance(classes, int) else range(int(seen.max(initial=-1)) + 1) if classes is None else classes
    names = [str(c) for c in names]
    outside = seen[(seen < 0) | (seen >= len(names))]
    if len(outside):
        raise ArgumentError(f"confusion_matrix: there is no class {outside[0]} among {len(names)} classes")
    n = len(names)
    return np.bincount(seen[: len(target)] * n + seen[len(target):], minlength=n * n).reshape(n, n).astype(np.float64), names


def _shares(counts, normalize):
    if normalize is None:
        return counts
    axis = {"true": 1, "pred": 0, "all": None}[normalize]
    return counts / np.maximum(counts.sum(axis=axis, keepdims=True), 1)


def attention(weights: Any, *, tokens: Sequence[Any] | None = None, sources: Sequence[Any] | None = None, cmap: str = "viridis",
              ax: Any = None) -> Any:
    """Draw attention weights: a row for each position that attends, a column for each that it attends to; heads beside each other.

    Args: weights, a tensor (targets, sources) of any floating dtype, or (heads, targets, sources); tokens, what stands at the
        targets; sources, what stands at the sources, the same by default if there are as many; cmap, colours; ax, an Axes, for one
        head.
    Returns the Axes, for several heads the Figure.
    Raises ShapeError for other shapes, ArgumentError for tokens in another number and for ax with several heads,
    MissingPackageError without Matplotlib.  Source: as in Bahdanau et al. 2015.

        >>> len(ct.utils.plot.attention(ct.rand(4, 5, 5).softmax(-1)).axes)
        5
    """
    values = array_of(weights, "attention").astype(np.float64)
    if values.ndim not in (2, 3) or not values.size:
        raise ShapeError(f"attention: expected weights (targets, sources) or (heads, targets, sources), got {list(values.shape)}")
    sources = tokens if sources is None and values.shape[-1] == values.shape[-2] else sources
    for name, given, size in (("tokens", tokens, values.shape[-2]), ("sources", sources, values.shape[-1])):
        if given is not None and len(given) != size:
            raise ArgumentError(f"attention: expected {size} {name}, got {len(given)}")
    if values.ndim == 2:
        ax = axes(ax, "attention")
        ax.figure.colorbar(_heat(ax, values, tokens, sources, cmap, values.max()), ax=ax)
        return ax
    if ax is not None:
        raise ArgumentError("attention: ax is for one head; give weights[i], or leave ax out")
    columns = min(len(values), 4)
    rows = -(-len(values) // columns)
    figure, grid = extra("matplotlib.pyplot", "see", "attention").subplots(
        rows, columns, figsize=(3 * columns + 0.8, 3 * rows), squeeze=False, layout="constrained")
    for i, place in enumerate(grid.flat):
        if i < len(values):
            image = _heat(place, values[i], tokens, sources, cmap, values.max())
            place.set_title(f"head {i}", fontsize=9)
        else:
            place.remove()
    figure.colorbar(image, ax=[p for p in grid.flat if p.figure is not None])
    return figure


def _heat(ax, values, tokens, sources, cmap, limit):
    long = max(values.shape) > 3 * min(values.shape)
    image = ax.imshow(values, cmap=cmap, vmin=0, vmax=limit, aspect="auto" if long else "equal")
    _ticks(ax, sources, tokens)
    return image


def _ticks(ax, across, down):
    """Names along both sides, not more than fit."""
    for names, set_ticks, rotation in ((across, ax.set_xticks, 90), (down, ax.set_yticks, 0)):
        if names is not None:
            step = max(1, math.ceil(len(names) / 40))
            short = max((len(str(n)) for n in names), default=0) <= 2
            set_ticks(range(0, len(names), step), [str(n) for n in names][::step], rotation=0 if short else rotation, fontsize=8)
