"""SSD: detection in one stage from maps of falling size; SSD300 on VGG-16.

Source: Liu et al., SSD: Single Shot MultiBox Detector, 2016.
"""

from __future__ import annotations

import math
import warnings
from collections import OrderedDict
from typing import Any

from .... import nn
from ....base.errors import ArgumentError
from ....func import functional_call
from ....nn import functional as F
from ....nn import init
from ....tensor.api.creation import arange, empty, ones
from ....tensor.core.tensor import Tensor
from ....tensor.shape.joining import cat, stack
from ...ops import boxes as box_ops
from .._api import WeightsEnum, register_model
from ..coco import detection, documented, loaded, settled
from ..vgg import VGG, VGG16_Weights, vgg16
from .anchor_utils import DefaultBoxGenerator
from .backbone_utils import freeze, trained_layers
from .box_coder import BoxCoder
from .dense import OneStage, matches, suppressed
from .faster_rcnn import RESULT
from .generalized_rcnn import named
from .matcher import SSDMatcher
from .rpn import by_place
from .transform import GeneralizedRCNNTransform

_SOURCE = "Liu et al., SSD: Single Shot MultiBox Detector, 2016"


def xavier(module: nn.Module) -> None:
    """Draw the weights of a module's convolutions uniformly, by Glorot and Bengio 2010, and set their biases to 0."""
    for layer in module.modules():
        if isinstance(layer, nn.Conv2d):
            init.xavier_uniform_(layer.weight)
            if layer.bias is not None:
                init.zeros_(layer.bias)


def out_channels(model: nn.Module, size: tuple[int, int]) -> list[int]:
    """The channels of a backbone's maps, found with an image (height, width) that holds no values."""
    was_training = model.training
    model.eval()
    tensors = {**dict(model.named_parameters()), **dict(model.named_buffers())}
    shapes = {name: empty(t.shape, dtype=t.dtype, device="meta") for name, t in tensors.items()}
    image = empty((1, 3, size[1], size[0]), dtype=next(iter(tensors.values())).dtype, device="meta")
    found = functional_call(model, shapes, (image,))
    model.train(was_training)
    return [feature.shape[1] for feature in named(found).values()]


class SSDScoringHead(nn.Module):
    """A module for each map (N, C, H, W): predictions (N, places, num_columns).

    Floating dtypes.  Raises ShapeError for other channels.  Source: Liu et al. 2016.

        >>> from cltensor.vision.models.detection.ssd import SSDScoringHead
        >>> SSDScoringHead(ct.nn.ModuleList([ct.nn.Conv2d(2, 6, 1)]), 3)([ct.ones(1, 2, 2, 2)]).shape
        cltensor.Size([1, 8, 3])
    """

    def __init__(self, module_list: nn.ModuleList, num_columns: int):
        super().__init__()
        self.module_list, self.num_columns = module_list, num_columns

    def forward(self, x: list[Tensor]) -> Tensor:
        return cat([by_place(layer(feature), self.num_columns) for layer, feature in zip(self.module_list, x, strict=True)], 1)


def _convolutions(in_channels, num_anchors, columns):
    made = nn.ModuleList([nn.Conv2d(c, columns * n, 3, padding=1) for c, n in zip(in_channels, num_anchors, strict=True)])
    xavier(made)
    return made


class SSDClassificationHead(SSDScoringHead):
    """Scores (N, places, num_classes) from maps with in_channels channels and num_anchors boxes at each place.

    Floating dtypes.  Raises ShapeError for other channels.  Source: Liu et al. 2016.

        >>> from cltensor.vision.models.detection.ssd import SSDClassificationHead
        >>> SSDClassificationHead([2], [4], 3)([ct.ones(1, 2, 2, 2)]).shape
        cltensor.Size([1, 16, 3])
    """

    def __init__(self, in_channels: list[int], num_anchors: list[int], num_classes: int):
        super().__init__(_convolutions(in_channels, num_anchors, num_classes), num_classes)


