"""Losses on pairs of tensors: one fused op per element, then mean, sum or no reduction."""

from __future__ import annotations

import math
import warnings

from ...base.errors import ArgumentError, MismatchError
from ...dispatch.autocast import FLOAT32, FLOAT32_OR_UNSAFE, autocasts
from ...ops.kinds.precision import in_float32
from ...ops.nn import losses as ops
from ...ops.random.distributions import check_values
from ...tensor.core.tensor import Tensor
from ...tensor.math.arithmetic import where
from .distance import pairwise_distance
from .reduction import chosen, reduced


def _weighted(losses, weight, reduction):
    return reduced(losses if weight is None else losses * weight, reduction)


def _paired(op, op_name, input, target, weight, reduction, **settings):
    """The reduced losses of input and target, with a warning where they broadcast."""
    if input.shape != target.shape:
        warnings.warn(f"{op_name}: Using a target size ({tuple(target.shape)}) that is different to the input size "
                      f"({tuple(input.shape)}). This will likely lead to incorrect results due to broadcasting. Please "
                      "ensure they have the same size.", stacklevel=4)
    return _weighted(op(input, target, **settings), weight, reduction)


@autocasts(FLOAT32)
@in_float32
def mse_loss(input: Tensor, target: Tensor, size_average: bool | None = None, reduce: bool | None = None, reduction: str = "mean",
             weight: Tensor | None = None):
    """(input - target) ** 2."""
    reduction = chosen(reduction, size_average, reduce)
    return _paired(ops.squared, "mse_loss", input, target, weight, reduction)


@autocasts(FLOAT32)
@in_float32
def l1_loss(input: Tensor, target: Tensor, size_average: bool | None = None, reduce: bool | None = None, reduction: str = "mean",
            weight: Tensor | None = None):
    """|input - target|."""
    reduction = chosen(reduction, size_average, reduce)
    return _paired(ops.absolute, "l1_loss", input, target, weight, reduction)


@autocasts(FLOAT32)
@in_float32
def huber_loss(input: Tensor, target: Tensor, reduction: str = "mean", delta: float = 1.0, weight: Tensor | None = None):
    """Half the squared error within delta, then linear: delta * (|input - target| - delta / 2)."""
    if delta <= 0:
        raise ArgumentError(f"huber_loss: delta must be greater than 0, got {delta}")
    return _paired(ops.huber, "huber_loss", input, target, weight, reduction, delta=delta)


@autocasts(FLOAT32)
@in_float32
def smooth_l1_loss(input: Tensor, target: Tensor, size_average: bool | None = None, reduce: bool | None = None,
                   reduction: str = "mean", beta: float = 1.0):
    """huber_loss with delta = beta, divided by beta; the absolute error for beta 0."""
    reduction = chosen(reduction, size_average, reduce)
    if beta < 0:
        raise ArgumentError(f"smooth_l1_loss does not support negative values for beta, got {beta}")
    if beta == 0:
        return l1_loss(input, target, reduction=reduction)
    return huber_loss(input, target, reduction, beta) / beta


# --- probabilities ---------------------------------------------------------------------------------------------------


def _same_size(op, input, target):
    if input.shape != target.shape:
        raise MismatchError(f"{op}: Target size ({tuple(target.shape)}) must be the same as input size "
                         f"({tuple(input.shape)}); reshape the target")


@autocasts(FLOAT32_OR_UNSAFE)
@in_float32
def binary_cross_entropy(input: Tensor, target: Tensor, weight: Tensor | None = None, size_average: bool | None = None,
                         reduce: bool | None = None, reduction: str = "mean"):
    """-(target log(input) + (1 - target) log(1 - input)) for probabilities in input; logarithms are at least -100.

    Raises ShapeError; ArgumentError for an input or target outside [0, 1], where values are read.
    """
    reduction = chosen(reduction, size_average, reduce)
    _same_size("binary_cross_entropy", input, target)
    check_values(input, "input")
    if target.dtype.is_floating_point and not target.requires_grad:
        check_values(target, "target")
    return _weighted(ops.bce(input, target), weight, reduction)


@autocasts(FLOAT32)
@in_float32
def binary_cross_entropy_with_logits(input: Tensor, target: Tensor, weight: Tensor | None = None,
                                     size_average: bool | None = None, reduce: bool | None = None, reduction: str = "mean",
                                     pos_weight: Tensor | None = None):
    """binary_cross_entropy of sigmoid(input), without overflow; pos_weight scales the share of positive targets."""
    reduction = chosen(reduction, size_average, reduce)
    _same_size("binary_cross_entropy_with_logits", input, target)
    losses = ops.bce_logits(input, target) if pos_weight is None else ops.bce_logits_pos(input, target, pos_weight)
    return _weighted(losses, weight, reduction)


@autocasts(FLOAT32)
@in_float32
def kl_div(input: Tensor, target: Tensor, size_average: bool | None = None, reduce: bool | None = None, reduction: str = "mean",
           log_target: bool = False):
    """target * (log(target) - input) for log-probabilities in input; "batchmean" divides the sum by the first size."""
    reduction = chosen(reduction, size_average, reduce)
    losses = (ops.kl_log if log_target else ops.kl)(input, target)
    if reduction == "batchmean":
        return losses.sum() / input.shape[0] if input.ndim else losses
    return reduced(losses, reduction)


