"""Boxes: areas, overlaps, clipping, boxes of masks, and suppression of those that overlap better ones.

Boxes are (N, 4): left, top, right, bottom, unless a format is given.  Overlaps and areas of 16-bit floats are computed, and
given, in float32.
"""

from __future__ import annotations

import math

import numpy as np

from ...base import dtypes
from ...base.errors import ArgumentError, DTypeError, MismatchError, ShapeError
from ...dispatch.autocast import FLOAT32, autocasts
from ...ops.vision.nms import nms_kept
from ...tensor.core.tensor import Tensor
from ...tensor.shape.joining import stack
from .box_convert import ROTATED, SIZES, UPRIGHT, box_convert, parts
from .rotated_iou import rotated_overlap


def upcast(t):
    """16-bit floats as float32, small integers as int32; others as they are."""
    if t.is_floating_point():
        return t if t.dtype in (dtypes.float32, dtypes.float64) else t.to(dtypes.float32)
    return t if t.dtype in (dtypes.int32, dtypes.int64) else t.to(dtypes.int32)


# --- suppression -----------------------------------------------------------------------------------------------------


def _check_scored(op, boxes, scores):
    if boxes.ndim != 2 or boxes.shape[1] != 4:
        raise ShapeError(f"{op}: boxes {tuple(boxes.shape)} must be (N, 4): left, top, right, bottom")
    if scores.ndim != 1 or scores.shape[0] != boxes.shape[0]:
        raise ShapeError(f"{op}: scores {tuple(scores.shape)} must be ({boxes.shape[0]},), one for each box")
    if boxes.dtype is not scores.dtype or not boxes.is_floating_point():
        raise DTypeError(f"{op}: boxes are {boxes.dtype} and scores {scores.dtype}; both must be of one floating dtype")


def _limit(iou_threshold, dtype):
    """The largest number of the kernel's dtype that is no larger than the threshold: overlaps exceed both or neither."""
    if dtype is dtypes.float64:
        return float(iou_threshold)
    near = np.float32(iou_threshold)
    return float(near if float(near) <= iou_threshold else np.nextafter(near, np.float32(-np.inf)))


def _best(boxes, scores, group, iou_threshold):
    order = scores.detach().argsort(descending=True, stable=True)
    group = None if group is None else group[order]
    return order[nms_kept(boxes.detach()[order], group, limit=_limit(iou_threshold, boxes.dtype))]


@autocasts(FLOAT32)
def nms(boxes: Tensor, scores: Tensor, iou_threshold: float) -> Tensor:
    """Indices (int64) of the boxes (N, 4) that overlap no kept box of a higher score by more than iou_threshold, best first.

    scores (N,): of the boxes' floating dtype; of equal ones the first counts as better.  The overlap is intersection over union.
    Raises ShapeError for other shapes, DTypeError for other dtypes.  The device finds overlaps by pairs and goes through them in
    order; waits for the number of boxes kept.  Source: Girshick et al., Rich feature hierarchies, 2014.

        >>> from cltensor.vision.ops import nms
        >>> nms(ct.tensor([[0.0, 0, 4, 4], [0, 0, 4, 3], [5, 5, 6, 6]]), ct.tensor([0.5, 0.9, 0.1]), 0.5)
        tensor([1, 2])
    """
    _check_scored("nms", boxes, scores)
    return _best(boxes, scores, None, iou_threshold)


@autocasts(FLOAT32)
def batched_nms(boxes: Tensor, scores: Tensor, idxs: Tensor, iou_threshold: float) -> Tensor:
    """nms within each category: boxes of different idxs (N,), whole numbers, never suppress each other.

    boxes (N, 4) and scores (N,) of one floating dtype; indices (int64) by falling score.  Raises ShapeError for other shapes,
    DTypeError for other dtypes.  One launch serves all categories.  Source: Girshick et al., Rich feature hierarchies, 2014.

        >>> from cltensor.vision.ops import batched_nms
        >>> batched_nms(ct.ones(3, 4) * ct.tensor([0.0, 0, 1, 1]), ct.tensor([0.5, 0.9, 0.1]), ct.tensor([1, 2, 2]), 0.5)
        tensor([1, 0])
    """
    _check_scored("batched_nms", boxes, scores)
    if tuple(idxs.shape) != tuple(scores.shape):
        raise ShapeError(f"batched_nms: idxs {tuple(idxs.shape)} must be ({boxes.shape[0]},), a category for each box")
    return _best(boxes, scores, idxs.to(dtypes.int64), iou_threshold)


# --- one set of boxes ------------------------------------------------------------------------------------------------


