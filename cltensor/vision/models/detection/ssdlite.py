"""SSDlite: SSD with convolutions of one channel each, on MobileNet V3.

Sources: Sandler et al., MobileNetV2, 2018; Howard et al., Searching for MobileNetV3, 2019.
"""

from __future__ import annotations

import warnings
from collections import OrderedDict
from collections.abc import Callable
from functools import partial
from typing import Any

from .... import nn
from ....base.errors import ArgumentError
from ....tensor.core.tensor import Tensor
from ...ops.misc import Conv2dNormActivation
from .._api import WeightsEnum, register_model
from ..coco import detection, documented, loaded, settled
from ..mobilenetv3 import MobileNet_V3_Large_Weights, mobilenet_v3_large
from .anchor_utils import DefaultBoxGenerator
from .backbone_utils import freeze, stage_ends, trained_layers
from .dense import initialize
from .faster_rcnn import RESULT
from .ssd import SSD, SSDScoringHead, out_channels

_SOURCE = "Howard et al., Searching for MobileNetV3, 2019"
_Norm = Callable[..., nn.Module]


def _own_channel(channels, size, stride, norm_layer):
    """A convolution of each channel by itself, norm and ReLU6."""
    return Conv2dNormActivation(channels, channels, size, stride, groups=channels, norm_layer=norm_layer, activation_layer=nn.ReLU6)


def _predictors(in_channels, num_anchors, columns, norm_layer):
    made = nn.ModuleList([nn.Sequential(_own_channel(c, 3, 1, norm_layer), nn.Conv2d(c, columns * n, 1))
                          for c, n in zip(in_channels, num_anchors, strict=True)])
    initialize(made, std=0.03)
    return made


def _next_map(in_channels, channels, norm_layer):
    """Halve the channels, halve the size, and go to `channels`."""
    inner, kind = channels // 2, {"norm_layer": norm_layer, "activation_layer": nn.ReLU6}
    return nn.Sequential(Conv2dNormActivation(in_channels, inner, 1, **kind), _own_channel(inner, 3, 2, norm_layer),
                         Conv2dNormActivation(inner, channels, 1, **kind))


class SSDLiteClassificationHead(SSDScoringHead):
    """Scores (N, places, num_classes) from maps with in_channels channels and num_anchors boxes at each place.

    Floating dtypes.  Raises ShapeError for other channels.  Source: Sandler et al. 2018.

        >>> from cltensor.vision.models.detection.ssdlite import SSDLiteClassificationHead
        >>> SSDLiteClassificationHead([2], [4], 3, ct.nn.BatchNorm2d)([ct.ones(1, 2, 2, 2)]).shape
        cltensor.Size([1, 16, 3])
    """

    def __init__(self, in_channels: list[int], num_anchors: list[int], num_classes: int, norm_layer: _Norm):
        super().__init__(_predictors(in_channels, num_anchors, num_classes, norm_layer), num_classes)


class SSDLiteRegressionHead(SSDScoringHead):
    """Box shifts (N, places, 4) from maps with in_channels channels and num_anchors boxes at each place.

    Floating dtypes.  Raises ShapeError for other channels.  Source: Sandler et al. 2018.

        >>> from cltensor.vision.models.detection.ssdlite import SSDLiteRegressionHead
        >>> SSDLiteRegressionHead([2], [4], ct.nn.BatchNorm2d)([ct.ones(1, 2, 2, 2)]).shape
        cltensor.Size([1, 16, 4])
    """

    def __init__(self, in_channels: list[int], num_anchors: list[int], norm_layer: _Norm):
        super().__init__(_predictors(in_channels, num_anchors, 4, norm_layer), 4)


class SSDLiteHead(nn.Module):
    """Both heads: a dict of bbox_regression (N, places, 4) and cls_logits (N, places, num_classes) from a list of maps.

    Floating dtypes.  Raises ShapeError for other channels.  Source: Sandler et al. 2018.

        >>> from cltensor.vision.models.detection.ssdlite import SSDLiteHead
        >>> sorted(SSDLiteHead([2], [4], 3, ct.nn.BatchNorm2d)([ct.ones(1, 2, 2, 2)]))
        ['bbox_regression', 'cls_logits']
    """

    def __init__(self, in_channels: list[int], num_anchors: list[int], num_classes: int, norm_layer: _Norm):
        super().__init__()
        self.classification_head = SSDLiteClassificationHead(in_channels, num_anchors, num_classes, norm_layer)
        self.regression_head = SSDLiteRegressionHead(in_channels, num_anchors, norm_layer)

    def forward(self, x: list[Tensor]) -> dict[str, Tensor]:
        return {"bbox_regression": self.regression_head(x), "cls_logits": self.classification_head(x)}


