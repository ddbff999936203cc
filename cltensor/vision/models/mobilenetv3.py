"""MobileNet V3: inverted residuals with squeeze-and-excitation and hard activations."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from ... import nn
from ...base.errors import ArgumentError, ArgumentTypeError
from ...tensor.core.tensor import Tensor
from ..ops.misc import Conv2dNormActivation, SqueezeExcitation
from ._api import WeightsEnum, builder
from ._utils import _make_divisible
from .imagenet import imagenet
from .mobilenetv2 import initialize

__all__ = [
    "MobileNetV3", "MobileNet_V3_Large_Weights", "MobileNet_V3_Small_Weights", "mobilenet_v3_large", "mobilenet_v3_small",
]
_WEIGHED = partial(SqueezeExcitation, scale_activation=nn.Hardsigmoid)
_SOURCE = "Howard et al., Searching for MobileNetV3, 2019"


class InvertedResidualConfig:
    """What a block of MobileNet V3 is made with; all channels are multiplied by width_mult.

    use_se: with squeeze-and-excitation.  activation: "RE" for ReLU, "HS" for Hardswish.  Shapes and dtypes are those of
    InvertedResidual.  Never raises.  Source: Howard et al. 2019, tables 1 and 2.

        >>> from cltensor.vision.models.mobilenetv3 import InvertedResidualConfig
        >>> InvertedResidualConfig(16, 3, 64, 24, False, "RE", 2, 1, 0.5).out_channels
        16
    """

    def __init__(self, input_channels: int, kernel: int, expanded_channels: int, out_channels: int, use_se: bool, activation: str,
                 stride: int, dilation: int, width_mult: float) -> None:
        self.input_channels = self.adjust_channels(input_channels, width_mult)
        self.kernel = kernel
        self.expanded_channels = self.adjust_channels(expanded_channels, width_mult)
        self.out_channels = self.adjust_channels(out_channels, width_mult)
        self.use_se = use_se
        self.use_hs = activation == "HS"
        self.stride, self.dilation = stride, dilation

    @staticmethod
    def adjust_channels(channels: int, width_mult: float) -> int:
        """channels times width_mult, rounded to a multiple of 8."""
        return _make_divisible(channels * width_mult, 8)


class InvertedResidual(nn.Module):
    """A block by an InvertedResidualConfig: (N, input_channels, H, W) -> (N, out_channels, H / stride, W / stride).

    Expand by a 1x1 convolution, convolve each channel, weigh the channels, project.  The input is added where shapes agree.
    Where the config dilates, the stride is 1.  Floating dtypes.  Raises ArgumentError where the stride is neither 1 nor 2.
    Source: Howard et al. 2019.

        >>> from cltensor.vision.models.mobilenetv3 import InvertedResidual, InvertedResidualConfig
        >>> config = InvertedResidualConfig(8, 3, 16, 8, True, "HS", 1, 1, 1.0)
        >>> InvertedResidual(config, ct.nn.BatchNorm2d)(ct.ones(2, 8, 4, 4)).shape
        cltensor.Size([2, 8, 4, 4])
    """

    def __init__(self, cnf: InvertedResidualConfig, norm_layer: Callable[..., nn.Module],
                 se_layer: Callable[..., nn.Module] = _WEIGHED):
        super().__init__()
        if not 1 <= cnf.stride <= 2:
            raise ArgumentError(f"InvertedResidual: stride={cnf.stride}; it must be 1 or 2")
        self.use_res_connect = cnf.stride == 1 and cnf.input_channels == cnf.out_channels
        self.out_channels = cnf.out_channels
        self._is_cn = cnf.stride > 1
        wide = cnf.expanded_channels
        kind = {"norm_layer": norm_layer, "activation_layer": nn.Hardswish if cnf.use_hs else nn.ReLU}
        layers = [] if wide == cnf.input_channels else [Conv2dNormActivation(cnf.input_channels, wide, 1, **kind)]
        layers.append(Conv2dNormActivation(wide, wide, cnf.kernel, 1 if cnf.dilation > 1 else cnf.stride, groups=wide,
                                           dilation=cnf.dilation, **kind))
        if cnf.use_se:
            layers.append(se_layer(wide, _make_divisible(wide // 4, 8)))
        layers.append(Conv2dNormActivation(wide, cnf.out_channels, 1, norm_layer=norm_layer, activation_layer=None))
        self.block = nn.Sequential(*layers)

    def forward(self, input: Tensor) -> Tensor:
        return self.block(input) + input if self.use_res_connect else self.block(input)


class MobileNetV3(nn.Module):
    """Blocks by a list of InvertedResidualConfig: images (N, 3, H, W) to scores (N, num_classes).

    last_channel: the width of the hidden linear layer.  block and norm_layer make the parts.  Floating dtypes.  Raises
    ArgumentError where the list is empty, ArgumentTypeError where it holds anything else.
    Source: Howard et al., Searching for MobileNetV3, 2019.

        >>> from cltensor.vision.models import mobilenet_v3_small
        >>> with ct.device("meta"):
        ...     mobilenet_v3_small(num_classes=5)(ct.empty(2, 3, 32, 32)).shape
        cltensor.Size([2, 5])
    """

    def __init__(self, inverted_residual_setting: list[InvertedResidualConfig], last_channel: int, num_classes: int = 1000,
                 block: Callable[..., nn.Module] | None = None, norm_layer: Callable[..., nn.Module] | None = None,
                 dropout: float = 0.2) -> None:
        super().__init__()
        setting = inverted_residual_setting
        if not setting:
            raise ArgumentError("MobileNetV3: inverted_residual_setting is empty; give an InvertedResidualConfig for each block")
        if not all(isinstance(cnf, InvertedResidualConfig) for cnf in setting):
            raise ArgumentTypeError(f"MobileNetV3: inverted_residual_setting={setting}; give a list of InvertedResidualConfig")
        block = block or InvertedResidual
        norm_layer = norm_layer or partial(nn.BatchNorm2d, eps=0.001, momentum=0.01)
        first, last = setting[0].input_channels, setting[-1].out_channels
        kind = {"norm_layer": norm_layer, "activation_layer": nn.Hardswish}
        self.features = nn.Sequential(Conv2dNormActivation(3, first, stride=2, **kind),
                                      *(block(cnf, norm_layer) for cnf in setting),
                                      Conv2dNormActivation(last, 6 * last, 1, **kind))
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Sequential(nn.Linear(6 * last, last_channel), nn.Hardswish(inplace=True),
                                        nn.Dropout(dropout, inplace=True), nn.Linear(last_channel, num_classes))
        initialize(self)

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(self.avgpool(self.features(x)).flatten(1))


# Rows of the paper's tables: channels, kernel, expanded channels, channels after, squeeze-and-excitation, activation, stride.
# Those of the tail, which can be reduced or dilated, stand apart.
_LARGE = [(16, 3, 16, 16, False, "RE", 1), (16, 3, 64, 24, False, "RE", 2), (24, 3, 72, 24, False, "RE", 1),
          (24, 5, 72, 40, True, "RE", 2), (40, 5, 120, 40, True, "RE", 1), (40, 5, 120, 40, True, "RE", 1),
          (40, 3, 240, 80, False, "HS", 2), (80, 3, 200, 80, False, "HS", 1), (80, 3, 184, 80, False, "HS", 1),
          (80, 3, 184, 80, False, "HS", 1), (80, 3, 480, 112, True, "HS", 1), (112, 3, 672, 112, True, "HS", 1)]
_SMALL = [(16, 3, 16, 16, True, "RE", 2), (16, 3, 72, 24, False, "RE", 2), (24, 3, 88, 24, False, "RE", 1),
          (24, 5, 96, 40, True, "HS", 2), (40, 5, 240, 40, True, "HS", 1), (40, 5, 240, 40, True, "HS", 1),
          (40, 5, 120, 48, True, "HS", 1), (48, 5, 144, 48, True, "HS", 1)]
_TAILS = {"mobilenet_v3_large": (112, 672, 160, 960, 1280), "mobilenet_v3_small": (48, 288, 96, 576, 1024)}


def _mobilenet_v3_conf(arch: str, width_mult: float = 1.0, reduced_tail: bool = False,
                       dilated: bool = False) -> tuple[list[InvertedResidualConfig], int]:
    """The setting and last_channel of an architecture."""
    before, wide, after, last_wide, hidden = _TAILS[arch]
    share, dilation = 2 if reduced_tail else 1, 2 if dilated else 1
    rows = [(*row, 1) for row in (_LARGE if arch == "mobilenet_v3_large" else _SMALL)]
    rows.append((before, 5, wide, after // share, True, "HS", 2, dilation))
    rows += [(after // share, 5, last_wide // share, after // share, True, "HS", 1, dilation)] * 2
    setting = [InvertedResidualConfig(*row, width_mult) for row in rows]
    return setting, InvertedResidualConfig.adjust_channels(hidden // share, width_mult)


def _mobilenet_v3(arch, kwargs):
    variant = {name: kwargs.pop(name) for name in ("width_mult", "reduced_tail", "dilated") if name in kwargs}
    setting, last_channel = _mobilenet_v3_conf(arch, **variant)
    return MobileNetV3(setting, last_channel, **kwargs)


class MobileNet_V3_Large_Weights(WeightsEnum):
    """Published weights of mobilenet_v3_large."""

    IMAGENET1K_V1 = imagenet("mobilenet_v3_large-8738ca79.pth", 5483032, 74.042, 91.34, 0.217, 21.114, min_size=1)
    IMAGENET1K_V2 = imagenet("mobilenet_v3_large-5c1a4163.pth", 5483032, 75.274, 92.566, 0.217, 21.107, min_size=1,
                             resize_size=232)
    DEFAULT = IMAGENET1K_V2


class MobileNet_V3_Small_Weights(WeightsEnum):
    """Published weights of mobilenet_v3_small."""

    IMAGENET1K_V1 = imagenet("mobilenet_v3_small-047dcff4.pth", 2542856, 67.668, 87.402, 0.057, 9.829, min_size=1)
    DEFAULT = IMAGENET1K_V1

@builder(MobileNet_V3_Large_Weights, _SOURCE)
def mobilenet_v3_large(**kwargs: Any) -> MobileNetV3:
    """MobileNet V3 large; kwargs may hold width_mult, reduced_tail and dilated as well."""
    return _mobilenet_v3("mobilenet_v3_large", kwargs)


@builder(MobileNet_V3_Small_Weights, _SOURCE)
def mobilenet_v3_small(**kwargs: Any) -> MobileNetV3:
    """MobileNet V3 small; kwargs may hold width_mult, reduced_tail and dilated as well."""
    return _mobilenet_v3("mobilenet_v3_small", kwargs)
