"""LR-ASPP: a light head on two maps of a MobileNet V3."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

from .... import nn
from ....base.errors import UnsupportedError
from ....tensor.core.tensor import Tensor
from .._api import WeightsEnum, register_model
from .._utils import IntermediateLayerGetter
from ..coco import documented, loaded, segmentation, settled
from ..mobilenetv3 import MobileNet_V3_Large_Weights, mobilenet_v3_large
from .dilated import enlarged, stages

_SOURCE = "Howard et al., Searching for MobileNetV3, 2019"


class LRASPPHead(nn.Module):
    """Scores from maps "low" (N, low_channels, H, W) and "high" (N, high_channels, h, w): (N, num_classes, H, W).

    The high map is weighted by what its mean says of each channel.  Floating dtypes.  Raises ShapeError for other channels.
    Source: Howard et al. 2019.

        >>> from cltensor.vision.models.segmentation.lraspp import LRASPPHead
        >>> LRASPPHead(2, 4, 3, 8)({"low": ct.ones(2, 2, 6, 6), "high": ct.ones(2, 4, 3, 3)}).shape
        cltensor.Size([2, 3, 6, 6])
    """

    def __init__(self, low_channels: int, high_channels: int, num_classes: int, inter_channels: int) -> None:
        super().__init__()
        self.cbr = nn.Sequential(nn.Conv2d(high_channels, inter_channels, 1, bias=False), nn.BatchNorm2d(inter_channels),
                                 nn.ReLU(inplace=True))
        self.scale = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(high_channels, inter_channels, 1, bias=False), nn.Sigmoid())
        self.low_classifier = nn.Conv2d(low_channels, num_classes, 1)
        self.high_classifier = nn.Conv2d(inter_channels, num_classes, 1)

    def forward(self, input: dict[str, Tensor]) -> Tensor:
        low, high = input["low"], input["high"]
        weighted = enlarged(self.cbr(high) * self.scale(high), tuple(low.shape[-2:]))
        return self.low_classifier(low) + self.high_classifier(weighted)


class LRASPP(nn.Module):
    """A backbone that gives maps "low" and "high", and an LRASPPHead: images (N, 3, H, W) to {"out": (N, num_classes, H, W)}.

    Floating dtypes.  Raises ShapeError for other channels.  Source: Howard et al., Searching for MobileNetV3, 2019.

        >>> from cltensor.vision.models.segmentation import LRASPP
        >>> class Backbone(ct.nn.Module):
        ...     def forward(self, x):
        ...         return {"low": x, "high": x[:, :, ::2, ::2]}
        >>> LRASPP(Backbone(), 3, 3, 5)(ct.ones(2, 3, 8, 8))["out"].shape
        cltensor.Size([2, 5, 8, 8])
    """

    def __init__(self, backbone: nn.Module, low_channels: int, high_channels: int, num_classes: int,
                 inter_channels: int = 128) -> None:
        super().__init__()
        self.backbone = backbone
        self.classifier = LRASPPHead(low_channels, high_channels, num_classes, inter_channels)

    def forward(self, input: Tensor) -> dict[str, Tensor]:
        return OrderedDict(out=enlarged(self.classifier(self.backbone(input)), tuple(input.shape[-2:])))


class LRASPP_MobileNet_V3_Large_Weights(WeightsEnum):
    """Published weights of lraspp_mobilenet_v3_large."""

    COCO_WITH_VOC_LABELS_V1 = segmentation("lraspp_mobilenet_v3_large-d234d4ea.pth", 3221538, 2.086, 12.49, 57.9, 91.2)
    DEFAULT = COCO_WITH_VOC_LABELS_V1


@register_model()
@documented(LRASPP_MobileNet_V3_Large_Weights, _SOURCE, 'Images (N, 3, H, W) to a dict: "out" (N, num_classes, H, W).')
def lraspp_mobilenet_v3_large(*, weights: LRASPP_MobileNet_V3_Large_Weights | None = None, progress: bool = True,
                              num_classes: int | None = None,
                              weights_backbone: MobileNet_V3_Large_Weights | None = MobileNet_V3_Large_Weights.IMAGENET1K_V1,
                              **kwargs: Any) -> LRASPP:
    """LR-ASPP on a MobileNet V3."""
    if kwargs.pop("aux_loss", False):
        raise UnsupportedError("lraspp_mobilenet_v3_large: aux_loss=True; this model has no auxiliary classifier, leave it out")
    weights, backbone, classes = settled(LRASPP_MobileNet_V3_Large_Weights, weights, MobileNet_V3_Large_Weights, weights_backbone,
                                         num_classes, 21)
    features, ends = stages(mobilenet_v3_large(weights=backbone, progress=progress, dilated=True))
    low, high = ends[-4], ends[-1]
    model = LRASPP(IntermediateLayerGetter(features, {str(low): "low", str(high): "high"}), features[low].out_channels,
                   features[high].out_channels, classes)
    return loaded(model, weights, progress)
