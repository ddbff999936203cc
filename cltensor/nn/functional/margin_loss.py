"""Margin losses over classes, and over triplets with a custom distance."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...base import dtypes
from ...base.errors import ArgumentError, AutogradError, DTypeError, ShapeError
from ...dispatch.autocast import FLOAT32, autocasts
from ...ops.kinds.precision import in_float32
from ...ops.nn import losses as ops
from ...tensor.api.creation import arange
from ...tensor.core.tensor import Tensor
from .distance import pairwise_distance
from .reduction import check_reduction, chosen, reduced


def _check_rows(op, input, target):
    """Raise unless input is one row of classes or several, and target holds int64."""
    if input.ndim > 2 or 0 in input.shape[1 if input.ndim == 2 else 0:]:
        raise ShapeError(f"{op}: Expected non-empty vector or matrix with optional 0-dim batch size, but got: "
                         f"{list(input.shape)}; input is (C,) or (N, C)")
    if not input.dtype.is_floating_point:
        raise DTypeError(f"{op}: not defined for an input of {input.dtype.name}; use .float()")
    if target.dtype is not dtypes.int64:
        raise DTypeError(f"{op}: expected scalar type Long but found {target.dtype.name} as target; use .long()")


@autocasts(FLOAT32)
@in_float32
def multi_margin_loss(input: Tensor, target: Tensor, p: float = 1, margin: float = 1.0, weight: Tensor | None = None,
                      size_average: bool | None = None, reduce: bool | None = None, reduction: str = "mean"):
    """Sum over the other classes of max(0, margin - input[target] + input[class]) ** p, divided by the number of classes.

    Args: input (N, C) or (C,), floating; target (N,) or (), int64 class numbers; p 1 or 2; weight (C,), of input's dtype
    and without a gradient, scales each sample by its class.  "none" gives (N,), or target's shape for input (C,).
    Raises ShapeError, DTypeError, ArgumentError; DimensionError for a class that does not exist, where values are read.
    """
    reduction = chosen(reduction, size_average, reduce)
    check_reduction(reduction)
    if p not in (1, 2):
        raise ArgumentError(f"multi_margin_loss: only p == 1 and p == 2 supported, got {p}")
    if weight is not None and weight.ndim != 1:
        raise ArgumentError(f"multi_margin_loss: weight must be one-dimensional, got shape {list(weight.shape)}")
    rows = input if input.ndim == 2 else input.reshape(1, -1)
    _check_multi_margin(input, rows, target, weight)
    numbers = target.reshape(-1, 1)
    other = arange(rows.shape[1], device=input.device) != numbers
    losses = ops.hinge(rows.gather(1, numbers), rows, other, margin=float(margin), p=float(p)).mean(1)
    if weight is not None:
        losses = losses * weight.index_select(0, numbers.reshape(-1))
    return reduced(losses if input.ndim == 2 else losses.reshape(target.shape), reduction)


def _check_multi_margin(input, rows, target, weight):
    _check_rows("multi_margin_loss", input, target)
    n, classes = rows.shape
    if target.numel() != n or target.ndim > 1 or (input.ndim == 2 and target.ndim != 1):
        raise ShapeError(f"multi_margin_loss: target tensor should be 1-D with size equal to the number of input samples "
                         f"(batch size). Expected target size [{n}], but got {list(target.shape)}. Input has shape "
                         f"{list(input.shape)}")
    if weight is None:
        return
    if weight.shape[0] != classes:
        raise ShapeError(f"multi_margin_loss: inconsistent weight size, expected {classes} but got {list(weight.shape)}; give "
                         "one weight for each class")
    if weight.dtype is not input.dtype:
        raise DTypeError(f"multi_margin_loss: expected weight of {input.dtype.name}, as input, but found {weight.dtype.name}; "
                         "use weight.to(input.dtype)")
    if weight.requires_grad:
        raise AutogradError("The function 'multi_margin_loss' is not differentiable with respect to argument 'weight'; use "
                            "weight.detach()")


@autocasts(FLOAT32)
@in_float32
def multilabel_margin_loss(input: Tensor, target: Tensor, size_average: bool | None = None, reduce: bool | None = None,
                           reduction: str = "mean"):
    """Sum over target and other classes of max(0, 1 - input[target] + input[other]), divided by the number of classes.

    Args: input (N, C) or (C,), floating; target of input's shape, int64: a sample's class numbers, up to the first
    negative one.  "none" gives (N,) or ().  Memory grows with N C ** 2.
    Raises ShapeError, DTypeError, ArgumentError; DimensionError for a class that does not exist, where values are read.
    """
    reduction = chosen(reduction, size_average, reduce)
    check_reduction(reduction)
    if target.shape != input.shape and not (input.ndim < 2 and target.ndim < 2 and target.numel() == input.numel()):
        _check_rows("multilabel_margin_loss", input, target.long())
        raise ShapeError(f"multilabel_margin_loss: inconsistent target size: {list(target.shape)} for input of size: "
                         f"{list(input.shape)}; the target has the input's shape, filled up with -1")
    _check_rows("multilabel_margin_loss", input, target)
    rows = input if input.ndim == 2 else input.reshape(1, -1)
    numbers = target.reshape(rows.shape)
    listed = (numbers < 0).cumsum(1) == 0
    numbers = numbers.where(numbers != -1, 0)
    own = rows.new_zeros(rows.shape).scatter_add(1, numbers, listed.to(rows.dtype)) > 0
    counts = listed.unsqueeze(2) & ~own.unsqueeze(1)
    losses = ops.hinge(rows.gather(1, numbers).unsqueeze(2), rows.unsqueeze(1), counts).sum((1, 2)) / rows.shape[1]
    return reduced(losses if input.ndim == 2 else losses.reshape(()), reduction)


@in_float32
def triplet_margin_with_distance_loss(anchor: Tensor, positive: Tensor, negative: Tensor, *,
                                      distance_function: Callable[..., Any] | None = None, margin: float = 1.0,
                                      swap: bool = False, reduction: str = "mean"):
    """max(0, distance(anchor, positive) - distance(anchor, negative) + margin).

    distance_function: takes two tensors, pairwise_distance by default; swap: use distance(positive, negative) where it is
    smaller than distance(anchor, negative).  Raises ArgumentError, ShapeError.
    """
    check_reduction(reduction)
    if margin <= 0:
        raise ArgumentError(f"triplet_margin_with_distance_loss: margin must be greater than 0, got {margin}")
    if not anchor.ndim == positive.ndim == negative.ndim:
        raise ShapeError(f"triplet_margin_with_distance_loss: The anchor, positive, and negative tensors are expected to have the "
                         f"same number of dimensions, but got: anchor {anchor.ndim}D, positive {positive.ndim}D, and negative "
                         f"{negative.ndim}D inputs")
    distance = pairwise_distance if distance_function is None else distance_function
    near, far = distance(anchor, positive), distance(anchor, negative)
    if swap:
        far = far.minimum(distance(positive, negative))
    return reduced((near - far + margin).clamp_min(0), reduction)