class SSDRegressionHead(SSDScoringHead):
    """Box shifts (N, places, 4) from maps with in_channels channels and num_anchors boxes at each place.

    Floating dtypes.  Raises ShapeError for other channels.  Source: Liu et al. 2016.

        >>> from cltensor.vision.models.detection.ssd import SSDRegressionHead
        >>> SSDRegressionHead([2], [4])([ct.ones(1, 2, 2, 2)]).shape
        cltensor.Size([1, 16, 4])
    """

    def __init__(self, in_channels: list[int], num_anchors: list[int]):
        super().__init__(_convolutions(in_channels, num_anchors, 4), 4)


class SSDHead(nn.Module):
    """Both heads: a dict of bbox_regression (N, places, 4) and cls_logits (N, places, num_classes) from a list of maps.

    Floating dtypes.  Raises ShapeError for other channels.  Source: Liu et al. 2016.

        >>> from cltensor.vision.models.detection.ssd import SSDHead
        >>> sorted(SSDHead([2], [4], 3)([ct.ones(1, 2, 2, 2)]))
        ['bbox_regression', 'cls_logits']
    """

    def __init__(self, in_channels: list[int], num_anchors: list[int], num_classes: int):
        super().__init__()
        self.classification_head = SSDClassificationHead(in_channels, num_anchors, num_classes)
        self.regression_head = SSDRegressionHead(in_channels, num_anchors)

    def forward(self, x: list[Tensor]) -> dict[str, Tensor]:
        return {"bbox_regression": self.regression_head(x), "cls_logits": self.classification_head(x)}


