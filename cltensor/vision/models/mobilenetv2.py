"""MobileNet V2: residual blocks that are wide inside, with depthwise convolutions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ... import nn
from ...base.errors import ArgumentError
from ...nn import init
from ...tensor.core.tensor import Tensor
from ..ops.misc import Conv2dNormActivation
from ._api import WeightsEnum, builder
from ._utils import _make_divisible
from .imagenet import imagenet

__all__ = [
    "MobileNetV2", "MobileNet_V2_Weights", "mobilenet_v2",
]
_SOURCE = "Sandler et al., MobileNetV2: Inverted Residuals and Linear Bottlenecks, 2018"

# Rows of the paper's table: expansion, channels, blocks, stride of the first.
_SETTING = [[1, 16, 1, 1], [6, 24, 2, 2], [6, 32, 3, 2], [6, 64, 4, 2], [6, 96, 3, 1], [6, 160, 3, 2], [6, 320, 1, 1]]


def initialize(model: nn.Module) -> None:
    """First values of MobileNets: convolutions with the variance of He et al. by the outputs, linear layers normal with 0.01."""
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            init.kaiming_normal_(module.weight, mode="fan_out")
        elif isinstance(module, nn.Linear):
            init.normal_(module.weight, std=0.01)
        elif isinstance(module, (nn.BatchNorm2d, nn.GroupNorm)):
            init.ones_(module.weight)
        else:
            continue
        if module.bias is not None:
            init.zeros_(module.bias)


class InvertedResidual(nn.Module):
    """Expand by a 1x1 convolution, convolve each channel, project back: (N, inp, H, W) -> (N, oup, H / stride, W / stride).

    The input is added where shapes agree.  Floating dtypes.  Raises ArgumentError where stride is neither 1 nor 2.
    Source: Sandler et al. 2018.

        >>> from cltensor.vision.models.mobilenetv2 import InvertedResidual
        >>> InvertedResidual(4, 8, 2, 6)(ct.ones(2, 4, 6, 6)).shape
        cltensor.Size([2, 8, 3, 3])
    """

    def __init__(self, inp: int, oup: int, stride: int, expand_ratio: int,
                 norm_layer: Callable[..., nn.Module] | None = None) -> None:
        super().__init__()
        if stride not in (1, 2):
            raise ArgumentError(f"InvertedResidual: stride={stride}; it must be 1 or 2")
        norm_layer = norm_layer or nn.BatchNorm2d
        wide = round(inp * expand_ratio)
        kind = {"norm_layer": norm_layer, "activation_layer": nn.ReLU6}
        expand = [] if expand_ratio == 1 else [Conv2dNormActivation(inp, wide, 1, **kind)]
        self.stride, self.out_channels = stride, oup
        self.use_res_connect = stride == 1 and inp == oup
        self.conv = nn.Sequential(*expand, Conv2dNormActivation(wide, wide, stride=stride, groups=wide, **kind),
                                  nn.Conv2d(wide, oup, 1, bias=False), norm_layer(oup))
        self._is_cn = stride > 1

    def forward(self, x: Tensor) -> Tensor:
        return x + self.conv(x) if self.use_res_connect else self.conv(x)


class MobileNetV2(nn.Module):
    """Inverted residuals: images (N, 3, H, W) to scores (N, num_classes).

    width_mult: a factor for all channels, which are rounded to a multiple of round_nearest.  inverted_residual_setting: rows of
    expansion, channels, number of blocks and the first one's stride.  block and norm_layer make the parts.  Floating dtypes.
    Raises ArgumentError for a setting without rows or whose rows have not four elements.
    Source: Sandler et al., MobileNetV2: Inverted Residuals and Linear Bottlenecks, 2018.

        >>> from cltensor.vision.models import MobileNetV2
        >>> with ct.device("meta"):
        ...     MobileNetV2(num_classes=5)(ct.empty(2, 3, 32, 32)).shape
        cltensor.Size([2, 5])
    """

    def __init__(self, num_classes: int = 1000, width_mult: float = 1.0, inverted_residual_setting: list[list[int]] | None = None,
                 round_nearest: int = 8, block: Callable[..., nn.Module] | None = None,
                 norm_layer: Callable[..., nn.Module] | None = None, dropout: float = 0.2) -> None:
        super().__init__()
        setting = _SETTING if inverted_residual_setting is None else inverted_residual_setting
        if not setting or any(len(row) != 4 for row in setting):
            raise ArgumentError(f"MobileNetV2: inverted_residual_setting={setting}; give rows of expansion, channels, blocks and "
                                "stride")
        block, norm_layer = block or InvertedResidual, norm_layer or nn.BatchNorm2d
        channels = _make_divisible(32 * width_mult, round_nearest)
        self.last_channel = _make_divisible(1280 * max(1.0, width_mult), round_nearest)
        layers = [Conv2dNormActivation(3, channels, stride=2, norm_layer=norm_layer, activation_layer=nn.ReLU6)]
        for expansion, size, blocks, stride in setting:
            size = _make_divisible(size * width_mult, round_nearest)
            for i in range(blocks):
                layers.append(block(channels, size, 1 if i else stride, expand_ratio=expansion, norm_layer=norm_layer))
                channels = size
        layers.append(Conv2dNormActivation(channels, self.last_channel, 1, norm_layer=norm_layer, activation_layer=nn.ReLU6))
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Sequential(nn.Dropout(dropout), nn.Linear(self.last_channel, num_classes))
        initialize(self)

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(nn.functional.adaptive_avg_pool2d(self.features(x), (1, 1)).flatten(1))


class MobileNet_V2_Weights(WeightsEnum):
    """Published weights of mobilenet_v2."""

    IMAGENET1K_V1 = imagenet("mobilenet_v2-b0353104.pth", 3504872, 71.878, 90.286, 0.301, 13.555, min_size=1)
    IMAGENET1K_V2 = imagenet("mobilenet_v2-7ebf99e0.pth", 3504872, 72.154, 90.822, 0.301, 13.598, min_size=1, resize_size=232)
    DEFAULT = IMAGENET1K_V2

@builder(MobileNet_V2_Weights, _SOURCE)
def mobilenet_v2(**kwargs: Any) -> MobileNetV2:
    """MobileNet V2."""
    return MobileNetV2(**kwargs)
