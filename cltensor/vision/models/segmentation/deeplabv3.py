"""DeepLabV3: convolutions of several dilations side by side on a dilated backbone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .... import nn
from ....tensor.core.tensor import Tensor
from ....tensor.shape.joining import cat
from .._api import WeightsEnum, register_model
from .._utils import IntermediateLayerGetter
from ..coco import agreed, documented, loaded, segmentation, settled
from ..mobilenetv3 import MobileNet_V3_Large_Weights, mobilenet_v3_large
from ..resnet import ResNet50_Weights, ResNet101_Weights, resnet50, resnet101
from .dilated import DILATED, RESULT, SimpleSegmentationModel, enlarged, resnet_layers, stages
from .fcn import FCNHead

_SOURCE = "Chen et al., Rethinking Atrous Convolution for Semantic Image Segmentation, 2017"


class DeepLabV3(SimpleSegmentationModel):
    __doc__ = SimpleSegmentationModel.__doc__


def _block(in_channels, out_channels, size=1, dilation=1):
    """A convolution that keeps the size, norm and ReLU."""
    padding = dilation if size == 3 else 0
    return [nn.Conv2d(in_channels, out_channels, size, padding=padding, dilation=dilation, bias=False),
            nn.BatchNorm2d(out_channels), nn.ReLU()]


class ASPPConv(nn.Sequential):
    """A dilated 3x3 convolution, norm and ReLU: (N, in_channels, H, W) -> (N, out_channels, H, W).

    Floating dtypes.  Raises ShapeError for other channels.  Source: Chen et al. 2017.

        >>> from cltensor.vision.models.segmentation.deeplabv3 import ASPPConv
        >>> ASPPConv(2, 3, 2)(ct.ones(1, 2, 5, 5)).shape
        cltensor.Size([1, 3, 5, 5])
    """

    def __init__(self, in_channels: int, out_channels: int, dilation: int) -> None:
        super().__init__(*_block(in_channels, out_channels, 3, dilation))


class ASPPPooling(nn.Sequential):
    """The mean of the image, through a 1x1 convolution, norm and ReLU, at every pixel: (N, in_channels, H, W) ->
    (N, out_channels, H, W).

    Floating dtypes.  Raises ShapeError for other channels.  Source: Chen et al. 2017.

        >>> from cltensor.vision.models.segmentation.deeplabv3 import ASPPPooling
        >>> ASPPPooling(2, 3)(ct.ones(2, 2, 5, 5)).shape
        cltensor.Size([2, 3, 5, 5])
    """

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__(nn.AdaptiveAvgPool2d(1), *_block(in_channels, out_channels))

    def forward(self, x: Tensor) -> Tensor:
        return enlarged(super().forward(x), tuple(x.shape[-2:]))


class ASPP(nn.Module):
    """A pyramid of dilated convolutions: 1x1, one 3x3 for each of atrous_rates and the image's mean, side by side, then projected.

    (N, in_channels, H, W) -> (N, out_channels, H, W).  Floating dtypes.  Raises ShapeError for other channels.
    Source: Chen et al. 2017.

        >>> from cltensor.vision.models.segmentation.deeplabv3 import ASPP
        >>> ASPP(2, [1, 2], 3)(ct.ones(2, 2, 5, 5)).shape
        cltensor.Size([2, 3, 5, 5])
    """

    def __init__(self, in_channels: int, atrous_rates: Sequence[int], out_channels: int = 256) -> None:
        super().__init__()
        self.convs = nn.ModuleList([nn.Sequential(*_block(in_channels, out_channels)),
                                    *(ASPPConv(in_channels, out_channels, rate) for rate in atrous_rates),
                                    ASPPPooling(in_channels, out_channels)])
        self.project = nn.Sequential(*_block(len(self.convs) * out_channels, out_channels), nn.Dropout(0.5))

    def forward(self, x: Tensor) -> Tensor:
        return self.project(cat([layer(x) for layer in self.convs], 1))


class DeepLabHead(nn.Sequential):
    """ASPP, a 3x3 convolution, norm, ReLU, a 1x1 convolution: (N, in_channels, H, W) -> (N, num_classes, H, W).

    Floating dtypes.  Raises ShapeError for other channels.  Source: Chen et al. 2017.

        >>> from cltensor.vision.models.segmentation.deeplabv3 import DeepLabHead
        >>> with ct.device("meta"):
        ...     DeepLabHead(8, 3)(ct.ones(2, 8, 9, 9)).shape
        cltensor.Size([2, 3, 9, 9])
    """

    def __init__(self, in_channels: int, num_classes: int, atrous_rates: Sequence[int] = (12, 24, 36)) -> None:
        super().__init__(ASPP(in_channels, atrous_rates), *_block(256, 256, 3), nn.Conv2d(256, num_classes, 1))


class DeepLabV3_ResNet50_Weights(WeightsEnum):
    """Published weights of deeplabv3_resnet50."""

    COCO_WITH_VOC_LABELS_V1 = segmentation("deeplabv3_resnet50_coco-cd0a2569.pth", 42004074, 178.722, 160.515, 66.4, 92.4)
    DEFAULT = COCO_WITH_VOC_LABELS_V1


class DeepLabV3_ResNet101_Weights(WeightsEnum):
    """Published weights of deeplabv3_resnet101."""

    COCO_WITH_VOC_LABELS_V1 = segmentation("deeplabv3_resnet101_coco-586e9e4e.pth", 60996202, 258.743, 233.217, 67.4, 92.4)
    DEFAULT = COCO_WITH_VOC_LABELS_V1


class DeepLabV3_MobileNet_V3_Large_Weights(WeightsEnum):
    """Published weights of deeplabv3_mobilenet_v3_large."""

    COCO_WITH_VOC_LABELS_V1 = segmentation("deeplabv3_mobilenet_v3_large-fc3c493d.pth", 11029328, 10.452, 42.301, 60.3, 91.2)
    DEFAULT = COCO_WITH_VOC_LABELS_V1


def _on_resnet(backbone, num_classes, aux):
    return DeepLabV3(resnet_layers(backbone, aux), DeepLabHead(2048, num_classes), FCNHead(1024, num_classes) if aux else None)


def _on_mobilenet(backbone, num_classes, aux):
    features, ends = stages(backbone)
    last, middle = ends[-1], ends[-4]
    layers = IntermediateLayerGetter(features, {str(last): "out", **({str(middle): "aux"} if aux else {})})
    return DeepLabV3(layers, DeepLabHead(features[last].out_channels, num_classes),
                     FCNHead(features[middle].out_channels, num_classes) if aux else None)


def _made(assemble, make, dilate, weights, progress, weights_backbone, num_classes, aux_loss):
    if weights is not None:
        aux_loss = agreed("aux_loss", aux_loss, True)
    return loaded(assemble(make(weights=weights_backbone, progress=progress, **dilate), num_classes, aux_loss), weights, progress)


@register_model()
@documented(DeepLabV3_ResNet50_Weights, _SOURCE, RESULT)
def deeplabv3_resnet50(*, weights: DeepLabV3_ResNet50_Weights | None = None, progress: bool = True, num_classes: int | None = None,
                       aux_loss: bool | None = None,
                       weights_backbone: ResNet50_Weights | None = ResNet50_Weights.IMAGENET1K_V1, **kwargs: Any) -> DeepLabV3:
    """DeepLabV3 on a ResNet-50."""
    weights, backbone, classes = settled(DeepLabV3_ResNet50_Weights, weights, ResNet50_Weights, weights_backbone, num_classes, 21)
    return _made(_on_resnet, resnet50, {"replace_stride_with_dilation": DILATED}, weights, progress, backbone, classes, aux_loss)


@register_model()
@documented(DeepLabV3_ResNet101_Weights, _SOURCE, RESULT)
def deeplabv3_resnet101(*, weights: DeepLabV3_ResNet101_Weights | None = None, progress: bool = True,
                        num_classes: int | None = None, aux_loss: bool | None = None,
                        weights_backbone: ResNet101_Weights | None = ResNet101_Weights.IMAGENET1K_V1, **kwargs: Any) -> DeepLabV3:
    """DeepLabV3 on a ResNet-101."""
    weights, backbone, classes = settled(DeepLabV3_ResNet101_Weights, weights, ResNet101_Weights, weights_backbone, num_classes, 21)
    return _made(_on_resnet, resnet101, {"replace_stride_with_dilation": DILATED}, weights, progress, backbone, classes, aux_loss)


@register_model()
@documented(DeepLabV3_MobileNet_V3_Large_Weights, _SOURCE, RESULT)
def deeplabv3_mobilenet_v3_large(*, weights: DeepLabV3_MobileNet_V3_Large_Weights | None = None, progress: bool = True,
                                 num_classes: int | None = None, aux_loss: bool | None = None,
                                 weights_backbone: MobileNet_V3_Large_Weights | None = MobileNet_V3_Large_Weights.IMAGENET1K_V1,
                                 **kwargs: Any) -> DeepLabV3:
    """DeepLabV3 on a MobileNet V3."""
    weights, backbone, classes = settled(DeepLabV3_MobileNet_V3_Large_Weights, weights, MobileNet_V3_Large_Weights,
                                         weights_backbone, num_classes, 21)
    return _made(_on_mobilenet, mobilenet_v3_large, {"dilated": True}, weights, progress, backbone, classes, aux_loss)
