"""The second stage of R-CNN: classes, boxes, masks and keypoints of proposals.

Sources: Girshick, Fast R-CNN, 2015; He et al., Mask R-CNN, 2017.
"""

from __future__ import annotations

from .... import nn
from ....base import dtypes
from ....base.errors import AssertedError, DTypeError
from ....nn import functional as F
from ....tensor.api.creation import arange
from ....tensor.core.tensor import Tensor
from ....tensor.shape.joining import cat
from ...ops import boxes as box_ops
from .box_coder import BoxCoder
from .keypoints import keypointrcnn_inference, keypointrcnn_loss
from .masks import maskrcnn_inference, maskrcnn_loss
from .matcher import Matcher
from .rpn import assigned
from .sampler import BalancedPositiveNegativeSampler

_Target = dict[str, Tensor]


def fastrcnn_loss(class_logits: Tensor, box_regression: Tensor, labels: list[Tensor],
                  regression_targets: list[Tensor]) -> tuple[Tensor, Tensor]:
    """(cross entropy of class_logits (N, classes), smooth L1 of the shifts (N, 4 * classes) of each object's class, over N)."""
    labels, wanted = cat(labels), cat(regression_targets)
    objects = (labels > 0).nonzero().squeeze(1)
    shifts = box_regression.reshape(len(class_logits), box_regression.shape[-1] // 4, 4)[objects, labels[objects]]
    box = F.smooth_l1_loss(shifts, wanted[objects], beta=1 / 9, reduction="sum") / max(labels.numel(), 1)
    return F.cross_entropy(class_logits, labels), box


class RoIHeads(nn.Module):
    """Detections from a dict of maps, proposals and the images' sizes: a list of dicts, and in training a dict of losses.

    box_roi_pool, box_head and box_predictor lead to scores (N, classes) and shifts (N, 4 * classes); the pools, heads and
    predictors of masks and keypoints may be None.  Proposals that overlap a box by fg_iou_thresh are positive, those below
    bg_iou_thresh negative; batch_size_per_image of them are drawn in training.  Detections have a score above score_thresh,
    overlap no better one of their class by more than nms_thresh, and are detections_per_img at most.  Floating dtypes.  Raises
    ArgumentError and DTypeError for targets of other dtypes.  Source: He et al., Mask R-CNN, 2017.

        >>> from cltensor.vision.models.detection.roi_heads import RoIHeads
        >>> RoIHeads(None, None, None, 0.5, 0.5, 512, 0.25, None, 0.05, 0.5, 100).has_mask()
        False
    """

    def __init__(self, box_roi_pool, box_head, box_predictor, fg_iou_thresh: float, bg_iou_thresh: float,
                 batch_size_per_image: int, positive_fraction: float, bbox_reg_weights, score_thresh: float, nms_thresh: float,
                 detections_per_img: int, mask_roi_pool=None, mask_head=None, mask_predictor=None, keypoint_roi_pool=None,
                 keypoint_head=None, keypoint_predictor=None):
        super().__init__()
        self.box_similarity = box_ops.box_iou
        self.proposal_matcher = Matcher(fg_iou_thresh, bg_iou_thresh)
        self.fg_bg_sampler = BalancedPositiveNegativeSampler(batch_size_per_image, positive_fraction)
        self.box_coder = BoxCoder((10.0, 10.0, 5.0, 5.0) if bbox_reg_weights is None else bbox_reg_weights)
        self.box_roi_pool, self.box_head, self.box_predictor = box_roi_pool, box_head, box_predictor
        self.score_thresh, self.nms_thresh, self.detections_per_img = score_thresh, nms_thresh, detections_per_img
        self.mask_roi_pool, self.mask_head, self.mask_predictor = mask_roi_pool, mask_head, mask_predictor
        self.keypoint_roi_pool, self.keypoint_head = keypoint_roi_pool, keypoint_head
        self.keypoint_predictor = keypoint_predictor

    def has_mask(self) -> bool:
        """Whether masks are found."""
        return None not in (self.mask_roi_pool, self.mask_head, self.mask_predictor)

    def has_keypoint(self) -> bool:
        """Whether keypoints are found."""
        return None not in (self.keypoint_roi_pool, self.keypoint_head, self.keypoint_predictor)

    # --- training ----------------------------------------------------------------------------------------------------

    def assign_targets_to_proposals(self, proposals: list[Tensor], gt_boxes: list[Tensor],
                                    gt_labels: list[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
        """(the box each proposal is held against; its label, 0 for background, -1 to leave it out) of each image."""
        matches, labels = [], []
        for own, boxes, names in zip(proposals, gt_boxes, gt_labels, strict=True):
            found = assigned(self.proposal_matcher, boxes, own)
            matches.append(found.clamp(min=0))
            named = names[matches[-1]].to(dtypes.int64) if len(names) else found * 0
            labels.append(named.where(found >= 0, 0).where(found != Matcher.BETWEEN_THRESHOLDS, -1))
        return matches, labels

    def subsample(self, labels: list[Tensor]) -> list[Tensor]:
        """The places of the proposals drawn, of each image."""
        return [(p | n).nonzero().squeeze(1) for p, n in zip(*self.fg_bg_sampler(labels), strict=True)]

    def check_targets(self, targets: list[_Target] | None) -> None:
        """Raise AssertedError where targets lack what the heads learn from."""
        needed = {"boxes", "labels", *(["masks"] if self.has_mask() else [])}
        if targets is None or not all(needed <= set(target) for target in targets):
            raise AssertedError(f"RoIHeads: every target must have {', '.join(sorted(needed))} in training")

    def select_training_samples(self, proposals: list[Tensor], targets: list[_Target] | None):
        """(proposals drawn, boxes they match, labels, shifts to the boxes) of each image; the boxes are proposals too."""
        self.check_targets(targets)
        boxes = [target["boxes"].to(proposals[0].dtype) for target in targets]
        proposals = [cat([own, b]) for own, b in zip(proposals, boxes, strict=True)]
        matches, labels = self.assign_targets_to_proposals(proposals, boxes, [target["labels"] for target in targets])
        drawn = self.subsample(labels)
        proposals, matches, labels = ([own[at] for own, at in zip(parts, drawn, strict=True)]
                                      for parts in (proposals, matches, labels))
        wanted = [b[at] if len(b) else b.new_zeros((len(at), 4)) for b, at in zip(boxes, matches, strict=True)]
        return proposals, matches, labels, self.box_coder.encode(wanted, proposals)

    # --- detection ---------------------------------------------------------------------------------------------------

    def postprocess_detections(self, class_logits: Tensor, box_regression: Tensor, proposals: list[Tensor],
                               image_shapes: list[tuple[int, int]]) -> tuple[list[Tensor], list[Tensor], list[Tensor]]:
        """(boxes, scores, labels) of each image."""
        counts, classes = [len(own) for own in proposals], class_logits.shape[-1]
        decoded = self.box_coder.decode(box_regression, proposals).split(counts, 0)
        found = [self._detected(boxes, scores, classes, shape) for boxes, scores, shape in zip(
            decoded, class_logits.softmax(-1).split(counts, 0), image_shapes, strict=True)]
        return tuple(list(part) for part in zip(*found, strict=True))

    def _detected(self, boxes, scores, classes, shape):
        boxes = box_ops.clip_boxes_to_image(boxes, shape)[:, 1:].reshape(-1, 4)  # without background
        labels = arange(1, classes, device=scores.device).expand(len(scores), -1).reshape(-1)
        scores = scores[:, 1:].reshape(-1)
        large = (boxes[:, 2] - boxes[:, 0] >= 1e-2) & (boxes[:, 3] - boxes[:, 1] >= 1e-2)
        kept = (large & (scores > self.score_thresh)).nonzero().squeeze(1)
        boxes, scores, labels = boxes[kept], scores[kept], labels[kept]
        best = box_ops.batched_nms(boxes, scores, labels, self.nms_thresh)[: self.detections_per_img]
        return boxes[best], scores[best], labels[best]

    def _check_dtypes(self, targets):
        for target in targets:
            if not target["boxes"].is_floating_point():
                raise DTypeError(f"RoIHeads: target boxes must be of float type, not {target['boxes'].dtype}; convert with "
                                 ".float()")
            if target["labels"].dtype is not dtypes.int64:
                raise DTypeError(f"RoIHeads: target labels must be of int64 type, not {target['labels'].dtype}; convert with "
                                 ".long()")
            if self.has_keypoint() and target["keypoints"].dtype is not dtypes.float32:
                raise DTypeError(f"RoIHeads: target keypoints must be of float type, not {target['keypoints'].dtype}; convert with "
                                 ".float()")

    def forward(self, features: dict[str, Tensor], proposals: list[Tensor], image_shapes: list[tuple[int, int]],
                targets: list[_Target] | None = None) -> tuple[list[_Target], dict[str, Tensor]]:
        if targets is not None:
            self._check_dtypes(targets)
        matches = labels = wanted = None
        if self.training:
            proposals, matches, labels, wanted = self.select_training_samples(proposals, targets)
        logits, shifts = self.box_predictor(self.box_head(self.box_roi_pool(features, proposals, image_shapes)))
        result, losses = [], {}
        if self.training:
            losses["loss_classifier"], losses["loss_box_reg"] = fastrcnn_loss(logits, shifts, labels, wanted)
        else:
            found = self.postprocess_detections(logits, shifts, proposals, image_shapes)
            result = [{"boxes": b, "labels": n, "scores": s} for b, s, n in zip(*found, strict=True)]
        if self.has_mask():
            self._masks(features, proposals, image_shapes, targets, matches, labels, result, losses)
        if self.has_keypoint():
            self._keypoints(features, proposals, image_shapes, targets, matches, labels, result, losses)
        return result, losses

    def _objects(self, proposals, matches, labels, result):
        """(boxes, the boxes they match) that masks and keypoints are found for: positive proposals, or all detections."""
        if not self.training:
            return [found["boxes"] for found in result], None
        places = [(own > 0).nonzero().squeeze(1) for own in labels]
        return tuple([own[at] for own, at in zip(parts, places, strict=True)] for parts in (proposals, matches))

    def _masks(self, features, proposals, image_shapes, targets, matches, labels, result, losses):
        boxes, matched = self._objects(proposals, matches, labels, result)
        logits = self.mask_predictor(self.mask_head(self.mask_roi_pool(features, boxes, image_shapes)))
        if self.training:
            losses["loss_mask"] = maskrcnn_loss(logits, boxes, [t["masks"] for t in targets], [t["labels"] for t in targets],
                                                matched)
            return
        for found, masks in zip(result, maskrcnn_inference(logits, [found["labels"] for found in result]), strict=True):
            found["masks"] = masks

    def _keypoints(self, features, proposals, image_shapes, targets, matches, labels, result, losses):
        boxes, matched = self._objects(proposals, matches, labels, result)
        logits = self.keypoint_predictor(self.keypoint_head(self.keypoint_roi_pool(features, boxes, image_shapes)))
        if self.training:
            losses["loss_keypoint"] = keypointrcnn_loss(logits, boxes, [t["keypoints"] for t in targets], matched)
            return
        for found, points, scores in zip(result, *keypointrcnn_inference(logits, boxes), strict=True):
            found["keypoints"], found["keypoints_scores"] = points, scores
