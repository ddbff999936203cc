"""Transformer: encoder and decoder layers, stacks of them, and both together.  Source: Vaswani et al. 2017."""

from __future__ import annotations

import copy
import math

from ...base.dtypes import dtype
from ...base.errors import ShapeError
from ...runtime.device import device
from ...tensor.api.creation import full
from ...tensor.core.tensor import Tensor
from .. import functional as F
from .. import init
from ..functional.multi_head_attention import additive
from .attention import MultiheadAttention
from .container import ModuleList
from .dropout import Dropout
from .linear import Linear
from .module import Module
from .normalization import LayerNorm

__all__ = ["Transformer", "TransformerDecoder", "TransformerDecoderLayer", "TransformerEncoder", "TransformerEncoderLayer"]


def _copies(module, count):
    return ModuleList([copy.deepcopy(module) for _ in range(count)])


def _activation(activation):
    if not isinstance(activation, str):
        return activation
    if activation not in ("relu", "gelu"):
        raise ShapeError(f"activation should be relu/gelu, not {activation}")
    return getattr(F, activation)


class _Layer(Module):
    """The common part of encoder and decoder layers: self-attention, a feed-forward network, and norms around them."""

    def __init__(self, d_model, nhead, dim_feedforward, dropout, activation, layer_norm_eps, batch_first, norm_first, bias, kind,
                 others=()):
        super().__init__()
        attention = {"dropout": dropout, "bias": bias, "batch_first": batch_first, **kind}
        for name in ("self_attn", *others):
            setattr(self, name, MultiheadAttention(d_model, nhead, **attention))
        self.linear1 = Linear(d_model, dim_feedforward, bias=bias, **kind)
        self.dropout = Dropout(dropout)
        self.linear2 = Linear(dim_feedforward, d_model, bias=bias, **kind)
        self.norm_first, self.activation = norm_first, _activation(activation)
        parts = range(1, 3 + len(others))
        for i in parts:
            setattr(self, f"norm{i}", LayerNorm(d_model, eps=layer_norm_eps, bias=bias, **kind))
        for i in parts:
            setattr(self, f"dropout{i}", Dropout(dropout))

    def _through(self, x, *blocks):
        """Add each block's result to x, normalised before or after; blocks: (norm, function) pairs."""
        for norm, block in blocks:
            x = x + block(norm(x)) if self.norm_first else norm(x + block(x))
        return x

    def _attend(self, attention, drop, x, memory, mask, padding, is_causal):
        return drop(attention(x, memory, memory, attn_mask=mask, key_padding_mask=padding, need_weights=False,
                              is_causal=is_causal)[0])

    def _feed(self, x, drop):
        return drop(self.linear2(self.dropout(self.activation(self.linear1(x)))))


class TransformerEncoderLayer(_Layer):
    """Self-attention and a feed-forward network, each added to its input: src (S, N, E) -> (S, N, E); (N, S, E) with batch_first.

    src_mask and src_key_padding_mask: see MultiheadAttention.  norm_first normalises before each part instead of after.
    """

    def __init__(self, d_model: int, nhead: int, dim_feedforward: int = 2048, dropout: float = 0.1, activation=F.relu,
                 layer_norm_eps: float = 1e-5, batch_first: bool = False, norm_first: bool = False, bias: bool = True,
                 device: device | str | int | None = None, dtype: dtype | None = None):
        super().__init__(d_model, nhead, dim_feedforward, dropout, activation, layer_norm_eps, batch_first, norm_first, bias,
                         {"device": device, "dtype": dtype})

    def forward(self, src: Tensor, src_mask: Tensor | None = None, src_key_padding_mask: Tensor | None = None,
                is_causal: bool = False):
        padding, mask = additive(src_key_padding_mask, "src_key_padding_mask", src.dtype), additive(src_mask, "src_mask", src.dtype)
        return self._through(
            src, (self.norm1, lambda x: self._attend(self.self_attn, self.dropout1, x, x, mask, padding, is_causal)),
            (self.norm2, lambda x: self._feed(x, self.dropout2)))


class TransformerDecoderLayer(_Layer):
    """Self-attention, attention to memory and a feed-forward network: tgt (T, N, E), memory (S, N, E) -> (T, N, E)."""

    def __init__(self, d_model: int, nhead: int, dim_feedforward: int = 2048, dropout: float = 0.1, activation=F.relu,
                 layer_norm_eps: float = 1e-5, batch_first: bool = False, norm_first: bool = False, bias: bool = True,
                 device: device | str | int | None = None, dtype: dtype | None = None):
        super().__init__(d_model, nhead, dim_feedforward, dropout, activation, layer_norm_eps, batch_first, norm_first, bias,
                         {"device": device, "dtype": dtype}, others=("multihead_attn",))

    def forward(self, tgt: Tensor, memory: Tensor, tgt_mask: Tensor | None = None, memory_mask: Tensor | None = None,
                tgt_key_padding_mask: Tensor | None = None, memory_key_padding_mask: Tensor | None = None,
                tgt_is_causal: bool = False, memory_is_causal: bool = False):
        return self._through(
            tgt, (self.norm1, lambda x: self._attend(self.self_attn, self.dropout1, x, x, tgt_mask, tgt_key_padding_mask,
                                                     tgt_is_causal)),
            (self.norm2, lambda x: self._attend(self.multihead_attn, self.dropout2, x, memory, memory_mask,
                                                memory_key_padding_mask, memory_is_causal)),
            (self.norm3, lambda x: self._feed(x, self.dropout3)))


