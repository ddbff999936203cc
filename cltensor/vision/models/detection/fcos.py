"""FCOS: detection in one stage without anchors of several shapes: each place predicts the distances of a box's sides.

Source: Tian et al., FCOS: A Simple and Strong Anchor-Free Object Detector, 2020.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

from .... import nn
from ....base import dtypes
from ....base.errors import ArgumentError, ArgumentTypeError
from ....nn import functional as F
from ....nn import init
from ....tensor.core.tensor import Tensor
from ....tensor.shape.joining import cat, stack
from ...ops.feature_pyramid_network import LastLevelP6P7
from ...ops.focal_loss import sigmoid_focal_loss
from ...ops.iou_loss import generalized_box_iou_loss
from .._api import WeightsEnum, register_model
from ..coco import detection, documented, loaded, settled
from ..resnet import ResNet50_Weights
from .anchor_utils import AnchorGenerator
from .box_coder import BoxLinearCoder
from .dense import OneStage, best_of_levels, initialize, suppressed
from .faster_rcnn import RESULT, resnet50_fpn
from .rpn import by_place
from .transform import GeneralizedRCNNTransform

_SOURCE = "Tian et al., FCOS: A Simple and Strong Anchor-Free Object Detector, 2020"


def _tower(channels, count, norm_layer):
    """3x3 convolutions, each with a norm of 32 groups, or norm_layer, and ReLU."""
    norm_layer = norm_layer or partial(nn.GroupNorm, 32)
    return nn.Sequential(*(layer for _ in range(count)
                           for layer in (nn.Conv2d(channels, channels, 3, padding=1), norm_layer(channels), nn.ReLU())))


class FCOSClassificationHead(nn.Module):
    """For maps (N, in_channels, H, W), a list, scores (N, places, num_classes).

    num_convs: the number of convolutions before; prior_probability: what scores start at.  Floating dtypes.  Raises ShapeError
    for other channels.  Source: Tian et al. 2020.

        >>> from cltensor.vision.models.detection.fcos import FCOSClassificationHead
        >>> FCOSClassificationHead(32, 1, 3, 1)([ct.ones(1, 32, 2, 2)]).shape
        cltensor.Size([1, 4, 3])
    """

    def __init__(self, in_channels: int, num_anchors: int, num_classes: int, num_convs: int = 4, prior_probability: float = 0.01,
                 norm_layer: Callable[..., nn.Module] | None = None) -> None:
        super().__init__()
        self.num_classes, self.num_anchors = num_classes, num_anchors
        self.conv = _tower(in_channels, num_convs, norm_layer)
        self.cls_logits = nn.Conv2d(in_channels, num_anchors * num_classes, 3, padding=1)
        initialize(self)
        init.constant_(self.cls_logits.bias, -math.log((1 - prior_probability) / prior_probability))

    def forward(self, x: list[Tensor]) -> Tensor:
        return cat([by_place(self.cls_logits(self.conv(feature)), self.num_classes) for feature in x], 1)


class FCOSRegressionHead(nn.Module):
    """For maps (N, in_channels, H, W), a list, distances (N, places, 4), at least 0, and centerness (N, places, 1).

    num_convs: the number of convolutions before.  Floating dtypes.  Raises ShapeError for other channels.
    Source: Tian et al. 2020.

        >>> from cltensor.vision.models.detection.fcos import FCOSRegressionHead
        >>> [tuple(x.shape) for x in FCOSRegressionHead(32, 1, 1)([ct.ones(1, 32, 2, 2)])]
        [(1, 4, 4), (1, 4, 1)]
    """

    def __init__(self, in_channels: int, num_anchors: int, num_convs: int = 4, norm_layer: Callable[..., nn.Module] | None = None):
        super().__init__()
        self.conv = _tower(in_channels, num_convs, norm_layer)
        self.bbox_reg = nn.Conv2d(in_channels, num_anchors * 4, 3, padding=1)
        self.bbox_ctrness = nn.Conv2d(in_channels, num_anchors, 3, padding=1)
        initialize(self)

    def forward(self, x: list[Tensor]) -> tuple[Tensor, Tensor]:
        found = [self.conv(feature) for feature in x]
        return (cat([by_place(F.relu(self.bbox_reg(t)), 4) for t in found], 1),
                cat([by_place(self.bbox_ctrness(t), 1) for t in found], 1))


class FCOSHead(nn.Module):
    """Both heads: for maps (N, in_channels, H, W), a list, a dict of cls_logits, bbox_regression and bbox_ctrness (N, places, *).

    Floating dtypes.  Raises ShapeError for other channels.  Source: Tian et al. 2020.

        >>> from cltensor.vision.models.detection.fcos import FCOSHead
        >>> sorted(FCOSHead(32, 1, 3, 1)([ct.ones(1, 32, 2, 2)]))
        ['bbox_ctrness', 'bbox_regression', 'cls_logits']
    """

    def __init__(self, in_channels: int, num_anchors: int, num_classes: int, num_convs: int | None = 4) -> None:
        super().__init__()
        self.box_coder = BoxLinearCoder(normalize_by_size=True)
        self.classification_head = FCOSClassificationHead(in_channels, num_anchors, num_classes, num_convs)
        self.regression_head = FCOSRegressionHead(in_channels, num_anchors, num_convs)

    def compute_loss(self, targets: list[dict[str, Tensor]], head_outputs: dict[str, Tensor], anchors: list[Tensor],
                     matched_idxs: list[Tensor]) -> dict[str, Tensor]:
        """Focal loss of the classes, overlap of the boxes and cross entropy of the centerness, over the number of objects."""
        logits, shifts = head_outputs["cls_logits"], head_outputs["bbox_regression"]
        labels, boxes = (stack(list(part)) for part in zip(*map(_wanted, targets, matched_idxs), strict=True))
        anchors, objects = stack(anchors), labels >= 0
        count = max(1, int(objects.sum().item()))
        places = objects.flatten().nonzero().squeeze(1)
        named = logits.detach().new_zeros(logits.shape).flatten(0, 1)
        named[places, labels.flatten()[places]] = 1.0
        predicted = self.box_coder.decode(shifts, anchors).flatten(0, 1)[places]
        boxes, anchors = boxes.flatten(0, 1)[places], anchors.flatten(0, 1)[places]
        centre = head_outputs["bbox_ctrness"].flatten()[places]
        return {"classification": sigmoid_focal_loss(logits, named.reshape(logits.shape), reduction="sum") / count,
                "bbox_regression": generalized_box_iou_loss(predicted, boxes, reduction="sum") / count,
                "bbox_ctrness": F.binary_cross_entropy_with_logits(centre, self._centerness(anchors, boxes),
                                                                   reduction="sum") / count}

    def _centerness(self, anchors, boxes):
        """How central places are: the root of the ratios of the nearer to the farther side, along both axes."""
        left, top, right, bottom = self.box_coder.encode(anchors, boxes).unbind(-1)
        return (left.minimum(right) / left.maximum(right) * (top.minimum(bottom) / top.maximum(bottom))).sqrt()

    def forward(self, x: list[Tensor]) -> dict[str, Tensor]:
        logits = self.classification_head(x)
        shifts, centre = self.regression_head(x)
        return {"cls_logits": logits, "bbox_regression": shifts, "bbox_ctrness": centre}


def _wanted(target, found):
    """(labels, -1 for background; boxes) of the places of an image."""
    if len(target["labels"]) == 0:
        return found * 0 - 1, target["boxes"].new_zeros((len(found), 4))
    at = found.clamp(min=0)
    return target["labels"][at].where(found >= 0, -1), target["boxes"][at]


class FCOS(OneStage):
    """Detection in one stage on a backbone whose maps all have backbone.out_channels channels; one anchor at each place.

    Called with a list of images (3, H, W) in [0, 1] and, in training, of targets: dicts with boxes (N, 4) and labels (N,), int64.
    Gives a dict of losses in training, else for each image a dict of boxes (N, 4), scores and labels (N,).  A place learns the
    smallest box whose centre is within center_sampling_radius cells and whose size suits its level.  Other arguments are those
    of RetinaNet.  Floating dtypes.  Raises ArgumentError, ArgumentTypeError where parts do not fit.
    Source: Tian et al., FCOS, 2020.

        >>> from cltensor.vision.models.detection import FCOS
        >>> FCOS(ct.nn.Conv2d(3, 32, 3), 2, min_size=64, max_size=64).head.classification_head.num_classes
        2
    """

    def __init__(self, backbone: nn.Module, num_classes: int, min_size: int = 800, max_size: int = 1333,
                 image_mean: list[float] | None = None, image_std: list[float] | None = None,
                 anchor_generator: AnchorGenerator | None = None, head: nn.Module | None = None,
                 center_sampling_radius: float = 1.5, score_thresh: float = 0.2, nms_thresh: float = 0.6,
                 detections_per_img: int = 100, topk_candidates: int = 1000, **kwargs):
        super().__init__()
        if not hasattr(backbone, "out_channels"):
            raise ArgumentError("FCOS: backbone should contain an attribute out_channels that says how many channels its maps "
                                "have, the "
                                "same for all")
        if not isinstance(anchor_generator, (AnchorGenerator, type(None))):
            raise ArgumentTypeError(f"FCOS: anchor_generator should be an AnchorGenerator or None, not a "
                                    f"{type(anchor_generator).__name__}")
        self.backbone = backbone
        self.anchor_generator = anchor_generator or AnchorGenerator(((8,), (16,), (32,), (64,), (128,)), ((1.0,),) * 5)
        shapes = self.anchor_generator.num_anchors_per_location()
        if shapes[0] != 1:
            raise ArgumentError(f"FCOS: anchor_generator.num_anchors_per_location()[0] should be 1 instead of {shapes[0]}")
        self.head = head or FCOSHead(backbone.out_channels, shapes[0], num_classes)
        self.box_coder = BoxLinearCoder(normalize_by_size=True)
        self.transform = GeneralizedRCNNTransform(min_size, max_size, image_mean or [0.485, 0.456, 0.406],
                                                  image_std or [0.229, 0.224, 0.225], **kwargs)
        self.center_sampling_radius, self.score_thresh, self.nms_thresh = center_sampling_radius, score_thresh, nms_thresh
        self.detections_per_img, self.topk_candidates = detections_per_img, topk_candidates

    def compute_loss(self, targets: list[dict[str, Tensor]], head_outputs: dict[str, Tensor], anchors: list[Tensor],
                     num_anchors_per_level: list[int]) -> dict[str, Tensor]:
        """The losses by name."""
        found = [self._matches(own, target["boxes"], num_anchors_per_level) for own, target in zip(anchors, targets, strict=True)]
        return self.head.compute_loss(targets, head_outputs, anchors, found)

    def _matches(self, anchors, boxes, counts):
        """The box that each place learns, -1 for none."""
        if len(boxes) == 0:
            return anchors.new_full((len(anchors),), -1, dtype=dtypes.int64)
        x, y = ((anchors[:, i:i + 1] + anchors[:, i + 2:i + 3]) / 2 for i in (0, 1))
        size = anchors[:, 2:3] - anchors[:, :1]
        left, top, right, bottom = (side.unsqueeze(0) for side in boxes.unbind(1))
        reach = self.center_sampling_radius * size
        fits = ((x - (left + right) / 2).abs() < reach) & ((y - (top + bottom) / 2).abs() < reach)
        sides = stack([x - left, y - top, right - x, bottom - y], 2)
        fits = fits & (sides.amin(2) > 0)
        lower, upper = size * 4, size * 8
        lower = cat([lower[: counts[0]] * 0, lower[counts[0]:]])
        last = len(anchors) - counts[-1]
        upper = cat([upper[:last], upper[last:] + math.inf])
        farthest = sides.amax(2)
        fits = fits & (farthest > lower) & (farthest < upper)
        smallness = (1e8 - (right - left) * (bottom - top)) * fits.to(boxes.dtype)
        value, best = smallness.max(dim=1)
        return best.where(value >= 1e-5, -1)

    def _losses(self, targets, outputs, anchors, features):
        return self.compute_loss(targets, outputs, anchors, [f.shape[2] * f.shape[3] for f in features])

    def _detections(self, outputs, anchors, images, features):
        counts = [feature.shape[2] * feature.shape[3] for feature in features]
        return [self._of_image(*(t[i].split(counts) for t in outputs.values()), anchors[i].split(counts), shape)
                for i, shape in enumerate(images.image_sizes)]

    def _of_image(self, logits, shifts, centre, anchors, shape):
        scores = [(own.sigmoid() * middle.sigmoid()).sqrt() for own, middle in zip(logits, centre, strict=True)]
        found = best_of_levels(scores, lambda level, at: self.box_coder.decode(shifts[level][at], anchors[level][at]),
                               self.score_thresh, self.topk_candidates, shape)
        return suppressed(*found, self.nms_thresh, self.detections_per_img)


class FCOS_ResNet50_FPN_Weights(WeightsEnum):
    """Published weights of fcos_resnet50_fpn."""

    COCO_V1 = detection("fcos_resnet50_fpn_coco-99b0c9b7.pth", 32269600, 128.207, 123.608, 39.2)
    DEFAULT = COCO_V1


@register_model()
@documented(FCOS_ResNet50_FPN_Weights, _SOURCE, RESULT)
def fcos_resnet50_fpn(*, weights: FCOS_ResNet50_FPN_Weights | None = None, progress: bool = True, num_classes: int | None = None,
                      weights_backbone: ResNet50_Weights | None = ResNet50_Weights.IMAGENET1K_V1,
                      trainable_backbone_layers: int | None = None, **kwargs: Any) -> FCOS:
    """FCOS on a ResNet-50 with a feature pyramid."""
    weights, of_backbone, classes = settled(FCOS_ResNet50_FPN_Weights, weights, ResNet50_Weights, weights_backbone, num_classes, 91)
    backbone = resnet50_fpn(weights, of_backbone, progress, trainable_backbone_layers, returned_layers=[2, 3, 4],
                            extra_blocks=LastLevelP6P7(256, 256))
    return loaded(FCOS(backbone, classes, **kwargs), weights, progress)
