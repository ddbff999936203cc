"""ResNet, ResNeXt and Wide ResNet: blocks of convolutions with a path around them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ... import nn
from ...base.errors import ArgumentError, UnsupportedError
from ...nn import init
from ...tensor.core.tensor import Tensor
from ._api import WeightsEnum, builder, require
from .imagenet import imagenet

__all__ = [
    "ResNeXt50_32X4D_Weights",
    "ResNeXt101_32X8D_Weights",
    "ResNeXt101_64X4D_Weights",
    "ResNet",
    "ResNet18_Weights",
    "ResNet34_Weights",
    "ResNet50_Weights",
    "ResNet101_Weights",
    "ResNet152_Weights",
    "Wide_ResNet50_2_Weights",
    "Wide_ResNet101_2_Weights",
    "resnet18",
    "resnet34",
    "resnet50",
    "resnet101",
    "resnet152",
    "resnext50_32x4d",
    "resnext101_32x8d",
    "resnext101_64x4d",
    "wide_resnet50_2",
    "wide_resnet101_2",
]
_RESNET = "He et al., Deep Residual Learning for Image Recognition, 2016"
_RESNEXT = "Xie et al., Aggregated Residual Transformations for Deep Neural Networks, 2017"
_WIDE = "Zagoruyko and Komodakis, Wide Residual Networks, 2016"


def conv3x3(in_planes: int, out_planes: int, stride: int = 1, groups: int = 1, dilation: int = 1) -> nn.Conv2d:
    """A 3x3 convolution without bias that keeps the size where stride is 1."""
    return nn.Conv2d(in_planes, out_planes, 3, stride=stride, padding=dilation, groups=groups, bias=False, dilation=dilation)


def conv1x1(in_planes: int, out_planes: int, stride: int = 1) -> nn.Conv2d:
    """A 1x1 convolution without bias."""
    return nn.Conv2d(in_planes, out_planes, 1, stride=stride, bias=False)


class BasicBlock(nn.Module):
    """Two 3x3 convolutions with a path around them: (N, inplanes, H, W) -> (N, planes, H / stride, W / stride).

    downsample: the module on the path, where shapes change.  Floating dtypes.  Raises ArgumentError for groups or base_width,
    UnsupportedError for dilation, which only Bottleneck has.  Source: He et al. 2016.

        >>> from cltensor.vision.models.resnet import BasicBlock
        >>> BasicBlock(8, 8)(ct.ones(1, 8, 4, 4)).shape
        cltensor.Size([1, 8, 4, 4])
    """

    expansion: int = 1

    def __init__(self, inplanes: int, planes: int, stride: int = 1, downsample: nn.Module | None = None, groups: int = 1,
                 base_width: int = 64, dilation: int = 1, norm_layer: Callable[..., nn.Module] | None = None) -> None:
        super().__init__()
        if groups != 1 or base_width != 64:
            raise ArgumentError(f"BasicBlock: groups={groups}, base_width={base_width}; it has one group of 64; use Bottleneck")
        if dilation > 1:
            raise UnsupportedError(f"BasicBlock: dilation={dilation}; it has none, use Bottleneck")
        norm_layer = norm_layer or nn.BatchNorm2d
        self.conv1 = conv3x3(inplanes, planes, stride)
        self.bn1 = norm_layer(planes)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = conv3x3(planes, planes)
        self.bn2 = norm_layer(planes)
        self.downsample = downsample
        self.stride = stride

    def forward(self, x: Tensor) -> Tensor:
        around = x if self.downsample is None else self.downsample(x)
        y = self.relu(self.bn1(self.conv1(x)))
        return self.relu(self.bn2(self.conv2(y)) + around)


class Bottleneck(nn.Module):
    """1x1, 3x3 and 1x1 convolutions with a path around: (N, inplanes, H, W) -> (N, 4 planes, H / stride, W / stride).

    The 3x3 convolution has the stride, groups, and a width of planes * base_width / 64 * groups.  downsample: the module on the
    path, where shapes change.  Floating dtypes.  Raises ShapeError where the path does not fit.  Source: He et al. 2016, with the
    stride of version 1.5.

        >>> from cltensor.vision.models.resnet import Bottleneck
        >>> Bottleneck(16, 4)(ct.ones(1, 16, 4, 4)).shape
        cltensor.Size([1, 16, 4, 4])
    """

    expansion: int = 4

    def __init__(self, inplanes: int, planes: int, stride: int = 1, downsample: nn.Module | None = None, groups: int = 1,
                 base_width: int = 64, dilation: int = 1, norm_layer: Callable[..., nn.Module] | None = None) -> None:
        super().__init__()
        norm_layer = norm_layer or nn.BatchNorm2d
        width = int(planes * (base_width / 64)) * groups
        self.conv1 = conv1x1(inplanes, width)
        self.bn1 = norm_layer(width)
        self.conv2 = conv3x3(width, width, stride, groups, dilation)
        self.bn2 = norm_layer(width)
        self.conv3 = conv1x1(width, planes * self.expansion)
        self.bn3 = norm_layer(planes * self.expansion)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = downsample
        self.stride = stride

    def forward(self, x: Tensor) -> Tensor:
        around = x if self.downsample is None else self.downsample(x)
        y = self.relu(self.bn1(self.conv1(x)))
        y = self.relu(self.bn2(self.conv2(y)))
        return self.relu(self.bn3(self.conv3(y)) + around)


class ResNet(nn.Module):
    """A stem, four stages of residual blocks and a linear layer: images (N, 3, H, W) to scores (N, num_classes).

    layers: the number of blocks of each stage.  groups and width_per_group make a ResNeXt, width_per_group alone a Wide ResNet.
    replace_stride_with_dilation: for stages 2 to 4, whether to dilate instead of halving the size.  zero_init_residual: the last
    norm of each block starts at 0.  Convolutions start normal with the variance of He et al. by the outputs.  Floating
    dtypes.  Raises ArgumentError where replace_stride_with_dilation has not three elements.
    Source: He et al., Deep Residual Learning for Image Recognition, 2016.

        >>> from cltensor.vision.models.resnet import BasicBlock, ResNet
        >>> with ct.device("meta"):
        ...     ResNet(BasicBlock, [1, 1, 1, 1], num_classes=5)(ct.empty(2, 3, 32, 32)).shape
        cltensor.Size([2, 5])
    """

    def __init__(self, block: type[BasicBlock | Bottleneck], layers: list[int], num_classes: int = 1000,
                 zero_init_residual: bool = False, groups: int = 1, width_per_group: int = 64,
                 replace_stride_with_dilation: list[bool] | None = None,
                 norm_layer: Callable[..., nn.Module] | None = None) -> None:
        super().__init__()
        dilated = [False] * 3 if replace_stride_with_dilation is None else replace_stride_with_dilation
        if len(dilated) != 3:
            raise ArgumentError(f"ResNet: replace_stride_with_dilation={dilated}; give None or three bools, one for each stage "
                                "that halves the size")
        self._norm_layer = norm_layer or nn.BatchNorm2d
        self.inplanes, self.dilation = 64, 1
        self.groups, self.base_width = groups, width_per_group
        self.conv1 = nn.Conv2d(3, self.inplanes, 7, stride=2, padding=3, bias=False)
        self.bn1 = self._norm_layer(self.inplanes)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1)
        self.layer1 = self._make_layer(block, 64, layers[0])
        self.layer2 = self._make_layer(block, 128, layers[1], 2, dilated[0])
        self.layer3 = self._make_layer(block, 256, layers[2], 2, dilated[1])
        self.layer4 = self._make_layer(block, 512, layers[3], 2, dilated[2])
        self.avgpool = nn.AdaptiveAvgPool2d((1, 1))
        self.fc = nn.Linear(512 * block.expansion, num_classes)
        self._initialize(zero_init_residual)

    def _initialize(self, zero_init_residual):
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
            elif zero_init_residual and isinstance(module, (BasicBlock, Bottleneck)):
                init.zeros_((module.bn2 if isinstance(module, BasicBlock) else module.bn3).weight)

    def _make_layer(self, block, planes, blocks, stride=1, dilate=False):
        """A stage: its first block changes the shape."""
        norm_layer, before = self._norm_layer, self.dilation
        if dilate:
            self.dilation, stride = self.dilation * stride, 1
        downsample, size = None, planes * block.expansion
        if stride != 1 or self.inplanes != size:
            downsample = nn.Sequential(conv1x1(self.inplanes, size, stride), norm_layer(size))
        made = [block(self.inplanes, planes, stride, downsample, self.groups, self.base_width, before, norm_layer)]
        self.inplanes = size
        made += [block(size, planes, groups=self.groups, base_width=self.base_width, dilation=self.dilation, norm_layer=norm_layer)
                 for _ in range(1, blocks)]
        return nn.Sequential(*made)

    def forward(self, x: Tensor) -> Tensor:
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(self.avgpool(x).flatten(1))


class ResNet18_Weights(WeightsEnum):
    """Published weights of resnet18."""

    IMAGENET1K_V1 = imagenet("resnet18-f37072fd.pth", 11689512, 69.758, 89.078, 1.814, 44.661, min_size=1)
    DEFAULT = IMAGENET1K_V1


class ResNet34_Weights(WeightsEnum):
    """Published weights of resnet34."""

    IMAGENET1K_V1 = imagenet("resnet34-b627a593.pth", 21797672, 73.314, 91.42, 3.664, 83.275, min_size=1)
    DEFAULT = IMAGENET1K_V1


class ResNet50_Weights(WeightsEnum):
    """Published weights of resnet50."""

    IMAGENET1K_V1 = imagenet("resnet50-0676ba61.pth", 25557032, 76.13, 92.862, 4.089, 97.781, min_size=1)
    IMAGENET1K_V2 = imagenet("resnet50-11ad3fa6.pth", 25557032, 80.858, 95.434, 4.089, 97.79, min_size=1, resize_size=232)
    DEFAULT = IMAGENET1K_V2


class ResNet101_Weights(WeightsEnum):
    """Published weights of resnet101."""

    IMAGENET1K_V1 = imagenet("resnet101-63fe2227.pth", 44549160, 77.374, 93.546, 7.801, 170.511, min_size=1)
    IMAGENET1K_V2 = imagenet("resnet101-cd907fc2.pth", 44549160, 81.886, 95.78, 7.801, 170.53, min_size=1, resize_size=232)
    DEFAULT = IMAGENET1K_V2


class ResNet152_Weights(WeightsEnum):
    """Published weights of resnet152."""

    IMAGENET1K_V1 = imagenet("resnet152-394f9c45.pth", 60192808, 78.312, 94.046, 11.514, 230.434, min_size=1)
    IMAGENET1K_V2 = imagenet("resnet152-f82ba261.pth", 60192808, 82.284, 96.002, 11.514, 230.474, min_size=1, resize_size=232)
    DEFAULT = IMAGENET1K_V2


class ResNeXt50_32X4D_Weights(WeightsEnum):
    """Published weights of resnext50_32x4d."""

    IMAGENET1K_V1 = imagenet("resnext50_32x4d-7cdf4587.pth", 25028904, 77.618, 93.698, 4.23, 95.789, min_size=1)
    IMAGENET1K_V2 = imagenet("resnext50_32x4d-1a0047aa.pth", 25028904, 81.198, 95.34, 4.23, 95.833, min_size=1, resize_size=232)
    DEFAULT = IMAGENET1K_V2


class ResNeXt101_32X8D_Weights(WeightsEnum):
    """Published weights of resnext101_32x8d."""

    IMAGENET1K_V1 = imagenet("resnext101_32x8d-8ba56ff5.pth", 88791336, 79.312, 94.526, 16.414, 339.586, min_size=1)
    IMAGENET1K_V2 = imagenet("resnext101_32x8d-110c445d.pth", 88791336, 82.834, 96.228, 16.414, 339.673, min_size=1,
                             resize_size=232)
    DEFAULT = IMAGENET1K_V2


class ResNeXt101_64X4D_Weights(WeightsEnum):
    """Published weights of resnext101_64x4d."""

    IMAGENET1K_V1 = imagenet("resnext101_64x4d-173b62eb.pth", 83455272, 83.246, 96.454, 15.46, 319.318, min_size=1,
                             resize_size=232)
    DEFAULT = IMAGENET1K_V1


class Wide_ResNet50_2_Weights(WeightsEnum):
    """Published weights of wide_resnet50_2."""

    IMAGENET1K_V1 = imagenet("wide_resnet50_2-95faca4d.pth", 68883240, 78.468, 94.086, 11.398, 131.82, min_size=1)
    IMAGENET1K_V2 = imagenet("wide_resnet50_2-9ba9bcbe.pth", 68883240, 81.602, 95.758, 11.398, 263.124, min_size=1,
                             resize_size=232)
    DEFAULT = IMAGENET1K_V2


class Wide_ResNet101_2_Weights(WeightsEnum):
    """Published weights of wide_resnet101_2."""

    IMAGENET1K_V1 = imagenet("wide_resnet101_2-32ee1156.pth", 126886696, 78.848, 94.284, 22.753, 242.896, min_size=1)
    IMAGENET1K_V2 = imagenet("wide_resnet101_2-d733dc28.pth", 126886696, 82.51, 96.02, 22.753, 484.747, min_size=1,
                             resize_size=232)
    DEFAULT = IMAGENET1K_V2

@builder(ResNet18_Weights, _RESNET)
def resnet18(**kwargs: Any) -> ResNet:
    """ResNet-18: two basic blocks a stage."""
    return ResNet(BasicBlock, [2, 2, 2, 2], **kwargs)


@builder(ResNet34_Weights, _RESNET)
def resnet34(**kwargs: Any) -> ResNet:
    """ResNet-34: basic blocks."""
    return ResNet(BasicBlock, [3, 4, 6, 3], **kwargs)


@builder(ResNet50_Weights, _RESNET)
def resnet50(**kwargs: Any) -> ResNet:
    """ResNet-50: bottlenecks, with the stride of version 1.5 in the 3x3 convolution."""
    return ResNet(Bottleneck, [3, 4, 6, 3], **kwargs)


@builder(ResNet101_Weights, _RESNET)
def resnet101(**kwargs: Any) -> ResNet:
    """ResNet-101: bottlenecks, with the stride of version 1.5 in the 3x3 convolution."""
    return ResNet(Bottleneck, [3, 4, 23, 3], **kwargs)


@builder(ResNet152_Weights, _RESNET)
def resnet152(**kwargs: Any) -> ResNet:
    """ResNet-152: bottlenecks, with the stride of version 1.5 in the 3x3 convolution."""
    return ResNet(Bottleneck, [3, 8, 36, 3], **kwargs)


def _fixed(kwargs, **values):
    """kwargs with the groups of a ResNeXt or the width of a Wide ResNet, which may not be given otherwise."""
    for name, value in values.items():
        require(kwargs, name, value)
    return kwargs


@builder(ResNeXt50_32X4D_Weights, _RESNEXT)
def resnext50_32x4d(**kwargs: Any) -> ResNet:
    """ResNeXt-50 with 32 groups of width 4."""
    return ResNet(Bottleneck, [3, 4, 6, 3], **_fixed(kwargs, groups=32, width_per_group=4))


@builder(ResNeXt101_32X8D_Weights, _RESNEXT)
def resnext101_32x8d(**kwargs: Any) -> ResNet:
    """ResNeXt-101 with 32 groups of width 8."""
    return ResNet(Bottleneck, [3, 4, 23, 3], **_fixed(kwargs, groups=32, width_per_group=8))


@builder(ResNeXt101_64X4D_Weights, _RESNEXT)
def resnext101_64x4d(**kwargs: Any) -> ResNet:
    """ResNeXt-101 with 64 groups of width 4."""
    return ResNet(Bottleneck, [3, 4, 23, 3], **_fixed(kwargs, groups=64, width_per_group=4))


@builder(Wide_ResNet50_2_Weights, _WIDE)
def wide_resnet50_2(**kwargs: Any) -> ResNet:
    """ResNet-50 with 3x3 convolutions twice as wide."""
    return ResNet(Bottleneck, [3, 4, 6, 3], **_fixed(kwargs, width_per_group=128))


@builder(Wide_ResNet101_2_Weights, _WIDE)
def wide_resnet101_2(**kwargs: Any) -> ResNet:
    """ResNet-101 with 3x3 convolutions twice as wide."""
    return ResNet(Bottleneck, [3, 4, 23, 3], **_fixed(kwargs, width_per_group=128))
