"""Vision transformers: encoders over patches of an image."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

from ... import nn
from ...base.errors import ArgumentError, AssertedShapeError, MismatchError
from ...nn import init
from ...tensor.api.creation import empty, zeros
from ...tensor.core.tensor import Tensor
from ...tensor.shape.joining import cat
from ..ops.misc import MLP, Conv2dNormActivation
from ._api import WeightsEnum, builder, require
from .imagenet import imagenet

__all__ = [
    "ViT_B_16_Weights",
    "ViT_B_32_Weights",
    "ViT_H_14_Weights",
    "ViT_L_16_Weights",
    "ViT_L_32_Weights",
    "VisionTransformer",
    "vit_b_16",
    "vit_b_32",
    "vit_h_14",
    "vit_l_16",
    "vit_l_32",
]
_SOURCE = "Dosovitskiy et al., An Image Is Worth 16x16 Words: Transformers for Image Recognition at Scale, 2021"
_NORM = partial(nn.LayerNorm, eps=1e-6)
_SWAG_LICENSE = "https://github.com/facebookresearch/SWAG/blob/main/LICENSE"


class ConvStemConfig(NamedTuple):
    """A convolution of the stem that can stand in for the cut into patches.

    Shapes and dtypes are those of Conv2dNormActivation.  Never raises.  Source: Xiao et al., Early Convolutions Help
    Transformers See Better, 2021.

        >>> from cltensor.vision.models.vision_transformer import ConvStemConfig
        >>> ConvStemConfig(8, 3, 2).stride
        2
    """

    out_channels: int
    kernel_size: int
    stride: int
    norm_layer: Callable[..., nn.Module] = nn.BatchNorm2d
    activation_layer: Callable[..., nn.Module] = nn.ReLU


class MLPBlock(MLP):
    """Two linear layers with GELU between: (*, in_dim) -> (*, in_dim), by way of mlp_dim.

    A state_dict of version 1, which named the layers linear_1 and linear_2, loads.  Floating dtypes.  Raises what nn.Linear raises.
    Source: Dosovitskiy et al. 2021.

        >>> from cltensor.vision.models.vision_transformer import MLPBlock
        >>> MLPBlock(4, 8, 0.0)(ct.ones(2, 4)).shape
        cltensor.Size([2, 4])
    """

    _version = 2

    def __init__(self, in_dim: int, mlp_dim: int, dropout: float):
        super().__init__(in_dim, [mlp_dim, in_dim], activation_layer=nn.GELU, dropout=dropout)
        for layer in (self[0], self[3]):
            init.xavier_uniform_(layer.weight)
            init.normal_(layer.bias, std=1e-6)

    def _load_from_state_dict(self, state_dict, prefix, local_metadata, *rest):
        if (local_metadata.get("version") or 1) < 2:
            for old, new in (("linear_1", "0"), ("linear_2", "3")):
                for kind in ("weight", "bias"):
                    if (key := f"{prefix}{old}.{kind}") in state_dict:
                        state_dict[f"{prefix}{new}.{kind}"] = state_dict.pop(key)
        super()._load_from_state_dict(state_dict, prefix, local_metadata, *rest)


class EncoderBlock(nn.Module):
    """Self-attention and an MLP, each after a norm and added to its input: (N, L, hidden_dim) -> (N, L, hidden_dim).

    Floating dtypes.  Raises AssertedShapeError for an input that is not 3-d.  Source: Dosovitskiy et al. 2021, figure 1.

        >>> from cltensor.vision.models.vision_transformer import EncoderBlock
        >>> EncoderBlock(2, 4, 8, 0.0, 0.0)(ct.ones(1, 3, 4)).shape
        cltensor.Size([1, 3, 4])
    """

    def __init__(self, num_heads: int, hidden_dim: int, mlp_dim: int, dropout: float, attention_dropout: float,
                 norm_layer: Callable[..., nn.Module] = _NORM):
        super().__init__()
        self.num_heads = num_heads
        self.ln_1 = norm_layer(hidden_dim)
        self.self_attention = nn.MultiheadAttention(hidden_dim, num_heads, dropout=attention_dropout, batch_first=True)
        self.dropout = nn.Dropout(dropout)
        self.ln_2 = norm_layer(hidden_dim)
        self.mlp = MLPBlock(hidden_dim, mlp_dim, dropout)

    def forward(self, input: Tensor) -> Tensor:
        _require_sequence(input)
        x = self.ln_1(input)
        x = self.dropout(self.self_attention(x, x, x, need_weights=False)[0]) + input
        return x + self.mlp(self.ln_2(x))


def _require_sequence(input):
    if input.ndim != 3:
        raise AssertedShapeError(f"the encoder takes (batch, length, hidden_dim), but the input's shape is {tuple(input.shape)}")


class Encoder(nn.Module):
    """Positions added, num_layers blocks, and a norm: (N, seq_length, hidden_dim) -> (N, seq_length, hidden_dim).

    Floating dtypes.  Raises AssertedShapeError for an input that is not 3-d.  Source: Dosovitskiy et al. 2021.

        >>> from cltensor.vision.models.vision_transformer import Encoder
        >>> Encoder(3, 1, 2, 4, 8, 0.0, 0.0)(ct.ones(1, 3, 4)).shape
        cltensor.Size([1, 3, 4])
    """

    def __init__(self, seq_length: int, num_layers: int, num_heads: int, hidden_dim: int, mlp_dim: int, dropout: float,
                 attention_dropout: float, norm_layer: Callable[..., nn.Module] = _NORM):
        super().__init__()
        self.pos_embedding = nn.Parameter(empty(1, seq_length, hidden_dim))
        init.normal_(self.pos_embedding, std=0.02)
        self.dropout = nn.Dropout(dropout)
        self.layers = nn.Sequential(OrderedDict(
            (f"encoder_layer_{i}", EncoderBlock(num_heads, hidden_dim, mlp_dim, dropout, attention_dropout, norm_layer))
            for i in range(num_layers)))
        self.ln = norm_layer(hidden_dim)

    def forward(self, input: Tensor) -> Tensor:
        _require_sequence(input)
        return self.ln(self.layers(self.dropout(input + self.pos_embedding)))


class VisionTransformer(nn.Module):
    """An encoder over patches: images (N, 3, image_size, image_size) to scores (N, num_classes).

    representation_size: the width of a hidden layer with tanh ahead of the scores, or None for none.  conv_stem_configs:
    convolutions that stand in for the cut into patches.  norm_layer makes the norms.  The head starts at 0.  Floating dtypes.
    Raises AssertedShapeError where patch_size does not divide image_size, and for images of another size.
    Source: Dosovitskiy et al., An Image Is Worth 16x16 Words, 2021.

        >>> from cltensor.vision.models import VisionTransformer
        >>> with ct.device("meta"):
        ...     VisionTransformer(16, 8, 1, 2, 4, 8, num_classes=5)(ct.empty(2, 3, 16, 16)).shape
        cltensor.Size([2, 5])
    """

    def __init__(self, image_size: int, patch_size: int, num_layers: int, num_heads: int, hidden_dim: int, mlp_dim: int,
                 dropout: float = 0.0, attention_dropout: float = 0.0, num_classes: int = 1000,
                 representation_size: int | None = None,
                 norm_layer: Callable[..., nn.Module] = _NORM,
                 conv_stem_configs: list[ConvStemConfig] | None = None):
        super().__init__()
        if image_size % patch_size:
            raise AssertedShapeError(f"VisionTransformer: image_size={image_size} is no multiple of patch_size={patch_size}")
        self.image_size, self.patch_size, self.hidden_dim, self.mlp_dim = image_size, patch_size, hidden_dim, mlp_dim
        self.dropout, self.attention_dropout = dropout, attention_dropout
        self.num_classes, self.representation_size, self.norm_layer = num_classes, representation_size, norm_layer
        self.conv_proj = _projection(conv_stem_configs, patch_size, hidden_dim)
        self.seq_length = (image_size // patch_size) ** 2 + 1
        self.class_token = nn.Parameter(zeros(1, 1, hidden_dim))
        self.encoder = Encoder(self.seq_length, num_layers, num_heads, hidden_dim, mlp_dim, dropout, attention_dropout, norm_layer)
        heads = OrderedDict()
        if representation_size is not None:
            heads["pre_logits"] = nn.Linear(hidden_dim, representation_size)
            heads["act"] = nn.Tanh()
            init.trunc_normal_(heads["pre_logits"].weight, std=math.sqrt(1 / hidden_dim))
            init.zeros_(heads["pre_logits"].bias)
        heads["head"] = nn.Linear(representation_size or hidden_dim, num_classes)
        init.zeros_(heads["head"].weight)
        init.zeros_(heads["head"].bias)
        self.heads = nn.Sequential(heads)

    def _process_input(self, x):
        """Images as sequences of patches, (N, patches, hidden_dim)."""
        if x.ndim != 4:
            raise MismatchError(f"VisionTransformer: images are (N, 3, H, W), but the input's shape is {tuple(x.shape)}")
        if tuple(x.shape[2:]) != (self.image_size, self.image_size):
            raise AssertedShapeError(f"VisionTransformer: images are of {self.image_size} x {self.image_size}, but {x.shape[2]} x "
                                     f"{x.shape[3]} was given; resize them, or the model by interpolate_embeddings")
        return self.conv_proj(x).flatten(2).transpose(1, 2)

    def forward(self, x: Tensor) -> Tensor:
        x = self._process_input(x)
        x = cat([self.class_token.expand(x.shape[0], -1, -1), x], 1)
        return self.heads(self.encoder(x)[:, 0])


def _projection(configs, patch_size, hidden_dim):
    """What makes patches: one convolution, or a stem of several."""
    if configs is None:
        found = nn.Conv2d(3, hidden_dim, patch_size, stride=patch_size)
        init.trunc_normal_(found.weight, std=math.sqrt(1 / (3 * patch_size**2)))
        init.zeros_(found.bias)
        return found
    layers, channels = OrderedDict(), 3
    for i, cnf in enumerate(configs):
        layers[f"conv_bn_relu_{i}"] = Conv2dNormActivation(channels, cnf.out_channels, cnf.kernel_size, cnf.stride,
                                                          norm_layer=cnf.norm_layer, activation_layer=cnf.activation_layer)
        channels = cnf.out_channels
    last = layers["conv_last"] = nn.Conv2d(channels, hidden_dim, 1)
    init.normal_(last.weight, std=math.sqrt(2 / last.out_channels))
    init.zeros_(last.bias)
    return nn.Sequential(layers)


def interpolate_embeddings(image_size: int, patch_size: int, model_state: OrderedDict[str, Tensor],
                           interpolation_mode: str = "bicubic", reset_heads: bool = False) -> OrderedDict[str, Tensor]:
    """A VisionTransformer's state_dict whose positions are interpolated for images of another size.

    model_state["encoder.pos_embedding"], (1, 1 + s * s, hidden_dim), becomes (1, 1 + t * t, hidden_dim) with
    t = image_size // patch_size, in model_state itself where sizes differ; the class token's position stays.  reset_heads: leave
    out the heads, in a new dictionary.  Floating dtypes.  Raises ArgumentError for positions of another shape.
    Source: Dosovitskiy et al. 2021, section 3.2.

        >>> from cltensor.vision.models.vision_transformer import interpolate_embeddings
        >>> interpolate_embeddings(32, 8, {"encoder.pos_embedding": ct.ones(1, 5, 4)})["encoder.pos_embedding"].shape
        cltensor.Size([1, 17, 4])
    """
    found = model_state["encoder.pos_embedding"]
    n, length, hidden_dim = found.shape
    side = math.isqrt(length - 1)
    if n != 1 or side**2 != length - 1:
        raise ArgumentError(f"interpolate_embeddings: encoder.pos_embedding has the shape {tuple(found.shape)}; it must be "
                            "(1, 1 + s * s, hidden_dim), a position for the class token and one for each patch of a square")
    size = image_size // patch_size
    if size == side:
        return model_state
    grid = found[:, 1:].transpose(1, 2).reshape(1, hidden_dim, side, side)
    grid = nn.functional.interpolate(grid, size=size, mode=interpolation_mode, align_corners=True)
    model_state["encoder.pos_embedding"] = cat([found[:, :1], grid.flatten(2).transpose(1, 2)], 1)
    return OrderedDict((k, v) for k, v in model_state.items() if not k.startswith("heads")) if reset_heads else model_state


def _vit(patch_size, num_layers, num_heads, hidden_dim, mlp_dim, kwargs):
    return VisionTransformer(kwargs.pop("image_size", 224), patch_size, num_layers, num_heads, hidden_dim, mlp_dim, **kwargs)


def _sized(weights, kwargs):
    """Weights fit one size of images."""
    require(kwargs, "image_size", weights.meta["min_size"][0])


class ViT_B_16_Weights(WeightsEnum):
    """Published weights of vit_b_16."""

    IMAGENET1K_V1 = imagenet("vit_b_16-c867db91.pth", 86567656, 81.072, 95.318, 17.564, 330.285, min_size=224)
    IMAGENET1K_SWAG_E2E_V1 = imagenet("vit_b_16_swag-9ac1b537.pth", 86859496, 85.304, 97.65, 55.484, 331.398, min_size=384,
                                      crop_size=384, resize_size=384, interpolation="bicubic", license=_SWAG_LICENSE)
    IMAGENET1K_SWAG_LINEAR_V1 = imagenet("vit_b_16_lc_swag-4e70ced5.pth", 86567656, 81.886, 96.18, 17.564, 330.285,
                                         min_size=224, resize_size=224, interpolation="bicubic", license=_SWAG_LICENSE)
    DEFAULT = IMAGENET1K_V1


class ViT_B_32_Weights(WeightsEnum):
    """Published weights of vit_b_32."""

    IMAGENET1K_V1 = imagenet("vit_b_32-d86f8d99.pth", 88224232, 75.912, 92.466, 4.409, 336.604, min_size=224)
    DEFAULT = IMAGENET1K_V1


class ViT_L_16_Weights(WeightsEnum):
    """Published weights of vit_l_16."""

    IMAGENET1K_V1 = imagenet("vit_l_16-852ce7e3.pth", 304326632, 79.662, 94.638, 61.555, 1161.023, min_size=224,
                             resize_size=242)
    IMAGENET1K_SWAG_E2E_V1 = imagenet("vit_l_16_swag-4f3808c9.pth", 305174504, 88.064, 98.512, 361.986, 1164.258, min_size=512,
                                      crop_size=512, resize_size=512, interpolation="bicubic", license=_SWAG_LICENSE)
    IMAGENET1K_SWAG_LINEAR_V1 = imagenet("vit_l_16_lc_swag-4d563306.pth", 304326632, 85.146, 97.422, 61.555, 1161.023,
                                         min_size=224, resize_size=224, interpolation="bicubic", license=_SWAG_LICENSE)
    DEFAULT = IMAGENET1K_V1


class ViT_L_32_Weights(WeightsEnum):
    """Published weights of vit_l_32."""

    IMAGENET1K_V1 = imagenet("vit_l_32-c7638314.pth", 306535400, 76.972, 93.07, 15.378, 1169.449, min_size=224)
    DEFAULT = IMAGENET1K_V1


class ViT_H_14_Weights(WeightsEnum):
    """Published weights of vit_h_14."""

    IMAGENET1K_SWAG_E2E_V1 = imagenet("vit_h_14_swag-80465313.pth", 633470440, 88.552, 98.694, 1016.717, 2416.643, min_size=518,
                                      crop_size=518, resize_size=518, interpolation="bicubic", license=_SWAG_LICENSE)
    IMAGENET1K_SWAG_LINEAR_V1 = imagenet("vit_h_14_lc_swag-c1eb923e.pth", 632045800, 85.708, 97.73, 167.295, 2411.209,
                                         min_size=224, resize_size=224, interpolation="bicubic", license=_SWAG_LICENSE)
    DEFAULT = IMAGENET1K_SWAG_E2E_V1

@builder(ViT_B_16_Weights, _SOURCE, prepare=_sized)
def vit_b_16(**kwargs: Any) -> VisionTransformer:
    """ViT Base with patches of 16 x 16; image_size is 224 unless kwargs have it."""
    return _vit(16, 12, 12, 768, 3072, kwargs)


@builder(ViT_B_32_Weights, _SOURCE, prepare=_sized)
def vit_b_32(**kwargs: Any) -> VisionTransformer:
    """ViT Base with patches of 32 x 32; image_size is 224 unless kwargs have it."""
    return _vit(32, 12, 12, 768, 3072, kwargs)


@builder(ViT_L_16_Weights, _SOURCE, prepare=_sized)
def vit_l_16(**kwargs: Any) -> VisionTransformer:
    """ViT Large with patches of 16 x 16; image_size is 224 unless kwargs have it."""
    return _vit(16, 24, 16, 1024, 4096, kwargs)


@builder(ViT_L_32_Weights, _SOURCE, prepare=_sized)
def vit_l_32(**kwargs: Any) -> VisionTransformer:
    """ViT Large with patches of 32 x 32; image_size is 224 unless kwargs have it."""
    return _vit(32, 24, 16, 1024, 4096, kwargs)


@builder(ViT_H_14_Weights, _SOURCE, prepare=_sized)
def vit_h_14(**kwargs: Any) -> VisionTransformer:
    """ViT Huge with patches of 14 x 14; image_size is 224 unless kwargs have it."""
    return _vit(14, 32, 16, 1280, 5120, kwargs)
