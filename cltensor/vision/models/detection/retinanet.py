"""RetinaNet: detection in one stage, with the focal loss.

Sources: Lin et al., Focal Loss for Dense Object Detection, 2017; Zhang et al., Bridging the Gap Between Anchor-based and
Anchor-free Detection, 2020 (v2).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

from .... import nn
from ....base.errors import ArgumentError, ArgumentTypeError
from ....nn import init
from ....tensor.core.tensor import Tensor
from ....tensor.shape.joining import cat
from ...ops.feature_pyramid_network import LastLevelP6P7
from ...ops.focal_loss import sigmoid_focal_loss
from ...ops.misc import Conv2dNormActivation
from .._api import WeightsEnum, register_model
from ..coco import detection, documented, loaded, settled
from ..resnet import ResNet50_Weights
from .anchor_utils import AnchorGenerator
from .box_coder import BoxCoder
from .box_loss import box_loss
from .dense import OneStage, best_of_levels, initialize, matches, mean_over_images, suppressed
from .faster_rcnn import RESULT, old, resnet50_fpn
from .matcher import Matcher
from .rpn import by_place
from .transform import GeneralizedRCNNTransform

_SOURCE = "Lin et al., Focal Loss for Dense Object Detection, 2017"


def _anchors():
    """Three sizes at each of five levels, in three ratios."""
    sizes = tuple((size, int(size * 2 ** (1 / 3)), int(size * 2 ** (2 / 3))) for size in (32, 64, 128, 256, 512))
    return AnchorGenerator(sizes, ((0.5, 1.0, 2.0),) * len(sizes))


class _Head(nn.Module):
    """Four 3x3 convolutions; derive and add what predicts."""

    def __init__(self, in_channels, norm_layer):
        super().__init__()
        self.conv = nn.Sequential(*(Conv2dNormActivation(in_channels, in_channels, norm_layer=norm_layer) for _ in range(4)))

    def _load_from_state_dict(self, state_dict, prefix, *rest):
        """Also load the names of the first version, which had convolutions and ReLUs in one row."""
        for i in range(len(self.conv)):
            for name in ("weight", "bias"):
                before = f"{prefix}conv.{2 * i}.{name}"
                if before in state_dict:
                    state_dict[f"{prefix}conv.{i}.0.{name}"] = state_dict.pop(before)
        super()._load_from_state_dict(state_dict, prefix, *rest)


class RetinaNetClassificationHead(_Head):
    """For maps (N, in_channels, H, W), a list, scores (N, places, num_classes) of num_anchors boxes at every place.

    prior_probability: what scores start at.  norm_layer follows the convolutions.  Floating dtypes.  Raises ShapeError for other
    channels.  Source: Lin et al. 2017.

        >>> from cltensor.vision.models.detection.retinanet import RetinaNetClassificationHead
        >>> RetinaNetClassificationHead(4, 2, 3)([ct.ones(1, 4, 2, 2)]).shape
        cltensor.Size([1, 8, 3])
    """

    def __init__(self, in_channels: int, num_anchors: int, num_classes: int, prior_probability: float = 0.01,
                 norm_layer: Callable[..., nn.Module] | None = None):
        super().__init__(in_channels, norm_layer)
        self.cls_logits = nn.Conv2d(in_channels, num_anchors * num_classes, 3, padding=1)
        initialize(self)
        init.constant_(self.cls_logits.bias, -math.log((1 - prior_probability) / prior_probability))
        self.num_classes, self.num_anchors = num_classes, num_anchors
        self.BETWEEN_THRESHOLDS = Matcher.BETWEEN_THRESHOLDS

    def compute_loss(self, targets: list[dict[str, Tensor]], head_outputs: dict[str, Tensor], matched_idxs: list[Tensor]) -> Tensor:
        """The focal loss over the number of positive anchors, the mean of the images."""
        losses = []
        for target, logits, found in zip(targets, head_outputs["cls_logits"], matched_idxs, strict=True):
            positive = (found >= 0).nonzero().squeeze(1)
            wanted = logits.detach().new_zeros(logits.shape)
            wanted[positive, target["labels"][found[positive]]] = 1.0
            kept = (found != self.BETWEEN_THRESHOLDS).nonzero().squeeze(1)
            losses.append(sigmoid_focal_loss(logits[kept], wanted[kept], reduction="sum") / max(1, len(positive)))
        return mean_over_images(losses)

    def forward(self, x: list[Tensor]) -> Tensor:
        return cat([by_place(self.cls_logits(self.conv(feature)), self.num_classes) for feature in x], 1)


class RetinaNetRegressionHead(_Head):
    """For maps (N, in_channels, H, W), a list, box shifts (N, places, 4) of num_anchors boxes at every place.

    norm_layer follows the convolutions.  Floating dtypes.  Raises ShapeError for other channels.  Source: Lin et al. 2017.

        >>> from cltensor.vision.models.detection.retinanet import RetinaNetRegressionHead
        >>> RetinaNetRegressionHead(4, 2)([ct.ones(1, 4, 2, 2)]).shape
        cltensor.Size([1, 8, 4])
    """

    def __init__(self, in_channels: int, num_anchors: int, norm_layer: Callable[..., nn.Module] | None = None):
        super().__init__(in_channels, norm_layer)
        self.bbox_reg = nn.Conv2d(in_channels, num_anchors * 4, 3, padding=1)
        initialize(self)
        self.box_coder = BoxCoder((1.0, 1.0, 1.0, 1.0))
        self._loss_type = "l1"

    def compute_loss(self, targets: list[dict[str, Tensor]], head_outputs: dict[str, Tensor], anchors: list[Tensor],
                     matched_idxs: list[Tensor]) -> Tensor:
        """The loss of the boxes over the number of positive anchors, the mean of the images."""
        losses = []
        for target, shifts, own, found in zip(targets, head_outputs["bbox_regression"], anchors, matched_idxs, strict=True):
            positive = (found >= 0).nonzero().squeeze(1)
            loss = box_loss(self._loss_type, self.box_coder, own[positive], target["boxes"][found[positive]], shifts[positive])
            losses.append(loss / max(1, len(positive)))
        return mean_over_images(losses)

    def forward(self, x: list[Tensor]) -> Tensor:
        return cat([by_place(self.bbox_reg(self.conv(feature)), 4) for feature in x], 1)


class RetinaNetHead(nn.Module):
    """Both heads: for maps (N, in_channels, H, W), a list, a dict of cls_logits (N, places, num_classes) and bbox_regression
    (N, places, 4).

    Floating dtypes.  Raises ShapeError for other channels.  Source: Lin et al. 2017.

        >>> from cltensor.vision.models.detection.retinanet import RetinaNetHead
        >>> sorted(RetinaNetHead(4, 2, 3)([ct.ones(1, 4, 2, 2)]))
        ['bbox_regression', 'cls_logits']
    """

    def __init__(self, in_channels: int, num_anchors: int, num_classes: int, norm_layer: Callable[..., nn.Module] | None = None):
        super().__init__()
        self.classification_head = RetinaNetClassificationHead(in_channels, num_anchors, num_classes, norm_layer=norm_layer)
        self.regression_head = RetinaNetRegressionHead(in_channels, num_anchors, norm_layer=norm_layer)

    def compute_loss(self, targets, head_outputs, anchors, matched_idxs) -> dict[str, Tensor]:
        """The losses of both heads, by name."""
        return {"classification": self.classification_head.compute_loss(targets, head_outputs, matched_idxs),
                "bbox_regression": self.regression_head.compute_loss(targets, head_outputs, anchors, matched_idxs)}

    def forward(self, x: list[Tensor]) -> dict[str, Tensor]:
        return {"cls_logits": self.classification_head(x), "bbox_regression": self.regression_head(x)}


class RetinaNet(OneStage):
    """Detection in one stage on a backbone whose maps all have backbone.out_channels channels.

    Called with a list of images (3, H, W) in [0, 1] and, in training, of targets: dicts with boxes (N, 4) and labels (N,), int64.
    Gives a dict of losses in training, else for each image a dict of boxes (N, 4), scores and labels (N,).  Anchors that overlap a
    box by fg_iou_thresh are positive, those below bg_iou_thresh negative.  Of each level the topk_candidates best scores above
    score_thresh are looked at.  min_size to image_std are those of GeneralizedRCNNTransform.  Floating dtypes.  Raises
    ArgumentError, ArgumentTypeError where parts do not fit.  Source: Lin et al., Focal Loss for Dense Object Detection, 2017.

        >>> from cltensor.vision.models.detection import RetinaNet
        >>> RetinaNet(ct.nn.Conv2d(3, 8, 3), 2, min_size=64, max_size=64).head.classification_head.num_classes
        2
    """

    def __init__(self, backbone, num_classes, min_size=800, max_size=1333, image_mean=None, image_std=None, anchor_generator=None,
                 head=None, proposal_matcher=None, score_thresh=0.05, nms_thresh=0.5, detections_per_img=300, fg_iou_thresh=0.5,
                 bg_iou_thresh=0.4, topk_candidates=1000, **kwargs):
        super().__init__()
        if not hasattr(backbone, "out_channels"):
            raise ArgumentError("RetinaNet: backbone should contain an attribute out_channels that says how many channels its "
                                "maps have, "
                                "the same for all")
        if not isinstance(anchor_generator, (AnchorGenerator, type(None))):
            raise ArgumentTypeError(f"RetinaNet: anchor_generator should be an AnchorGenerator or None, not a "
                                    f"{type(anchor_generator).__name__}")
        self.backbone = backbone
        self.anchor_generator = anchor_generator or _anchors()
        self.head = head or RetinaNetHead(backbone.out_channels, self.anchor_generator.num_anchors_per_location()[0], num_classes)
        self.proposal_matcher = proposal_matcher or Matcher(fg_iou_thresh, bg_iou_thresh, allow_low_quality_matches=True)
        self.box_coder = BoxCoder((1.0, 1.0, 1.0, 1.0))
        self.transform = GeneralizedRCNNTransform(min_size, max_size, image_mean or [0.485, 0.456, 0.406],
                                                  image_std or [0.229, 0.224, 0.225], **kwargs)
        self.score_thresh, self.nms_thresh = score_thresh, nms_thresh
        self.detections_per_img, self.topk_candidates = detections_per_img, topk_candidates

    def compute_loss(self, targets: list[dict[str, Tensor]], head_outputs: dict[str, Tensor],
                     anchors: list[Tensor]) -> dict[str, Tensor]:
        """The losses by name."""
        return self.head.compute_loss(targets, head_outputs, anchors, matches(self.proposal_matcher, targets, anchors))

    def _losses(self, targets, outputs, anchors, features):
        return self.compute_loss(targets, outputs, anchors)

    def _detections(self, outputs, anchors, images, features):
        places = [feature.shape[2] * feature.shape[3] for feature in features]
        each = outputs["cls_logits"].shape[1] // sum(places)
        counts = [n * each for n in places]
        return [self._of_image(*(t[i].split(counts) for t in outputs.values()), anchors[i].split(counts), shape)
                for i, shape in enumerate(images.image_sizes)]

    def _of_image(self, logits, shifts, anchors, shape):
        found = best_of_levels([level.sigmoid() for level in logits],
                               lambda level, at: self.box_coder.decode_single(shifts[level][at], anchors[level][at]),
                               self.score_thresh, self.topk_candidates, shape)
        return suppressed(*found, self.nms_thresh, self.detections_per_img)


class RetinaNet_ResNet50_FPN_Weights(WeightsEnum):
    """Published weights of retinanet_resnet50_fpn."""

    COCO_V1 = detection("retinanet_resnet50_fpn_coco-eeacb38b.pth", 34014999, 151.54, 130.267, 36.4)
    DEFAULT = COCO_V1


class RetinaNet_ResNet50_FPN_V2_Weights(WeightsEnum):
    """Published weights of retinanet_resnet50_fpn_v2."""

    COCO_V1 = detection("retinanet_resnet50_fpn_v2_coco-5905b1c5.pth", 38198935, 152.238, 146.037, 41.5)
    DEFAULT = COCO_V1


@register_model()
@documented(RetinaNet_ResNet50_FPN_Weights, _SOURCE, RESULT)
def retinanet_resnet50_fpn(*, weights: RetinaNet_ResNet50_FPN_Weights | None = None, progress: bool = True,
                           num_classes: int | None = None,
                           weights_backbone: ResNet50_Weights | None = ResNet50_Weights.IMAGENET1K_V1,
                           trainable_backbone_layers: int | None = None, **kwargs: Any) -> RetinaNet:
    """RetinaNet on a ResNet-50 with a feature pyramid."""
    weights, of_backbone, classes = settled(RetinaNet_ResNet50_FPN_Weights, weights, ResNet50_Weights, weights_backbone,
                                            num_classes, 91)
    backbone = resnet50_fpn(weights, of_backbone, progress, trainable_backbone_layers, returned_layers=[2, 3, 4],
                            extra_blocks=LastLevelP6P7(256, 256))
    return old(RetinaNet(backbone, classes, **kwargs), weights, progress)


@register_model()
@documented(RetinaNet_ResNet50_FPN_V2_Weights, _SOURCE, RESULT)
def retinanet_resnet50_fpn_v2(*, weights: RetinaNet_ResNet50_FPN_V2_Weights | None = None, progress: bool = True,
                              num_classes: int | None = None, weights_backbone: ResNet50_Weights | None = None,
                              trainable_backbone_layers: int | None = None, **kwargs: Any) -> RetinaNet:
    """RetinaNet on a ResNet-50 with a feature pyramid, with group norms and a loss by overlap."""
    weights, of_backbone, classes = settled(RetinaNet_ResNet50_FPN_V2_Weights, weights, ResNet50_Weights, weights_backbone,
                                            num_classes, 91)
    backbone = resnet50_fpn(weights, of_backbone, progress, trainable_backbone_layers, frozen_norm=False, returned_layers=[2, 3, 4],
                            extra_blocks=LastLevelP6P7(2048, 256))
    anchors = _anchors()
    head = RetinaNetHead(backbone.out_channels, anchors.num_anchors_per_location()[0], classes, partial(nn.GroupNorm, 32))
    head.regression_head._loss_type = "giou"
    return loaded(RetinaNet(backbone, classes, anchor_generator=anchors, head=head, **kwargs), weights, progress)