class SSD(OneStage):
    """Detection in one stage on a backbone that gives maps of falling size, for images of one `size` (width, height).

    Called with a list of images (3, H, W) in [0, 1] and, in training, of targets: dicts with boxes (N, 4) and labels (N,), int64,
    0 being background.  Gives a dict of losses in training, else for each image a dict of boxes (N, 4), scores and labels (N,).
    positive_fraction: the share of positive boxes in the loss of the classes; the others are the hardest.  Of each class the
    topk_candidates best scores above score_thresh are looked at.  Floating dtypes.  Raises ArgumentError where maps and default
    boxes differ in number.  Source: Liu et al., SSD: Single Shot MultiBox Detector, 2016.

        >>> from cltensor.vision.models.detection.anchor_utils import DefaultBoxGenerator
        >>> from cltensor.vision.models.detection.ssd import SSD
        >>> SSD(ct.nn.Conv2d(3, 8, 3), DefaultBoxGenerator([[2]]), (16, 16), 3).neg_to_pos_ratio
        3.0
    """

    def __init__(self, backbone: nn.Module, anchor_generator: DefaultBoxGenerator, size: tuple[int, int], num_classes: int,
                 image_mean: list[float] | None = None, image_std: list[float] | None = None, head: nn.Module | None = None,
                 score_thresh: float = 0.01, nms_thresh: float = 0.45, detections_per_img: int = 200, iou_thresh: float = 0.5,
                 topk_candidates: int = 400, positive_fraction: float = 0.25, **kwargs: Any):
        super().__init__()
        self.backbone, self.anchor_generator = backbone, anchor_generator
        self.box_coder = BoxCoder((10.0, 10.0, 5.0, 5.0))
        if head is None:
            channels = list(backbone.out_channels) if isinstance(getattr(backbone, "out_channels", None), (list, tuple)) \
                else out_channels(backbone, size)
            boxes = anchor_generator.num_anchors_per_location()
            if len(channels) != len(boxes):
                raise ArgumentError(f"SSD: the backbone gives {len(channels)} maps and anchor_generator boxes for "
                                    f"{len(boxes)}; the numbers "
                                    "must agree")
            head = SSDHead(channels, boxes, num_classes)
        self.head = head
        self.proposal_matcher = SSDMatcher(iou_thresh)
        self.transform = GeneralizedRCNNTransform(min(size), max(size), image_mean or [0.485, 0.456, 0.406],
                                                  image_std or [0.229, 0.224, 0.225], size_divisible=1, fixed_size=size, **kwargs)
        self.score_thresh, self.nms_thresh, self.detections_per_img = score_thresh, nms_thresh, detections_per_img
        self.topk_candidates = topk_candidates
        self.neg_to_pos_ratio = (1.0 - positive_fraction) / positive_fraction

    def compute_loss(self, targets: list[dict[str, Tensor]], head_outputs: dict[str, Tensor], anchors: list[Tensor],
                     matched_idxs: list[Tensor]) -> dict[str, Tensor]:
        """Smooth L1 of the shifts of positive boxes, and cross entropy of these and the hardest others, over their number."""
        shifts, logits = head_outputs["bbox_regression"], head_outputs["cls_logits"]
        box, labels, count = [], [], 0
        for target, own_shifts, own, found in zip(targets, shifts, anchors, matched_idxs, strict=True):
            positive = (found >= 0).nonzero().squeeze(1)
            at, count = found[positive], count + len(positive)
            wanted = self.box_coder.encode_single(target["boxes"][at], own[positive])
            box.append(F.smooth_l1_loss(own_shifts[positive], wanted, reduction="sum"))
            labels.append((found * 0).index_copy(0, positive, target["labels"][at]))
        labels, count = stack(labels), max(1, count)
        loss = F.cross_entropy(logits.flatten(0, 1), labels.flatten(), reduction="none").reshape(labels.shape)
        positive = labels > 0
        hard = self._hardest(loss.detach(), positive)
        chosen = (positive | hard).to(loss.dtype)
        return {"bbox_regression": stack(box).sum() / count, "classification": (loss * chosen).sum() / count}

    def _hardest(self, loss, positive):
        """A mask of the boxes that are not positive with the largest losses, neg_to_pos_ratio times as many as positive ones."""
        order = loss.where(~positive, -math.inf).argsort(1, descending=True)
        rank = order.argsort(1)
        return (rank < self.neg_to_pos_ratio * positive.sum(1, keepdim=True)) & ~positive

    def _losses(self, targets, outputs, anchors, features):
        return self.compute_loss(targets, outputs, anchors, matches(self.proposal_matcher, targets, anchors))

    def _detections(self, outputs, anchors, images, features):
        scores = outputs["cls_logits"].softmax(-1)
        shifts, sizes = outputs["bbox_regression"], images.image_sizes
        return [self._of_image(*parts) for parts in zip(shifts, scores, anchors, sizes, strict=True)]

    def _of_image(self, shifts, scores, anchors, shape):
        boxes = box_ops.clip_boxes_to_image(self.box_coder.decode_single(shifts, anchors), shape)
        values, places = scores[:, 1:].t().topk(min(self.topk_candidates, len(scores)), 1)  # a row for each class
        labels = arange(1, scores.shape[1], device=scores.device).unsqueeze(1).expand(-1, values.shape[1])
        kept = (values.flatten() > self.score_thresh).nonzero().squeeze(1)
        return suppressed(boxes[places.flatten()[kept]], values.flatten()[kept], labels.flatten()[kept], self.nms_thresh,
                          self.detections_per_img)