class SSDLiteFeatureExtractorMobileNet(nn.Module):
    """The six maps of SSDlite from the features of a MobileNet: images (N, 3, H, W) to a dict of maps of falling size.

    c4_pos: the block whose expansion is the first map.  width_mult and min_depth set the channels of the added maps.  Floating
    dtypes.  Raises ArgumentError where the block c4_pos does not expand.  Source: Howard et al. 2019.

        >>> from cltensor.vision.models.detection import ssdlite320_mobilenet_v3_large
        >>> with ct.device("meta"):
        ...     backbone = ssdlite320_mobilenet_v3_large(weights_backbone=None).backbone.eval()
        ...     [x.shape[1] for x in backbone(ct.empty(1, 3, 320, 320)).values()]
        [672, 480, 512, 256, 256, 128]
    """

    def __init__(self, backbone: nn.Module, c4_pos: int, norm_layer: _Norm, width_mult: float = 1.0, min_depth: int = 16):
        super().__init__()
        if getattr(backbone[c4_pos], "use_res_connect", False):
            raise ArgumentError(f"SSDLiteFeatureExtractorMobileNet: block {c4_pos} adds its input, so it cannot be taken "
                                "apart; give the "
                                "number of one that changes the size")
        block = backbone[c4_pos].block
        self.features = nn.Sequential(nn.Sequential(*backbone[:c4_pos], block[0]),
                                      nn.Sequential(block[1:], *backbone[c4_pos + 1:]))
        sizes = [max(min_depth, int(size * width_mult)) for size in (512, 256, 256, 128)]
        self.extra = nn.ModuleList([_next_map(before, size, norm_layer)
                                    for before, size in zip([backbone[-1].out_channels, *sizes], sizes, strict=False)])
        initialize(self.extra, std=0.03)

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        maps = []
        for block in (*self.features, *self.extra):
            x = block(x)
            maps.append(x)
        return OrderedDict((str(i), feature) for i, feature in enumerate(maps))


def _mobilenet_maps(backbone, trainable_layers, norm_layer):
    """The maps of a MobileNet, of whose stages the last trainable_layers are trained."""
    features = backbone.features
    ends = stage_ends(features)
    if not 0 <= trainable_layers <= len(ends):
        raise ArgumentError(f"trainable_layers should be in the range [0, {len(ends)}], instead got {trainable_layers}")
    freeze(features[: len(features) if trainable_layers == 0 else ends[len(ends) - trainable_layers]])
    return SSDLiteFeatureExtractorMobileNet(features, ends[-2], norm_layer)


class SSDLite320_MobileNet_V3_Large_Weights(WeightsEnum):
    """Published weights of ssdlite320_mobilenet_v3_large."""

    COCO_V1 = detection("ssdlite320_mobilenet_v3_large_coco-a79551df.pth", 3440060, 0.583, 13.418, 21.3)
    DEFAULT = COCO_V1


@register_model()
@documented(SSDLite320_MobileNet_V3_Large_Weights, _SOURCE, RESULT)
def ssdlite320_mobilenet_v3_large(
        *, weights: SSDLite320_MobileNet_V3_Large_Weights | None = None, progress: bool = True, num_classes: int | None = None,
        weights_backbone: MobileNet_V3_Large_Weights | None = MobileNet_V3_Large_Weights.IMAGENET1K_V1,
        trainable_backbone_layers: int | None = None, norm_layer: _Norm | None = None, **kwargs: Any) -> SSD:
    """SSDlite on a MobileNet V3, for images of 320 x 320; norm_layer: of all norms, BatchNorm2d where it is None."""
    if "size" in kwargs:
        warnings.warn("The size of the model is already fixed; ignoring the parameter.", stacklevel=2)
    weights, of_backbone, classes = settled(SSDLite320_MobileNet_V3_Large_Weights, weights, MobileNet_V3_Large_Weights,
                                            weights_backbone, num_classes, 91)
    count = trained_layers(weights is not None or of_backbone is not None, trainable_backbone_layers, 6, 6)
    norm_layer = norm_layer or partial(nn.BatchNorm2d, eps=0.001, momentum=0.03)
    # a new backbone ends in half as many channels; published ones have all
    net = mobilenet_v3_large(weights=of_backbone, progress=progress, norm_layer=norm_layer, reduced_tail=of_backbone is None)
    if of_backbone is None:
        initialize(net, std=0.03)
    backbone = _mobilenet_maps(net, count, norm_layer)
    boxes = DefaultBoxGenerator([[2, 3]] * 6, min_ratio=0.2, max_ratio=0.95)
    head = SSDLiteHead(out_channels(backbone, (320, 320)), boxes.num_anchors_per_location(), classes, norm_layer)
    given = {"score_thresh": 0.001, "nms_thresh": 0.55, "detections_per_img": 300, "topk_candidates": 300,
             "image_mean": [0.5] * 3, "image_std": [0.5] * 3, **kwargs, "size": (320, 320)}
    return loaded(SSD(backbone, boxes, num_classes=classes, head=head, **given), weights, progress)
