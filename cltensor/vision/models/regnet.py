"""RegNet X and Y: residual blocks whose widths follow a quantized line."""

from __future__ import annotations

import itertools
import math
from collections import OrderedDict
from collections.abc import Callable
from functools import partial
from typing import Any

from ... import nn
from ...base.errors import ArgumentError
from ...nn import init
from ...tensor.core.tensor import Tensor
from ..ops.misc import Conv2dNormActivation, SqueezeExcitation
from ._api import WeightsEnum, builder
from ._utils import _make_divisible
from .imagenet import imagenet

__all__ = [
    "RegNet",
    "RegNet_X_1_6GF_Weights",
    "RegNet_X_3_2GF_Weights",
    "RegNet_X_8GF_Weights",
    "RegNet_X_16GF_Weights",
    "RegNet_X_32GF_Weights",
    "RegNet_X_400MF_Weights",
    "RegNet_X_800MF_Weights",
    "RegNet_Y_1_6GF_Weights",
    "RegNet_Y_3_2GF_Weights",
    "RegNet_Y_8GF_Weights",
    "RegNet_Y_16GF_Weights",
    "RegNet_Y_32GF_Weights",
    "RegNet_Y_128GF_Weights",
    "RegNet_Y_400MF_Weights",
    "RegNet_Y_800MF_Weights",
    "regnet_x_1_6gf",
    "regnet_x_3_2gf",
    "regnet_x_8gf",
    "regnet_x_16gf",
    "regnet_x_32gf",
    "regnet_x_400mf",
    "regnet_x_800mf",
    "regnet_y_1_6gf",
    "regnet_y_3_2gf",
    "regnet_y_8gf",
    "regnet_y_16gf",
    "regnet_y_32gf",
    "regnet_y_128gf",
    "regnet_y_400mf",
    "regnet_y_800mf",
]
_SOURCE = "Radosavovic et al., Designing Network Design Spaces, 2020"
_SWAG_LICENSE = "https://github.com/facebookresearch/SWAG/blob/main/LICENSE"


class SimpleStemIN(Conv2dNormActivation):
    """A 3x3 convolution of stride 2, norm and activation: (N, width_in, H, W) -> (N, width_out, H / 2, W / 2).

    Floating dtypes.  Raises what Conv2dNormActivation raises.  Source: Radosavovic et al. 2020.

        >>> from cltensor.vision.models.regnet import SimpleStemIN
        >>> SimpleStemIN(3, 8, ct.nn.BatchNorm2d, ct.nn.ReLU)(ct.ones(2, 3, 4, 4)).shape
        cltensor.Size([2, 8, 2, 2])
    """

    def __init__(self, width_in: int, width_out: int, norm_layer: Callable[..., nn.Module],
                 activation_layer: Callable[..., nn.Module]) -> None:
        super().__init__(width_in, width_out, stride=2, norm_layer=norm_layer, activation_layer=activation_layer)


