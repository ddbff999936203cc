"""Losses of predicted boxes, by name."""

from __future__ import annotations

from ....base.errors import ArgumentError
from ....nn import functional as F
from ....tensor.core.tensor import Tensor
from ...ops.iou_loss import complete_box_iou_loss, distance_box_iou_loss, generalized_box_iou_loss
from .box_coder import BoxCoder

_OVERLAPS = {"ciou": complete_box_iou_loss, "diou": distance_box_iou_loss, "giou": generalized_box_iou_loss}


def box_loss(type: str, box_coder: BoxCoder, anchors: Tensor, matched_boxes: Tensor, regression: Tensor,
             cnf: dict[str, float] | None = None) -> Tensor:
    """The summed loss of shifts `regression` (N, 4) from anchors (N, 4) against matched_boxes (N, 4).

    type: l1 or smooth_l1, of the shifts, ciou, diou or giou, of the boxes.  cnf: beta of smooth_l1 and eps of the others.
    """
    cnf = cnf or {}
    if type in _OVERLAPS:
        return _OVERLAPS[type](box_coder.decode_single(regression, anchors), matched_boxes, reduction="sum",
                               eps=cnf.get("eps", 1e-7))
    if type not in ("l1", "smooth_l1"):
        raise ArgumentError(f"Unsupported loss {type!r}; losses of boxes are l1, smooth_l1, {', '.join(_OVERLAPS)}")
    wanted = box_coder.encode_single(matched_boxes, anchors)
    if type == "l1":
        return F.l1_loss(regression, wanted, reduction="sum")
    return F.smooth_l1_loss(regression, wanted, reduction="sum", beta=cnf.get("beta", 1.0))
