"""What detectors of one stage share: predictions place by place, and the detections of an image."""

from __future__ import annotations

from .... import nn
from ....base import dtypes
from ....nn import init
from ....tensor.core.tensor import Tensor
from ....tensor.shape.joining import cat
from ...ops import boxes as box_ops
from .generalized_rcnn import prepared
from .matcher import Matcher
from .rpn import assigned


def initialize(module: nn.Module, std: float = 0.01, bias: float = 0.0) -> None:
    """Draw the weights of all convolutions in a module from a normal distribution, and set their biases."""
    for layer in module.modules():
        if isinstance(layer, nn.Conv2d):
            init.normal_(layer.weight, std=std)
            if layer.bias is not None:
                init.constant_(layer.bias, bias)


def matches(matcher: Matcher, targets: list[dict[str, Tensor]], anchors: list[Tensor]) -> list[Tensor]:
    """The box that each anchor is held against, of each image; all -1 for an image without boxes."""
    return [assigned(matcher, target["boxes"], own) for target, own in zip(targets, anchors, strict=True)]


def mean_over_images(losses: list[Tensor]) -> Tensor:
    """The mean of one loss for each image."""
    total = losses[0]
    for loss in losses[1:]:
        total = total + loss
    return total / max(len(losses), 1)


def best_of_levels(scores: list[Tensor], decode, score_thresh: float, topk: int, shape: tuple[int, int]):
    """(boxes, scores, labels) of the topk scores (places, classes) above score_thresh of each level, clipped to the image.

    decode: level, places -> boxes.
    """
    found = []
    for level, own in enumerate(scores):
        classes, own = own.shape[-1], own.flatten()
        kept = (own > score_thresh).nonzero().squeeze(1)
        values, order = own[kept].topk(min(len(kept), topk))
        kept = kept[order]
        found.append((decode(level, kept // classes), values, kept % classes))
    boxes, values, labels = (cat(list(part)) for part in zip(*found, strict=True))
    return box_ops.clip_boxes_to_image(boxes, shape), values, labels


def suppressed(boxes: Tensor, scores: Tensor, labels: Tensor, nms_thresh: float, detections_per_img: int) -> dict[str, Tensor]:
    """The best detections of an image that overlap no better one of their class."""
    best = box_ops.batched_nms(boxes, scores, labels, nms_thresh)[:detections_per_img]
    return {"boxes": boxes[best], "scores": scores[best], "labels": labels[best].to(dtypes.int64)}


class OneStage(nn.Module):
    """A detector whose head predicts for every anchor: transform, backbone, head; derive and give losses and detections."""

    def forward(self, images: list[Tensor], targets: list[dict[str, Tensor]] | None = None):
        images, targets, sizes, features = prepared(self, images, targets)
        features = list(features.values())
        outputs, anchors = self.head(features), self.anchor_generator(images, features)
        if self.training:
            return self._losses(targets, outputs, anchors, features)
        return self.transform.postprocess(self._detections(outputs, anchors, images, features), images.image_sizes, sizes)
