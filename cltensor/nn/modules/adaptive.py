"""Adaptive softmax: frequent classes in a short list, the rest in clusters with fewer features the rarer they are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ...base import dtypes
from ...base.dtypes import dtype
from ...base.errors import ArgumentError, ShapeError
from ...runtime.device import device
from ...tensor.api.creation import from_array
from ...tensor.core.tensor import Tensor
from ...tensor.math.softmax import log_softmax
from ...tensor.shape.joining import cat
from .container import ModuleList, Sequential
from .linear import Linear
from .module import Module

__all__ = ["AdaptiveLogSoftmaxWithLoss"]


class _ASMoutput(NamedTuple):
    """The log-probability of each target, and minus their mean."""

    output: Tensor
    loss: Tensor


class AdaptiveLogSoftmaxWithLoss(Module):
    """The log-probabilities of int64 targets (N,) or () among n_classes, for input (N, in_features) or (in_features,).

    cutoffs: where the clusters begin, increasing; classes below the first have their own output in `head`, which also has one for
    each cluster.  The i-th cluster's classes see in_features / div_value ** i features.  Classes are to be numbered by frequency.
    Only clusters that a target lies in are computed; finding them waits for the targets.

    Returns a named tuple: output (N,) or (), the log-probabilities, and loss (), minus their mean.
    Raises ArgumentError for other cutoffs, ShapeError for sizes that do not fit or targets out of range.
    Source: Grave, Joulin, Cisse, Grangier, Jegou, Efficient softmax approximation for GPUs, 2017.

        >>> from cltensor import nn, randn, tensor
        >>> softmax = nn.AdaptiveLogSoftmaxWithLoss(16, 20, cutoffs=[5, 10])
        >>> softmax(randn(3, 16), tensor([1, 7, 19])).output.shape
        cltensor.Size([3])
    """

    def __init__(self, in_features: int, n_classes: int, cutoffs: Sequence[int], div_value: float = 4.0, head_bias: bool = False,
                 device: device | str | int | None = None, dtype: dtype | None = None):
        super().__init__()
        cutoffs = list(cutoffs)
        if not cutoffs:
            raise ArgumentError("cutoffs should be a sequence of length larger than 0")
        if (any(int(c) != c for c in cutoffs) or cutoffs != sorted(set(cutoffs)) or cutoffs[0] <= 0 or cutoffs[-1] > n_classes - 1):
            raise ArgumentError("cutoffs should be a sequence of unique, positive integers sorted in an increasing order, where "
                                f"each value is between 1 and n_classes-1, got {cutoffs} for {n_classes} classes")
        kind = {"device": device, "dtype": dtype}
        self.in_features, self.n_classes, self.div_value, self.head_bias = in_features, n_classes, div_value, head_bias
        self.cutoffs = [*cutoffs, n_classes]
        self.shortlist_size, self.n_clusters = cutoffs[0], len(cutoffs)
        self.head_size = self.shortlist_size + self.n_clusters
        self.head = Linear(in_features, self.head_size, bias=head_bias, **kind)
        self.tail = ModuleList()
        for i in range(self.n_clusters):
            hidden = int(in_features // div_value ** (i + 1))
            size = self.cutoffs[i + 1] - self.cutoffs[i]
            self.tail.append(Sequential(Linear(in_features, hidden, bias=False, **kind), Linear(hidden, size, bias=False, **kind)))

    def reset_parameters(self):
        """Give all layers new random values."""
        self.head.reset_parameters()
        for first, second in self.tail:
            first.reset_parameters()
            second.reset_parameters()

    def forward(self, input_: Tensor, target_: Tensor):
        self._check(input_, target_)
        if target_.ndim == 0:
            output = self._likelihood(input_.unsqueeze(0), target_.unsqueeze(0)).squeeze(0)
        else:
            output = self._likelihood(input_, target_)
        return _ASMoutput(output, -output.mean())

    def _check(self, input, target):
        if target.ndim > 1:
            raise ShapeError("0D or 1D target tensor expected, multi-target not supported")
        if target.ndim == 1 and input.shape[0] != target.shape[0]:
            raise ShapeError(f"Input and target should have the same size in the batch dimension, got {list(input.shape)} and "
                             f"{list(target.shape)}")
        if input.ndim != target.ndim + 1:
            raise ShapeError(f"{target.ndim}D target tensor expects {target.ndim + 1}D input tensors, but found inputs with size "
                             f"{list(input.shape)}")

    def _likelihood(self, input, target):
        """The log-probability (N,) of each row's class."""
        numbers = target.numpy()
        if numbers.size and (numbers.min() < 0 or numbers.max() >= self.n_classes):
            raise ShapeError(f"Target values should be in [0, {self.n_classes - 1}], but values in range [{numbers.min()}, "
                             f"{numbers.max()}] were found.")
        cluster = np.searchsorted(self.cutoffs[:-1], numbers, side="right")  # 0 is the short list
        places = np.where(cluster == 0, numbers, self.shortlist_size + cluster - 1)
        output = _looked_up(log_softmax(self.head(input), 1), places)
        for i, layers in enumerate(self.tail):
            rows = np.flatnonzero(cluster == i + 1)
            if rows.size:
                at = _indices(rows, input)
                inside = _looked_up(log_softmax(layers(input.index_select(0, at)), 1), numbers[rows] - self.cutoffs[i])
                output = output.index_add(0, at, inside)
        return output

    def log_prob(self, input: Tensor):
        """The log-probabilities (N, n_classes) of all classes for input (N, in_features)."""
        head = log_softmax(self.head(input), 1)
        short = self.shortlist_size
        clusters = [log_softmax(layers(input), 1) + head.narrow(1, short + i, 1) for i, layers in enumerate(self.tail)]
        return cat([head.narrow(1, 0, short), *clusters], 1)

    def predict(self, input: Tensor):
        """The class number (N,) of the largest probability for input (N, in_features)."""
        return self.log_prob(input).argmax(1)


def _indices(values, like):
    return from_array(np.asarray(values, np.int64), dtypes.int64, like.device)


def _looked_up(x, columns):
    """One element of each row of x (N, C), at columns (N,)."""
    return x.gather(1, _indices(columns, x).unsqueeze(1)).squeeze(1)


def __dir__():
    return sorted(__all__)
