"""EfficientNet and EfficientNet V2: inverted residuals whose width, depth and image size grow together."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from ... import nn
from ...base.errors import ArgumentError, ArgumentTypeError
from ...nn import init
from ...tensor.core.tensor import Tensor
from ..ops.misc import Conv2dNormActivation, SqueezeExcitation
from ..ops.stochastic_depth import StochasticDepth
from ._api import WeightsEnum, builder
from ._utils import _make_divisible
from .imagenet import imagenet

__all__ = [
    "EfficientNet",
    "EfficientNet_B0_Weights",
    "EfficientNet_B1_Weights",
    "EfficientNet_B2_Weights",
    "EfficientNet_B3_Weights",
    "EfficientNet_B4_Weights",
    "EfficientNet_B5_Weights",
    "EfficientNet_B6_Weights",
    "EfficientNet_B7_Weights",
    "EfficientNet_V2_L_Weights",
    "EfficientNet_V2_M_Weights",
    "EfficientNet_V2_S_Weights",
    "efficientnet_b0",
    "efficientnet_b1",
    "efficientnet_b2",
    "efficientnet_b3",
    "efficientnet_b4",
    "efficientnet_b5",
    "efficientnet_b6",
    "efficientnet_b7",
    "efficientnet_v2_l",
    "efficientnet_v2_m",
    "efficientnet_v2_s",
]
_SOURCE = "Tan and Le, EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks, 2019"
_SOURCE_V2 = "Tan and Le, EfficientNetV2: Smaller Models and Faster Training, 2021"


class _MBConvConfig:
    """A row of the papers' tables: blocks of one kind, the first of which changes channels and size."""

    def __init__(self, expand_ratio: float, kernel: int, stride: int, input_channels: int, out_channels: int, num_layers: int,
                 block: Callable[..., nn.Module]) -> None:
        self.expand_ratio, self.kernel, self.stride = expand_ratio, kernel, stride
        self.input_channels, self.out_channels, self.num_layers = input_channels, out_channels, num_layers
        self.block = block

    @staticmethod
    def adjust_channels(channels: int, width_mult: float, min_value: int | None = None) -> int:
        """channels times width_mult, rounded to a multiple of 8."""
        return _make_divisible(channels * width_mult, 8, min_value)

    def blocks(self, first: int, total: int, probability: float, norm_layer: Callable[..., nn.Module]) -> nn.Sequential:
        """The blocks; those before them are `first` of `total`, over which the probability to be dropped grows."""
        later = copy.copy(self)
        later.stride, later.input_channels = 1, self.out_channels
        return nn.Sequential(*(self.block(later if i else self, probability * (first + i) / total, norm_layer)
                               for i in range(self.num_layers)))


class MBConvConfig(_MBConvConfig):
    """A row of blocks MBConv: channels times width_mult, num_layers times depth_mult.

    Shapes and dtypes are those of the blocks.  Never raises.  Source: Tan and Le 2019, table 1.

        >>> from cltensor.vision.models.efficientnet import MBConvConfig
        >>> MBConvConfig(6, 3, 2, 16, 24, 2, width_mult=1.2, depth_mult=1.4).num_layers
        3
    """

    def __init__(self, expand_ratio: float, kernel: int, stride: int, input_channels: int, out_channels: int, num_layers: int,
                 width_mult: float = 1.0, depth_mult: float = 1.0, block: Callable[..., nn.Module] | None = None) -> None:
        super().__init__(expand_ratio, kernel, stride, self.adjust_channels(input_channels, width_mult),
                         self.adjust_channels(out_channels, width_mult), self.adjust_depth(num_layers, depth_mult), block or MBConv)

    @staticmethod
    def adjust_depth(num_layers: int, depth_mult: float) -> int:
        """num_layers times depth_mult, rounded up."""
        return math.ceil(num_layers * depth_mult)


class FusedMBConvConfig(_MBConvConfig):
    """A row of blocks FusedMBConv.

    Shapes and dtypes are those of the blocks.  Never raises.  Source: Tan and Le 2021, table 4.

        >>> from cltensor.vision.models.efficientnet import FusedMBConvConfig
        >>> FusedMBConvConfig(4, 3, 2, 24, 48, 4).out_channels
        48
    """

    def __init__(self, expand_ratio: float, kernel: int, stride: int, input_channels: int, out_channels: int, num_layers: int,
                 block: Callable[..., nn.Module] | None = None) -> None:
        super().__init__(expand_ratio, kernel, stride, input_channels, out_channels, num_layers, block or FusedMBConv)