@autocasts(FLOAT32)
@in_float32
def poisson_nll_loss(input: Tensor, target: Tensor, log_input: bool = True, full: bool = False, size_average: bool | None = None,
                     eps: float = 1e-8, reduce: bool | None = None, reduction: str = "mean"):
    """Negative log likelihood of counts in target under rates exp(input), or input itself without log_input.

    full: add Stirling's estimate of log(target!).
    """
    reduction = chosen(reduction, size_average, reduce)
    losses = ops.poisson_log(input, target) if log_input else ops.poisson(input, target, eps=eps)
    return reduced(losses + ops.stirling(target) if full else losses, reduction)


@in_float32
def gaussian_nll_loss(input: Tensor, target: Tensor, var: Tensor | float, full: bool = False, eps: float = 1e-6,
                      reduction: str = "mean"):
    """Negative log likelihood of target under normal distributions with mean input and variance var, at least eps.

    var: a number, or a tensor of input's shape, without its last dimension, or with size 1 in one dimension.
    Raises ArgumentError for a negative one; for a tensor, where values are read.
    """
    if isinstance(var, (int, float)):
        if var < 0:
            raise ArgumentError(f"gaussian_nll_loss: var has negative entry/entries: {var}")
        var = input.new_full(input.shape, var)
    else:
        check_values(var, "var")
    if var.shape != input.shape and var.shape == input.shape[:-1]:
        var = var.unsqueeze(-1)
    elif var.shape != input.shape and not (var.ndim == input.ndim and [
            v for v, n in zip(var.shape, input.shape, strict=True) if v != n] == [1]):
        raise ArgumentError(f"gaussian_nll_loss: var is of incorrect size: {tuple(var.shape)} for input "
                            f"{tuple(input.shape)}")
    var = var + (var.detach().clamp_min(eps) - var.detach())  # the bound has no part in the gradient
    losses = ops.gaussian(input, target, var)
    return reduced(losses + 0.5 * math.log(2 * math.pi) if full else losses, reduction)


# --- margins ---------------------------------------------------------------------------------------------------------

@autocasts(FLOAT32)
@in_float32
def soft_margin_loss(input: Tensor, target: Tensor, size_average: bool | None = None, reduce: bool | None = None,
                     reduction: str = "mean"):
    """log(1 + exp(-target * input)) for targets 1 and -1."""
    reduction = chosen(reduction, size_average, reduce)
    _same_size("soft_margin_loss", input, target)
    return reduced(ops.soft_margin(input, target), reduction)


@in_float32
def multilabel_soft_margin_loss(input: Tensor, target: Tensor, weight: Tensor | None = None, size_average: bool | None = None,
                                reduce: bool | None = None, reduction: str = "mean"):
    """Mean over the classes (last dimension) of the binary cross entropy of sigmoid(input)."""
    reduction = chosen(reduction, size_average, reduce)
    _same_size("multilabel_soft_margin_loss", input, target)
    losses = ops.bce_logits(input, target)
    return reduced((losses if weight is None else losses * weight).mean(-1), reduction)


@autocasts(FLOAT32)
@in_float32
def hinge_embedding_loss(input: Tensor, target: Tensor, margin: float = 1.0, size_average: bool | None = None,
                         reduce: bool | None = None, reduction: str = "mean"):
    """input where target is 1, max(0, margin - input) where it is -1."""
    reduction = chosen(reduction, size_average, reduce)
    losses = where(target != 1, (margin - input).clamp_min(0), 0.0) + where(target != -1, input, 0.0)
    return reduced(losses, reduction)


@autocasts(FLOAT32)
@in_float32
def margin_ranking_loss(input1: Tensor, input2: Tensor, target: Tensor, margin: float = 0.0, size_average: bool | None = None,
                        reduce: bool | None = None, reduction: str = "mean"):
    """max(0, -target * (input1 - input2) + margin): target 1 ranks input1 first, -1 input2."""
    reduction = chosen(reduction, size_average, reduce)
    return reduced((margin - target * (input1 - input2)).clamp_min(0), reduction)


@autocasts(FLOAT32)
@in_float32
def cosine_embedding_loss(input1: Tensor, input2: Tensor, target: Tensor, margin: float = 0.0, size_average: bool | None = None,
                          reduce: bool | None = None, reduction: str = "mean"):
    """1 - cos(input1, input2) where target is 1, max(0, cos - margin) where it is -1; inputs (N, D) or (D,)."""
    reduction = chosen(reduction, size_average, reduce)
    dot, square1, square2 = ((a * b).sum(-1) for a, b in ((input1, input2), (input1, input1), (input2, input2)))
    cos = dot / ((square1 + 1e-12) * (square2 + 1e-12)).sqrt()
    losses = where(target == 1, 1 - cos, 0.0) + where(target == -1, (cos - margin).clamp_min(0), 0.0)
    return reduced(losses, reduction)


@autocasts(FLOAT32)
@in_float32
def triplet_margin_loss(anchor: Tensor, positive: Tensor, negative: Tensor, margin: float = 1.0, p: float = 2, eps: float = 1e-6,
                        swap: bool = False, size_average: bool | None = None, reduce: bool | None = None,
                        reduction: str = "mean"):
    """max(0, |anchor - positive| - |anchor - negative| + margin), distances by the p-norm over the last dimension.

    swap: take |positive - negative| where that is smaller than |anchor - negative|.
    """
    reduction = chosen(reduction, size_average, reduce)
    if margin <= 0:
        raise ArgumentError(f"triplet_margin_loss: margin must be greater than 0, got {margin}")
    near, far = pairwise_distance(anchor, positive, p, eps), pairwise_distance(anchor, negative, p, eps)
    if swap:
        far = far.minimum(pairwise_distance(positive, negative, p, eps))
    return reduced((near - far + margin).clamp_min(0), reduction)
