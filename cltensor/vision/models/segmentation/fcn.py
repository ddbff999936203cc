"""FCN: a fully convolutional network on a dilated ResNet."""

from __future__ import annotations

from typing import Any

from .... import nn
from .._api import WeightsEnum, register_model
from ..coco import agreed, documented, loaded, segmentation, settled
from ..resnet import ResNet50_Weights, ResNet101_Weights, resnet50, resnet101
from .dilated import DILATED, RESULT, SimpleSegmentationModel, resnet_layers

_SOURCE = "Long et al., Fully Convolutional Networks for Semantic Segmentation, 2015"


class FCN(SimpleSegmentationModel):
    __doc__ = SimpleSegmentationModel.__doc__


class FCNHead(nn.Sequential):
    """A 3x3 convolution to a quarter of the channels, norm, ReLU, dropout, a 1x1 convolution: (N, in_channels, H, W) ->
    (N, channels, H, W).

    Floating dtypes.  Raises ShapeError for other channels.  Source: Long et al. 2015.

        >>> from cltensor.vision.models.segmentation.fcn import FCNHead
        >>> FCNHead(8, 3)(ct.ones(2, 8, 4, 4)).shape
        cltensor.Size([2, 3, 4, 4])
    """

    def __init__(self, in_channels: int, channels: int) -> None:
        inner = in_channels // 4
        super().__init__(nn.Conv2d(in_channels, inner, 3, padding=1, bias=False), nn.BatchNorm2d(inner), nn.ReLU(), nn.Dropout(0.1),
                         nn.Conv2d(inner, channels, 1))


class FCN_ResNet50_Weights(WeightsEnum):
    """Published weights of fcn_resnet50."""

    COCO_WITH_VOC_LABELS_V1 = segmentation("fcn_resnet50_coco-1167a1af.pth", 35322218, 152.717, 135.009, 60.5, 91.4)
    DEFAULT = COCO_WITH_VOC_LABELS_V1


class FCN_ResNet101_Weights(WeightsEnum):
    """Published weights of fcn_resnet101."""

    COCO_WITH_VOC_LABELS_V1 = segmentation("fcn_resnet101_coco-7ecb50ca.pth", 54314346, 232.738, 207.711, 63.7, 91.9)
    DEFAULT = COCO_WITH_VOC_LABELS_V1


def _fcn(make, weights, progress, weights_backbone, num_classes, aux_loss):
    if weights is not None:
        aux_loss = agreed("aux_loss", aux_loss, True)
    backbone = make(weights=weights_backbone, progress=progress, replace_stride_with_dilation=DILATED)
    model = FCN(resnet_layers(backbone, aux_loss), FCNHead(2048, num_classes), FCNHead(1024, num_classes) if aux_loss else None)
    return loaded(model, weights, progress)


@register_model()
@documented(FCN_ResNet50_Weights, _SOURCE, RESULT)
def fcn_resnet50(*, weights: FCN_ResNet50_Weights | None = None, progress: bool = True, num_classes: int | None = None,
                 aux_loss: bool | None = None, weights_backbone: ResNet50_Weights | None = ResNet50_Weights.IMAGENET1K_V1,
                 **kwargs: Any) -> FCN:
    """FCN on a ResNet-50."""
    weights, backbone, classes = settled(FCN_ResNet50_Weights, weights, ResNet50_Weights, weights_backbone, num_classes, 21)
    return _fcn(resnet50, weights, progress, backbone, classes, aux_loss)


@register_model()
@documented(FCN_ResNet101_Weights, _SOURCE, RESULT)
def fcn_resnet101(*, weights: FCN_ResNet101_Weights | None = None, progress: bool = True, num_classes: int | None = None,
                  aux_loss: bool | None = None, weights_backbone: ResNet101_Weights | None = ResNet101_Weights.IMAGENET1K_V1,
                  **kwargs: Any) -> FCN:
    """FCN on a ResNet-101."""
    weights, backbone, classes = settled(FCN_ResNet101_Weights, weights, ResNet101_Weights, weights_backbone, num_classes, 21)
    return _fcn(resnet101, weights, progress, backbone, classes, aux_loss)
