"""Axes to draw into."""

from ...base.extras import extra


def axes(ax, call, size=None):
    """ax, or the Axes of a new figure of this size in inches.  Raises MissingPackageError without Matplotlib."""
    if ax is not None:
        return ax
    return extra("matplotlib.pyplot", "see", call).subplots(figsize=size, layout="constrained")[1]
