"""Losses as layers, with the names of torch.nn."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

from ...base.errors import ArgumentError
from ...tensor.core.tensor import Tensor
from .. import functional as F
from ..functional.reduction import chosen
from .distance import PairwiseDistance
from .function_layer import FunctionLayer
from .linear_cross_entropy import LinearCrossEntropyLoss as LinearCrossEntropyLoss

__all__ = ["BCELoss", "BCEWithLogitsLoss", "CTCLoss", "CosineEmbeddingLoss", "CrossEntropyLoss", "GaussianNLLLoss",
           "HingeEmbeddingLoss", "HuberLoss", "KLDivLoss", "L1Loss", "LinearCrossEntropyLoss", "MSELoss", "MarginRankingLoss",
           "MultiLabelMarginLoss", "MultiLabelSoftMarginLoss", "MultiMarginLoss", "NLLLoss", "NLLLoss2d", "PoissonNLLLoss",
           "SmoothL1Loss", "SoftMarginLoss", "TripletMarginLoss", "TripletMarginWithDistanceLoss"]


class _Loss(FunctionLayer):
    """A loss with `reduction`: "mean", "sum" or "none"; size_average and reduce are the older way to say it."""

    def __init__(self, size_average=None, reduce=None, reduction="mean", **settings):
        tensors = {name: settings.pop(name) for name in ("weight", "pos_weight") if name in settings}
        super().__init__(**settings, reduction=chosen(reduction, size_average, reduce))
        for name, tensor in tensors.items():
            self.register_buffer(name, tensor)
        self._settings += tuple(tensors)

    def forward(self, input, target):
        return self._computed(input, target)

    def extra_repr(self):
        return ""


class _WeightedLoss(_Loss):
    """A loss with a weight for each class or element."""


class L1Loss(_Loss):
    """|input - target|."""

    function = staticmethod(F.l1_loss)

    def __init__(self, size_average: bool | None = None, reduce: bool | None = None, reduction: str = "mean"):
        super().__init__(size_average, reduce, reduction)


class MSELoss(_Loss):
    """(input - target) ** 2."""

    function = staticmethod(F.mse_loss)

    def __init__(self, size_average: bool | None = None, reduce: bool | None = None, reduction: str = "mean"):
        super().__init__(size_average, reduce, reduction)


class SmoothL1Loss(_Loss):
    """The squared error within beta, the absolute error beyond; see F.smooth_l1_loss."""

    function = staticmethod(F.smooth_l1_loss)

    def __init__(self, size_average: bool | None = None, reduce: bool | None = None, reduction: str = "mean", beta: float = 1.0):
        super().__init__(size_average, reduce, reduction, beta=beta)


class HuberLoss(_Loss):
    """Half the squared error within delta, linear beyond; see F.huber_loss."""

    function = staticmethod(F.huber_loss)

    def __init__(self, reduction: str = "mean", delta: float = 1.0):
        super().__init__(reduction=reduction, delta=delta)


class NLLLoss(_WeightedLoss):
    """Minus the log-probability (N, C, *) of the target class numbers (N, *); weight (C,)."""

    function = staticmethod(F.nll_loss)

    def __init__(self, weight: Tensor | None = None, size_average: bool | None = None, ignore_index: int = -100,
                 reduce: bool | None = None, reduction: str = "mean"):
        super().__init__(size_average, reduce, reduction, weight=weight, ignore_index=ignore_index)


class NLLLoss2d(NLLLoss):
    """NLLLoss under an older name, for input (N, C, H, W) of a floating dtype.  Raises as NLLLoss.  Source: its definition.

        >>> import warnings
        >>> from cltensor import nn
        >>> with warnings.catch_warnings():
        ...     warnings.simplefilter("ignore")
        ...     nn.NLLLoss2d(reduction="sum").reduction
        'sum'
    """

    def __init__(self, *args, **kwargs):
        warnings.warn("`NLLLoss2d` has been deprecated. Please use `NLLLoss` instead as a drop-in replacement and see "
                      "https://pytorch.org/docs/main/nn.html#torch.nn.NLLLoss for more details.", FutureWarning, stacklevel=2)
        super().__init__(*args, **kwargs)


class CrossEntropyLoss(_WeightedLoss):
    """Cross entropy of softmax(input (N, C, *)) against class numbers (N, *) or probabilities (N, C, *); weight (C,)."""

    function = staticmethod(F.cross_entropy)

    def __init__(self, weight: Tensor | None = None, size_average: bool | None = None, ignore_index: int = -100,
                 reduce: bool | None = None, reduction: str = "mean", label_smoothing: float = 0.0):
        super().__init__(size_average, reduce, reduction, weight=weight, ignore_index=ignore_index, label_smoothing=label_smoothing)


class BCELoss(_WeightedLoss):
    """Binary cross entropy of probabilities against targets in [0, 1]."""

    function = staticmethod(F.binary_cross_entropy)

    def __init__(self, weight: Tensor | None = None, size_average: bool | None = None, reduce: bool | None = None,
                 reduction: str = "mean"):
        super().__init__(size_average, reduce, reduction, weight=weight)


class BCEWithLogitsLoss(_Loss):
    """Binary cross entropy of sigmoid(input) against targets in [0, 1], without overflow."""

    function = staticmethod(F.binary_cross_entropy_with_logits)

    def __init__(self, weight: Tensor | None = None, size_average: bool | None = None, reduce: bool | None = None,
                 reduction: str = "mean", pos_weight: Tensor | None = None):
        super().__init__(size_average, reduce, reduction, weight=weight, pos_weight=pos_weight)


class KLDivLoss(_Loss):
    """target * (log(target) - input) for log-probabilities in input."""

    function = staticmethod(F.kl_div)

    def __init__(self, size_average: bool | None = None, reduce: bool | None = None, reduction: str = "mean",
                 log_target: bool = False):
        super().__init__(size_average, reduce, reduction, log_target=log_target)


class PoissonNLLLoss(_Loss):
    """Negative log likelihood of counts under Poisson distributions; see F.poisson_nll_loss."""

    function = staticmethod(F.poisson_nll_loss)

    def __init__(self, log_input: bool = True, full: bool = False, size_average: bool | None = None, eps: float = 1e-8,
                 reduce: bool | None = None, reduction: str = "mean"):
        super().__init__(size_average, reduce, reduction, log_input=log_input, full=full, eps=eps)

    def forward(self, log_input: Tensor, target: Tensor):
        return self._computed(log_input, target)


class GaussianNLLLoss(_Loss):
    """Negative log likelihood of (input, target, var) under normal distributions; see F.gaussian_nll_loss."""

    function = staticmethod(F.gaussian_nll_loss)

    def __init__(self, *, full: bool = False, eps: float = 1e-6, reduction: str = "mean"):
        super().__init__(reduction=reduction, full=full, eps=eps)

    def forward(self, input: Tensor, target: Tensor, var: Tensor):
        return self._computed(input, target, var)


class SoftMarginLoss(_Loss):
    """log(1 + exp(-target * input)) for targets 1 and -1."""

    function = staticmethod(F.soft_margin_loss)

    def __init__(self, size_average: bool | None = None, reduce: bool | None = None, reduction: str = "mean"):
        super().__init__(size_average, reduce, reduction)


class MultiLabelSoftMarginLoss(_WeightedLoss):
    """Mean over the classes of the binary cross entropy of sigmoid(input (N, C))."""

    function = staticmethod(F.multilabel_soft_margin_loss)

    def __init__(self, weight: Tensor | None = None, size_average: bool | None = None, reduce: bool | None = None,
                 reduction: str = "mean"):
        super().__init__(size_average, reduce, reduction, weight=weight)


class HingeEmbeddingLoss(_Loss):
    """input where target is 1, max(0, margin - input) where it is -1."""

    function = staticmethod(F.hinge_embedding_loss)

    def __init__(self, margin: float = 1.0, size_average: bool | None = None, reduce: bool | None = None,
                 reduction: str = "mean"):
        super().__init__(size_average, reduce, reduction, margin=margin)


class MarginRankingLoss(_Loss):
    """max(0, -target * (input1 - input2) + margin)."""

    function = staticmethod(F.margin_ranking_loss)

    def __init__(self, margin: float = 0.0, size_average: bool | None = None, reduce: bool | None = None,
                 reduction: str = "mean"):
        super().__init__(size_average, reduce, reduction, margin=margin)

    def forward(self, input1: Tensor, input2: Tensor, target: Tensor):
        return self._computed(input1, input2, target)


class CosineEmbeddingLoss(_Loss):
    """1 - cos(input1, input2) where target is 1, max(0, cos - margin) where it is -1."""

    function = staticmethod(F.cosine_embedding_loss)

    def __init__(self, margin: float = 0.0, size_average: bool | None = None, reduce: bool | None = None,
                 reduction: str = "mean"):
        super().__init__(size_average, reduce, reduction, margin=margin)

    def forward(self, input1: Tensor, input2: Tensor, target: Tensor):
        return self._computed(input1, input2, target)


class TripletMarginLoss(_Loss):
    """max(0, |anchor - positive| - |anchor - negative| + margin); see F.triplet_margin_loss."""

    function = staticmethod(F.triplet_margin_loss)

    def __init__(self, margin: float = 1.0, p: float = 2.0, eps: float = 1e-6, swap: bool = False,
                 size_average: bool | None = None, reduce: bool | None = None, reduction: str = "mean"):
        super().__init__(size_average, reduce, reduction, margin=margin, p=p, eps=eps, swap=swap)

    def forward(self, anchor: Tensor, positive: Tensor, negative: Tensor):
        return self._computed(anchor, positive, negative)


class TripletMarginWithDistanceLoss(_Loss):
    """max(0, distance(anchor, positive) - distance(anchor, negative) + margin), by default with PairwiseDistance."""

    function = staticmethod(F.triplet_margin_with_distance_loss)

    def __init__(self, *, distance_function: Callable[..., Any] | None = None, margin: float = 1.0, swap: bool = False,
                 reduction: str = "mean"):
        if margin <= 0:
            raise ArgumentError(f"TripletMarginWithDistanceLoss: expected margin to be greater than 0, got {margin} instead")
        super().__init__(distance_function=PairwiseDistance() if distance_function is None else distance_function,
                         margin=margin, swap=swap, reduction=reduction)

    def forward(self, anchor: Tensor, positive: Tensor, negative: Tensor):
        return self._computed(anchor, positive, negative)


class MultiMarginLoss(_WeightedLoss):
    """Mean over the classes of max(0, margin - input[target] + input[class]) ** p; see F.multi_margin_loss."""

    function = staticmethod(F.multi_margin_loss)

    def __init__(self, p: float = 1, margin: float = 1.0, weight: Tensor | None = None, size_average: bool | None = None,
                 reduce: bool | None = None, reduction: str = "mean"):
        if p not in (1, 2):
            raise ArgumentError(f"MultiMarginLoss: only p == 1 and p == 2 supported, got {p}")
        if weight is not None and weight.ndim != 1:
            raise ArgumentError(f"MultiMarginLoss: expected weight to be None or 1D tensor, got {weight.ndim}D instead")
        super().__init__(size_average, reduce, reduction, p=p, margin=margin, weight=weight)


class MultiLabelMarginLoss(_Loss):
    """Margins between the classes listed in target (N, C) and the others, where violated; see F.multilabel_margin_loss."""

    function = staticmethod(F.multilabel_margin_loss)

    def __init__(self, size_average: bool | None = None, reduce: bool | None = None, reduction: str = "mean"):
        super().__init__(size_average, reduce, reduction)


class CTCLoss(_Loss):
    """Minus the log-likelihood of label sequences over all alignments with log_probs (T, N, C); see F.ctc_loss."""

    function = staticmethod(F.ctc_loss)

    def __init__(self, blank: int = 0, reduction: str = "mean", zero_infinity: bool = False):
        super().__init__(blank=blank, reduction=reduction, zero_infinity=zero_infinity)

    def forward(self, log_probs: Tensor, targets: Tensor, input_lengths: Tensor, target_lengths: Tensor):
        return self._computed(log_probs, targets, input_lengths, target_lengths)


def __dir__():
    return sorted(__all__)
