"""DenseNet: layers that see the results of all layers before them."""

from __future__ import annotations

import re
from collections import OrderedDict
from typing import Any

from ... import nn
from ...nn import init
from ...tensor.core.tensor import Tensor
from ...tensor.shape.joining import cat
from ...utils.checkpoint import checkpoint
from ._api import WeightsEnum, builder
from .imagenet import imagenet

__all__ = [
    "DenseNet", "DenseNet121_Weights", "DenseNet161_Weights", "DenseNet169_Weights", "DenseNet201_Weights", "densenet121",
    "densenet161", "densenet169", "densenet201",
]
_SOURCE = "Huang et al., Densely Connected Convolutional Networks, 2017"


class _DenseLayer(nn.Module):
    """growth_rate channels computed from all channels so far, through a 1x1 convolution to bn_size * growth_rate."""

    def __init__(self, num_input_features: int, growth_rate: int, bn_size: int, drop_rate: float,
                 memory_efficient: bool = False) -> None:
        super().__init__()
        self.norm1 = nn.BatchNorm2d(num_input_features)
        self.relu1 = nn.ReLU(inplace=True)
        self.conv1 = nn.Conv2d(num_input_features, bn_size * growth_rate, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(bn_size * growth_rate)
        self.relu2 = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(bn_size * growth_rate, growth_rate, 3, padding=1, bias=False)
        self.drop_rate = float(drop_rate)
        self.memory_efficient = memory_efficient

    def bn_function(self, inputs: list[Tensor]) -> Tensor:
        """The 1x1 convolution of all channels so far."""
        return self.conv1(self.relu1(self.norm1(cat(inputs, 1))))

    def forward(self, input: Tensor | list[Tensor]) -> Tensor:
        parts = [input] if isinstance(input, Tensor) else input
        if self.memory_efficient and any(part.requires_grad for part in parts):
            squeezed = checkpoint(lambda *parts: self.bn_function(list(parts)), *parts, use_reentrant=False)
        else:
            squeezed = self.bn_function(parts)
        found = self.conv2(self.relu2(self.norm2(squeezed)))
        return nn.functional.dropout(found, self.drop_rate, self.training) if self.drop_rate > 0 else found


class _DenseBlock(nn.ModuleDict):
    """num_layers dense layers; the result holds the input's channels and all of theirs."""

    _version = 2

    def __init__(self, num_layers: int, num_input_features: int, bn_size: int, growth_rate: int, drop_rate: float,
                 memory_efficient: bool = False) -> None:
        super().__init__()
        for i in range(num_layers):
            self.add_module(f"denselayer{i + 1}", _DenseLayer(num_input_features + i * growth_rate, growth_rate, bn_size, drop_rate,
                                                              memory_efficient))

    def forward(self, init_features: Tensor) -> Tensor:
        parts = [init_features]
        for layer in self.values():
            parts.append(layer(parts))
        return cat(parts, 1)


class _Transition(nn.Sequential):
    """Fewer channels by a 1x1 convolution, half the size by averages."""

    def __init__(self, num_input_features: int, num_output_features: int) -> None:
        super().__init__(OrderedDict(norm=nn.BatchNorm2d(num_input_features), relu=nn.ReLU(inplace=True),
                                     conv=nn.Conv2d(num_input_features, num_output_features, 1, bias=False),
                                     pool=nn.AvgPool2d(2, stride=2)))


class DenseNet(nn.Module):
    """Dense blocks with transitions between: images (N, 3, H, W) to scores (N, num_classes).

    growth_rate: channels that each layer adds.  block_config: layers of each block.  num_init_features: channels of the first
    convolution.  bn_size: a layer's inner width in growth_rates.  drop_rate: dropout after each layer.  memory_efficient: compute
    the wide results again in backward.  Floating dtypes.  Raises ShapeError for images too small for the poolings.
    Source: Huang et al., Densely Connected Convolutional Networks, 2017.

        >>> from cltensor.vision.models import DenseNet
        >>> with ct.device("meta"):
        ...     DenseNet(8, (2, 2), 16, num_classes=5)(ct.empty(2, 3, 32, 32)).shape
        cltensor.Size([2, 5])
    """

    def __init__(self, growth_rate: int = 32, block_config: tuple[int, int, int, int] = (6, 12, 24, 16),
                 num_init_features: int = 64, bn_size: int = 4, drop_rate: float = 0, num_classes: int = 1000,
                 memory_efficient: bool = False) -> None:
        super().__init__()
        channels = num_init_features
        self.features = nn.Sequential(OrderedDict(
            conv0=nn.Conv2d(3, channels, 7, stride=2, padding=3, bias=False), norm0=nn.BatchNorm2d(channels),
            relu0=nn.ReLU(inplace=True), pool0=nn.MaxPool2d(3, stride=2, padding=1)))
        for i, layers in enumerate(block_config, 1):
            block = _DenseBlock(layers, channels, bn_size, growth_rate, drop_rate, memory_efficient)
            self.features.add_module(f"denseblock{i}", block)
            channels += layers * growth_rate
            if i < len(block_config):
                self.features.add_module(f"transition{i}", _Transition(channels, channels // 2))
                channels //= 2
        self.features.add_module("norm5", nn.BatchNorm2d(channels))
        self.classifier = nn.Linear(channels, num_classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                init.kaiming_normal_(module.weight)
        init.zeros_(self.classifier.bias)

    def forward(self, x: Tensor) -> Tensor:
        features = nn.functional.relu(self.features(x), inplace=True)
        return self.classifier(nn.functional.adaptive_avg_pool2d(features, (1, 1)).flatten(1))


def _named(state):
    """A state_dict with today's names: norm1, relu1 and conv1 were norm.1, relu.1 and conv.1 in the published files."""
    return {re.sub(r"(denselayer\d+\.(?:norm|relu|conv))\.(?=[12]\.)", r"\1", name): value for name, value in state.items()}


class DenseNet121_Weights(WeightsEnum):
    """Published weights of densenet121."""

    IMAGENET1K_V1 = imagenet("densenet121-a639ec97.pth", 7978856, 74.434, 91.972, 2.834, 30.845, min_size=29)
    DEFAULT = IMAGENET1K_V1


class DenseNet161_Weights(WeightsEnum):
    """Published weights of densenet161."""

    IMAGENET1K_V1 = imagenet("densenet161-8d451a50.pth", 28681000, 77.138, 93.56, 7.728, 110.369, min_size=29)
    DEFAULT = IMAGENET1K_V1


class DenseNet169_Weights(WeightsEnum):
    """Published weights of densenet169."""

    IMAGENET1K_V1 = imagenet("densenet169-b2777c0a.pth", 14149480, 75.6, 92.806, 3.36, 54.708, min_size=29)
    DEFAULT = IMAGENET1K_V1


class DenseNet201_Weights(WeightsEnum):
    """Published weights of densenet201."""

    IMAGENET1K_V1 = imagenet("densenet201-c1103571.pth", 20013928, 76.896, 93.37, 4.291, 77.373, min_size=29)
    DEFAULT = IMAGENET1K_V1

@builder(DenseNet121_Weights, _SOURCE, named=_named)
def densenet121(**kwargs: Any) -> DenseNet:
    """DenseNet-121."""
    return DenseNet(32, (6, 12, 24, 16), 64, **kwargs)


@builder(DenseNet161_Weights, _SOURCE, named=_named)
def densenet161(**kwargs: Any) -> DenseNet:
    """DenseNet-161."""
    return DenseNet(48, (6, 12, 36, 24), 96, **kwargs)


@builder(DenseNet169_Weights, _SOURCE, named=_named)
def densenet169(**kwargs: Any) -> DenseNet:
    """DenseNet-169."""
    return DenseNet(32, (6, 12, 32, 32), 64, **kwargs)


@builder(DenseNet201_Weights, _SOURCE, named=_named)
def densenet201(**kwargs: Any) -> DenseNet:
    """DenseNet-201."""
    return DenseNet(32, (6, 12, 48, 32), 64, **kwargs)
