"""The region proposal network: boxes that may hold an object, from every place of the feature maps.

Source: Ren et al., Faster R-CNN, 2015.
"""

from __future__ import annotations

from .... import nn
from ....base import dtypes
from ....nn import functional as F
from ....nn import init
from ....tensor.core.tensor import Tensor
from ....tensor.shape.joining import cat
from ...ops import boxes as box_ops
from ...ops.misc import Conv2dNormActivation
from .anchor_utils import AnchorGenerator
from .box_coder import BoxCoder
from .image_list import ImageList
from .matcher import Matcher
from .sampler import BalancedPositiveNegativeSampler


class RPNHead(nn.Module):
    """For each map (N, in_channels, H, W), scores (N, num_anchors, H, W) and box shifts (N, 4 * num_anchors, H, W): two lists.

    conv_depth: the number of 3x3 convolutions before.  Floating dtypes.  Raises ShapeError for other channels.
    Source: Ren et al., Faster R-CNN, 2015.

        >>> from cltensor.vision.models.detection.rpn import RPNHead
        >>> scores, shifts = RPNHead(4, 3)([ct.ones(1, 4, 2, 2)])
        >>> tuple(scores[0].shape), tuple(shifts[0].shape)
        ((1, 3, 2, 2), (1, 12, 2, 2))
    """

    def __init__(self, in_channels: int, num_anchors: int, conv_depth: int = 1) -> None:
        super().__init__()
        self.conv = nn.Sequential(*(Conv2dNormActivation(in_channels, in_channels, 3, norm_layer=None) for _ in range(conv_depth)))
        self.cls_logits = nn.Conv2d(in_channels, num_anchors, 1)
        self.bbox_pred = nn.Conv2d(in_channels, num_anchors * 4, 1)
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d):
                init.normal_(layer.weight, std=0.01)
                if layer.bias is not None:
                    init.zeros_(layer.bias)

    def _load_from_state_dict(self, state_dict, prefix, *rest):
        """Also load names from when the head had one convolution."""
        for name in ("weight", "bias"):
            if f"{prefix}conv.{name}" in state_dict:
                state_dict[f"{prefix}conv.0.0.{name}"] = state_dict.pop(f"{prefix}conv.{name}")
        super()._load_from_state_dict(state_dict, prefix, *rest)

    def forward(self, x: list[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
        found = [self.conv(feature) for feature in x]
        return [self.cls_logits(t) for t in found], [self.bbox_pred(t) for t in found]


def by_place(layer: Tensor, size: int) -> Tensor:
    """A prediction (N, A * size, H, W) as rows (N, H * W * A, size), place by place."""
    n, channels, h, w = layer.shape
    return layer.reshape(n, channels // size, size, h, w).permute(0, 3, 4, 1, 2).reshape(n, h * w * (channels // size), size)


def assigned(matcher, gt_boxes: Tensor, anchors: Tensor) -> Tensor:
    """The matches of anchors (A, 4) with gt_boxes (G, 4); all -1 where there is no box."""
    if gt_boxes.numel() == 0:
        return anchors.new_full((len(anchors),), -1, dtype=dtypes.int64)
    return matcher(box_ops.box_iou(gt_boxes, anchors))


class RegionProposalNetwork(nn.Module):
    """Proposals for an ImageList and a dict of maps: a list of boxes (K, 4), and in training a dict of losses.

    head gives scores and shifts of the anchors.  Of each map the pre_nms_top_n best are kept, and after suppression at nms_thresh
    post_nms_top_n of all; both are dicts with "training" and "testing".  Anchors that overlap a box by fg_iou_thresh are
    positive, those below bg_iou_thresh negative; the losses are of batch_size_per_image of them.  Floating dtypes.  Raises
    AssertedError where anchors and maps differ in number.  Source: Ren et al., Faster R-CNN, 2015.

        >>> from cltensor.vision.models.detection.rpn import RegionProposalNetwork
        >>> RegionProposalNetwork.__name__
        'RegionProposalNetwork'
    """

    def __init__(self, anchor_generator: AnchorGenerator, head: nn.Module, fg_iou_thresh: float, bg_iou_thresh: float,
                 batch_size_per_image: int, positive_fraction: float, pre_nms_top_n: dict[str, int],
                 post_nms_top_n: dict[str, int], nms_thresh: float, score_thresh: float = 0.0) -> None:
        super().__init__()
        self.anchor_generator, self.head = anchor_generator, head
        self.box_coder = BoxCoder((1.0, 1.0, 1.0, 1.0))
        self.proposal_matcher = Matcher(fg_iou_thresh, bg_iou_thresh, allow_low_quality_matches=True)
        self.fg_bg_sampler = BalancedPositiveNegativeSampler(batch_size_per_image, positive_fraction)
        self._pre_nms_top_n, self._post_nms_top_n = pre_nms_top_n, post_nms_top_n
        self.nms_thresh, self.score_thresh, self.min_size = nms_thresh, score_thresh, 1e-3

    def pre_nms_top_n(self) -> int:
        """How many boxes of each map are looked at."""
        return self._pre_nms_top_n["training" if self.training else "testing"]

    def post_nms_top_n(self) -> int:
        """How many proposals each image has at most."""
        return self._post_nms_top_n["training" if self.training else "testing"]

    def assign_targets_to_anchors(self, anchors: list[Tensor],
                                  targets: list[dict[str, Tensor]]) -> tuple[list[Tensor], list[Tensor]]:
        """(labels: 1, 0, or -1 to leave out; the box each anchor is held against) for each image."""
        labels, boxes = [], []
        for own, target in zip(anchors, targets, strict=True):
            found = assigned(self.proposal_matcher, target["boxes"], own)
            labels.append((found >= 0).to(dtypes.float32).where(found != Matcher.BETWEEN_THRESHOLDS, -1.0))
            boxes.append(target["boxes"][found.clamp(min=0)] if target["boxes"].numel() else own.new_zeros(own.shape))
        return labels, boxes

    def _best(self, objectness, counts):
        """Places (N, K) of the best scores of each level, and their levels (K,)."""
        places, levels, start = [], [], 0
        for level, scores in enumerate(objectness.split(counts, 1)):
            kept = min(self.pre_nms_top_n(), scores.shape[1])
            places.append(scores.topk(kept, 1).indices + start)
            levels.append(places[-1].new_full((kept,), level))
            start += scores.shape[1]
        return cat(places, 1), cat(levels)

    def filter_proposals(self, proposals: Tensor, objectness: Tensor, image_shapes: list[tuple[int, int]],
                         num_anchors_per_level: list[int]) -> tuple[list[Tensor], list[Tensor]]:
        """(boxes, scores) of each image: the best, inside the image, not too small, that overlap no better one."""
        objectness = objectness.detach().reshape(len(proposals), -1)
        places, levels = self._best(objectness, num_anchors_per_level)
        found = []
        for boxes, scores, own, shape in zip(proposals, objectness, places, image_shapes, strict=True):
            boxes, scores = box_ops.clip_boxes_to_image(boxes[own], shape), scores[own].sigmoid()
            wide, high = boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1]
            kept = ((wide >= self.min_size) & (high >= self.min_size) & (scores >= self.score_thresh)).nonzero().squeeze(1)
            boxes, scores = boxes[kept], scores[kept]
            best = box_ops.batched_nms(boxes, scores, levels[kept], self.nms_thresh)[: self.post_nms_top_n()]
            found.append((boxes[best], scores[best]))
        return [boxes for boxes, _ in found], [scores for _, scores in found]

    def compute_loss(self, objectness: Tensor, pred_bbox_deltas: Tensor, labels: list[Tensor],
                     regression_targets: list[Tensor]) -> tuple[Tensor, Tensor]:
        """(binary cross entropy of the scores, smooth L1 of the shifts) of the anchors drawn."""
        positive, negative = (cat(masks).nonzero().squeeze(1) for masks in self.fg_bg_sampler(labels))
        drawn, labels, wanted = cat([positive, negative]), cat(labels), cat(regression_targets)
        box = F.smooth_l1_loss(pred_bbox_deltas[positive], wanted[positive], beta=1 / 9, reduction="sum") / max(len(drawn), 1)
        return F.binary_cross_entropy_with_logits(objectness.flatten()[drawn], labels[drawn]), box

    def forward(self, images: ImageList, features: dict[str, Tensor],
                targets: list[dict[str, Tensor]] | None = None) -> tuple[list[Tensor], dict[str, Tensor]]:
        maps = list(features.values())
        scores, shifts = self.head(maps)
        anchors = self.anchor_generator(images, maps)
        counts = [s.shape[1] * s.shape[2] * s.shape[3] for s in scores]
        objectness = cat([by_place(s, 1) for s in scores], 1).flatten(0, 1)
        deltas = cat([by_place(s, 4) for s in shifts], 1).flatten(0, 1)
        proposals = self.box_coder.decode(deltas.detach(), anchors).reshape(len(anchors), -1, 4)
        boxes, _ = self.filter_proposals(proposals, objectness, images.image_sizes, counts)
        if not self.training:
            return boxes, {}
        labels, matched = self.assign_targets_to_anchors(anchors, targets)
        loss, box_loss = self.compute_loss(objectness, deltas, labels, self.box_coder.encode(matched, anchors))
        return boxes, {"loss_objectness": loss, "loss_rpn_box_reg": box_loss}