class TransformerEncoder(Module):
    """num_layers copies of encoder_layer, one after the other, and a norm.  is_causal: a hint that mask is the causal one.

    enable_nested_tensor and mask_check are PyTorch's; they have no effect here.
    """

    def __init__(self, encoder_layer, num_layers: int, norm: Module | None = None, enable_nested_tensor: bool = True,
                 mask_check: bool = True):
        super().__init__()
        self.layers, self.num_layers, self.norm = _copies(encoder_layer, num_layers), num_layers, norm
        self.enable_nested_tensor, self.mask_check = enable_nested_tensor, mask_check

    def forward(self, src: Tensor, mask: Tensor | None = None, src_key_padding_mask: Tensor | None = None,
                is_causal: bool | None = None):
        padding, mask = additive(src_key_padding_mask, "src_key_padding_mask", src.dtype), additive(mask, "mask", src.dtype)
        for layer in self.layers:
            src = layer(src, src_mask=mask, is_causal=bool(is_causal), src_key_padding_mask=padding)
        return src if self.norm is None else self.norm(src)


class TransformerDecoder(Module):
    """num_layers copies of decoder_layer, one after the other, and a norm.  tgt_is_causal: a hint that tgt_mask is causal."""

    def __init__(self, decoder_layer, num_layers: int, norm: Module | None = None):
        super().__init__()
        self.layers, self.num_layers, self.norm = _copies(decoder_layer, num_layers), num_layers, norm

    def forward(self, tgt: Tensor, memory: Tensor, tgt_mask: Tensor | None = None, memory_mask: Tensor | None = None,
                tgt_key_padding_mask: Tensor | None = None, memory_key_padding_mask: Tensor | None = None,
                tgt_is_causal: bool | None = None, memory_is_causal: bool = False):
        for layer in self.layers:
            tgt = layer(tgt, memory, tgt_mask=tgt_mask, memory_mask=memory_mask, tgt_key_padding_mask=tgt_key_padding_mask,
                        memory_key_padding_mask=memory_key_padding_mask, tgt_is_causal=bool(tgt_is_causal),
                        memory_is_causal=memory_is_causal)
        return tgt if self.norm is None else self.norm(tgt)


class Transformer(Module):
    """An encoder and a decoder: src (S, N, E), tgt (T, N, E) -> (T, N, E); N first with batch_first; N is optional."""

    def __init__(self, d_model: int = 512, nhead: int = 8, num_encoder_layers: int = 6, num_decoder_layers: int = 6,
                 dim_feedforward: int = 2048, dropout: float = 0.1, activation=F.relu, custom_encoder=None, custom_decoder=None,
                 layer_norm_eps: float = 1e-5, batch_first: bool = False, norm_first: bool = False, bias: bool = True,
                 device: device | str | int | None = None, dtype: dtype | None = None):
        super().__init__()
        kind = {"device": device, "dtype": dtype}
        settings = (d_model, nhead, dim_feedforward, dropout, activation, layer_norm_eps, batch_first, norm_first, bias)
        for name, custom, layer, stack, count in (
                ("encoder", custom_encoder, TransformerEncoderLayer, TransformerEncoder, num_encoder_layers),
                ("decoder", custom_decoder, TransformerDecoderLayer, TransformerDecoder, num_decoder_layers)):
            setattr(self, name, custom if custom is not None else stack(
                layer(*settings, **kind), count, LayerNorm(d_model, eps=layer_norm_eps, bias=bias, **kind)))
        self._reset_parameters()
        self.d_model, self.nhead, self.batch_first = d_model, nhead, batch_first

    def _reset_parameters(self):
        for p in self.parameters():
            if p.ndim > 1:
                init.xavier_uniform_(p)

    def forward(self, src: Tensor, tgt: Tensor, src_mask: Tensor | None = None, tgt_mask: Tensor | None = None,
                memory_mask: Tensor | None = None, src_key_padding_mask: Tensor | None = None,
                tgt_key_padding_mask: Tensor | None = None, memory_key_padding_mask: Tensor | None = None,
                src_is_causal: bool | None = None, tgt_is_causal: bool | None = None, memory_is_causal: bool = False):
        along = 0 if self.batch_first else 1
        if src.ndim == 3 and src.shape[along] != tgt.shape[along]:
            raise ShapeError("Transformer: the batch number of src and tgt must be equal, got "
                             f"{src.shape[along]} and {tgt.shape[along]}")
        if src.shape[-1] != self.d_model or tgt.shape[-1] != self.d_model:
            raise ShapeError("Transformer: the feature number of src and tgt must be equal to d_model, got "
                             f"{src.shape[-1]} and {tgt.shape[-1]} for d_model={self.d_model}")
        memory = self.encoder(src, mask=src_mask, src_key_padding_mask=src_key_padding_mask, is_causal=src_is_causal)
        return self.decoder(tgt, memory, tgt_mask=tgt_mask, memory_mask=memory_mask, tgt_key_padding_mask=tgt_key_padding_mask,
                            memory_key_padding_mask=memory_key_padding_mask, tgt_is_causal=tgt_is_causal,
                            memory_is_causal=memory_is_causal)

    @staticmethod
    def generate_square_subsequent_mask(sz: int, device: device | str | int | None = None, dtype: dtype | None = None):
        """The causal mask (sz, sz): -infinity above the diagonal, 0 elsewhere."""
        return full((sz, sz), -math.inf, dtype=dtype, device=device).triu(1)


def __dir__():
    return sorted(__all__)
