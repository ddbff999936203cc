"""Embeddings that take the table before the indices."""

from ...base.errors import ArgumentError
from .. import functional as F
from ..functional.embedding import renormalize
from ..functional.embedding_bag import described

_MODES = ("sum", "mean", "max")


def embedding(weight, indices, padding_idx=-1, scale_grad_by_freq=False, sparse=False):
    """See nn.functional; padding_idx -1 means none."""
    return F.embedding(indices, weight, None if padding_idx == -1 else padding_idx, scale_grad_by_freq=scale_grad_by_freq,
                       sparse=sparse)


def embedding_bag(weight, indices, offsets, scale_grad_by_freq=False, mode=0, sparse=False, per_sample_weights=None,
                  include_last_offset=False, padding_idx=None):
    """See nn.functional; mode: 0 sum, 1 mean, 2 max.

    Returns (result (bags, dim), the bag of each index, the size of each bag, the row of each maximum (bags, dim), for
    other modes the size of each bag).
    """
    if mode not in (0, 1, 2):
        raise ArgumentError(f"embedding_bag: mode must be 0 (sum), 1 (mean) or 2 (max), got {mode!r}")
    y = F.embedding_bag(indices, weight, offsets, scale_grad_by_freq=scale_grad_by_freq, mode=_MODES[mode], sparse=sparse,
                        per_sample_weights=per_sample_weights, include_last_offset=include_last_offset, padding_idx=padding_idx)
    return y, *described(indices, weight, offsets, _MODES[mode], include_last_offset, padding_idx)


def embedding_renorm_(input, indices, max_norm, norm_type):
    """Scale the rows of input at indices down to max_norm, in place."""
    renormalize(input, indices.reshape(-1), float(max_norm), norm_type)
    return input
