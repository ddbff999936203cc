"""Losses as layers, with the names of torch.nn."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...base.errors import ArgumentError
from ...tensor.core.tensor import Tensor
from .. import functional as F
from .distance import PairwiseDistance
from .function_layer import FunctionLayer


class _Loss(FunctionLayer):
    """A loss with `reduction`: "mean", "sum" or "none"."""

    def __init__(self, **settings):
        tensors = {name: settings.pop(name) for name in ("weight", "pos_weight") if name in settings}
        super().__init__(**settings)
        for name, tensor in tensors.items():
            self.register_buffer(name, tensor)
        self._settings += tuple(tensors)

    def extra_repr(self):
        return ""


class L1Loss(_Loss):
    """|input - target|."""

    function = staticmethod(F.l1_loss)

    def __init__(self, reduction: str = "mean"):
        super().__init__(reduction=reduction)


class MSELoss(_Loss):
    """(input - target) ** 2."""

    function = staticmethod(F.mse_loss)

    def __init__(self, reduction: str = "mean"):
        super().__init__(reduction=reduction)


class SmoothL1Loss(_Loss):
    """The squared error within beta, the absolute error beyond; see F.smooth_l1_loss."""

    function = staticmethod(F.smooth_l1_loss)

    def __init__(self, reduction: str = "mean", beta: float = 1.0):
        super().__init__(reduction=reduction, beta=beta)


class HuberLoss(_Loss):
    """Half the squared error within delta, linear beyond; see F.huber_loss."""

    function = staticmethod(F.huber_loss)

    def __init__(self, reduction: str = "mean", delta: float = 1.0):
        super().__init__(reduction=reduction, delta=delta)


class NLLLoss(_Loss):
    """Minus the log-probability (N, C, *) of the target class numbers (N, *); weight (C,)."""

    function = staticmethod(F.nll_loss)

    def __init__(self, weight: Tensor | None = None, ignore_index: int = -100, reduction: str = "mean"):
        super().__init__(weight=weight, ignore_index=ignore_index, reduction=reduction)


class CrossEntropyLoss(_Loss):
    """Cross entropy of softmax(input (N, C, *)) against class numbers (N, *) or probabilities (N, C, *); weight (C,)."""

    function = staticmethod(F.cross_entropy)

    def __init__(self, weight: Tensor | None = None, ignore_index: int = -100, reduction: str = "mean",
                 label_smoothing: float = 0.0):
        super().__init__(weight=weight, ignore_index=ignore_index, reduction=reduction, label_smoothing=label_smoothing)


class BCELoss(_Loss):
    """Binary cross entropy of probabilities against targets in [0, 1]."""

    function = staticmethod(F.binary_cross_entropy)

    def __init__(self, weight: Tensor | None = None, reduction: str = "mean"):
        super().__init__(weight=weight, reduction=reduction)


class BCEWithLogitsLoss(_Loss):
    """Binary cross entropy of sigmoid(input) against targets in [0, 1], without overflow."""

    function = staticmethod(F.binary_cross_entropy_with_logits)

    def __init__(self, weight: Tensor | None = None, reduction: str = "mean", pos_weight: Tensor | None = None):
        super().__init__(weight=weight, reduction=reduction, pos_weight=pos_weight)


class KLDivLoss(_Loss):
    """target * (log(target) - input) for log-probabilities in input."""

    function = staticmethod(F.kl_div)

    def __init__(self, reduction: str = "mean", log_target: bool = False):
        super().__init__(reduction=reduction, log_target=log_target)


class PoissonNLLLoss(_Loss):
    """Negative log likelihood of counts under Poisson distributions; see F.poisson_nll_loss."""

    function = staticmethod(F.poisson_nll_loss)

    def __init__(self, log_input: bool = True, full: bool = False, eps: float = 1e-8, reduction: str = "mean"):
        super().__init__(log_input=log_input, full=full, eps=eps, reduction=reduction)


class GaussianNLLLoss(_Loss):
    """Negative log likelihood of (input, target, var) under normal distributions; see F.gaussian_nll_loss."""

    function = staticmethod(F.gaussian_nll_loss)

    def __init__(self, *, full: bool = False, eps: float = 1e-6, reduction: str = "mean"):
        super().__init__(full=full, eps=eps, reduction=reduction)


class SoftMarginLoss(_Loss):
    """log(1 + exp(-target * input)) for targets 1 and -1."""

    function = staticmethod(F.soft_margin_loss)

    def __init__(self, reduction: str = "mean"):
        super().__init__(reduction=reduction)


class MultiLabelSoftMarginLoss(_Loss):
    """Mean over the classes of the binary cross entropy of sigmoid(input (N, C))."""

    function = staticmethod(F.multilabel_soft_margin_loss)

    def __init__(self, weight: Tensor | None = None, reduction: str = "mean"):
        super().__init__(weight=weight, reduction=reduction)


class HingeEmbeddingLoss(_Loss):
    """input where target is 1, max(0, margin - input) where it is -1."""

    function = staticmethod(F.hinge_embedding_loss)

    def __init__(self, margin: float = 1.0, reduction: str = "mean"):
        super().__init__(margin=margin, reduction=reduction)


class MarginRankingLoss(_Loss):
    """max(0, -target * (input1 - input2) + margin)."""

    function = staticmethod(F.margin_ranking_loss)

    def __init__(self, margin: float = 0.0, reduction: str = "mean"):
        super().__init__(margin=margin, reduction=reduction)


class CosineEmbeddingLoss(_Loss):
    """1 - cos(input1, input2) where target is 1, max(0, cos - margin) where it is -1."""

    function = staticmethod(F.cosine_embedding_loss)

    def __init__(self, margin: float = 0.0, reduction: str = "mean"):
        super().__init__(margin=margin, reduction=reduction)


class TripletMarginLoss(_Loss):
    """max(0, |anchor - positive| - |anchor - negative| + margin); see F.triplet_margin_loss."""

    function = staticmethod(F.triplet_margin_loss)

    def __init__(self, margin: float = 1.0, p: float = 2.0, eps: float = 1e-6, swap: bool = False, reduction: str = "mean"):
        super().__init__(margin=margin, p=p, eps=eps, swap=swap, reduction=reduction)


class TripletMarginWithDistanceLoss(_Loss):
    """max(0, distance(anchor, positive) - distance(anchor, negative) + margin), by default with PairwiseDistance."""

    function = staticmethod(F.triplet_margin_with_distance_loss)

    def __init__(self, *, distance_function: Callable[..., Any] | None = None, margin: float = 1.0, swap: bool = False,
                 reduction: str = "mean"):
        if margin <= 0:
            raise ArgumentError(f"TripletMarginWithDistanceLoss: expected margin to be greater than 0, got {margin} instead")
        super().__init__(distance_function=PairwiseDistance() if distance_function is None else distance_function,
                         margin=margin, swap=swap, reduction=reduction)


class MultiMarginLoss(_Loss):
    """Mean over the classes of max(0, margin - input[target] + input[class]) ** p; see F.multi_margin_loss."""

    function = staticmethod(F.multi_margin_loss)

    def __init__(self, p: float = 1, margin: float = 1.0, weight: Tensor | None = None, reduction: str = "mean"):
        if p not in (1, 2):
            raise ArgumentError(f"MultiMarginLoss: only p == 1 and p == 2 supported, got {p}")
        if weight is not None and weight.ndim != 1:
            raise ArgumentError(f"MultiMarginLoss: expected weight to be None or 1D tensor, got {weight.ndim}D instead")
        super().__init__(p=p, margin=margin, weight=weight, reduction=reduction)


class MultiLabelMarginLoss(_Loss):
    """Margins between the classes listed in target (N, C) and the others, where violated; see F.multilabel_margin_loss."""

    function = staticmethod(F.multilabel_margin_loss)

    def __init__(self, reduction: str = "mean"):
        super().__init__(reduction=reduction)


class CTCLoss(_Loss):
    """Minus the log-likelihood of label sequences over all alignments with log_probs (T, N, C); see F.ctc_loss."""

    function = staticmethod(F.ctc_loss)

    def __init__(self, blank: int = 0, reduction: str = "mean", zero_infinity: bool = False):
        super().__init__(blank=blank, reduction=reduction, zero_infinity=zero_infinity)