class BottleneckTransform(nn.Sequential):
    """1x1, grouped 3x3 and 1x1 convolutions: (N, width_in, H, W) -> (N, width_out, H / stride, W / stride).

    Inside, the width is width_out * bottleneck_multiplier, in groups of group_width.  With se_ratio the channels are weighed, by
    way of se_ratio * width_in numbers.  Floating dtypes.  Raises ArgumentError where group_width does not divide the width.
    Source: Radosavovic et al. 2020.

        >>> from cltensor.vision.models.regnet import BottleneckTransform
        >>> BottleneckTransform(8, 16, 2, ct.nn.BatchNorm2d, ct.nn.ReLU, 8, 1.0, 0.25)(ct.ones(2, 8, 4, 4)).shape
        cltensor.Size([2, 16, 2, 2])
    """

    def __init__(self, width_in: int, width_out: int, stride: int, norm_layer: Callable[..., nn.Module],
                 activation_layer: Callable[..., nn.Module], group_width: int, bottleneck_multiplier: float,
                 se_ratio: float | None) -> None:
        width = round(width_out * bottleneck_multiplier)
        kind = {"norm_layer": norm_layer, "activation_layer": activation_layer}
        layers = OrderedDict(a=Conv2dNormActivation(width_in, width, 1, **kind),
                             b=Conv2dNormActivation(width, width, 3, stride, groups=width // group_width, **kind))
        if se_ratio:
            layers["se"] = SqueezeExcitation(width, round(se_ratio * width_in), activation=activation_layer)
        layers["c"] = Conv2dNormActivation(width, width_out, 1, norm_layer=norm_layer, activation_layer=None)
        super().__init__(layers)


class ResBottleneckBlock(nn.Module):
    """A BottleneckTransform with a path around it: (N, width_in, H, W) -> (N, width_out, H / stride, W / stride).

    Floating dtypes.  Raises what BottleneckTransform raises.  Source: Radosavovic et al. 2020.

        >>> from cltensor.vision.models.regnet import ResBottleneckBlock
        >>> ResBottleneckBlock(8, 8, 1, ct.nn.BatchNorm2d, ct.nn.ReLU, 4)(ct.ones(2, 8, 4, 4)).shape
        cltensor.Size([2, 8, 4, 4])
    """

    def __init__(self, width_in: int, width_out: int, stride: int, norm_layer: Callable[..., nn.Module],
                 activation_layer: Callable[..., nn.Module], group_width: int = 1, bottleneck_multiplier: float = 1.0,
                 se_ratio: float | None = None) -> None:
        super().__init__()
        self.proj = None
        if width_in != width_out or stride != 1:
            self.proj = Conv2dNormActivation(width_in, width_out, 1, stride, norm_layer=norm_layer, activation_layer=None)
        self.f = BottleneckTransform(width_in, width_out, stride, norm_layer, activation_layer, group_width, bottleneck_multiplier,
                                     se_ratio)
        self.activation = activation_layer(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        around = x if self.proj is None else self.proj(x)
        return self.activation(around + self.f(x))


class AnyStage(nn.Sequential):
    """depth blocks, the first of which changes width and size: (N, width_in, H, W) -> (N, width_out, H / stride, W / stride).

    Floating dtypes.  Raises what the blocks raise.  Source: Radosavovic et al. 2020.

        >>> from cltensor.vision.models.regnet import AnyStage, ResBottleneckBlock
        >>> AnyStage(8, 16, 2, 2, ResBottleneckBlock, ct.nn.BatchNorm2d, ct.nn.ReLU, 8, 1.0)(ct.ones(2, 8, 4, 4)).shape
        cltensor.Size([2, 16, 2, 2])
    """

    def __init__(self, width_in: int, width_out: int, stride: int, depth: int, block_constructor: Callable[..., nn.Module],
                 norm_layer: Callable[..., nn.Module], activation_layer: Callable[..., nn.Module], group_width: int,
                 bottleneck_multiplier: float, se_ratio: float | None = None, stage_index: int = 0) -> None:
        super().__init__()
        for i in range(depth):
            self.add_module(f"block{stage_index}-{i}", block_constructor(
                width_out if i else width_in, width_out, 1 if i else stride, norm_layer, activation_layer, group_width,
                bottleneck_multiplier, se_ratio))


class BlockParams:
    """Depth, width, group width, bottleneck multiplier and stride of each stage, and se_ratio of all.

    Shapes and dtypes are those of RegNet.  Never raises; from_init_params does.  Source: Radosavovic et al. 2020.

        >>> from cltensor.vision.models.regnet import BlockParams
        >>> BlockParams.from_init_params(depth=16, w_0=48, w_a=27.89, w_m=2.09, group_width=8).widths
        [48, 104, 208, 440]
    """

    def __init__(self, depths: list[int], widths: list[int], group_widths: list[int], bottleneck_multipliers: list[float],
                 strides: list[int], se_ratio: float | None = None) -> None:
        self.depths, self.widths, self.group_widths = depths, widths, group_widths
        self.bottleneck_multipliers, self.strides, self.se_ratio = bottleneck_multipliers, strides, se_ratio

    @classmethod
    def from_init_params(cls, depth: int, w_0: int, w_a: float, w_m: float, group_width: int, bottleneck_multiplier: float = 1.0,
                         se_ratio: float | None = None, **kwargs: Any) -> BlockParams:
        """The stages of a line: block j has the width w_0 + w_a j, rounded to w_0 times a power of w_m and to a multiple of 8.

        Raises ArgumentError where w_a < 0, w_m <= 1, or w_0 is not a positive multiple of 8.
        """
        if w_a < 0 or w_0 <= 0 or w_m <= 1 or w_0 % 8:
            raise ArgumentError(f"BlockParams: w_0={w_0}, w_a={w_a}, w_m={w_m}; w_0 must be a positive multiple of 8, w_a at "
                                "least 0 and w_m more than 1")
        powers = [round(math.log((w_0 + w_a * j) / w_0) / math.log(w_m)) for j in range(depth)]
        blocks = [round(w_0 * w_m**power / 8) * 8 for power in powers]
        stages = [(width, len(list(same))) for width, same in itertools.groupby(blocks)]
        groups, widths = zip(*(_fitted(width, bottleneck_multiplier, group_width) for width, _ in stages), strict=True)
        n = len(stages)
        return cls([length for _, length in stages], list(widths), list(groups), [bottleneck_multiplier] * n, [2] * n, se_ratio)

    def _get_expanded_params(self):
        """(width, stride, depth, group width, bottleneck multiplier) of each stage."""
        return zip(self.widths, self.strides, self.depths, self.group_widths, self.bottleneck_multipliers, strict=True)


def _fitted(width, multiplier, group_width):
    """The group width and the width of a stage, so that the one divides the width inside."""
    inside = int(width * multiplier)
    group = min(group_width, inside)
    return group, int(_make_divisible(inside, group) / multiplier)


class RegNet(nn.Module):
    """Stages by BlockParams: images (N, 3, H, W) to scores (N, num_classes).

    stem_type, block_type, norm_layer and activation make the parts; by default SimpleStemIN, ResBottleneckBlock, BatchNorm2d and
    ReLU.  Convolutions start normal with the variance 2 / (kernel size * channels after).  Floating dtypes.  Raises what the parts
    raise.  Source: Radosavovic et al., Designing Network Design Spaces, 2020.

        >>> from cltensor.vision.models.regnet import BlockParams, RegNet
        >>> with ct.device("meta"):
        ...     RegNet(BlockParams([1], [16], [8], [1.0], [2]), num_classes=5)(ct.empty(2, 3, 8, 8)).shape
        cltensor.Size([2, 5])
    """

    def __init__(self, block_params: BlockParams, num_classes: int = 1000, stem_width: int = 32,
                 stem_type: Callable[..., nn.Module] | None = None, block_type: Callable[..., nn.Module] | None = None,
                 norm_layer: Callable[..., nn.Module] | None = None, activation: Callable[..., nn.Module] | None = None) -> None:
        super().__init__()
        norm_layer, activation = norm_layer or nn.BatchNorm2d, activation or nn.ReLU
        self.stem = (stem_type or SimpleStemIN)(3, stem_width, norm_layer, activation)
        stages, before = OrderedDict(), stem_width
        for i, (width, stride, depth, group_width, multiplier) in enumerate(block_params._get_expanded_params(), 1):
            stages[f"block{i}"] = AnyStage(before, width, stride, depth, block_type or ResBottleneckBlock, norm_layer, activation,
                                           group_width, multiplier, block_params.se_ratio, stage_index=i)
            before = width
        self.trunk_output = nn.Sequential(stages)
        self.avgpool = nn.AdaptiveAvgPool2d((1, 1))
        self.fc = nn.Linear(before, num_classes)
        self._initialize()

    def _initialize(self):
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                init.normal_(module.weight, std=math.sqrt(2 / (math.prod(module.kernel_size) * module.out_channels)))
            elif isinstance(module, nn.Linear):
                init.normal_(module.weight, std=0.01)
                init.zeros_(module.bias)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(self.avgpool(self.trunk_output(self.stem(x))).flatten(1))


def _regnet(depth, w_0, w_a, w_m, group_width, se_ratio, kwargs):
    """A RegNet X, or a RegNet Y where there is an se_ratio."""
    kwargs.setdefault("norm_layer", partial(nn.BatchNorm2d, eps=1e-05, momentum=0.1))
    return RegNet(BlockParams.from_init_params(depth, w_0, w_a, w_m, group_width, se_ratio=se_ratio), **kwargs)


class RegNet_Y_400MF_Weights(WeightsEnum):
    """Published weights of regnet_y_400mf."""

    IMAGENET1K_V1 = imagenet("regnet_y_400mf-c65dace8.pth", 4344144, 74.046, 91.716, 0.402, 16.806, min_size=1)
    IMAGENET1K_V2 = imagenet("regnet_y_400mf-e6988f5f.pth", 4344144, 75.804, 92.742, 0.402, 16.806, min_size=1, resize_size=232)
    DEFAULT = IMAGENET1K_V2


class RegNet_Y_800MF_Weights(WeightsEnum):
    """Published weights of regnet_y_800mf."""

    IMAGENET1K_V1 = imagenet("regnet_y_800mf-1b27b58c.pth", 6432512, 76.42, 93.136, 0.834, 24.774, min_size=1)
    IMAGENET1K_V2 = imagenet("regnet_y_800mf-58fc7688.pth", 6432512, 78.828, 94.502, 0.834, 24.774, min_size=1, resize_size=232)
    DEFAULT = IMAGENET1K_V2


class RegNet_Y_1_6GF_Weights(WeightsEnum):
    """Published weights of regnet_y_1_6gf."""

    IMAGENET1K_V1 = imagenet("regnet_y_1_6gf-b11a554e.pth", 11202430, 77.95, 93.966, 1.612, 43.152, min_size=1)
    IMAGENET1K_V2 = imagenet("regnet_y_1_6gf-0d7bc02a.pth", 11202430, 80.876, 95.444, 1.612, 43.152, min_size=1,
                             resize_size=232)
    DEFAULT = IMAGENET1K_V2


class RegNet_Y_3_2GF_Weights(WeightsEnum):
    """Published weights of regnet_y_3_2gf."""

    IMAGENET1K_V1 = imagenet("regnet_y_3_2gf-b5a9779c.pth", 19436338, 78.948, 94.576, 3.176, 74.567, min_size=1)
    IMAGENET1K_V2 = imagenet("regnet_y_3_2gf-9180c971.pth", 19436338, 81.982, 95.972, 3.176, 74.567, min_size=1,
                             resize_size=232)
    DEFAULT = IMAGENET1K_V2


class RegNet_Y_8GF_Weights(WeightsEnum):
    """Published weights of regnet_y_8gf."""

    IMAGENET1K_V1 = imagenet("regnet_y_8gf-d0d0e4a8.pth", 39381472, 80.032, 95.048, 8.473, 150.701, min_size=1)
    IMAGENET1K_V2 = imagenet("regnet_y_8gf-dc2b1b54.pth", 39381472, 82.828, 96.33, 8.473, 150.701, min_size=1, resize_size=232)
    DEFAULT = IMAGENET1K_V2


class RegNet_Y_16GF_Weights(WeightsEnum):
    """Published weights of regnet_y_16gf."""

    IMAGENET1K_V1 = imagenet("regnet_y_16gf-9e6ed7dd.pth", 83590140, 80.424, 95.24, 15.912, 319.49, min_size=1)
    IMAGENET1K_V2 = imagenet("regnet_y_16gf-3e4a00f9.pth", 83590140, 82.886, 96.328, 15.912, 319.49, min_size=1,
                             resize_size=232)
    IMAGENET1K_SWAG_E2E_V1 = imagenet("regnet_y_16gf_swag-43afe44d.pth", 83590140, 86.012, 98.054, 46.735, 319.49, min_size=1,
                                      crop_size=384, resize_size=384, interpolation="bicubic", license=_SWAG_LICENSE)
    IMAGENET1K_SWAG_LINEAR_V1 = imagenet("regnet_y_16gf_lc_swag-f3ec0043.pth", 83590140, 83.976, 97.244, 15.912, 319.49,
                                         min_size=1, resize_size=224, interpolation="bicubic", license=_SWAG_LICENSE)
    DEFAULT = IMAGENET1K_V2


class RegNet_Y_32GF_Weights(WeightsEnum):
    """Published weights of regnet_y_32gf."""

    IMAGENET1K_V1 = imagenet("regnet_y_32gf-4dee3f7a.pth", 145046770, 80.878, 95.34, 32.28, 554.076, min_size=1)
    IMAGENET1K_V2 = imagenet("regnet_y_32gf-8db6d4b5.pth", 145046770, 83.368, 96.498, 32.28, 554.076, min_size=1,
                             resize_size=232)
    IMAGENET1K_SWAG_E2E_V1 = imagenet("regnet_y_32gf_swag-04fdfa75.pth", 145046770, 86.838, 98.362, 94.826, 554.076, min_size=1,
                                      crop_size=384, resize_size=384, interpolation="bicubic", license=_SWAG_LICENSE)
    IMAGENET1K_SWAG_LINEAR_V1 = imagenet("regnet_y_32gf_lc_swag-e1583746.pth", 145046770, 84.622, 97.48, 32.28, 554.076,
                                         min_size=1, resize_size=224, interpolation="bicubic", license=_SWAG_LICENSE)
    DEFAULT = IMAGENET1K_V2


class RegNet_Y_128GF_Weights(WeightsEnum):
    """Published weights of regnet_y_128gf."""

    IMAGENET1K_SWAG_E2E_V1 = imagenet("regnet_y_128gf_swag-c8ce3e52.pth", 644812894, 88.228, 98.682, 374.57, 2461.564,
                                      min_size=1, crop_size=384, resize_size=384, interpolation="bicubic",
                                      license=_SWAG_LICENSE)
    IMAGENET1K_SWAG_LINEAR_V1 = imagenet("regnet_y_128gf_lc_swag-cbe8ce12.pth", 644812894, 86.068, 97.844, 127.518, 2461.564,
                                         min_size=1, resize_size=224, interpolation="bicubic", license=_SWAG_LICENSE)
    DEFAULT = IMAGENET1K_SWAG_E2E_V1


class RegNet_X_400MF_Weights(WeightsEnum):
    """Published weights of regnet_x_400mf."""

    IMAGENET1K_V1 = imagenet("regnet_x_400mf-adf1edd5.pth", 5495976, 72.834, 90.95, 0.414, 21.258, min_size=1)
    IMAGENET1K_V2 = imagenet("regnet_x_400mf-62229a5f.pth", 5495976, 74.864, 92.322, 0.414, 21.257, min_size=1, resize_size=232)
    DEFAULT = IMAGENET1K_V2


class RegNet_X_800MF_Weights(WeightsEnum):
    """Published weights of regnet_x_800mf."""

    IMAGENET1K_V1 = imagenet("regnet_x_800mf-ad17e45c.pth", 7259656, 75.212, 92.348, 0.8, 27.945, min_size=1)
    IMAGENET1K_V2 = imagenet("regnet_x_800mf-94a99ebd.pth", 7259656, 77.522, 93.826, 0.8, 27.945, min_size=1, resize_size=232)
    DEFAULT = IMAGENET1K_V2


class RegNet_X_1_6GF_Weights(WeightsEnum):
    """Published weights of regnet_x_1_6gf."""

    IMAGENET1K_V1 = imagenet("regnet_x_1_6gf-e3633e7f.pth", 9190136, 77.04, 93.44, 1.603, 35.339, min_size=1)
    IMAGENET1K_V2 = imagenet("regnet_x_1_6gf-a12f2b72.pth", 9190136, 79.668, 94.922, 1.603, 35.339, min_size=1, resize_size=232)
    DEFAULT = IMAGENET1K_V2


class RegNet_X_3_2GF_Weights(WeightsEnum):
    """Published weights of regnet_x_3_2gf."""

    IMAGENET1K_V1 = imagenet("regnet_x_3_2gf-f342aeae.pth", 15296552, 78.364, 93.992, 3.177, 58.756, min_size=1)
    IMAGENET1K_V2 = imagenet("regnet_x_3_2gf-7071aa85.pth", 15296552, 81.196, 95.43, 3.177, 58.756, min_size=1, resize_size=232)
    DEFAULT = IMAGENET1K_V2


class RegNet_X_8GF_Weights(WeightsEnum):
    """Published weights of regnet_x_8gf."""

    IMAGENET1K_V1 = imagenet("regnet_x_8gf-03ceed89.pth", 39572648, 79.344, 94.686, 7.995, 151.456, min_size=1)
    IMAGENET1K_V2 = imagenet("regnet_x_8gf-2b70d774.pth", 39572648, 81.682, 95.678, 7.995, 151.456, min_size=1, resize_size=232)
    DEFAULT = IMAGENET1K_V2


class RegNet_X_16GF_Weights(WeightsEnum):
    """Published weights of regnet_x_16gf."""

    IMAGENET1K_V1 = imagenet("regnet_x_16gf-2007eb11.pth", 54278536, 80.058, 94.944, 15.941, 207.627, min_size=1)
    IMAGENET1K_V2 = imagenet("regnet_x_16gf-ba3796d7.pth", 54278536, 82.716, 96.196, 15.941, 207.627, min_size=1,
                             resize_size=232)
    DEFAULT = IMAGENET1K_V2


class RegNet_X_32GF_Weights(WeightsEnum):
    """Published weights of regnet_x_32gf."""

    IMAGENET1K_V1 = imagenet("regnet_x_32gf-9d47f8d0.pth", 107811560, 80.622, 95.248, 31.736, 412.039, min_size=1)
    IMAGENET1K_V2 = imagenet("regnet_x_32gf-6eb8fdc6.pth", 107811560, 83.014, 96.288, 31.736, 412.039, min_size=1,
                             resize_size=232)
    DEFAULT = IMAGENET1K_V2

@builder(RegNet_Y_400MF_Weights, _SOURCE)
def regnet_y_400mf(**kwargs: Any) -> RegNet:
    """RegNet Y of 400MF."""
    return _regnet(16, 48, 27.89, 2.09, 8, 0.25, kwargs)


@builder(RegNet_Y_800MF_Weights, _SOURCE)
def regnet_y_800mf(**kwargs: Any) -> RegNet:
    """RegNet Y of 800MF."""
    return _regnet(14, 56, 38.84, 2.4, 16, 0.25, kwargs)


@builder(RegNet_Y_1_6GF_Weights, _SOURCE)
def regnet_y_1_6gf(**kwargs: Any) -> RegNet:
    """RegNet Y of 1.6GF."""
    return _regnet(27, 48, 20.71, 2.65, 24, 0.25, kwargs)


@builder(RegNet_Y_3_2GF_Weights, _SOURCE)
def regnet_y_3_2gf(**kwargs: Any) -> RegNet:
    """RegNet Y of 3.2GF."""
    return _regnet(21, 80, 42.63, 2.66, 24, 0.25, kwargs)


@builder(RegNet_Y_8GF_Weights, _SOURCE)
def regnet_y_8gf(**kwargs: Any) -> RegNet:
    """RegNet Y of 8GF."""
    return _regnet(17, 192, 76.82, 2.19, 56, 0.25, kwargs)


@builder(RegNet_Y_16GF_Weights, _SOURCE)
def regnet_y_16gf(**kwargs: Any) -> RegNet:
    """RegNet Y of 16GF."""
    return _regnet(18, 200, 106.23, 2.48, 112, 0.25, kwargs)


@builder(RegNet_Y_32GF_Weights, _SOURCE)
def regnet_y_32gf(**kwargs: Any) -> RegNet:
    """RegNet Y of 32GF."""
    return _regnet(20, 232, 115.89, 2.53, 232, 0.25, kwargs)


@builder(RegNet_Y_128GF_Weights, _SOURCE)
def regnet_y_128gf(**kwargs: Any) -> RegNet:
    """RegNet Y of 128GF."""
    return _regnet(27, 456, 160.83, 2.52, 264, 0.25, kwargs)


@builder(RegNet_X_400MF_Weights, _SOURCE)
def regnet_x_400mf(**kwargs: Any) -> RegNet:
    """RegNet X of 400MF."""
    return _regnet(22, 24, 24.48, 2.54, 16, None, kwargs)


@builder(RegNet_X_800MF_Weights, _SOURCE)
def regnet_x_800mf(**kwargs: Any) -> RegNet:
    """RegNet X of 800MF."""
    return _regnet(16, 56, 35.73, 2.28, 16, None, kwargs)


@builder(RegNet_X_1_6GF_Weights, _SOURCE)
def regnet_x_1_6gf(**kwargs: Any) -> RegNet:
    """RegNet X of 1.6GF."""
    return _regnet(18, 80, 34.01, 2.25, 24, None, kwargs)


@builder(RegNet_X_3_2GF_Weights, _SOURCE)
def regnet_x_3_2gf(**kwargs: Any) -> RegNet:
    """RegNet X of 3.2GF."""
    return _regnet(25, 88, 26.31, 2.25, 48, None, kwargs)


@builder(RegNet_X_8GF_Weights, _SOURCE)
def regnet_x_8gf(**kwargs: Any) -> RegNet:
    """RegNet X of 8GF."""
    return _regnet(23, 80, 49.56, 2.88, 120, None, kwargs)


@builder(RegNet_X_16GF_Weights, _SOURCE)
def regnet_x_16gf(**kwargs: Any) -> RegNet:
    """RegNet X of 16GF."""
    return _regnet(22, 216, 55.59, 2.1, 128, None, kwargs)


@builder(RegNet_X_32GF_Weights, _SOURCE)
def regnet_x_32gf(**kwargs: Any) -> RegNet:
    """RegNet X of 32GF."""
    return _regnet(23, 320, 69.86, 2.0, 168, None, kwargs)
