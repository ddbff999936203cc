"""Curves: losses and metrics over steps or epochs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ...base.errors import ArgumentError, ShapeError
from ..host_arrays import array_of
from .axes import axes

_ASIDE = ("lr", "seconds")  # what a History also holds, on scales of their own


def curves(values: Any, *, steps: Any = None, smoothing: float = 0.0, log: bool = False, ax: Any = None, title: str = "",
           xlabel: str = "step", ylabel: str = "") -> Any:
    """Draw curves of losses or metrics: numbers over steps, smoothed ones in front of what they were made of.

    Args: values, a sequence or 1-d tensor of any dtype, a dict of them by name, or the History that train.fit returns, without lr
        and seconds; steps, where the values stand, 0, 1, 2 and so on by default; smoothing, from 0 to below 1, the weight of what
        came before in an exponential mean; log, a logarithmic scale for the values; ax, an Axes.
    Returns the Axes.  NaN and None leave a gap.
    Raises ArgumentError for another smoothing and for nothing to draw, ShapeError for what has not one dimension, and where steps
    differ in number; MissingPackageError without Matplotlib.
    Source: the mean is that of Adam's moments, Kingma and Ba 2015, with their correction of its start.

        >>> ax = ct.utils.plot.curves({"train": [2.0, 1.0, 0.5], "val": [2.1, 1.3, 0.9]}, smoothing=0.6)
        >>> len(ax.lines)
        4
    """
    if not 0 <= smoothing < 1:
        raise ArgumentError(f"curves: smoothing must be at least 0 and below 1, got {smoothing}")
    named = values if isinstance(values, Mapping) else {"": values}
    if hasattr(values, "epochs"):  # a History
        named = {name: found for name, found in named.items() if name not in _ASIDE}
    if not named:
        raise ArgumentError("curves: there is nothing to draw; give at least one curve")
    drawn = {name: (*_points(name, v, steps),) for name, v in named.items()}
    ax = axes(ax, "curves")
    for name, (x, y) in drawn.items():
        line, = ax.plot(x, smoothed(y, smoothing), label=str(name) if name else None, marker="." if len(y) == 1 else "")
        if smoothing:
            ax.plot(x, y, color=line.get_color(), alpha=0.25, zorder=1)
    if log:
        ax.set_yscale("log")
    if any(named):
        ax.legend()
    ax.set(title=title, xlabel=xlabel, ylabel=ylabel)
    ax.grid(alpha=0.25)
    return ax


def _points(name, values, steps):
    if isinstance(values, list):
        values = [np.nan if v is None else v for v in values]
    y = array_of(values, "curves").astype(np.float64)
    if y.ndim != 1:
        raise ShapeError(f"curves: expected numbers in a row{f' for {name!r}' if name else ''}, got shape {list(y.shape)}")
    x = np.arange(len(y)) if steps is None else array_of(steps, "curves")
    if len(x) != len(y):
        raise ShapeError(f"curves: expected a step for each of the {len(y)} values, got {len(x)}")
    return x, y


def smoothed(values, weight):
    """The exponential mean of what came before each value, itself included; NaN is passed over."""
    mean, total, found = 0.0, 0.0, []
    for value in values:
        if not np.isnan(value):
            mean, total = weight * mean + (1 - weight) * value, weight * total + (1 - weight)
        found.append(mean / total if not np.isnan(value) else np.nan)
    return np.array(found)
