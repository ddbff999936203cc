"""VGG: stacks of 3x3 convolutions between poolings."""

from __future__ import annotations

from math import nan
from typing import Any

from ... import nn
from ...nn import init
from ...tensor.core.tensor import Tensor
from ._api import WeightsEnum, builder
from .imagenet import imagenet

__all__ = [
    "VGG",
    "VGG11_BN_Weights",
    "VGG11_Weights",
    "VGG13_BN_Weights",
    "VGG13_Weights",
    "VGG16_BN_Weights",
    "VGG16_Weights",
    "VGG19_BN_Weights",
    "VGG19_Weights",
    "vgg11",
    "vgg11_bn",
    "vgg13",
    "vgg13_bn",
    "vgg16",
    "vgg16_bn",
    "vgg19",
    "vgg19_bn",
]
_SOURCE = "Simonyan and Zisserman, Very Deep Convolutional Networks for Large-Scale Image Recognition, 2015"

# The configurations by the letters of the paper: channels of the convolutions, "M" where maxima are pooled.
cfgs: dict[str, list[str | int]] = {
    "A": [64, "M", 128, "M", 256, 256, "M", 512, 512, "M", 512, 512, "M"],
    "B": [64, 64, "M", 128, 128, "M", 256, 256, "M", 512, 512, "M", 512, 512, "M"],
    "D": [64, 64, "M", 128, 128, "M", 256, 256, 256, "M", 512, 512, 512, "M", 512, 512, 512, "M"],
    "E": [64, 64, "M", 128, 128, "M", *[256] * 4, "M", *[512] * 4, "M", *[512] * 4, "M"],
}


def make_layers(cfg: list[str | int], batch_norm: bool = False) -> nn.Sequential:
    """The convolutions of a configuration."""
    layers, channels = [], 3
    for size in cfg:
        if size == "M":
            layers.append(nn.MaxPool2d(2, stride=2))
            continue
        norm = [nn.BatchNorm2d(size)] if batch_norm else []
        layers += [nn.Conv2d(channels, size, 3, padding=1), *norm, nn.ReLU(inplace=True)]
        channels = size
    return nn.Sequential(*layers)


class VGG(nn.Module):
    """Convolutions `features` that end in 512 channels, and three linear layers: (N, 3, H, W) to scores (N, num_classes).

    dropout: the probability after the first two linear layers.  init_weights: convolutions start normal with the variance of He
    et al. by the outputs, linear layers normal with 0.01.  Floating dtypes.  Raises ShapeError where features does not end in 512
    channels.  Source: Simonyan and Zisserman, Very Deep Convolutional Networks for Large-Scale Image Recognition, 2015.

        >>> from cltensor.vision.models import vgg11
        >>> with ct.device("meta"):
        ...     vgg11(num_classes=5)(ct.empty(1, 3, 32, 32)).shape
        cltensor.Size([1, 5])
    """

    def __init__(self, features: nn.Module, num_classes: int = 1000, init_weights: bool = True, dropout: float = 0.5) -> None:
        super().__init__()
        self.features = features
        self.avgpool = nn.AdaptiveAvgPool2d((7, 7))
        self.classifier = nn.Sequential(
            nn.Linear(512 * 7 * 7, 4096), nn.ReLU(inplace=True), nn.Dropout(dropout),
            nn.Linear(4096, 4096), nn.ReLU(inplace=True), nn.Dropout(dropout),
            nn.Linear(4096, num_classes))
        if init_weights:
            self._initialize()

    def _initialize(self):
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
            elif isinstance(module, nn.Linear):
                init.normal_(module.weight, std=0.01)
            if isinstance(module, (nn.Conv2d, nn.Linear)) and module.bias is not None:
                init.zeros_(module.bias)

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(self.avgpool(self.features(x)).flatten(1))


def _vgg(cfg, batch_norm, kwargs):
    return VGG(make_layers(cfgs[cfg], batch_norm), **kwargs)


class VGG11_Weights(WeightsEnum):
    """Published weights of vgg11."""

    IMAGENET1K_V1 = imagenet("vgg11-8a719046.pth", 132863336, 69.02, 88.628, 7.609, 506.84, min_size=32)
    DEFAULT = IMAGENET1K_V1