class _Residual(nn.Module):
    """`block`, dropped at random, and the input added where shapes agree."""

    def __init__(self, cnf, layers, stochastic_depth_prob):
        super().__init__()
        if cnf.stride not in (1, 2):
            raise ArgumentError(f"{type(self).__name__}: stride={cnf.stride}; it must be 1 or 2")
        self.use_res_connect = cnf.stride == 1 and cnf.input_channels == cnf.out_channels
        self.out_channels = cnf.out_channels
        self.block = nn.Sequential(*layers)
        self.stochastic_depth = StochasticDepth(stochastic_depth_prob, "row")

    def forward(self, input: Tensor) -> Tensor:
        found = self.block(input)
        return self.stochastic_depth(found) + input if self.use_res_connect else found


class MBConv(_Residual):
    """Expand, convolve each channel, weigh the channels, project: (N, input_channels, H, W) -> (N, out_channels, H', W').

    Floating dtypes.  Raises ArgumentError where the stride is neither 1 nor 2.  Source: Tan and Le 2019.

        >>> from cltensor.vision.models.efficientnet import MBConv, MBConvConfig
        >>> MBConv(MBConvConfig(4, 3, 2, 8, 16, 1), 0.0, ct.nn.BatchNorm2d)(ct.ones(2, 8, 4, 4)).shape
        cltensor.Size([2, 16, 2, 2])
    """

    def __init__(self, cnf: MBConvConfig, stochastic_depth_prob: float, norm_layer: Callable[..., nn.Module],
                 se_layer: Callable[..., nn.Module] = SqueezeExcitation) -> None:
        kind = {"norm_layer": norm_layer, "activation_layer": nn.SiLU}
        wide = cnf.adjust_channels(cnf.input_channels, cnf.expand_ratio)
        layers = [] if wide == cnf.input_channels else [Conv2dNormActivation(cnf.input_channels, wide, 1, **kind)]
        layers += [Conv2dNormActivation(wide, wide, cnf.kernel, cnf.stride, groups=wide, **kind),
                   se_layer(wide, max(1, cnf.input_channels // 4), activation=partial(nn.SiLU, inplace=True)),
                   Conv2dNormActivation(wide, cnf.out_channels, 1, norm_layer=norm_layer, activation_layer=None)]
        super().__init__(cnf, layers, stochastic_depth_prob)


class FusedMBConv(_Residual):
    """Expand by a convolution of all channels, project: (N, input_channels, H, W) -> (N, out_channels, H', W').

    Floating dtypes.  Raises ArgumentError where the stride is neither 1 nor 2.  Source: Tan and Le 2021.

        >>> from cltensor.vision.models.efficientnet import FusedMBConv, FusedMBConvConfig
        >>> FusedMBConv(FusedMBConvConfig(4, 3, 1, 8, 8, 1), 0.0, ct.nn.BatchNorm2d)(ct.ones(2, 8, 4, 4)).shape
        cltensor.Size([2, 8, 4, 4])
    """

    def __init__(self, cnf: FusedMBConvConfig, stochastic_depth_prob: float, norm_layer: Callable[..., nn.Module]) -> None:
        kind = {"norm_layer": norm_layer, "activation_layer": nn.SiLU}
        wide = cnf.adjust_channels(cnf.input_channels, cnf.expand_ratio)
        if wide == cnf.input_channels:
            layers = [Conv2dNormActivation(cnf.input_channels, cnf.out_channels, cnf.kernel, cnf.stride, **kind)]
        else:
            layers = [Conv2dNormActivation(cnf.input_channels, wide, cnf.kernel, cnf.stride, **kind),
                      Conv2dNormActivation(wide, cnf.out_channels, 1, norm_layer=norm_layer, activation_layer=None)]
        super().__init__(cnf, layers, stochastic_depth_prob)


class EfficientNet(nn.Module):
    """Blocks by a list of MBConvConfig and FusedMBConvConfig: images (N, 3, H, W) to scores (N, num_classes).

    dropout: the probability ahead of the linear layer.  stochastic_depth_prob: that of the last block to be dropped, growing from
    0 over the blocks.  last_channel: the width after the blocks, four times theirs by default.  Floating dtypes.  Raises
    ArgumentError where the list is empty, ArgumentTypeError where it holds anything else.  Source: Tan and Le 2019.

        >>> from cltensor.vision.models.efficientnet import EfficientNet, MBConvConfig
        >>> with ct.device("meta"):
        ...     EfficientNet([MBConvConfig(2, 3, 2, 8, 16, 1)], 0.2, num_classes=5)(ct.empty(2, 3, 8, 8)).shape
        cltensor.Size([2, 5])
    """

    def __init__(self, inverted_residual_setting: Sequence[MBConvConfig | FusedMBConvConfig], dropout: float,
                 stochastic_depth_prob: float = 0.2, num_classes: int = 1000,
                 norm_layer: Callable[..., nn.Module] | None = None, last_channel: int | None = None) -> None:
        super().__init__()
        setting = inverted_residual_setting
        if not setting:
            raise ArgumentError("EfficientNet: inverted_residual_setting is empty; give an MBConvConfig for each row of blocks")
        if not all(isinstance(cnf, _MBConvConfig) for cnf in setting):
            raise ArgumentTypeError(f"EfficientNet: inverted_residual_setting={setting}; give a list of MBConvConfig and "
                                    "FusedMBConvConfig")
        kind = {"norm_layer": norm_layer or nn.BatchNorm2d, "activation_layer": nn.SiLU}
        layers = [Conv2dNormActivation(3, setting[0].input_channels, stride=2, **kind)]
        first, total = 0, sum(cnf.num_layers for cnf in setting)
        for cnf in setting:
            layers.append(cnf.blocks(first, total, stochastic_depth_prob, kind["norm_layer"]))
            first += cnf.num_layers
        before = setting[-1].out_channels
        last = 4 * before if last_channel is None else last_channel
        layers.append(Conv2dNormActivation(before, last, 1, **kind))
        self.features = nn.Sequential(*layers)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Sequential(nn.Dropout(dropout, inplace=True), nn.Linear(last, num_classes))
        self._initialize()

    def _initialize(self):
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                init.kaiming_normal_(module.weight, mode="fan_out")
            elif isinstance(module, nn.Linear):
                bound = 1 / math.sqrt(module.out_features)
                init.uniform_(module.weight, -bound, bound)
            if isinstance(module, (nn.Conv2d, nn.Linear)) and module.bias is not None:
                init.zeros_(module.bias)

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(self.avgpool(self.features(x)).flatten(1))


# Rows of the papers' tables: expansion, kernel, stride, channels, channels after, blocks.
_V1 = ((1, 3, 1, 32, 16, 1), (6, 3, 2, 16, 24, 2), (6, 5, 2, 24, 40, 2), (6, 3, 2, 40, 80, 3), (6, 5, 1, 80, 112, 3),
       (6, 5, 2, 112, 192, 4), (6, 3, 1, 192, 320, 1))
# The first three rows of each are fused.
_V2 = {
    "s": ((1, 3, 1, 24, 24, 2), (4, 3, 2, 24, 48, 4), (4, 3, 2, 48, 64, 4), (4, 3, 2, 64, 128, 6), (6, 3, 1, 128, 160, 9),
          (6, 3, 2, 160, 256, 15)),
    "m": ((1, 3, 1, 24, 24, 3), (4, 3, 2, 24, 48, 5), (4, 3, 2, 48, 80, 5), (4, 3, 2, 80, 160, 7), (6, 3, 1, 160, 176, 14),
          (6, 3, 2, 176, 304, 18), (6, 3, 1, 304, 512, 5)),
    "l": ((1, 3, 1, 32, 32, 4), (4, 3, 2, 32, 64, 7), (4, 3, 2, 64, 96, 7), (4, 3, 2, 96, 192, 10), (6, 3, 1, 192, 224, 19),
          (6, 3, 2, 224, 384, 25), (6, 3, 1, 384, 640, 7)),
}


def _v1(width_mult, depth_mult, dropout, kwargs):
    """An EfficientNet of the first paper, scaled."""
    setting = [MBConvConfig(*row, width_mult, depth_mult) for row in _V1]
    return EfficientNet(setting, kwargs.pop("dropout", dropout), **kwargs)


def _large(kwargs):
    """kwargs with the norm of the three largest models."""
    kwargs.setdefault("norm_layer", partial(nn.BatchNorm2d, eps=0.001, momentum=0.01))
    return kwargs


def _v2(size, dropout, kwargs):
    """An EfficientNet V2."""
    rows = _V2[size]
    setting = [*(FusedMBConvConfig(*row) for row in rows[:3]), *(MBConvConfig(*row) for row in rows[3:])]
    kwargs.setdefault("norm_layer", partial(nn.BatchNorm2d, eps=1e-3))
    return EfficientNet(setting, kwargs.pop("dropout", dropout), last_channel=1280, **kwargs)


class EfficientNet_B0_Weights(WeightsEnum):
    """Published weights of efficientnet_b0."""

    IMAGENET1K_V1 = imagenet("efficientnet_b0_rwightman-7f5810bc.pth", 5288548, 77.692, 93.532, 0.386, 20.451, min_size=1,
                             interpolation="bicubic")
    DEFAULT = IMAGENET1K_V1


class EfficientNet_B1_Weights(WeightsEnum):
    """Published weights of efficientnet_b1."""

    IMAGENET1K_V1 = imagenet("efficientnet_b1_rwightman-bac287d4.pth", 7794184, 78.642, 94.186, 0.687, 30.134, min_size=1,
                             crop_size=240, interpolation="bicubic")
    IMAGENET1K_V2 = imagenet("efficientnet_b1-c27df63c.pth", 7794184, 79.838, 94.934, 0.687, 30.136, min_size=1, crop_size=240,
                             resize_size=255)
    DEFAULT = IMAGENET1K_V2


class EfficientNet_B2_Weights(WeightsEnum):
    """Published weights of efficientnet_b2."""

    IMAGENET1K_V1 = imagenet("efficientnet_b2_rwightman-c35c1473.pth", 9109994, 80.608, 95.31, 1.088, 35.174, min_size=1,
                             crop_size=288, resize_size=288, interpolation="bicubic")
    DEFAULT = IMAGENET1K_V1


class EfficientNet_B3_Weights(WeightsEnum):
    """Published weights of efficientnet_b3."""

    IMAGENET1K_V1 = imagenet("efficientnet_b3_rwightman-b3899882.pth", 12233232, 82.008, 96.054, 1.827, 47.184, min_size=1,
                             crop_size=300, resize_size=320, interpolation="bicubic")
    DEFAULT = IMAGENET1K_V1


class EfficientNet_B4_Weights(WeightsEnum):
    """Published weights of efficientnet_b4."""

    IMAGENET1K_V1 = imagenet("efficientnet_b4_rwightman-23ab8bcd.pth", 19341616, 83.384, 96.594, 4.394, 74.489, min_size=1,
                             crop_size=380, resize_size=384, interpolation="bicubic")
    DEFAULT = IMAGENET1K_V1


class EfficientNet_B5_Weights(WeightsEnum):
    """Published weights of efficientnet_b5."""

    IMAGENET1K_V1 = imagenet("efficientnet_b5_lukemelas-1a07897c.pth", 30389784, 83.444, 96.628, 10.266, 116.864, min_size=1,
                             crop_size=456, resize_size=456, interpolation="bicubic")
    DEFAULT = IMAGENET1K_V1


class EfficientNet_B6_Weights(WeightsEnum):
    """Published weights of efficientnet_b6."""

    IMAGENET1K_V1 = imagenet("efficientnet_b6_lukemelas-24a108a5.pth", 43040704, 84.008, 96.916, 19.068, 165.362, min_size=1,
                             crop_size=528, resize_size=528, interpolation="bicubic")
    DEFAULT = IMAGENET1K_V1


class EfficientNet_B7_Weights(WeightsEnum):
    """Published weights of efficientnet_b7."""

    IMAGENET1K_V1 = imagenet("efficientnet_b7_lukemelas-c5b4e57e.pth", 66347960, 84.122, 96.908, 37.746, 254.675, min_size=1,
                             crop_size=600, resize_size=600, interpolation="bicubic")
    DEFAULT = IMAGENET1K_V1


class EfficientNet_V2_S_Weights(WeightsEnum):
    """Published weights of efficientnet_v2_s."""

    IMAGENET1K_V1 = imagenet("efficientnet_v2_s-dd5fe13b.pth", 21458488, 84.228, 96.878, 8.366, 82.704, min_size=33,
                             crop_size=384, resize_size=384)
    DEFAULT = IMAGENET1K_V1


class EfficientNet_V2_M_Weights(WeightsEnum):
    """Published weights of efficientnet_v2_m."""

    IMAGENET1K_V1 = imagenet("efficientnet_v2_m-dc08266a.pth", 54139356, 85.112, 97.156, 24.582, 208.01, min_size=33,
                             crop_size=480, resize_size=480)
    DEFAULT = IMAGENET1K_V1


class EfficientNet_V2_L_Weights(WeightsEnum):
    """Published weights of efficientnet_v2_l."""

    IMAGENET1K_V1 = imagenet("efficientnet_v2_l-59c71312.pth", 118515272, 85.808, 97.788, 56.08, 454.573, min_size=33,
                             crop_size=480, resize_size=480, interpolation="bicubic", mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5))
    DEFAULT = IMAGENET1K_V1

@builder(EfficientNet_B0_Weights, _SOURCE)
def efficientnet_b0(**kwargs: Any) -> EfficientNet:
    """EfficientNet B0: 1.0 times the width, 1.0 times the depth; dropout is 0.2 unless kwargs have it."""
    return _v1(1.0, 1.0, 0.2, kwargs)


@builder(EfficientNet_B1_Weights, _SOURCE)
def efficientnet_b1(**kwargs: Any) -> EfficientNet:
    """EfficientNet B1: 1.0 times the width, 1.1 times the depth; dropout is 0.2 unless kwargs have it."""
    return _v1(1.0, 1.1, 0.2, kwargs)


@builder(EfficientNet_B2_Weights, _SOURCE)
def efficientnet_b2(**kwargs: Any) -> EfficientNet:
    """EfficientNet B2: 1.1 times the width, 1.2 times the depth; dropout is 0.3 unless kwargs have it."""
    return _v1(1.1, 1.2, 0.3, kwargs)


@builder(EfficientNet_B3_Weights, _SOURCE)
def efficientnet_b3(**kwargs: Any) -> EfficientNet:
    """EfficientNet B3: 1.2 times the width, 1.4 times the depth; dropout is 0.3 unless kwargs have it."""
    return _v1(1.2, 1.4, 0.3, kwargs)


@builder(EfficientNet_B4_Weights, _SOURCE)
def efficientnet_b4(**kwargs: Any) -> EfficientNet:
    """EfficientNet B4: 1.4 times the width, 1.8 times the depth; dropout is 0.4 unless kwargs have it."""
    return _v1(1.4, 1.8, 0.4, kwargs)


@builder(EfficientNet_B5_Weights, _SOURCE)
def efficientnet_b5(**kwargs: Any) -> EfficientNet:
    """EfficientNet B5: 1.6 times the width, 2.2 times the depth; dropout is 0.4 unless kwargs have it."""
    return _v1(1.6, 2.2, 0.4, _large(kwargs))


@builder(EfficientNet_B6_Weights, _SOURCE)
def efficientnet_b6(**kwargs: Any) -> EfficientNet:
    """EfficientNet B6: 1.8 times the width, 2.6 times the depth; dropout is 0.5 unless kwargs have it."""
    return _v1(1.8, 2.6, 0.5, _large(kwargs))


@builder(EfficientNet_B7_Weights, _SOURCE)
def efficientnet_b7(**kwargs: Any) -> EfficientNet:
    """EfficientNet B7: 2.0 times the width, 3.1 times the depth; dropout is 0.5 unless kwargs have it."""
    return _v1(2.0, 3.1, 0.5, _large(kwargs))


@builder(EfficientNet_V2_S_Weights, _SOURCE_V2)
def efficientnet_v2_s(**kwargs: Any) -> EfficientNet:
    """EfficientNet V2 S; dropout is 0.2 unless kwargs have it."""
    return _v2("s", 0.2, kwargs)


@builder(EfficientNet_V2_M_Weights, _SOURCE_V2)
def efficientnet_v2_m(**kwargs: Any) -> EfficientNet:
    """EfficientNet V2 M; dropout is 0.3 unless kwargs have it."""
    return _v2("m", 0.3, kwargs)


@builder(EfficientNet_V2_L_Weights, _SOURCE_V2)
def efficientnet_v2_l(**kwargs: Any) -> EfficientNet:
    """EfficientNet V2 L; dropout is 0.4 unless kwargs have it."""
    return _v2("l", 0.4, kwargs)