class SSDFeatureExtractorVGG(nn.Module):
    """The maps of SSD from the convolutions of a VGG-16: images (N, 3, H, W) to a dict of 6 maps, or 7 with highres.

    The map of conv4_3 is normalised by channel and scaled by learned numbers.  Floating dtypes.  Raises ShapeError for images
    that are too small.  Source: Liu et al., SSD: Single Shot MultiBox Detector, 2016.

        >>> from cltensor.vision.models import vgg16
        >>> from cltensor.vision.models.detection.ssd import SSDFeatureExtractorVGG
        >>> with ct.device("meta"):
        ...     maps = SSDFeatureExtractorVGG(vgg16().features, False)(ct.empty(1, 3, 300, 300))
        >>> [x.shape[1:] for x in maps.values()][::5]
        [cltensor.Size([512, 38, 38]), cltensor.Size([256, 1, 1])]
    """

    def __init__(self, backbone: nn.Module, highres: bool):
        super().__init__()
        _, _, third, fourth, _ = (i for i, layer in enumerate(backbone) if isinstance(layer, nn.MaxPool2d))
        backbone[third].ceil_mode = True
        self.scale_weight = nn.Parameter(ones(512) * 20)
        self.features = nn.Sequential(*backbone[:fourth])
        later = [_more(1024, 256, 512, 2, 1), _more(512, 128, 256, 2, 1), _more(256, 128, 256, 1, 0), _more(256, 128, 256, 1, 0)]
        if highres:
            later.append(nn.Sequential(nn.Conv2d(256, 128, 1), nn.ReLU(inplace=True), nn.Conv2d(128, 256, 4),
                                       nn.ReLU(inplace=True)))
        fc = nn.Sequential(nn.MaxPool2d(3, 1, 1), nn.Conv2d(512, 1024, 3, padding=6, dilation=6), nn.ReLU(inplace=True),
                           nn.Conv2d(1024, 1024, 1), nn.ReLU(inplace=True))
        for part in (*later, fc):
            xavier(part)
        self.extra = nn.ModuleList([nn.Sequential(*backbone[fourth:-1], fc), *later])

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        x = self.features(x)
        maps = [self.scale_weight.reshape(1, -1, 1, 1) * F.normalize(x)]
        for block in self.extra:
            x = block(x)
            maps.append(x)
        return OrderedDict((str(i), feature) for i, feature in enumerate(maps))


def _more(in_channels, inner, out, stride, padding):
    """A 1x1 and a 3x3 convolution with ReLU that make the next map."""
    return nn.Sequential(nn.Conv2d(in_channels, inner, 1), nn.ReLU(inplace=True), nn.Conv2d(inner, out, 3, stride, padding),
                         nn.ReLU(inplace=True))


def _vgg_maps(backbone: VGG, highres, trainable_layers):
    """The maps of a VGG, of whose stages the last trainable_layers are trained."""
    features = backbone.features
    starts = [0, *(i for i, layer in enumerate(features) if isinstance(layer, nn.MaxPool2d))][:-1]
    if not 0 <= trainable_layers <= len(starts):
        raise ArgumentError(f"trainable_layers should be in the range [0, {len(starts)}]. Instead got {trainable_layers}")
    freeze(features[: len(features) if trainable_layers == 0 else starts[len(starts) - trainable_layers]])
    return SSDFeatureExtractorVGG(features, highres)


class SSD300_VGG16_Weights(WeightsEnum):
    """Published weights of ssd300_vgg16."""

    COCO_V1 = detection("ssd300_vgg16_coco-b556d3b4.pth", 35641826, 34.858, 135.988, 25.1)
    DEFAULT = COCO_V1


@register_model()
@documented(SSD300_VGG16_Weights, _SOURCE, RESULT)
def ssd300_vgg16(*, weights: SSD300_VGG16_Weights | None = None, progress: bool = True, num_classes: int | None = None,
                 weights_backbone: VGG16_Weights | None = VGG16_Weights.IMAGENET1K_FEATURES,
                 trainable_backbone_layers: int | None = None, **kwargs: Any) -> SSD:
    """SSD on a VGG-16, for images of 300 x 300."""
    if "size" in kwargs:
        warnings.warn("The size of the model is already fixed; ignoring the parameter.", stacklevel=2)
    weights, of_backbone, classes = settled(SSD300_VGG16_Weights, weights, VGG16_Weights, weights_backbone, num_classes, 91)
    count = trained_layers(weights is not None or of_backbone is not None, trainable_backbone_layers, 5, 4)
    backbone = _vgg_maps(vgg16(weights=of_backbone, progress=progress), False, count)
    boxes = DefaultBoxGenerator([[2], [2, 3], [2, 3], [2, 3], [2], [2]], scales=[0.07, 0.15, 0.33, 0.51, 0.69, 0.87, 1.05],
                                steps=[8, 16, 32, 64, 100, 300])
    given = {"image_mean": [0.48235, 0.45882, 0.40784], "image_std": [1.0 / 255.0] * 3, **kwargs, "size": (300, 300)}
    return loaded(SSD(backbone, boxes, num_classes=classes, **given), weights, progress)
