"""Gradient flow: how large the gradients of each layer are."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...base.errors import ArgumentError
from ...nn.modules.module import Module
from ...tensor.shape.joining import stack
from .axes import axes


def gradient_flow(model: Module, *, biases: bool = False, ax: Any = None) -> Any:
    """Draw the mean and the greatest absolute gradient of each parameter, in the order of the layers; call it after backward.

    Vanishing gradients show as bars that fall from the output to the input, exploding ones as bars that grow.

    Args: model, a Module whose parameters, of any shape and floating dtype, have gradients; biases draws vectors and scalars as
        well; ax, an Axes.
    Returns the Axes.  NaN and infinite gradients are named in the title.
    Raises ArgumentError where no parameter has a gradient, MissingPackageError without Matplotlib.
    Source: the observation is Glorot and Bengio's, 2010.

        >>> layer = ct.nn.Linear(2, 2)
        >>> layer(ct.ones(1, 2)).sum().backward()
        >>> len(ct.utils.plot.gradient_flow(layer, biases=True).patches)
        4
    """
    found = [(name, p.grad.detach()) for name, p in model.named_parameters() if p.grad is not None and p.numel()]
    found = [(name, g) for name, g in found if biases or g.ndim > 1] or found
    if not found:
        raise ArgumentError("gradient_flow: no parameter has a gradient; call loss.backward() first, and this before zero_grad()")
    sizes = [g.abs().float() for _, g in found]
    means, peaks = stack([stack([s.mean(), s.amax()]) for s in sizes]).numpy().astype(np.float64).T
    names = [name.removesuffix(".weight") for name, _ in found]
    ax = axes(ax, "gradient_flow", (max(5.0, 0.22 * len(names) + 2), 4.2))
    at = np.arange(len(names))
    ax.bar(at, np.where(np.isfinite(peaks), peaks, 0), color="#9ec5e8", label="greatest")
    ax.bar(at, np.where(np.isfinite(means), means, 0), color="#1f5f99", label="mean")
    if (peaks[np.isfinite(peaks)] > 0).any():
        ax.set_yscale("log")
    broken = [n for n, peak in zip(names, peaks, strict=True) if not np.isfinite(peak)]
    ax.set(ylabel="absolute gradient", title=f"not finite: {', '.join(broken)}" if broken else "")
    ax.set_xticks(at, names, rotation=90, fontsize=8)
    ax.legend()
    return ax
