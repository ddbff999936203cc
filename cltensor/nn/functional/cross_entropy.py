"""Cross entropy against class numbers or class probabilities.

With class numbers, forward reads the input once, for two numbers per sample, and backward reads it once.  Only the input is
kept, nothing else of its size.  Smoothed labels and nll_loss take one pass over the log-probabilities.
"""

from __future__ import annotations

from ...base import dtypes
from ...base.errors import ArgumentError, DTypeError, MismatchError, ShapeError
from ...dispatch.autocast import FLOAT32, autocasts
from ...ops.kinds.precision import in_float32
from ...ops.nn import cross_entropy as ops
from ...tensor.core.tensor import Tensor
from ...tensor.math.softmax import log_softmax
from .reduction import check_reduction, chosen, reduced


def _check_classes(op, input, target, weight):
    """Raise unless target holds a class number for each row of input (N, C, *), and weight a number for each class."""
    if target.dtype not in (dtypes.int64, dtypes.uint8):
        raise DTypeError(f"{op}: expected class numbers of int64 (or uint8) as target, got {target.dtype.name}; use "
                         ".long(), or give cross_entropy probabilities of the input's shape")
    expected = (input.shape[0], *input.shape[2:])
    if tuple(target.shape) != expected:
        raise (MismatchError if target.shape[:1] != input.shape[:1] else ShapeError)(
            f"{op}: Expected target size {list(expected)}, got {list(target.shape)}, for input "
                         f"{list(input.shape)}; the target has the input's shape without the classes in dimension 1")
    _check_weight(op, input, weight)


def _check_weight(op, input, weight):
    if weight is not None and tuple(weight.shape) != (input.shape[1],):
        raise ShapeError(f"{op}: weight tensor should be defined either for all {input.shape[1]} classes or no classes "
                         f"but got weight tensor of shape: {list(weight.shape)}")


def _check_input(op, input, target):
    """(input, target) with a batch dimension, and whether one was added."""
    if input.ndim == 0:
        raise MismatchError(f"{op}: expected input (C,), (N, C) or (N, C, *), got a 0-d tensor")
    if input.ndim > 1:
        return input, target, False
    return input.unsqueeze(0), target.unsqueeze(0), True


@autocasts(FLOAT32)
def nll_loss(input: Tensor, target: Tensor, weight: Tensor | None = None, size_average: bool | None = None,
             ignore_index: int = -100, reduce: bool | None = None, reduction: str = "mean"):
    """Negative log-probability of the target classes.

    Args: input (N, C), (N, C, *) or (C,), log-probabilities; target (N,), (N, *) or (), class numbers; weight (C,).
    "mean" divides by the total weight of the targets that are not ignored.
    Raises ShapeError, DTypeError; DimensionError for a class that does not exist, where values are read.
    """
    reduction = chosen(reduction, size_average, reduce)
    return _numbered("nll_loss", input, target, weight, ignore_index, reduction, 0.0, lambda x: x)


def _numbered(op, input, target, weight, ignore_index, reduction, smoothing=0.0, logarithm=None):
    """logarithm: turns the input into log-probabilities; None if the loss does so itself."""
    check_reduction(reduction)
    input, target, single = _check_input(op, input, target)
    _check_classes(op, input, target, weight)
    if logarithm is None:
        losses = ops.cross_entropy(input, target, weight, reduction=reduction, ignored=ignore_index)[0]
        losses = losses if losses.dtype is input.dtype else losses.to(input.dtype)
    else:
        losses = _smoothed(input, target, weight, logarithm, reduction, ignore_index, float(smoothing))
    return losses.squeeze(0) if single and reduction == "none" else losses


@in_float32
def _smoothed(input, target, weight, logarithm, reduction, ignored, smoothing):
    return ops.nll(logarithm(input), target, weight, reduction=reduction, ignored=ignored, smoothing=smoothing)[0]


@autocasts(FLOAT32)
def cross_entropy(input: Tensor, target: Tensor, weight: Tensor | None = None, size_average: bool | None = None,
                  ignore_index: int = -100, reduce: bool | None = None, reduction: str = "mean", label_smoothing: float = 0.0):
    """-log(softmax(input)) at the target classes, or averaged over target probabilities.

    Args: input (N, C), (N, C, *) or (C,), unnormalised; target class numbers (N,), (N, *) or (), or probabilities of
    input's shape and a floating dtype; weight (C,); label_smoothing in [0, 1] mixes in the uniform distribution.
    Raises as nll_loss.
    """
    reduction = chosen(reduction, size_average, reduce)
    if not 0 <= label_smoothing <= 1:
        raise ArgumentError(f"cross_entropy: label_smoothing must be between 0.0 and 1.0. Got: {label_smoothing}")
    if target.dtype.is_floating_point and target.shape == input.shape:
        return _against_probabilities(input, target, weight, reduction, label_smoothing)
    if label_smoothing:
        return _numbered("cross_entropy", input, target, weight, ignore_index, reduction, label_smoothing,
                         lambda x: log_softmax(x, 1))
    return _numbered("cross_entropy", input, target, weight, ignore_index, reduction)


@in_float32
def _against_probabilities(input, target, weight, reduction, smoothing):
    check_reduction(reduction)
    input, target, single = _check_input("cross_entropy", input, target)
    _check_weight("cross_entropy", input, weight)
    if smoothing:
        target = target * (1 - smoothing) + smoothing / input.shape[1]
    losses = -log_softmax(input, 1) * target
    losses = (losses if weight is None else losses * ops.across(weight, input.ndim)).sum(1)
    if reduction == "mean":
        return losses.sum() / losses.numel()
    return reduced(losses.squeeze(0) if single else losses, reduction)
