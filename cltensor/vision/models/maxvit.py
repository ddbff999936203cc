"""MaxViT: blocks of convolution, attention in windows and attention over a grid."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from ... import nn
from ...base.errors import ArgumentError, ShapeError
from ...nn import init
from ...tensor.api.creation import empty
from ...tensor.core.tensor import Tensor
from ..ops.misc import Conv2dNormActivation, SqueezeExcitation
from ..ops.stochastic_depth import StochasticDepth
from ._api import WeightsEnum, builder
from .imagenet import imagenet
from .window_attention import relative_position_index

__all__ = [
    "MaxVit", "MaxVit_T_Weights", "maxvit_t",
]
_SOURCE = "Tu et al., MaxViT: Multi-Axis Vision Transformer, 2022"

_Layer = Callable[..., nn.Module]


def _halved(size):
    """The size after a 3x3 convolution of stride 2 and padding 1."""
    return tuple((length - 1) // 2 + 1 for length in size)


class MBConv(nn.Module):
    """Norm, expand, convolve each channel, weigh, project, with a path around: (N, in_channels, H, W) -> (N, out_channels, H', W').

    The path pools by averages where stride is 2, and has a 1x1 convolution where shapes change.  Floating dtypes.  Raises what
    nn.Conv2d raises.  Source: Tu et al. 2022.

        >>> from cltensor.vision.models.maxvit import MBConv
        >>> MBConv(8, 16, 4, 0.25, 2, ct.nn.GELU, ct.nn.BatchNorm2d)(ct.ones(2, 8, 4, 4)).shape
        cltensor.Size([2, 16, 2, 2])
    """

    def __init__(self, in_channels: int, out_channels: int, expansion_ratio: float, squeeze_ratio: float, stride: int,
                 activation_layer: _Layer, norm_layer: _Layer, p_stochastic_dropout: float = 0.0) -> None:
        super().__init__()
        self.proj = nn.Identity()
        if stride != 1 or in_channels != out_channels:
            pool = [nn.AvgPool2d(3, stride=stride, padding=1)] if stride == 2 else []
            self.proj = nn.Sequential(*pool, nn.Conv2d(in_channels, out_channels, 1))
        self.stochastic_depth = StochasticDepth(p_stochastic_dropout, "row") if p_stochastic_dropout else nn.Identity()
        wide = int(out_channels * expansion_ratio)
        kind = {"norm_layer": norm_layer, "activation_layer": activation_layer, "inplace": None}
        self.layers = nn.Sequential(OrderedDict(
            pre_norm=norm_layer(in_channels),
            conv_a=Conv2dNormActivation(in_channels, wide, 1, padding=0, **kind),
            conv_b=Conv2dNormActivation(wide, wide, 3, stride, 1, wide, **kind),
            squeeze_excitation=SqueezeExcitation(wide, int(out_channels * squeeze_ratio), activation=nn.SiLU),
            conv_c=nn.Conv2d(wide, out_channels, 1)))

    def forward(self, x: Tensor) -> Tensor:
        return self.proj(x) + self.stochastic_depth(self.layers(x))


class RelativePositionalMultiHeadAttention(nn.Module):
    """Self-attention in groups, with a bias by relative position: (N, G, max_seq_len, feat_dim) -> the same.

    The max_seq_len elements are the pixels of a square.  Keys are scaled by 1 / sqrt(feat_dim).  Floating dtypes.  Raises
    ArgumentError where head_dim does not divide feat_dim.  Source: Tu et al. 2022.

        >>> from cltensor.vision.models.maxvit import RelativePositionalMultiHeadAttention
        >>> RelativePositionalMultiHeadAttention(8, 4, 9)(ct.ones(1, 2, 9, 8)).shape
        cltensor.Size([1, 2, 9, 8])
    """

    def __init__(self, feat_dim: int, head_dim: int, max_seq_len: int) -> None:
        super().__init__()
        if feat_dim % head_dim:
            raise ArgumentError(f"RelativePositionalMultiHeadAttention: feat_dim={feat_dim} is no multiple of head_dim={head_dim}")
        self.n_heads, self.head_dim = feat_dim // head_dim, head_dim
        self.size, self.max_seq_len = int(max_seq_len**0.5), max_seq_len
        self.to_qkv = nn.Linear(feat_dim, 3 * feat_dim)
        self.scale_factor = feat_dim**-0.5
        self.merge = nn.Linear(feat_dim, feat_dim)
        self.relative_position_bias_table = nn.Parameter(empty((2 * self.size - 1) ** 2, self.n_heads))
        self.register_buffer("relative_position_index", relative_position_index(self.size, self.size))
        init.trunc_normal_(self.relative_position_bias_table, std=0.02)

    def get_relative_positional_bias(self) -> Tensor:
        """The biases of all pairs of pixels, (1, n_heads, max_seq_len, max_seq_len)."""
        return self.relative_position_bias_table[self.relative_position_index].permute(2, 0, 1).unsqueeze(0)

    def forward(self, x: Tensor) -> Tensor:
        n, groups, pixels, dim = x.shape
        qkv = self.to_qkv(x).reshape(n, groups, pixels, 3, self.n_heads, self.head_dim).permute(3, 0, 1, 4, 2, 5)
        q, k, v = qkv[0], qkv[1] * self.scale_factor, qkv[2]
        attention = (q @ k.transpose(-2, -1) + self.get_relative_positional_bias()).softmax(-1)
        return self.merge((attention @ v).transpose(2, 3).reshape(n, groups, pixels, dim))


class SwapAxes(nn.Module):
    """The input with dimensions a and b exchanged, of any shape and any dtype.

    Raises DimensionError where there is no such dimension.  Source: the definition of Tensor.swapaxes.

        >>> from cltensor.vision.models.maxvit import SwapAxes
        >>> SwapAxes(0, 1)(ct.ones(2, 3)).shape
        cltensor.Size([3, 2])
    """

    def __init__(self, a: int, b: int) -> None:
        super().__init__()
        self.a, self.b = a, b

    def forward(self, x: Tensor) -> Tensor:
        return x.swapaxes(self.a, self.b)


class WindowPartition(nn.Module):
    """Images (N, C, H, W) cut into windows of p x p pixels, (N, windows, p * p, C).

    All dtypes.  Raises ShapeError where p does not divide H and W.  Source: Tu et al. 2022.

        >>> from cltensor.vision.models.maxvit import WindowPartition
        >>> WindowPartition()(ct.arange(16).reshape(1, 1, 4, 4), 2)[0, 0, :, 0]
        tensor([0, 1, 4, 5])
    """

    def forward(self, x: Tensor, p: int) -> Tensor:
        n, c, h, w = x.shape
        if h % p or w % p:
            raise ShapeError(f"WindowPartition: images of {h} x {w} cannot be cut into windows of {p} x {p}")
        return x.reshape(n, c, h // p, p, w // p, p).permute(0, 2, 4, 3, 5, 1).reshape(n, -1, p * p, c)


class WindowDepartition(nn.Module):
    """The inverse of WindowPartition: (N, h_partitions * w_partitions, p * p, C) -> (N, C, H, W).

    All dtypes.  Raises ShapeError for other numbers of windows or pixels.  Source: Tu et al. 2022.

        >>> from cltensor.vision.models.maxvit import WindowDepartition
        >>> WindowDepartition()(ct.ones(1, 4, 9, 2), 3, 2, 2).shape
        cltensor.Size([1, 2, 6, 6])
    """

    def forward(self, x: Tensor, p: int, h_partitions: int, w_partitions: int) -> Tensor:
        n, c = x.shape[0], x.shape[-1]
        x = x.reshape(n, h_partitions, w_partitions, p, p, c).permute(0, 5, 1, 3, 2, 4)
        return x.reshape(n, c, h_partitions * p, w_partitions * p)


class PartitionAttentionLayer(nn.Module):
    """Attention in windows, or over a grid of pixels that lie far apart, and an MLP: (N, in_channels, *grid_size) -> the same.

    partition_type: "window", of partition_size x partition_size pixels, or "grid", of as many pixels at equal distances.
    Floating dtypes.  Raises ArgumentError for another partition_type, ShapeError for images of another size.
    Source: Tu et al. 2022.

        >>> from cltensor.vision.models.maxvit import PartitionAttentionLayer
        >>> layer = PartitionAttentionLayer(8, 4, 2, "grid", (4, 4), 4, ct.nn.GELU, ct.nn.LayerNorm, 0.0, 0.0, 0.0)
        >>> layer(ct.ones(1, 8, 4, 4)).shape
        cltensor.Size([1, 8, 4, 4])
    """

    def __init__(self, in_channels: int, head_dim: int, partition_size: int, partition_type: str, grid_size: tuple[int, int],
                 mlp_ratio: int, activation_layer: _Layer, norm_layer: _Layer, attention_dropout: float, mlp_dropout: float,
                 p_stochastic_dropout: float) -> None:
        super().__init__()
        if partition_type not in ("grid", "window"):
            raise ArgumentError(f"PartitionAttentionLayer: partition_type={partition_type!r} is neither 'grid' nor 'window'")
        self.n_heads, self.head_dim = in_channels // head_dim, head_dim
        self.n_partitions = grid_size[0] // partition_size
        self.partition_type, self.grid_size = partition_type, grid_size
        over_grid = partition_type == "grid"
        self.p, self.g = (self.n_partitions, partition_size) if over_grid else (partition_size, self.n_partitions)
        self.partition_op, self.departition_op = WindowPartition(), WindowDepartition()
        self.partition_swap = SwapAxes(-2, -3) if over_grid else nn.Identity()
        self.departition_swap = SwapAxes(-2, -3) if over_grid else nn.Identity()
        self.attn_layer = nn.Sequential(
            norm_layer(in_channels), RelativePositionalMultiHeadAttention(in_channels, head_dim, partition_size**2),
            nn.Dropout(attention_dropout))
        self.mlp_layer = nn.Sequential(
            nn.LayerNorm(in_channels), nn.Linear(in_channels, in_channels * mlp_ratio), activation_layer(),
            nn.Linear(in_channels * mlp_ratio, in_channels), nn.Dropout(mlp_dropout))
        self.stochastic_dropout = StochasticDepth(p_stochastic_dropout, "row")

    def forward(self, x: Tensor) -> Tensor:
        if tuple(x.shape[2:]) != tuple(self.grid_size):
            raise ShapeError(f"PartitionAttentionLayer: images of {tuple(x.shape[2:])}, but the layer is for {self.grid_size}; "
                             "make the model with input_size, the size of its images")
        h, w = (length // self.p for length in self.grid_size)
        x = self.partition_swap(self.partition_op(x, self.p))
        x = x + self.stochastic_dropout(self.attn_layer(x))
        x = x + self.stochastic_dropout(self.mlp_layer(x))
        return self.departition_op(self.departition_swap(x), self.p, h, w)


class MaxVitLayer(nn.Module):
    """MBConv, attention in windows and attention over a grid: (N, in_channels, H, W) -> (N, out_channels, *grid_size).

    Floating dtypes.  Raises what its parts raise.  Source: Tu et al. 2022, figure 2.

        >>> from cltensor.vision.models.maxvit import MaxVitLayer
        >>> nn = ct.nn
        >>> MaxVitLayer(4, 8, 0.25, 4, 2, nn.BatchNorm2d, nn.GELU, 4, 4, 0.0, 0.0, 0.0, 2, (4, 4))(ct.ones(2, 4, 8, 8)).shape
        cltensor.Size([2, 8, 4, 4])
    """

    def __init__(self, in_channels: int, out_channels: int, squeeze_ratio: float, expansion_ratio: float, stride: int,
                 norm_layer: _Layer, activation_layer: _Layer, head_dim: int, mlp_ratio: int, mlp_dropout: float,
                 attention_dropout: float, p_stochastic_dropout: float, partition_size: int, grid_size: tuple[int, int]) -> None:
        super().__init__()

        def attention(partition_type):
            return PartitionAttentionLayer(out_channels, head_dim, partition_size, partition_type, grid_size, mlp_ratio,
                                           activation_layer, nn.LayerNorm, attention_dropout, mlp_dropout, p_stochastic_dropout)

        self.layers = nn.Sequential(OrderedDict(
            MBconv=MBConv(in_channels, out_channels, expansion_ratio, squeeze_ratio, stride, activation_layer, norm_layer,
                          p_stochastic_dropout),
            window_attention=attention("window"), grid_attention=attention("grid")))

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x)


class MaxVitBlock(nn.Module):
    """n_layers layers, the first of which halves the size: (N, in_channels, *input_grid_size) -> (N, out_channels, *grid_size).

    p_stochastic: the probability of each layer to be dropped.  Floating dtypes.  Raises ArgumentError where it has not n_layers
    elements.  Source: Tu et al. 2022.

        >>> from cltensor.vision.models.maxvit import MaxVitBlock
        >>> nn = ct.nn
        >>> MaxVitBlock(4, 8, 0.25, 4, nn.BatchNorm2d, nn.GELU, 4, 4, 0.0, 0.0, 2, (8, 8), 1, [0.0])(ct.ones(2, 4, 8, 8)).shape
        cltensor.Size([2, 8, 4, 4])
    """

    def __init__(self, in_channels: int, out_channels: int, squeeze_ratio: float, expansion_ratio: float, norm_layer: _Layer,
                 activation_layer: _Layer, head_dim: int, mlp_ratio: int, mlp_dropout: float, attention_dropout: float,
                 partition_size: int, input_grid_size: tuple[int, int], n_layers: int, p_stochastic: list[float]) -> None:
        super().__init__()
        if len(p_stochastic) != n_layers:
            raise ArgumentError(f"MaxVitBlock: p_stochastic={p_stochastic}; give a probability for each of the {n_layers} layers")
        self.grid_size = _halved(input_grid_size)
        self.layers = nn.ModuleList(
            MaxVitLayer(out_channels if i else in_channels, out_channels, squeeze_ratio, expansion_ratio, 1 if i else 2, norm_layer,
                        activation_layer, head_dim, mlp_ratio, mlp_dropout, attention_dropout, p, partition_size, self.grid_size)
            for i, p in enumerate(p_stochastic))

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.layers:
            x = layer(x)
        return x


class MaxVit(nn.Module):
    """A stem, blocks of convolution and attention, and a head: images (N, 3, *input_size) to scores (N, num_classes).

    block_channels and block_layers: of each block; each halves the size, which partition_size must divide.  head_dim: channels of a
    head.  stochastic_depth_prob: the probability of the last layer to be dropped, growing from 0.  Floating dtypes.  Raises
    ArgumentError where partition_size does not divide the size of a block.  Source: Tu et al., MaxViT, 2022.

        >>> from cltensor.vision.models import MaxVit
        >>> with ct.device("meta"):
        ...     MaxVit((16, 16), 8, 2, [8], [1], 4, 0.1, num_classes=5)(ct.empty(2, 3, 16, 16)).shape
        cltensor.Size([2, 5])
    """

    def __init__(self, input_size: tuple[int, int], stem_channels: int, partition_size: int, block_channels: list[int],
                 block_layers: list[int], head_dim: int, stochastic_depth_prob: float, norm_layer: _Layer | None = None,
                 activation_layer: _Layer = nn.GELU, squeeze_ratio: float = 0.25, expansion_ratio: float = 4,
                 mlp_ratio: int = 4, mlp_dropout: float = 0.0, attention_dropout: float = 0.0, num_classes: int = 1000) -> None:
        super().__init__()
        norm_layer = norm_layer or partial(nn.BatchNorm2d, eps=1e-3, momentum=0.01)
        sizes = _block_sizes(input_size, block_channels, partition_size)
        self.partition_size = partition_size
        self.stem = nn.Sequential(
            Conv2dNormActivation(3, stem_channels, 3, 2, norm_layer=norm_layer, activation_layer=activation_layer, bias=False,
                                 inplace=None),
            Conv2dNormActivation(stem_channels, stem_channels, 3, 1, norm_layer=None, activation_layer=None, bias=True))
        total, first, before = sum(block_layers), 0, stem_channels
        dropped = np.linspace(0, stochastic_depth_prob, total).tolist()
        self.blocks = nn.ModuleList()
        for channels, layers, size in zip(block_channels, block_layers, sizes, strict=True):
            self.blocks.append(MaxVitBlock(
                before, channels, squeeze_ratio, expansion_ratio, norm_layer, activation_layer, head_dim, mlp_ratio, mlp_dropout,
                attention_dropout, partition_size, size, layers, dropped[first:first + layers]))
            first, before = first + layers, channels
        self.classifier = nn.Sequential(
            nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.LayerNorm(before), nn.Linear(before, before), nn.Tanh(),
            nn.Linear(before, num_classes, bias=False))
        for module in self.modules():
            if isinstance(module, (nn.Conv2d, nn.Linear)):
                init.normal_(module.weight, std=0.02)
                if module.bias is not None:
                    init.zeros_(module.bias)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        for block in self.blocks:
            x = block(x)
        return self.classifier(x)


def _block_sizes(input_size, block_channels, partition_size):
    """The size of the images that each block takes; it halves them, and its windows must fit the halves."""
    sizes = [_halved(input_size)]
    for _ in block_channels:
        sizes.append(_halved(sizes[-1]))
    for i, size in enumerate(sizes[1:]):
        if size[0] % partition_size or size[1] % partition_size:
            raise ArgumentError(f"MaxVit: block {i} works on {size[0]} x {size[1]} pixels, no multiple of "
                                f"partition_size={partition_size}; with input_size={tuple(input_size)} the blocks have "
                                f"{', '.join(map(str, sizes[1:]))}")
    return sizes[:-1]


class MaxVit_T_Weights(WeightsEnum):
    """Published weights of maxvit_t."""

    IMAGENET1K_V1 = imagenet("maxvit_t-bc5ab103.pth", 30919624, 83.7, 96.722, 5.558, 118.769, min_size=224, resize_size=224,
                             interpolation="bicubic")
    DEFAULT = IMAGENET1K_V1

@builder(MaxVit_T_Weights, _SOURCE)
def maxvit_t(**kwargs: Any) -> MaxVit:
    """MaxViT Tiny; input_size is (224, 224) unless kwargs have it."""
    return MaxVit(kwargs.pop("input_size", (224, 224)), 64, 7, [64, 128, 256, 512], [2, 2, 5, 2], 32, 0.2, **kwargs)
