"""SqueezeNet: modules that squeeze channels before they expand them."""

from __future__ import annotations

from typing import Any

from ... import nn
from ...base.errors import ArgumentError
from ...nn import init
from ...tensor.core.tensor import Tensor
from ...tensor.shape.joining import cat
from ._api import WeightsEnum, builder
from .imagenet import imagenet

__all__ = [
    "SqueezeNet", "SqueezeNet1_0_Weights", "SqueezeNet1_1_Weights", "squeezenet1_0", "squeezenet1_1",
]
_SOURCE = "Iandola et al., SqueezeNet: AlexNet-Level Accuracy with 50x Fewer Parameters and <0.5MB Model Size, 2016"

# What follows the first convolution: "M" where maxima are pooled, (squeezed, expanded) channels of a Fire module.
_LAYERS = {
    "1_0": ("M", (16, 64), (16, 64), (32, 128), "M", (32, 128), (48, 192), (48, 192), (64, 256), "M", (64, 256)),
    "1_1": ("M", (16, 64), (16, 64), "M", (32, 128), (32, 128), "M", (48, 192), (48, 192), (64, 256), (64, 256)),
}


class Fire(nn.Module):
    """A 1x1 convolution, and 1x1 and 3x3 ones of its result: (N, inplanes, H, W) -> (N, expand1x1_planes + expand3x3_planes, H, W).

    Floating dtypes.  Raises ShapeError for another number of channels.  Source: Iandola et al. 2016.

        >>> from cltensor.vision.models.squeezenet import Fire
        >>> Fire(8, 2, 4, 4)(ct.ones(1, 8, 3, 3)).shape
        cltensor.Size([1, 8, 3, 3])
    """

    def __init__(self, inplanes: int, squeeze_planes: int, expand1x1_planes: int, expand3x3_planes: int) -> None:
        super().__init__()
        self.inplanes = inplanes
        self.squeeze = nn.Conv2d(inplanes, squeeze_planes, 1)
        self.squeeze_activation = nn.ReLU(inplace=True)
        self.expand1x1 = nn.Conv2d(squeeze_planes, expand1x1_planes, 1)
        self.expand1x1_activation = nn.ReLU(inplace=True)
        self.expand3x3 = nn.Conv2d(squeeze_planes, expand3x3_planes, 3, padding=1)
        self.expand3x3_activation = nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        x = self.squeeze_activation(self.squeeze(x))
        return cat([self.expand1x1_activation(self.expand1x1(x)), self.expand3x3_activation(self.expand3x3(x))], 1)


class SqueezeNet(nn.Module):
    """Fire modules and a last convolution whose means are the scores: images (N, 3, H, W) to scores (N, num_classes).

    version: "1_0", of the paper, or "1_1", with less than half its work.  dropout: the probability ahead of the last
    convolution.  Floating dtypes.  Raises ArgumentError for another version.  Source: Iandola et al. 2016.

        >>> from cltensor.vision.models import SqueezeNet
        >>> with ct.device("meta"):
        ...     SqueezeNet("1_1", num_classes=5)(ct.empty(1, 3, 32, 32)).shape
        cltensor.Size([1, 5])
    """

    def __init__(self, version: str = "1_0", num_classes: int = 1000, dropout: float = 0.5) -> None:
        super().__init__()
        if version not in _LAYERS:
            raise ArgumentError(f"SqueezeNet: version={version!r}; there are {', '.join(map(repr, _LAYERS))}")
        self.num_classes = num_classes
        channels, size = (96, 7) if version == "1_0" else (64, 3)
        layers = [nn.Conv2d(3, channels, size, stride=2), nn.ReLU(inplace=True)]
        for layer in _LAYERS[version]:
            if layer == "M":
                layers.append(nn.MaxPool2d(3, stride=2, ceil_mode=True))
            else:
                layers.append(Fire(channels, layer[0], layer[1], layer[1]))
                channels = 2 * layer[1]
        self.features = nn.Sequential(*layers)
        last = nn.Conv2d(512, num_classes, 1)
        self.classifier = nn.Sequential(nn.Dropout(dropout), last, nn.ReLU(inplace=True), nn.AdaptiveAvgPool2d((1, 1)))
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                init.normal_(module.weight, std=0.01) if module is last else init.kaiming_uniform_(module.weight)
                init.zeros_(module.bias)

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(self.features(x)).flatten(1)


class SqueezeNet1_0_Weights(WeightsEnum):
    """Published weights of squeezenet1_0."""

    IMAGENET1K_V1 = imagenet("squeezenet1_0-b66bff10.pth", 1248424, 58.092, 80.42, 0.819, 4.778, min_size=21)
    DEFAULT = IMAGENET1K_V1


class SqueezeNet1_1_Weights(WeightsEnum):
    """Published weights of squeezenet1_1."""

    IMAGENET1K_V1 = imagenet("squeezenet1_1-b8a52dc0.pth", 1235496, 58.178, 80.624, 0.349, 4.729, min_size=17)
    DEFAULT = IMAGENET1K_V1

@builder(SqueezeNet1_0_Weights, _SOURCE)
def squeezenet1_0(**kwargs: Any) -> SqueezeNet:
    """SqueezeNet 1.0, of the paper."""
    return SqueezeNet("1_0", **kwargs)


@builder(SqueezeNet1_1_Weights, _SOURCE)
def squeezenet1_1(**kwargs: Any) -> SqueezeNet:
    """SqueezeNet 1.1, with less than half the work of 1.0."""
    return SqueezeNet("1_1", **kwargs)
