"""Swin transformers, version 1 and 2: attention in windows that every other block shifts."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

from ... import nn
from ...base.errors import ArgumentError
from ...nn import functional as F
from ...nn import init
from ...tensor.api.creation import empty, full
from ...tensor.core.tensor import Tensor
from ...tensor.shape.joining import cat
from ..ops.misc import MLP, Permute
from ..ops.stochastic_depth import StochasticDepth
from ._api import WeightsEnum, builder
from .imagenet import imagenet
from .window_attention import relative_coordinates, relative_position_index, shifted_window_attention

__all__ = [
    "SwinTransformer",
    "Swin_B_Weights",
    "Swin_S_Weights",
    "Swin_T_Weights",
    "Swin_V2_B_Weights",
    "Swin_V2_S_Weights",
    "Swin_V2_T_Weights",
    "swin_b",
    "swin_s",
    "swin_t",
    "swin_v2_b",
    "swin_v2_s",
    "swin_v2_t",
]
_SOURCE = "Liu et al., Swin Transformer: Hierarchical Vision Transformer Using Shifted Windows, 2021"
_SOURCE_V2 = "Liu et al., Swin Transformer V2: Scaling Up Capacity and Resolution, 2022"


def _quarters(x):
    """(N, H, W, C) to (N, H / 2, W / 2, 4 C): the four pixels of each square side by side; odd sides are padded."""
    x = F.pad(x, (0, 0, 0, x.shape[2] % 2, 0, x.shape[1] % 2))
    return cat([x[:, 0::2, 0::2], x[:, 1::2, 0::2], x[:, 0::2, 1::2], x[:, 1::2, 1::2]], -1)


class PatchMerging(nn.Module):
    """Half the size, twice the channels: (N, H, W, dim) -> (N, H / 2, W / 2, 2 dim), the norm ahead of the linear layer.

    Odd sides are padded.  Floating dtypes.  Raises ShapeError for another number of channels.  Source: Liu et al. 2021.

        >>> from cltensor.vision.models.swin_transformer import PatchMerging
        >>> PatchMerging(4)(ct.ones(1, 5, 6, 4)).shape
        cltensor.Size([1, 3, 3, 8])
    """

    def __init__(self, dim: int, norm_layer: Callable[..., nn.Module] = nn.LayerNorm):
        super().__init__()
        self.dim = dim
        self.reduction = nn.Linear(4 * dim, 2 * dim, bias=False)
        self.norm = norm_layer(4 * dim)

    def forward(self, x: Tensor) -> Tensor:
        return self.reduction(self.norm(_quarters(x)))


class PatchMergingV2(nn.Module):
    """Half the size, twice the channels: (N, H, W, dim) -> (N, H / 2, W / 2, 2 dim), the norm after the linear layer.

    Odd sides are padded.  Floating dtypes.  Raises ShapeError for another number of channels.  Source: Liu et al. 2022.

        >>> from cltensor.vision.models.swin_transformer import PatchMergingV2
        >>> PatchMergingV2(4)(ct.ones(1, 5, 6, 4)).shape
        cltensor.Size([1, 3, 3, 8])
    """

    def __init__(self, dim: int, norm_layer: Callable[..., nn.Module] = nn.LayerNorm):
        super().__init__()
        self.dim = dim
        self.reduction = nn.Linear(4 * dim, 2 * dim, bias=False)
        self.norm = norm_layer(2 * dim)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(self.reduction(_quarters(x)))


class ShiftedWindowAttention(nn.Module):
    """shifted_window_attention with its parameters and a table of biases by relative position: (N, H, W, dim) -> the same.

    Floating dtypes.  Raises ArgumentError where window_size or shift_size has not two elements.  Source: Liu et al. 2021.

        >>> from cltensor.vision.models.swin_transformer import ShiftedWindowAttention
        >>> ShiftedWindowAttention(4, [2, 2], [1, 1], 2)(ct.ones(1, 4, 4, 4)).shape
        cltensor.Size([1, 4, 4, 4])
    """

    def __init__(self, dim: int, window_size: list[int], shift_size: list[int], num_heads: int, qkv_bias: bool = True,
                 proj_bias: bool = True, attention_dropout: float = 0.0, dropout: float = 0.0):
        super().__init__()
        if len(window_size) != 2 or len(shift_size) != 2:
            raise ArgumentError(f"{type(self).__name__}: window_size={window_size}, shift_size={shift_size}; give two numbers each")
        self.window_size, self.shift_size, self.num_heads = window_size, shift_size, num_heads
        self.attention_dropout, self.dropout = attention_dropout, dropout
        self.qkv = nn.Linear(dim, 3 * dim, bias=qkv_bias)
        self.proj = nn.Linear(dim, dim, bias=proj_bias)
        self.define_relative_position_bias_table()
        self.define_relative_position_index()

    def define_relative_position_bias_table(self) -> None:
        """Make the biases of all offsets in a window, for each head."""
        offsets = (2 * self.window_size[0] - 1) * (2 * self.window_size[1] - 1)
        self.relative_position_bias_table = nn.Parameter(empty(offsets, self.num_heads))
        init.trunc_normal_(self.relative_position_bias_table, std=0.02)

    def define_relative_position_index(self) -> None:
        """Make the rows of the table for all pairs of pixels."""
        self.register_buffer("relative_position_index", relative_position_index(*self.window_size).flatten())

    def _biases(self, table):
        """(1, num_heads, n, n) from a table of all offsets."""
        n = self.window_size[0] * self.window_size[1]
        return table[self.relative_position_index].reshape(n, n, -1).permute(2, 0, 1).unsqueeze(0)

    def get_relative_position_bias(self) -> Tensor:
        """The biases of all pairs of pixels, (1, num_heads, n, n)."""
        return self._biases(self.relative_position_bias_table)

    def _attention(self, x, logit_scale=None):
        return shifted_window_attention(
            x, self.qkv.weight, self.proj.weight, self.get_relative_position_bias(), self.window_size, self.num_heads,
            self.shift_size, self.attention_dropout, self.dropout, self.qkv.bias, self.proj.bias, logit_scale, self.training)

    def forward(self, x: Tensor) -> Tensor:
        return self._attention(x)


class ShiftedWindowAttentionV2(ShiftedWindowAttention):
    """ShiftedWindowAttention with cosines, and biases that a small network makes of offsets: (N, H, W, dim) -> the same.

    Floating dtypes.  Raises ArgumentError where window_size or shift_size has not two elements.  Source: Liu et al. 2022.

        >>> from cltensor.vision.models.swin_transformer import ShiftedWindowAttentionV2
        >>> ShiftedWindowAttentionV2(4, [2, 2], [1, 1], 2)(ct.ones(1, 4, 4, 4)).shape
        cltensor.Size([1, 4, 4, 4])
    """

    def __init__(self, dim: int, window_size: list[int], shift_size: list[int], num_heads: int, qkv_bias: bool = True,
                 proj_bias: bool = True, attention_dropout: float = 0.0, dropout: float = 0.0):
        super().__init__(dim, window_size, shift_size, num_heads, qkv_bias, proj_bias, attention_dropout, dropout)
        self.logit_scale = nn.Parameter(full((num_heads, 1, 1), math.log(10)))
        self.cpb_mlp = nn.Sequential(nn.Linear(2, 512), nn.ReLU(inplace=True), nn.Linear(512, num_heads, bias=False))
        if qkv_bias:
            init.zeros_(self.qkv.bias[dim:2 * dim])

    def define_relative_position_bias_table(self) -> None:
        """Make the offsets that the small network takes."""
        self.register_buffer("relative_coords_table", relative_coordinates(*self.window_size))

    def get_relative_position_bias(self) -> Tensor:
        """The biases of all pairs of pixels, (1, num_heads, n, n), 0 to 16."""
        return 16 * self._biases(self.cpb_mlp(self.relative_coords_table).reshape(-1, self.num_heads)).sigmoid()

    def forward(self, x: Tensor) -> Tensor:
        return self._attention(x, self.logit_scale)


class SwinTransformerBlock(nn.Module):
    """Attention in windows and an MLP, each after a norm and added to its input: (N, H, W, dim) -> the same.

    attn_layer makes the attention.  Floating dtypes.  Raises what it raises.  Source: Liu et al. 2021, figure 3.

        >>> from cltensor.vision.models.swin_transformer import SwinTransformerBlock
        >>> SwinTransformerBlock(4, 2, [2, 2], [1, 1])(ct.ones(1, 4, 4, 4)).shape
        cltensor.Size([1, 4, 4, 4])
    """

    def __init__(self, dim: int, num_heads: int, window_size: list[int], shift_size: list[int], mlp_ratio: float = 4.0,
                 dropout: float = 0.0, attention_dropout: float = 0.0, stochastic_depth_prob: float = 0.0,
                 norm_layer: Callable[..., nn.Module] = nn.LayerNorm,
                 attn_layer: Callable[..., nn.Module] = ShiftedWindowAttention):
        super().__init__()
        self.norm1 = norm_layer(dim)
        self.attn = attn_layer(dim, window_size, shift_size, num_heads, attention_dropout=attention_dropout, dropout=dropout)
        self.stochastic_depth = StochasticDepth(stochastic_depth_prob, "row")
        self.norm2 = norm_layer(dim)
        self.mlp = MLP(dim, [int(dim * mlp_ratio), dim], activation_layer=nn.GELU, inplace=None, dropout=dropout)
        for layer in (self.mlp[0], self.mlp[3]):
            init.xavier_uniform_(layer.weight)
            init.normal_(layer.bias, std=1e-6)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.stochastic_depth(self.attn(self.norm1(x)))
        return x + self.stochastic_depth(self.mlp(self.norm2(x)))


class SwinTransformerBlockV2(SwinTransformerBlock):
    """Attention in windows and an MLP, each followed by a norm and added to its input: (N, H, W, dim) -> the same.

    attn_layer makes the attention.  Floating dtypes.  Raises what it raises.  Source: Liu et al. 2022, figure 1.

        >>> from cltensor.vision.models.swin_transformer import SwinTransformerBlockV2
        >>> SwinTransformerBlockV2(4, 2, [2, 2], [1, 1])(ct.ones(1, 4, 4, 4)).shape
        cltensor.Size([1, 4, 4, 4])
    """

    def __init__(self, dim: int, num_heads: int, window_size: list[int], shift_size: list[int], mlp_ratio: float = 4.0,
                 dropout: float = 0.0, attention_dropout: float = 0.0, stochastic_depth_prob: float = 0.0,
                 norm_layer: Callable[..., nn.Module] = nn.LayerNorm,
                 attn_layer: Callable[..., nn.Module] = ShiftedWindowAttentionV2):
        super().__init__(dim, num_heads, window_size, shift_size, mlp_ratio, dropout, attention_dropout, stochastic_depth_prob,
                         norm_layer, attn_layer)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.stochastic_depth(self.norm1(self.attn(x)))
        return x + self.stochastic_depth(self.norm2(self.mlp(x)))


class SwinTransformer(nn.Module):
    """Stages of blocks with merges between: images (N, 3, H, W) to scores (N, num_classes).

    depths and num_heads: blocks and heads of each stage; embed_dim: channels of the first, doubled by each merge.  Every other
    block is shifted by half a window.  stochastic_depth_prob: the probability of the last block to be dropped, growing from 0.
    block and downsample_layer make the parts.  Linear layers start normal with 0.02, cut off at 2.  Floating dtypes.  Raises
    ShapeError for images smaller than a patch.  Source: Liu et al., Swin Transformer, 2021.

        >>> from cltensor.vision.models import SwinTransformer
        >>> with ct.device("meta"):
        ...     SwinTransformer([4, 4], 8, [1, 1], [2, 2], [2, 2], num_classes=5)(ct.empty(2, 3, 16, 16)).shape
        cltensor.Size([2, 5])
    """

    def __init__(self, patch_size: list[int], embed_dim: int, depths: list[int], num_heads: list[int], window_size: list[int],
                 mlp_ratio: float = 4.0, dropout: float = 0.0, attention_dropout: float = 0.0,
                 stochastic_depth_prob: float = 0.1, num_classes: int = 1000,
                 norm_layer: Callable[..., nn.Module] | None = None, block: Callable[..., nn.Module] | None = None,
                 downsample_layer: Callable[..., nn.Module] = PatchMerging):
        super().__init__()
        self.num_classes = num_classes
        block, norm_layer = block or SwinTransformerBlock, norm_layer or partial(nn.LayerNorm, eps=1e-5)
        layers = [nn.Sequential(nn.Conv2d(3, embed_dim, tuple(patch_size), stride=tuple(patch_size)), Permute([0, 2, 3, 1]),
                                norm_layer(embed_dim))]
        first, last, dim = 0, max(sum(depths) - 1, 1), embed_dim
        for depth, heads in zip(depths, num_heads, strict=True):
            if first:
                layers.append(downsample_layer(dim, norm_layer))
                dim *= 2
            layers.append(nn.Sequential(*(
                block(dim, heads, window_size, [size // 2 if i % 2 else 0 for size in window_size], mlp_ratio, dropout,
                      attention_dropout, stochastic_depth_prob * (first + i) / last, norm_layer) for i in range(depth))))
            first += depth
        self.features = nn.Sequential(*layers)
        self.norm = norm_layer(dim)
        self.permute = Permute([0, 3, 1, 2])
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.flatten = nn.Flatten(1)
        self.head = nn.Linear(dim, num_classes)
        for module in self.modules():
            if isinstance(module, nn.Linear):
                init.trunc_normal_(module.weight, std=0.02)
                if module.bias is not None:
                    init.zeros_(module.bias)

    def forward(self, x: Tensor) -> Tensor:
        x = self.permute(self.norm(self.features(x)))
        return self.head(self.flatten(self.avgpool(x)))


def _swin(embed_dim, depth, num_heads, probability, kwargs):
    """A Swin transformer whose stages have 2, 2, depth and 2 blocks, with twice the heads of the one before."""
    heads = [num_heads * 2**i for i in range(4)]
    return SwinTransformer([4, 4], embed_dim, [2, 2, depth, 2], heads, [7, 7], stochastic_depth_prob=probability, **kwargs)


def _swin_v2(embed_dim, depth, num_heads, probability, kwargs):
    """The same of version 2."""
    heads = [num_heads * 2**i for i in range(4)]
    return SwinTransformer([4, 4], embed_dim, [2, 2, depth, 2], heads, [8, 8], stochastic_depth_prob=probability,
                           block=SwinTransformerBlockV2, downsample_layer=PatchMergingV2, **kwargs)


class Swin_T_Weights(WeightsEnum):
    """Published weights of swin_t."""

    IMAGENET1K_V1 = imagenet("swin_t-704ceda3.pth", 28288354, 81.474, 95.776, 4.491, 108.19, min_size=224, resize_size=232,
                             interpolation="bicubic")
    DEFAULT = IMAGENET1K_V1


class Swin_S_Weights(WeightsEnum):
    """Published weights of swin_s."""

    IMAGENET1K_V1 = imagenet("swin_s-5e29d889.pth", 49606258, 83.196, 96.36, 8.741, 189.786, min_size=224, resize_size=246,
                             interpolation="bicubic")
    DEFAULT = IMAGENET1K_V1


class Swin_B_Weights(WeightsEnum):
    """Published weights of swin_b."""

    IMAGENET1K_V1 = imagenet("swin_b-68c6b09e.pth", 87768224, 83.582, 96.64, 15.431, 335.364, min_size=224, resize_size=238,
                             interpolation="bicubic")
    DEFAULT = IMAGENET1K_V1


class Swin_V2_T_Weights(WeightsEnum):
    """Published weights of swin_v2_t."""

    IMAGENET1K_V1 = imagenet("swin_v2_t-b137f0e2.pth", 28351570, 82.072, 96.132, 5.94, 108.626, min_size=256, crop_size=256,
                             resize_size=260, interpolation="bicubic")
    DEFAULT = IMAGENET1K_V1


class Swin_V2_S_Weights(WeightsEnum):
    """Published weights of swin_v2_s."""

    IMAGENET1K_V1 = imagenet("swin_v2_s-637d8ceb.pth", 49737442, 83.712, 96.816, 11.546, 190.675, min_size=256, crop_size=256,
                             resize_size=260, interpolation="bicubic")
    DEFAULT = IMAGENET1K_V1


class Swin_V2_B_Weights(WeightsEnum):
    """Published weights of swin_v2_b."""

    IMAGENET1K_V1 = imagenet("swin_v2_b-781e5279.pth", 87930848, 84.112, 96.864, 20.325, 336.372, min_size=256, crop_size=256,
                             resize_size=272, interpolation="bicubic")
    DEFAULT = IMAGENET1K_V1

@builder(Swin_T_Weights, _SOURCE)
def swin_t(**kwargs: Any) -> SwinTransformer:
    """Swin Tiny."""
    return _swin(96, 6, 3, 0.2, kwargs)


@builder(Swin_S_Weights, _SOURCE)
def swin_s(**kwargs: Any) -> SwinTransformer:
    """Swin Small."""
    return _swin(96, 18, 3, 0.3, kwargs)


@builder(Swin_B_Weights, _SOURCE)
def swin_b(**kwargs: Any) -> SwinTransformer:
    """Swin Base."""
    return _swin(128, 18, 4, 0.5, kwargs)


@builder(Swin_V2_T_Weights, _SOURCE_V2)
def swin_v2_t(**kwargs: Any) -> SwinTransformer:
    """Swin V2 Tiny."""
    return _swin_v2(96, 6, 3, 0.2, kwargs)


@builder(Swin_V2_S_Weights, _SOURCE_V2)
def swin_v2_s(**kwargs: Any) -> SwinTransformer:
    """Swin V2 Small."""
    return _swin_v2(96, 18, 3, 0.3, kwargs)


@builder(Swin_V2_B_Weights, _SOURCE_V2)
def swin_v2_b(**kwargs: Any) -> SwinTransformer:
    """Swin V2 Base."""
    return _swin_v2(128, 18, 4, 0.5, kwargs)
