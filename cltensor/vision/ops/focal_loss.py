"""The focal loss."""

from __future__ import annotations

from ...base.errors import ArgumentError
from ...nn import functional as F
from ...tensor.core.tensor import Tensor
from .iou_loss import reduced


def sigmoid_focal_loss(inputs: Tensor, targets: Tensor, alpha: float = 0.25, gamma: float = 2, reduction: str = "none") -> Tensor:
    """Binary cross entropy of logits, weighted by (1 - p) ** gamma, where p is the probability given to the target.

    inputs, targets: of one shape and floating dtype, targets 0 or 1; the loss has that shape, or is a number by reduction: none,
    mean, sum.  alpha in [0, 1] weights ones, 1 - alpha zeros; -1 leaves that out.  Raises ArgumentError for other values.
    Source: Lin et al., Focal Loss for Dense Object Detection, 2017.

        >>> from cltensor.vision.ops import sigmoid_focal_loss
        >>> sigmoid_focal_loss(ct.zeros(2), ct.tensor([0.0, 1]))
        tensor([0.1300, 0.0433])
    """
    if alpha != -1 and not 0 <= alpha <= 1:
        raise ArgumentError(f"sigmoid_focal_loss: alpha={alpha} must be in [0, 1], or -1 to weight both classes alike")
    p = inputs.sigmoid()
    loss = F.binary_cross_entropy_with_logits(inputs, targets, reduction="none")
    loss = loss * (1 - (p * targets + (1 - p) * (1 - targets))) ** gamma
    if alpha >= 0:
        loss = (alpha * targets + (1 - alpha) * (1 - targets)) * loss
    return reduced("sigmoid_focal_loss", loss, reduction)
