"""ConvNeXt: a convolutional network with the proportions of a vision transformer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from ... import nn
from ...base.errors import ArgumentError, ArgumentTypeError
from ...nn import init
from ...tensor.api.creation import full
from ...tensor.core.tensor import Tensor
from ..ops.misc import Conv2dNormActivation, Permute
from ..ops.stochastic_depth import StochasticDepth
from ._api import WeightsEnum, builder
from .imagenet import imagenet

__all__ = [
    "ConvNeXt",
    "ConvNeXt_Base_Weights",
    "ConvNeXt_Large_Weights",
    "ConvNeXt_Small_Weights",
    "ConvNeXt_Tiny_Weights",
    "convnext_base",
    "convnext_large",
    "convnext_small",
    "convnext_tiny",
]
_SOURCE = "Liu et al., A ConvNet for the 2020s, 2022"


class LayerNorm2d(nn.LayerNorm):
    """LayerNorm over the channels of each pixel: (N, C, H, W) -> (N, C, H, W).

    Floating dtypes.  Raises ShapeError for another number of channels.  Source: Ba et al., Layer Normalization, 2016.

        >>> from cltensor.vision.models.convnext import LayerNorm2d
        >>> LayerNorm2d(4)(ct.ones(2, 4, 3, 3)).shape
        cltensor.Size([2, 4, 3, 3])
    """

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class CNBlock(nn.Module):
    """A depthwise 7x7 convolution, norm and two linear layers, scaled and added to the input: (N, dim, H, W) -> (N, dim, H, W).

    layer_scale: the first value of the factors of the channels.  Floating dtypes.  Raises ShapeError for another number of
    channels.  Source: Liu et al. 2022.

        >>> from cltensor.vision.models.convnext import CNBlock
        >>> CNBlock(8, 1e-6, 0.0)(ct.ones(2, 8, 4, 4)).shape
        cltensor.Size([2, 8, 4, 4])
    """

    def __init__(self, dim: int, layer_scale: float, stochastic_depth_prob: float,
                 norm_layer: Callable[..., nn.Module] | None = None) -> None:
        super().__init__()
        norm_layer = norm_layer or partial(nn.LayerNorm, eps=1e-6)
        self.block = nn.Sequential(
            nn.Conv2d(dim, dim, 7, padding=3, groups=dim), Permute([0, 2, 3, 1]), norm_layer(dim),
            nn.Linear(dim, 4 * dim), nn.GELU(), nn.Linear(4 * dim, dim), Permute([0, 3, 1, 2]))
        self.layer_scale = nn.Parameter(full((dim, 1, 1), float(layer_scale)))
        self.stochastic_depth = StochasticDepth(stochastic_depth_prob, "row")

    def forward(self, input: Tensor) -> Tensor:
        return self.stochastic_depth(self.layer_scale * self.block(input)) + input


@dataclass
class CNBlockConfig:
    """A stage of ConvNeXt: num_layers blocks of input_channels; out_channels where a downsampling follows, or None.

    Shapes and dtypes are those of the blocks.  Never raises.  Source: Liu et al. 2022.

        >>> from cltensor.vision.models.convnext import CNBlockConfig
        >>> CNBlockConfig(96, 192, 3)
        CNBlockConfig(input_channels=96, out_channels=192, num_layers=3)
    """

    input_channels: int
    out_channels: int | None
    num_layers: int


class ConvNeXt(nn.Module):
    """Stages by a list of CNBlockConfig: images (N, 3, H, W) to scores (N, num_classes).

    stochastic_depth_prob: the probability of the last block to be dropped, growing from 0 over the blocks.  layer_scale: the first
    value of each block's factors.  block and norm_layer make the parts.  Linear layers and convolutions start normal with 0.02, cut
    off at 2.  Floating dtypes.  Raises ArgumentError where the list is empty, ArgumentTypeError where it holds anything else.
    Source: Liu et al., A ConvNet for the 2020s, 2022.

        >>> from cltensor.vision.models.convnext import CNBlockConfig, ConvNeXt
        >>> with ct.device("meta"):
        ...     ConvNeXt([CNBlockConfig(8, 16, 1), CNBlockConfig(16, None, 1)], num_classes=5)(ct.empty(2, 3, 8, 8)).shape
        cltensor.Size([2, 5])
    """

    def __init__(self, block_setting: list[CNBlockConfig], stochastic_depth_prob: float = 0.0, layer_scale: float = 1e-6,
                 num_classes: int = 1000, block: Callable[..., nn.Module] | None = None,
                 norm_layer: Callable[..., nn.Module] | None = None) -> None:
        super().__init__()
        if not block_setting:
            raise ArgumentError("ConvNeXt: block_setting is empty; give a CNBlockConfig for each stage")
        if not all(isinstance(cnf, CNBlockConfig) for cnf in block_setting):
            raise ArgumentTypeError(f"ConvNeXt: block_setting={block_setting}; give a list of CNBlockConfig")
        block, norm_layer = block or CNBlock, norm_layer or partial(LayerNorm2d, eps=1e-6)
        layers = [Conv2dNormActivation(3, block_setting[0].input_channels, 4, 4, 0, norm_layer=norm_layer, activation_layer=None,
                                       bias=True)]
        first, last = 0, max(sum(cnf.num_layers for cnf in block_setting) - 1, 1)
        for cnf in block_setting:
            layers.append(nn.Sequential(*(block(cnf.input_channels, layer_scale, stochastic_depth_prob * (first + i) / last)
                                          for i in range(cnf.num_layers))))
            first += cnf.num_layers
            if cnf.out_channels is not None:
                layers.append(nn.Sequential(norm_layer(cnf.input_channels),
                                            nn.Conv2d(cnf.input_channels, cnf.out_channels, 2, stride=2)))
        channels = block_setting[-1].out_channels or block_setting[-1].input_channels
        self.features = nn.Sequential(*layers)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Sequential(norm_layer(channels), nn.Flatten(1), nn.Linear(channels, num_classes))
        for module in self.modules():
            if isinstance(module, (nn.Conv2d, nn.Linear)):
                init.trunc_normal_(module.weight, std=0.02)
                if module.bias is not None:
                    init.zeros_(module.bias)

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(self.avgpool(self.features(x)))


def _convnext(width, depth, stochastic_depth_prob, kwargs):
    """A ConvNeXt whose stages have 3, 3, depth and 3 blocks, each twice as wide as the one before."""
    sizes = [width, 2 * width, 4 * width, 8 * width, None]
    setting = [CNBlockConfig(sizes[i], sizes[i + 1], blocks) for i, blocks in enumerate((3, 3, depth, 3))]
    return ConvNeXt(setting, kwargs.pop("stochastic_depth_prob", stochastic_depth_prob), **kwargs)


class ConvNeXt_Tiny_Weights(WeightsEnum):
    """Published weights of convnext_tiny."""

    IMAGENET1K_V1 = imagenet("convnext_tiny-983f1562.pth", 28589128, 82.52, 96.146, 4.456, 109.119, min_size=32,
                             resize_size=236)
    DEFAULT = IMAGENET1K_V1


class ConvNeXt_Small_Weights(WeightsEnum):
    """Published weights of convnext_small."""

    IMAGENET1K_V1 = imagenet("convnext_small-0c510722.pth", 50223688, 83.616, 96.65, 8.684, 191.703, min_size=32,
                             resize_size=230)
    DEFAULT = IMAGENET1K_V1


class ConvNeXt_Base_Weights(WeightsEnum):
    """Published weights of convnext_base."""

    IMAGENET1K_V1 = imagenet("convnext_base-6075fbad.pth", 88591464, 84.062, 96.87, 15.355, 338.064, min_size=32,
                             resize_size=232)
    DEFAULT = IMAGENET1K_V1


class ConvNeXt_Large_Weights(WeightsEnum):
    """Published weights of convnext_large."""

    IMAGENET1K_V1 = imagenet("convnext_large-ea097f82.pth", 197767336, 84.414, 96.976, 34.361, 754.537, min_size=32,
                             resize_size=232)
    DEFAULT = IMAGENET1K_V1

@builder(ConvNeXt_Tiny_Weights, _SOURCE)
def convnext_tiny(**kwargs: Any) -> ConvNeXt:
    """ConvNeXt Tiny; stochastic_depth_prob is 0.1 unless kwargs have it."""
    return _convnext(96, 9, 0.1, kwargs)


@builder(ConvNeXt_Small_Weights, _SOURCE)
def convnext_small(**kwargs: Any) -> ConvNeXt:
    """ConvNeXt Small; stochastic_depth_prob is 0.4 unless kwargs have it."""
    return _convnext(96, 27, 0.4, kwargs)


@builder(ConvNeXt_Base_Weights, _SOURCE)
def convnext_base(**kwargs: Any) -> ConvNeXt:
    """ConvNeXt Base; stochastic_depth_prob is 0.5 unless kwargs have it."""
    return _convnext(128, 27, 0.5, kwargs)


@builder(ConvNeXt_Large_Weights, _SOURCE)
def convnext_large(**kwargs: Any) -> ConvNeXt:
    """ConvNeXt Large; stochastic_depth_prob is 0.5 unless kwargs have it."""
    return _convnext(192, 27, 0.5, kwargs)
