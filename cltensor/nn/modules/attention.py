"""MultiheadAttention: attention with several heads and its projections."""

from __future__ import annotations

from ...base.dtypes import dtype
from ...base.errors import ArgumentError, AssertedShapeError
from ...runtime.device import device
from ...tensor.api.creation import empty
from ...tensor.core.tensor import Tensor
from .. import functional as F
from .. import init
from ..parameter import Parameter
from .linear import Linear
from .module import Module


class NonDynamicallyQuantizableLinear(Linear):
    """A Linear with the name PyTorch gives the output projection of MultiheadAttention."""


class MultiheadAttention(Module):
    """Attention with num_heads heads: query (L, N, E), key (S, N, kdim), value (S, N, vdim) -> (output (L, N, E), weights).

    batch_first puts N before L and S; inputs without N are accepted.  Masks and weights: functional.multi_head_attention_forward.
    Source: Vaswani et al. 2017.
    """

    def __init__(self, embed_dim: int, num_heads: int, dropout: float = 0.0, bias: bool = True, add_bias_kv: bool = False,
                 add_zero_attn: bool = False, kdim: int | None = None, vdim: int | None = None, batch_first: bool = False,
                 device: device | str | int | None = None, dtype: dtype | None = None):
        if embed_dim <= 0 or num_heads <= 0:
            raise ArgumentError("embed_dim and num_heads must be greater than 0, got "
                                f"embed_dim={embed_dim} and num_heads={num_heads} instead")
        super().__init__()
        self.embed_dim, self.num_heads, self.dropout, self.batch_first = embed_dim, num_heads, dropout, batch_first
        self.kdim, self.vdim = embed_dim if kdim is None else kdim, embed_dim if vdim is None else vdim
        self._qkv_same_embed_dim = self.kdim == embed_dim and self.vdim == embed_dim
        self.head_dim = embed_dim // num_heads
        if self.head_dim * num_heads != embed_dim:
            raise AssertedShapeError(f"embed_dim must be divisible by num_heads, got {embed_dim} and {num_heads}")
        self.add_zero_attn = add_zero_attn
        kind = {"device": device, "dtype": dtype}
        own = dict.fromkeys(("q_proj_weight", "k_proj_weight", "v_proj_weight", "in_proj_weight", "in_proj_bias"))
        if self._qkv_same_embed_dim:
            own["in_proj_weight"] = (3 * embed_dim, embed_dim)
        else:
            own.update(zip(own, ((embed_dim, n) for n in (embed_dim, self.kdim, self.vdim)), strict=False))
        own["in_proj_bias"] = (3 * embed_dim,) if bias else None
        for name, shape in own.items():
            self.register_parameter(name, None if shape is None else Parameter(empty(shape, **kind)))
        self.out_proj = NonDynamicallyQuantizableLinear(embed_dim, embed_dim, bias=bias, **kind)
        for name in ("bias_k", "bias_v"):
            self.register_parameter(name, Parameter(empty(1, 1, embed_dim, **kind)) if add_bias_kv else None)
        self._reset_parameters()

    def _reset_parameters(self):
        for weight in (self.in_proj_weight, self.q_proj_weight, self.k_proj_weight, self.v_proj_weight):
            if weight is not None:
                init.xavier_uniform_(weight)
        if self.in_proj_bias is not None:
            init.zeros_(self.in_proj_bias)
            init.zeros_(self.out_proj.bias)
        for bias in (self.bias_k, self.bias_v):
            if bias is not None:
                init.xavier_normal_(bias)

    def merge_masks(self, attn_mask: Tensor | None, key_padding_mask: Tensor | None, query: Tensor):
        """One mask of both, and its kind: 0 for attn_mask alone, 1 for key_padding_mask alone, 2 for both, None for none.

        query (N, L, E) says the batch.  A mask with attn_mask in it is (N, num_heads, L, S), key_padding_mask alone (N, S).
        """
        if attn_mask is None:
            return key_padding_mask, None if key_padding_mask is None else 1
        batch, length = query.shape[0], attn_mask.shape[-1]
        heads = attn_mask.view(batch, -1, length, length) if attn_mask.ndim == 3 else attn_mask.view(1, 1, length, length)
        merged = heads.expand(batch, self.num_heads, -1, -1)
        if key_padding_mask is None:
            return merged, 2
        return merged + key_padding_mask.view(batch, 1, 1, length).expand(-1, self.num_heads, -1, -1), 2

    def forward(self, query: Tensor, key: Tensor, value: Tensor, key_padding_mask: Tensor | None = None,
                need_weights: bool = True, attn_mask: Tensor | None = None, average_attn_weights: bool = True,
                is_causal: bool = False):
        turned = self.batch_first and query.ndim == 3
        if turned:  # transpose each tensor once, so that equal inputs stay one tensor
            swapped = {id(x): x.transpose(0, 1) if x.ndim == 3 else x for x in (query, key, value)}
            query, key, value = (swapped[id(x)] for x in (query, key, value))
        y, weights = F.multi_head_attention_forward(
            query, key, value, self.embed_dim, self.num_heads, self.in_proj_weight, self.in_proj_bias, self.bias_k, self.bias_v,
            self.add_zero_attn, self.dropout, self.out_proj.weight, self.out_proj.bias, training=self.training,
            key_padding_mask=key_padding_mask, need_weights=need_weights, attn_mask=attn_mask,
            use_separate_proj_weight=not self._qkv_same_embed_dim, q_proj_weight=self.q_proj_weight,
            k_proj_weight=self.k_proj_weight, v_proj_weight=self.v_proj_weight, average_attn_weights=average_attn_weights,
            is_causal=is_causal)
        return (y.transpose(0, 1), weights) if turned else (y, weights)