def remove_small_boxes(boxes: Tensor, min_size: float) -> Tensor:
    """Indices (int64) of the boxes (N, 4) whose sides are both at least min_size; any dtype but bool.

    Raises MismatchError for other shapes.  Source: Ren et al., Faster R-CNN, 2015.

        >>> from cltensor.vision.ops import remove_small_boxes
        >>> remove_small_boxes(ct.tensor([[0, 0, 1, 9], [0, 0, 3, 3]]), 2)
        tensor([1])
    """
    left, top, right, bottom = parts("remove_small_boxes", boxes, "xyxy")
    return ((right - left >= min_size) & (bottom - top >= min_size)).nonzero().squeeze(1)


def clip_boxes_to_image(boxes: Tensor, size: tuple[int, int]) -> Tensor:
    """Boxes (..., 4) cut to an image of size (height, width); any dtype but bool.

    Raises MismatchError for other shapes.  Source: Girshick, Fast R-CNN, 2015.

        >>> from cltensor.vision.ops import clip_boxes_to_image
        >>> clip_boxes_to_image(ct.tensor([[-1, 0, 9, 3]]), (2, 5))
        tensor([[0, 0, 5, 2]])
    """
    height, width = size
    left, top, right, bottom = parts("clip_boxes_to_image", boxes, "xyxy")
    return stack([left.clamp(0, width), top.clamp(0, height), right.clamp(0, width), bottom.clamp(0, height)], -1)


def box_area(boxes: Tensor, fmt: str = "xyxy") -> Tensor:
    """Areas (N,) of boxes (N, 4) in the format xyxy, xywh or cxcywh; any dtype but bool.

    16-bit floats give float32, small integers int32.  Raises ArgumentError for another format, MismatchError for other shapes.
    Source: plane geometry.

        >>> from cltensor.vision.ops import box_area
        >>> box_area(ct.tensor([[1.0, 1, 3, 4]]))
        tensor([6.])
    """
    if fmt not in UPRIGHT:
        raise ArgumentError(f"box_area: format {fmt!r} is none of {', '.join(UPRIGHT)}; convert with box_convert")
    first, second, third, fourth = parts("box_area", upcast(boxes), fmt)
    return (third - first) * (fourth - second) if fmt == "xyxy" else third * fourth


def masks_to_boxes(masks: Tensor) -> Tensor:
    """The smallest box (float32, N x 4) around the elements that are not 0 of each mask (N, H, W); zeros for an empty mask.

    Right and bottom are the last column and row.  Any dtype.  Raises MismatchError for other shapes.  Source: plane geometry.

        >>> from cltensor.vision.ops import masks_to_boxes
        >>> masks_to_boxes(ct.tensor([[[0, 0, 0], [0, 1, 1]]]))
        tensor([[1., 1., 2., 1.]])
    """
    if masks.ndim != 3:
        raise MismatchError(f"masks_to_boxes: masks {tuple(masks.shape)} must be (N, H, W); add a dimension with unsqueeze(0)")
    if masks.numel() == 0:
        return masks.new_zeros((masks.shape[0], 4), dtype=dtypes.float32)
    marked = masks != 0
    columns, rows = (marked.any(dim).to(dtypes.int32) for dim in (1, 2))
    sides = [columns.argmax(1), rows.argmax(1), *(a.shape[1] - 1 - a.flip(1).argmax(1) for a in (columns, rows))]
    return stack(sides, -1).to(dtypes.float32) * rows.amax(1, keepdim=True)


# --- overlaps of pairs -----------------------------------------------------------------------------------------------


def _pairs(op, boxes1, boxes2):
    """Sides of all pairs, (N, 1) and (1, M) each."""
    first, second = (parts(op, upcast(b), "xyxy") for b in (boxes1, boxes2))
    return [s.unsqueeze(-1) for s in first], [s.unsqueeze(-2) for s in second]


