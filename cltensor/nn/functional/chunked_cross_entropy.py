"""Cross entropy of a linear layer's output in chunks of rows, whose logits are computed again for the gradient and never kept."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ...autograd.recompute import Stretch
from ...base import dtypes
from ...base.context import context
from ...base.dtypes import dtype
from ...base.errors import ArgumentError
from ...tensor.shape.joining import cat
from .cross_entropy import cross_entropy
from .linear import linear

_METHOD = re.compile(r"aspect_ratio:\d+(\.\d+)?")
_POLICIES = ("accurate", "balanced", "compact", "auto")
_ACCUMULATORS = (None, dtypes.float16, dtypes.bfloat16, dtypes.float32, dtypes.float64)


@dataclass(frozen=True, slots=True)
class LinearCrossEntropyOptions:
    """How linear_cross_entropy splits its rows, so that the logits (N, C) never exist as a whole.

    batch_chunk_size: rows a chunk.  chunking_method: "aspect_ratio:r" gives chunks of in_features / r rows, "auto" is r = 1, and
    None leaves batch_chunk_size, or one chunk.  The rest is accepted: sums are kept in float32 or wider whatever acc_policy and
    acc_dtype say, and backward can run again with retain_graph in any case.

    Raises ArgumentError for a value that makes no sense.  Source: the chunks are those of PyTorch 2.13's interface.

        >>> from cltensor import nn
        >>> nn.LinearCrossEntropyOptions(batch_chunk_size=64).batch_chunk_size
        64
    """

    allow_retain_graph: bool = False
    batch_chunk_size: int | None = None
    chunking_method: str | None = "auto"
    acc_policy: str = "auto"
    acc_dtype: dtype | None = None

    def __post_init__(self):
        rows = self.batch_chunk_size
        if rows is not None and (isinstance(rows, bool) or not isinstance(rows, int) or rows < 1):
            raise ArgumentError(f"batch_chunk_size must be positive int or None, got {rows!r}")
        method = self.chunking_method
        if method not in (None, "auto") and not (isinstance(method, str) and _METHOD.fullmatch(method)):
            raise ArgumentError(f"invalid chunking_method: {method!r}; use None, 'auto' or 'aspect_ratio:2'")
        if self.acc_policy not in _POLICIES:
            raise ArgumentError(f"invalid acc_policy: {self.acc_policy!r}; use one of {', '.join(_POLICIES)}")
        if self.acc_dtype not in _ACCUMULATORS:
            raise ArgumentError(f"acc_dtype must be one of None, float16, bfloat16, float32, float64, got {self.acc_dtype}. Pass "
                                "acc_dtype=None to let the op pick automatically.")

    def rows(self, batch, features):
        """Rows a chunk, of `batch` rows with `features` numbers each."""
        if self.batch_chunk_size is not None:
            return self.batch_chunk_size
        if self.chunking_method is None:
            return batch
        ratio = float(self.chunking_method.partition(":")[2] or 1)
        return max(1, int(features / ratio)) if ratio else batch


def can_chunk(input, linear_weight, target, reduction, label_smoothing):
    """Whether the rows can be computed apart: rows of input, one class number each, no smoothing."""
    return (input.ndim == 2 and linear_weight.ndim == 2 and target.dtype is dtypes.int64 and target.ndim == 1
            and reduction in ("mean", "sum", "none") and not label_smoothing)


def chunked(input, linear_weight, target, bias, weight, reduction, ignore_index, rows):
    """The reduced losses of rows of input (N, in_features) against target (N,), `rows` at a time."""
    inner = "none" if reduction == "none" else "sum"
    parts = [_losses(x, linear_weight, t, bias, weight, inner, ignore_index)
             for x, t in zip(input.split(rows), target.split(rows), strict=True)]
    if reduction == "none":
        return cat(parts)
    total = sum(parts[1:], parts[0])
    return total if reduction == "sum" else total / _counted(target, weight, ignore_index, input.dtype)


def _losses(x, linear_weight, target, bias, weight, reduction, ignore_index):
    def run():
        return cross_entropy(linear(x, linear_weight, bias), target, weight, ignore_index=ignore_index, reduction=reduction)

    return Stretch(run, True).forward() if context.grad else run()


def _counted(target, weight, ignore_index, dtype):
    """What "mean" divides by: the weights of the rows that are not ignored."""
    kept = target != ignore_index
    if weight is None:
        return kept.sum().to(dtype)
    return weight.index_select(0, target.where(kept, 0)).where(kept, 0.0).sum()
