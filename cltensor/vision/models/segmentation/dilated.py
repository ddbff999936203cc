"""What segmentation networks share: dilated backbones, and a classifier whose result is enlarged to the image."""

from __future__ import annotations

from collections import OrderedDict

from .... import nn
from ....nn import functional as F
from ....tensor.core.tensor import Tensor
from .._utils import IntermediateLayerGetter
from ..mobilenetv3 import MobileNetV3
from ..resnet import ResNet

DILATED = [False, True, True]  # the last two stages of a ResNet keep their size
RESULT = 'Images (N, 3, H, W) to a dict: "out" (N, num_classes, H, W), and "aux" with aux_loss.'


def enlarged(x: Tensor, size: tuple[int, int]) -> Tensor:
    """x (N, C, h, w) resized to (N, C, *size)."""
    return F.interpolate(x, size=size, mode="bilinear", align_corners=False)


class SimpleSegmentationModel(nn.Module):
    """A backbone that gives a dict of maps, a classifier of "out" and one of "aux": images (N, 3, H, W) to dicts of such maps.

    Results have the size of the image.  Floating dtypes.  Raises ShapeError where parts do not fit.
    Source: Long et al., Fully Convolutional Networks for Semantic Segmentation, 2015.

        >>> from cltensor.vision.models.segmentation import FCN
        >>> class Backbone(ct.nn.Module):
        ...     def forward(self, x):
        ...         return {"out": x[:, :, ::2, ::2]}
        >>> FCN(Backbone(), ct.nn.Conv2d(3, 5, 1))(ct.ones(1, 3, 8, 8))["out"].shape
        cltensor.Size([1, 5, 8, 8])
    """

    def __init__(self, backbone: nn.Module, classifier: nn.Module, aux_classifier: nn.Module | None = None) -> None:
        super().__init__()
        self.backbone, self.classifier, self.aux_classifier = backbone, classifier, aux_classifier

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        size, features = tuple(x.shape[-2:]), self.backbone(x)
        result = OrderedDict(out=enlarged(self.classifier(features["out"]), size))
        if self.aux_classifier is not None:
            result["aux"] = enlarged(self.aux_classifier(features["aux"]), size)
        return result


def resnet_layers(backbone: ResNet, aux: bool | None) -> IntermediateLayerGetter:
    """The last stage of a ResNet as "out", with aux the one before it as "aux"."""
    return IntermediateLayerGetter(backbone, {"layer4": "out", **({"layer3": "aux"} if aux else {})})


def stages(backbone: MobileNetV3) -> tuple[nn.Sequential, list[int]]:
    """(features of a MobileNet, where its stages end): the first layer, those that halve the size, the last layer."""
    features = backbone.features
    halving = [i for i, block in enumerate(features) if getattr(block, "_is_cn", False)]
    return features, [0, *halving, len(features) - 1]
