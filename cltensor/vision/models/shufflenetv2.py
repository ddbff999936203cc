"""ShuffleNet V2: half of the channels pass each block, and the halves are shuffled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ... import nn
from ...base.errors import ArgumentError
from ...tensor.core.tensor import Tensor
from ...tensor.shape.joining import cat
from ._api import WeightsEnum, builder
from .imagenet import imagenet

__all__ = [
    "ShuffleNetV2", "ShuffleNet_V2_X0_5_Weights", "ShuffleNet_V2_X1_0_Weights", "ShuffleNet_V2_X1_5_Weights",
    "ShuffleNet_V2_X2_0_Weights", "shufflenet_v2_x0_5", "shufflenet_v2_x1_0", "shufflenet_v2_x1_5", "shufflenet_v2_x2_0",
]
_SOURCE = "Ma et al., ShuffleNet V2: Practical Guidelines for Efficient CNN Architecture Design, 2018"


def channel_shuffle(x: Tensor, groups: int) -> Tensor:
    """x (N, C, H, W) with its channels, in groups in a row, taken one of each group in turn.

    All dtypes.  Raises ShapeError where groups does not divide C.  Source: Zhang et al., ShuffleNet, 2018.

        >>> from cltensor.vision.models.shufflenetv2 import channel_shuffle
        >>> channel_shuffle(ct.arange(4).reshape(1, 4, 1, 1), 2).flatten()
        tensor([0, 2, 1, 3])
    """
    return nn.functional.channel_shuffle(x, groups)


class InvertedResidual(nn.Module):
    """Half of the channels pass 1x1, depthwise 3x3 and 1x1 convolutions: (N, inp, H, W) -> (N, oup, H / stride, W / stride).

    The other half stays as it is, or passes a depthwise and a 1x1 convolution where stride is not 1; then the channels of both are
    shuffled.  Floating dtypes.  Raises ArgumentError where stride is not 1 to 3, or stride 1 changes the channels.
    Source: Ma et al. 2018.

        >>> from cltensor.vision.models.shufflenetv2 import InvertedResidual
        >>> InvertedResidual(4, 8, 2)(ct.ones(2, 4, 6, 6)).shape
        cltensor.Size([2, 8, 3, 3])
    """

    def __init__(self, inp: int, oup: int, stride: int) -> None:
        super().__init__()
        if not 1 <= stride <= 3:
            raise ArgumentError(f"InvertedResidual: stride={stride}; it must be 1, 2 or 3")
        if stride == 1 and inp != oup // 2 * 2:
            raise ArgumentError(f"InvertedResidual: inp={inp} and oup={oup} with stride 1, which keeps the channels; they must be "
                                "equal and even")
        half = oup // 2
        self.stride = stride
        self.branch1 = nn.Sequential()
        if stride > 1:
            self.branch1 = nn.Sequential(
                self.depthwise_conv(inp, inp, 3, stride, 1), nn.BatchNorm2d(inp),
                nn.Conv2d(inp, half, 1, bias=False), nn.BatchNorm2d(half), nn.ReLU(inplace=True))
        self.branch2 = nn.Sequential(
            nn.Conv2d(inp if stride > 1 else half, half, 1, bias=False), nn.BatchNorm2d(half), nn.ReLU(inplace=True),
            self.depthwise_conv(half, half, 3, stride, 1), nn.BatchNorm2d(half),
            nn.Conv2d(half, half, 1, bias=False), nn.BatchNorm2d(half), nn.ReLU(inplace=True))

    @staticmethod
    def depthwise_conv(i: int, o: int, kernel_size: int, stride: int = 1, padding: int = 0, bias: bool = False) -> nn.Conv2d:
        """A convolution of each channel by itself."""
        return nn.Conv2d(i, o, kernel_size, stride, padding, bias=bias, groups=i)

    def forward(self, x: Tensor) -> Tensor:
        kept, passed = x.chunk(2, 1) if self.stride == 1 else (self.branch1(x), x)
        return channel_shuffle(cat([kept, self.branch2(passed)], 1), 2)


class ShuffleNetV2(nn.Module):
    """Three stages of shuffled blocks: images (N, 3, H, W) to scores (N, num_classes).

    stages_repeats: blocks of each stage.  stages_out_channels: channels of the first convolution, the stages and the last
    convolution.  inverted_residual makes a block.  Floating dtypes.  Raises ArgumentError where the lists have not three and five
    elements.  Source: Ma et al. 2018.

        >>> from cltensor.vision.models import ShuffleNetV2
        >>> with ct.device("meta"):
        ...     ShuffleNetV2([1, 1, 1], [8, 8, 16, 32, 64], num_classes=5)(ct.empty(2, 3, 32, 32)).shape
        cltensor.Size([2, 5])
    """

    def __init__(self, stages_repeats: list[int], stages_out_channels: list[int], num_classes: int = 1000,
                 inverted_residual: Callable[..., nn.Module] = InvertedResidual) -> None:
        super().__init__()
        if len(stages_repeats) != 3:
            raise ArgumentError(f"ShuffleNetV2: stages_repeats={stages_repeats}; give the number of blocks of each of the 3 stages")
        if len(stages_out_channels) != 5:
            raise ArgumentError(f"ShuffleNetV2: stages_out_channels={stages_out_channels}; give 5 numbers, of the first "
                                "convolution, the 3 stages and the last convolution")
        channels, *sizes, last = stages_out_channels
        self.conv1 = nn.Sequential(nn.Conv2d(3, channels, 3, 2, 1, bias=False), nn.BatchNorm2d(channels), nn.ReLU(inplace=True))
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1)
        for i, (blocks, size) in enumerate(zip(stages_repeats, sizes, strict=True), 2):
            stage = [inverted_residual(channels, size, 2), *(inverted_residual(size, size, 1) for _ in range(1, blocks))]
            self.add_module(f"stage{i}", nn.Sequential(*stage))
            channels = size
        self.conv5 = nn.Sequential(nn.Conv2d(channels, last, 1, 1, 0, bias=False), nn.BatchNorm2d(last), nn.ReLU(inplace=True))
        self.fc = nn.Linear(last, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stage4(self.stage3(self.stage2(self.maxpool(self.conv1(x)))))
        return self.fc(self.conv5(x).mean((2, 3)))


def _shufflenetv2(channels, kwargs):
    return ShuffleNetV2([4, 8, 4], [24, *channels], **kwargs)


class ShuffleNet_V2_X0_5_Weights(WeightsEnum):
    """Published weights of shufflenet_v2_x0_5."""

    IMAGENET1K_V1 = imagenet("shufflenetv2_x0.5-f707e7126e.pth", 1366792, 60.552, 81.746, 0.04, 5.282, min_size=1)
    DEFAULT = IMAGENET1K_V1


class ShuffleNet_V2_X1_0_Weights(WeightsEnum):
    """Published weights of shufflenet_v2_x1_0."""

    IMAGENET1K_V1 = imagenet("shufflenetv2_x1-5666bf0f80.pth", 2278604, 69.362, 88.316, 0.145, 8.791, min_size=1)
    DEFAULT = IMAGENET1K_V1


class ShuffleNet_V2_X1_5_Weights(WeightsEnum):
    """Published weights of shufflenet_v2_x1_5."""

    IMAGENET1K_V1 = imagenet("shufflenetv2_x1_5-3c479a10.pth", 3503624, 72.996, 91.086, 0.296, 13.557, min_size=1,
                             resize_size=232)
    DEFAULT = IMAGENET1K_V1


class ShuffleNet_V2_X2_0_Weights(WeightsEnum):
    """Published weights of shufflenet_v2_x2_0."""

    IMAGENET1K_V1 = imagenet("shufflenetv2_x2_0-8be3c8ee.pth", 7393996, 76.23, 93.006, 0.583, 28.433, min_size=1,
                             resize_size=232)
    DEFAULT = IMAGENET1K_V1

@builder(ShuffleNet_V2_X0_5_Weights, _SOURCE)
def shufflenet_v2_x0_5(**kwargs: Any) -> ShuffleNetV2:
    """ShuffleNet V2 with 0.5 times the channels."""
    return _shufflenetv2([48, 96, 192, 1024], kwargs)


@builder(ShuffleNet_V2_X1_0_Weights, _SOURCE)
def shufflenet_v2_x1_0(**kwargs: Any) -> ShuffleNetV2:
    """ShuffleNet V2 with 1.0 times the channels."""
    return _shufflenetv2([116, 232, 464, 1024], kwargs)


@builder(ShuffleNet_V2_X1_5_Weights, _SOURCE)
def shufflenet_v2_x1_5(**kwargs: Any) -> ShuffleNetV2:
    """ShuffleNet V2 with 1.5 times the channels."""
    return _shufflenetv2([176, 352, 704, 1024], kwargs)


@builder(ShuffleNet_V2_X2_0_Weights, _SOURCE)
def shufflenet_v2_x2_0(**kwargs: Any) -> ShuffleNetV2:
    """ShuffleNet V2 with 2.0 times the channels."""
    return _shufflenetv2([244, 488, 976, 2048], kwargs)
