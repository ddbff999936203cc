"""Losses of boxes by how they overlap: generalised, distance and complete intersection over union.

Boxes are (..., 4): left, top, right, bottom; each of boxes1 is held against the one at its place in boxes2.  Integers and 16-bit
floats are computed in float32.
"""

from __future__ import annotations

from ...base import dtypes
from ...base.errors import ArgumentError
from ...tensor.core.tensor import Tensor
from .box_convert import parts
from .boxes import shape_penalty


def reduced(op, loss, reduction):
    """A loss for each element as it is, its mean (0 of nothing) or its sum.  Raises ArgumentError for another reduction."""
    if reduction not in ("none", "mean", "sum"):
        raise ArgumentError(f"{op}: reduction={reduction!r} is none of 'none', 'mean', 'sum'")
    if reduction == "mean":
        return loss.mean() if loss.numel() else 0.0 * loss.sum()
    return loss.sum() if reduction == "sum" else loss


def _sides(op, boxes):
    wide = boxes.dtype in (dtypes.float32, dtypes.float64)
    return parts(op, boxes if wide else boxes.to(dtypes.float32), "xyxy")


def _shared(a, b):
    """(intersection, union); where the boxes do not meet, the intersection is 0 and has no gradient."""
    width, height = a[2].minimum(b[2]) - a[0].maximum(b[0]), a[3].minimum(b[3]) - a[1].maximum(b[1])
    inter = (width * height).where((width > 0) & (height > 0), 0.0)
    return inter, (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - inter


def _hull(a, b):
    return a[2].maximum(b[2]) - a[0].minimum(b[0]), a[3].maximum(b[3]) - a[1].minimum(b[1])


def generalized_box_iou_loss(boxes1: Tensor, boxes2: Tensor, reduction: str = "none", eps: float = 1e-7) -> Tensor:
    """1 less the generalised intersection over union of each pair of boxes, both (N, 4) or (4,): (N,), or a number.

    reduction: none, mean or sum; eps keeps divisors from 0.  Any dtype but bool; integers and 16-bit floats give float32.  Raises
    ArgumentError for another reduction, MismatchError for other shapes.
    Source: Rezatofighi et al., Generalized Intersection over Union, 2019.

        >>> from cltensor.vision.ops import generalized_box_iou_loss
        >>> generalized_box_iou_loss(ct.tensor([[0.0, 0, 1, 1]]), ct.tensor([[2.0, 0, 3, 1]]))
        tensor([1.3333])
    """
    a, b = (_sides("generalized_box_iou_loss", x) for x in (boxes1, boxes2))
    inter, union = _shared(a, b)
    width, height = _hull(a, b)
    around = width * height
    loss = 1 - (inter / (union + eps) - (around - union) / (around + eps))
    return reduced("generalized_box_iou_loss", loss, reduction)


def _distance_loss(a, b, eps):
    """(1 - iou + the squared distance of the centres over the hull's squared diagonal, iou)."""
    inter, union = _shared(a, b)
    iou = inter / (union + eps)
    width, height = _hull(a, b)
    across, down = (((a[i] + a[i + 2]) / 2 - (b[i] + b[i + 2]) / 2) for i in (0, 1))
    return 1 - iou + (across * across + down * down) / (width * width + height * height + eps), iou


def distance_box_iou_loss(boxes1: Tensor, boxes2: Tensor, reduction: str = "none", eps: float = 1e-7) -> Tensor:
    """1 less the distance intersection over union of each pair of boxes, both (N, 4) or (4,): (N,), or a number.

    reduction: none, mean or sum; eps keeps divisors from 0.  Any dtype but bool; integers and 16-bit floats give float32.  Raises
    ArgumentError for another reduction, MismatchError for other shapes.  Source: Zheng et al., Distance-IoU Loss, 2020.

        >>> from cltensor.vision.ops import distance_box_iou_loss
        >>> distance_box_iou_loss(ct.tensor([[0.0, 0, 1, 1]]), ct.tensor([[0.0, 0, 1, 2]]))
        tensor([0.5500])
    """
    a, b = (_sides("distance_box_iou_loss", x) for x in (boxes1, boxes2))
    return reduced("distance_box_iou_loss", _distance_loss(a, b, eps)[0], reduction)


def complete_box_iou_loss(boxes1: Tensor, boxes2: Tensor, reduction: str = "none", eps: float = 1e-7) -> Tensor:
    """1 less the complete intersection over union of each pair of boxes, both (N, 4) or (4,): (N,), or a number.

    reduction: none, mean or sum; eps keeps divisors from 0.  Any dtype but bool; integers and 16-bit floats give float32.  Raises
    ArgumentError for another reduction, MismatchError for other shapes.  Source: Zheng et al., Distance-IoU Loss, 2020.

        >>> from cltensor.vision.ops import complete_box_iou_loss
        >>> complete_box_iou_loss(ct.tensor([[0.0, 0, 1, 1]]), ct.tensor([[0.0, 0, 1, 2]]))
        tensor([0.5532])
    """
    a, b = (_sides("complete_box_iou_loss", x) for x in (boxes1, boxes2))
    loss, iou = _distance_loss(a, b, eps)
    return reduced("complete_box_iou_loss", loss + shape_penalty(a, b, iou, eps), reduction)
