"""Losses and dropout."""

from ....nn import functional as F
from ..operators import operator
from ..public import ct, number


@operator("NegativeLogLikelihoodLoss", since=12)
def negative_log_likelihood(input, target, weight=None, *, ignore_index=None, reduction="mean"):
    return F.nll_loss(input, target.to(ct.int64), weight, ignore_index=-100 if ignore_index is None else ignore_index,
                      reduction=reduction)


@operator("SoftmaxCrossEntropyLoss", since=12)
def softmax_cross_entropy(scores, labels, weights=None, *, ignore_index=None, reduction="mean", n_outputs=1):
    logs = F.log_softmax(scores, 1)
    return negative_log_likelihood(logs, labels, weights, ignore_index=ignore_index, reduction=reduction), logs


@operator("Dropout", since=7)
def dropout_of_inference(data, *, ratio=0.5, n_outputs=1):
    return data if n_outputs == 1 else (data, ct.ones_like(data, dtype=ct.bool))


@operator("Dropout", since=12, host="ratio training_mode")
def dropout(data, ratio=None, training_mode=None, *, seed=None, n_outputs=1):
    ratio = 0.5 if ratio is None or not ratio.size else number(ratio)
    if training_mode is None or not training_mode.size or not number(training_mode) or ratio == 0:
        return dropout_of_inference(data, n_outputs=n_outputs)
    mask = ct.rand(data.shape, device=data.device) >= ratio
    return ct.where(mask, data / (1 - ratio), ct.zeros_like(data)), mask
