"""Masks for causal attention between sequences of two lengths, aligned at their beginnings or at their ends."""

from __future__ import annotations

import enum
import warnings

import numpy as np

from ...base import dtypes
from ...base.errors import AssertedError
from ...base.overriding import disabled
from ...tensor.api.creation import from_array
from ...tensor.core.tensor import Tensor
from ...tensor.core.values import pick_device


class CausalVariant(enum.IntEnum):
    """Where the diagonal of a causal mask (L, S) begins: at its upper left corner, or where it ends at the lower right one.

    Raises ValueError for another number; the mask is of dtype bool.  Source: PyTorch 2.13's interface.

        >>> from cltensor.nn.attention.bias import CausalVariant
        >>> CausalVariant.LOWER_RIGHT.value
        2
    """

    UPPER_LEFT = 1
    LOWER_RIGHT = 2


class CausalBias(Tensor):
    """A causal mask (seq_len_q, seq_len_kv) of bool, for attn_mask of scaled_dot_product_attention.

    True takes part.  Aligned at the upper left, or of equal lengths, it is as fast as is_causal=True.
    Raises AssertedError for another variant.  Source: PyTorch 2.13's interface.

        >>> from cltensor.nn.attention.bias import causal_lower_right
        >>> causal_lower_right(2, 3)
        tensor([[ True,  True, False],
                [ True,  True,  True]])
    """

    __torch_function__ = disabled

    def __new__(cls, variant: CausalVariant, seq_len_q: int, seq_len_kv: int):
        if not isinstance(variant, CausalVariant):
            raise AssertedError(f"CausalBias: expected a CausalVariant, got {variant!r}")
        beyond = seq_len_kv - seq_len_q if variant is CausalVariant.LOWER_RIGHT else 0
        mask = np.tri(seq_len_q, seq_len_kv, beyond, dtype=bool)
        made = from_array(mask, dtypes.bool_, pick_device(None))._as(cls)
        made.variant, made.seq_len_q, made.seq_len_kv = variant, seq_len_q, seq_len_kv
        if beyond < 0:
            warnings.warn("Lower right causal bias will produce NaNs in the output when seq_len_q > seq_len_kv!", stacklevel=3)
        return made

    def is_plain(self):
        """Whether is_causal=True says the same."""
        return self.variant is CausalVariant.UPPER_LEFT or self.seq_len_q == self.seq_len_kv


def _lengths(name, size):
    if len(size) != 2:
        raise AssertedError(f"{name} only supports 2D tensors, got sizes {size}")
    return size


def causal_upper_left(*size: int) -> CausalBias:
    """The causal mask (L, S) of bool whose diagonal begins at the upper left: a query sees the keys up to its own number.

    Raises AssertedError unless there are two sizes.  Source: PyTorch 2.13's interface.

        >>> from cltensor.nn.attention.bias import causal_upper_left
        >>> causal_upper_left(2, 3)
        tensor([[ True, False, False],
                [ True,  True, False]])
    """
    return CausalBias(CausalVariant.UPPER_LEFT, *_lengths("causal_upper_left", size))


def causal_lower_right(*size: int) -> CausalBias:
    """The causal mask (L, S) of bool whose diagonal ends at the lower right: the last query sees all keys.

    Raises AssertedError unless there are two sizes; warns where L > S, since the first queries see nothing then.
    Source: PyTorch 2.13's interface.

        >>> from cltensor.nn.attention.bias import causal_lower_right
        >>> causal_lower_right(2, 3)
        tensor([[ True,  True, False],
                [ True,  True,  True]])
    """
    return CausalBias(CausalVariant.LOWER_RIGHT, *_lengths("causal_lower_right", size))
