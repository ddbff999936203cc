"""Embeddings: points of many dimensions, drawn in two."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...base.errors import ArgumentError, ShapeError
from ...base.extras import extra
from ...tensor.api.creation import from_numpy
from ...tensor.linalg.linalg import svd
from ..host_arrays import array_of
from .axes import axes

_LEGEND = 20  # classes that are named
_FEW = 200  # points for which neighbours are found by looking at all pairs


def embeddings(points: Any, labels: Any = None, *, method: str = "pca", classes: Sequence[Any] | None = None, seed: int = 0,
               perplexity: float = 30.0, ax: Any = None) -> Any:
    """Draw points of many dimensions in two: along their principal components, or with their neighbours kept near.

    Args: points, a tensor (n, features) of any floating dtype; labels, integers (n,), for colours, with classes for their names;
        method, "pca", by this library's singular values, or "tsne", by scikit-learn, with its seed and perplexity, which is lowered
        for few points; ax, an Axes.
    Returns the Axes.  Numerics: components are centred, and signed such that the largest weight of each is positive.
    Raises ShapeError for points that are no matrix of at least two rows and columns, and labels in another number, ArgumentError
    for another method, MissingPackageError without Matplotlib, and without scikit-learn for "tsne".
    Source: Pearson 1901; van der Maaten and Hinton 2008.

        >>> ax = ct.utils.plot.embeddings(ct.randn(20, 5), ct.arange(20) % 2)
        >>> len(ax.collections)
        2
    """
    values = array_of(points, "embeddings").astype(np.float64)
    if values.ndim != 2 or min(values.shape) < 2:
        raise ShapeError(f"embeddings: expected points (n, features), at least two of each, got shape {list(values.shape)}")
    if not np.isfinite(values).all():
        raise ArgumentError("embeddings: some points hold NaN or infinity, which have no place; leave those out")
    kinds = None if labels is None else array_of(labels, "embeddings")
    if kinds is not None and kinds.shape != values.shape[:1]:
        raise ShapeError(f"embeddings: expected a label for each of the {len(values)} points, got shape {list(kinds.shape)}")
    if method not in ("pca", "tsne"):
        raise ArgumentError(f"embeddings: method must be 'pca' or 'tsne', got {method!r}")
    found, shares = _components(values) if method == "pca" else (_neighbours(values, seed, perplexity), None)
    ax = axes(ax, "embeddings")
    for i, kind in enumerate([None] if kinds is None else np.unique(kinds)):
        chosen = found if kind is None else found[kinds == kind]
        name = None if kind is None else str(kind if classes is None else classes[int(kind)])
        ax.scatter(*chosen.T, s=12, alpha=0.75, label=name, color=None if kind is None else _colour(i, len(np.unique(kinds))))
    if kinds is not None and len(np.unique(kinds)) <= _LEGEND:
        ax.legend(fontsize=8, markerscale=1.5)
    names = [f"{method} {i + 1}" + ("" if shares is None else f" ({100 * shares[i]:.0f} %)") for i in range(2)]
    ax.set(xlabel=names[0], ylabel=names[1])
    return ax


def _components(values):
    """(the first two principal components of the points, their shares of the variance)."""
    centred = values - values.mean(axis=0)
    scale = np.abs(centred).max() or 1.0  # in float32 where a device has no double
    _, sizes, vh = svd(from_numpy((centred / scale).astype(np.float32)), full_matrices=False)
    axes_, sizes = vh.numpy().astype(np.float64)[:2], sizes.numpy().astype(np.float64)
    axes_ *= np.sign(axes_[np.arange(2), np.abs(axes_).argmax(axis=1)])[:, None]
    return centred @ axes_.T, sizes[:2] ** 2 / max((sizes**2).sum(), 1e-30)


def _neighbours(values, seed, perplexity):
    manifold = extra("sklearn.manifold", "see", "embeddings")
    few = min(perplexity, max(1.0, (len(values) - 1) / 3))
    method = "exact" if len(values) <= _FEW else "barnes_hut"
    return manifold.TSNE(2, perplexity=few, init="pca", random_state=seed, method=method).fit_transform(values)


def _colour(i, count):
    maps = extra("matplotlib", "see", "embeddings").colormaps
    return maps["tab10"](i) if count <= 10 else maps["hsv"](i / count)