class VGG11_BN_Weights(WeightsEnum):
    """Published weights of vgg11_bn."""

    IMAGENET1K_V1 = imagenet("vgg11_bn-6002323d.pth", 132868840, 70.37, 89.81, 7.609, 506.881, min_size=32)
    DEFAULT = IMAGENET1K_V1


class VGG13_Weights(WeightsEnum):
    """Published weights of vgg13."""

    IMAGENET1K_V1 = imagenet("vgg13-19584684.pth", 133047848, 69.928, 89.246, 11.308, 507.545, min_size=32)
    DEFAULT = IMAGENET1K_V1


class VGG13_BN_Weights(WeightsEnum):
    """Published weights of vgg13_bn."""

    IMAGENET1K_V1 = imagenet("vgg13_bn-abd245e5.pth", 133053736, 71.586, 90.374, 11.308, 507.59, min_size=32)
    DEFAULT = IMAGENET1K_V1


class VGG16_Weights(WeightsEnum):
    """Published weights of vgg16."""

    IMAGENET1K_V1 = imagenet("vgg16-397923af.pth", 138357544, 71.592, 90.382, 15.47, 527.796, min_size=32)
    IMAGENET1K_FEATURES = imagenet("vgg16_features-amdegroot-88682ab5.pth", 138357544, nan, nan, 15.47, 527.802, min_size=32,
                                   mean=(0.48235, 0.45882, 0.40784),
                                   std=(0.00392156862745098, 0.00392156862745098, 0.00392156862745098), categories=None)
    DEFAULT = IMAGENET1K_V1


class VGG16_BN_Weights(WeightsEnum):
    """Published weights of vgg16_bn."""

    IMAGENET1K_V1 = imagenet("vgg16_bn-6c64b313.pth", 138365992, 73.36, 91.516, 15.47, 527.866, min_size=32)
    DEFAULT = IMAGENET1K_V1


class VGG19_Weights(WeightsEnum):
    """Published weights of vgg19."""

    IMAGENET1K_V1 = imagenet("vgg19-dcbb9e9d.pth", 143667240, 72.376, 90.876, 19.632, 548.051, min_size=32)
    DEFAULT = IMAGENET1K_V1


class VGG19_BN_Weights(WeightsEnum):
    """Published weights of vgg19_bn."""

    IMAGENET1K_V1 = imagenet("vgg19_bn-c79401a0.pth", 143678248, 74.218, 91.842, 19.632, 548.143, min_size=32)
    DEFAULT = IMAGENET1K_V1

@builder(VGG11_Weights, _SOURCE)
def vgg11(**kwargs: Any) -> VGG:
    """VGG with 11 layers."""
    return _vgg("A", False, kwargs)


@builder(VGG11_BN_Weights, _SOURCE)
def vgg11_bn(**kwargs: Any) -> VGG:
    """VGG with 11 layers and batch normalisation after each convolution."""
    return _vgg("A", True, kwargs)


@builder(VGG13_Weights, _SOURCE)
def vgg13(**kwargs: Any) -> VGG:
    """VGG with 13 layers."""
    return _vgg("B", False, kwargs)


@builder(VGG13_BN_Weights, _SOURCE)
def vgg13_bn(**kwargs: Any) -> VGG:
    """VGG with 13 layers and batch normalisation after each convolution."""
    return _vgg("B", True, kwargs)


@builder(VGG16_Weights, _SOURCE)
def vgg16(**kwargs: Any) -> VGG:
    """VGG with 16 layers."""
    return _vgg("D", False, kwargs)


@builder(VGG16_BN_Weights, _SOURCE)
def vgg16_bn(**kwargs: Any) -> VGG:
    """VGG with 16 layers and batch normalisation after each convolution."""
    return _vgg("D", True, kwargs)


@builder(VGG19_Weights, _SOURCE)
def vgg19(**kwargs: Any) -> VGG:
    """VGG with 19 layers."""
    return _vgg("E", False, kwargs)


@builder(VGG19_BN_Weights, _SOURCE)
def vgg19_bn(**kwargs: Any) -> VGG:
    """VGG with 19 layers and batch normalisation after each convolution."""
    return _vgg("E", True, kwargs)