def _shared(a, b):
    """(intersection, union) of the areas of pairs."""
    width = (a[2].minimum(b[2]) - a[0].maximum(b[0])).clamp(min=0)
    height = (a[3].minimum(b[3]) - a[1].maximum(b[1])).clamp(min=0)
    inter = width * height
    return inter, (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - inter


def _hull(a, b):
    """(width, height) of the smallest box around each pair."""
    return ((a[2].maximum(b[2]) - a[0].minimum(b[0])).clamp(min=0), (a[3].maximum(b[3]) - a[1].minimum(b[1])).clamp(min=0))


def box_iou(boxes1: Tensor, boxes2: Tensor, fmt: str = "xyxy") -> Tensor:
    """Intersection over union (N, M) of the pairs of boxes1 (N, 4) and boxes2 (M, 4) in a format of box_convert.

    Rotated boxes are (N, 5) or (N, 8).  Any dtype but bool; integers and 16-bit floats give float32.  Raises ArgumentError for
    an unknown format, MismatchError for other shapes.  Source: Jaccard 1901; Sutherland and Hodgman 1974 for rotated boxes.

        >>> from cltensor.vision.ops import box_iou
        >>> box_iou(ct.tensor([[0.0, 0, 2, 2]]), ct.tensor([[0.0, 0, 2, 1], [1, 1, 3, 3]]))
        tensor([[0.5000, 0.1429]])
    """
    if fmt not in SIZES:
        raise ArgumentError(f"box_iou: format {fmt!r} is not known; formats are {', '.join(SIZES)}")
    if fmt in ROTATED:
        wide = (b if b.is_floating_point() else b.to(dtypes.float32) for b in map(upcast, (boxes1, boxes2)))
        inter, union = rotated_overlap(*wide, fmt)
        return inter / union
    if fmt != "xyxy":
        boxes1, boxes2 = (box_convert(b, fmt, "xyxy") for b in (boxes1, boxes2))
    inter, union = _shared(*_pairs("box_iou", boxes1, boxes2))
    return inter / union


def generalized_box_iou(boxes1: Tensor, boxes2: Tensor) -> Tensor:
    """box_iou (N, M) less the share of the smallest box around each pair that neither of the two fills.

    boxes1 (N, 4), boxes2 (M, 4), any dtype but bool; integers and 16-bit floats give float32.  Raises MismatchError for other
    shapes.  Source: Rezatofighi et al., Generalized Intersection over Union, 2019.

        >>> from cltensor.vision.ops import generalized_box_iou
        >>> generalized_box_iou(ct.tensor([[0.0, 0, 1, 1]]), ct.tensor([[2.0, 0, 3, 1]]))
        tensor([[-0.3333]])
    """
    a, b = _pairs("generalized_box_iou", boxes1, boxes2)
    inter, union = _shared(a, b)
    width, height = _hull(a, b)
    around = width * height
    return inter / union - (around - union) / around


def _distance(op, boxes1, boxes2, eps):
    """(iou, iou less the squared distance of the centres over that of the hull's corners, sides of the boxes)."""
    a, b = _pairs(op, boxes1, boxes2)
    inter, union = _shared(a, b)
    width, height = _hull(a, b)
    iou, diagonal = inter / union, width * width + height * height + eps
    across, down = (((a[i] + a[i + 2]) / 2 - (b[i] + b[i + 2]) / 2) for i in (0, 1))
    return iou, iou - (across * across + down * down) / diagonal, a, b


def distance_box_iou(boxes1: Tensor, boxes2: Tensor, eps: float = 1e-7) -> Tensor:
    """box_iou (N, M) less the distance of the centres, squared, over the diagonal of the box around each pair, squared.

    boxes1 (N, 4), boxes2 (M, 4), any dtype but bool; integers and 16-bit floats give float32.  eps keeps the diagonal from 0.
    Raises MismatchError for other shapes.  Source: Zheng et al., Distance-IoU Loss, 2020.

        >>> from cltensor.vision.ops import distance_box_iou
        >>> distance_box_iou(ct.tensor([[0.0, 0, 1, 1]]), ct.tensor([[0.0, 0, 1, 2]]))
        tensor([[0.4500]])
    """
    return _distance("distance_box_iou", boxes1, boxes2, eps)[1]


def shape_penalty(a, b, iou, eps):
    """What the complete overlap takes off for proportions that differ: alpha v of Zheng et al. 2020; alpha has no gradient."""
    angles = [((s[2] - s[0]) / (s[3] - s[1])).atan() for s in (a, b)]
    v = (4 / math.pi**2) * (angles[0] - angles[1]) ** 2
    alpha = (v / (1 - iou + v + eps)).detach()
    return alpha * v


def complete_box_iou(boxes1: Tensor, boxes2: Tensor, eps: float = 1e-7) -> Tensor:
    """distance_box_iou (N, M) less a penalty for proportions of width and height that differ.

    boxes1 (N, 4), boxes2 (M, 4), any dtype but bool; integers and 16-bit floats give float32.  eps keeps divisors from 0.  Raises
    MismatchError for other shapes.  Source: Zheng et al., Distance-IoU Loss, 2020.

        >>> from cltensor.vision.ops import complete_box_iou
        >>> complete_box_iou(ct.tensor([[0.0, 0, 1, 1]]), ct.tensor([[0.0, 0, 1, 2]]))
        tensor([[0.4468]])
    """
    iou, distance, a, b = _distance("complete_box_iou", boxes1, boxes2, eps)
    return distance - shape_penalty(a, b, iou, eps)
