"""Cross entropy of a linear layer's output."""

from __future__ import annotations

import math
import warnings

from ...base.errors import ArgumentTypeError, ShapeError
from ...tensor.core.tensor import Tensor
from .chunked_cross_entropy import LinearCrossEntropyOptions, can_chunk, chunked
from .cross_entropy import cross_entropy
from .linear import linear


def linear_cross_entropy(input: Tensor, linear_weight: Tensor, target: Tensor, *, linear_bias: Tensor | None = None,
                         weight: Tensor | None = None, reduction: str = "mean", ignore_index: int | None = None,
                         label_smoothing: float = 0.0, options: LinearCrossEntropyOptions | None = None):
    """cross_entropy of linear(input, linear_weight, linear_bias) against target.

    Args: input (N, in_features) or (in_features,); linear_weight (C, *, in_features) and linear_bias (C, *), with a batch in
    input if there are further dimensions; target class numbers (N, *) or (), or probabilities (N, C, *) or (C,); the rest
    as for cross_entropy; ignore_index, -100 by default, is for class numbers only.  options: compute the logits in chunks
    of rows, which takes less memory; for rows (N, in_features) with class numbers, else a warning says that it is ignored.
    Raises ShapeError, ArgumentError, and as cross_entropy.
    """
    _check(input, linear_weight, linear_bias, options)
    classes, *further, features = linear_weight.shape
    ignored = -100 if ignore_index is None else ignore_index
    if options is not None and can_chunk(input, linear_weight, target, reduction, label_smoothing):
        rows = options.rows(input.shape[0], features)
        return chunked(input, linear_weight, target, linear_bias, weight, reduction, ignored, max(1, rows))
    if options is not None and input.ndim == 2:
        warnings.warn("linear_cross_entropy: options are ignored; computing in chunks needs input (N, in_features), linear_weight "
                      "(C, in_features), class numbers (N,) and label_smoothing 0", stacklevel=2)
    rows = math.prod((classes, *further))
    bias = None if linear_bias is None else linear_bias.reshape(rows)
    logits = linear(input, linear_weight.reshape(rows, features), bias).reshape(*input.shape[:-1], classes, *further)
    if ignore_index is not None and target.shape == logits.shape:
        raise ShapeError(f"linear_cross_entropy: ignore_index cannot be specified when target contains probabilities, got "
                         f"{ignore_index}; leave it out")
    return cross_entropy(logits, target, weight, ignore_index=ignored, reduction=reduction,
                         label_smoothing=label_smoothing)


def _check(input, linear_weight, linear_bias, options):
    if options is not None and not isinstance(options, LinearCrossEntropyOptions):
        raise ArgumentTypeError(f"linear_cross_entropy: expected a LinearCrossEntropyOptions or None as options, got "
                                f"{type(options).__name__}")
    if input.ndim not in (1, 2):
        raise ShapeError(f"linear_cross_entropy: expected input with dimensionality 1 or 2, got {input.ndim}")
    if linear_weight.ndim < 2:
        raise ShapeError(f"linear_cross_entropy: expected linear_weight with dimensionality at least 2, got {linear_weight.ndim}")
    if input.shape[-1] != linear_weight.shape[-1]:
        raise ShapeError(f"linear_cross_entropy: expected equal input and linear_weight last dimensions (in_features), got "
                         f"{input.shape[-1]} and {linear_weight.shape[-1]}")
    if linear_bias is not None and linear_bias.shape != linear_weight.shape[:-1]:
        raise ShapeError(f"linear_cross_entropy: expected linear_bias shape {list(linear_weight.shape[:-1])}, got "
                         f"{list(linear_bias.shape)}")
    if linear_weight.ndim > 2 and input.ndim == 1:
        raise ShapeError(f"linear_cross_entropy: linear_weight {list(linear_weight.shape)} requires batched input (N, "
                         f"{input.shape[-1]}), got {list(input.shape)}; use input.unsqueeze(0)")
