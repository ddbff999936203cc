"""Sums, means and maxima over bags of rows of a table."""

from __future__ import annotations

from ...base import dtypes
from ...base.errors import ArgumentError, DTypeError, ShapeError
from ...ops.kinds.precision import in_float32
from ...ops.nn import embedding
from ...tensor.api.creation import arange
from ...tensor.core.tensor import Tensor
from ...tensor.index.searching import searchsorted
from ...tensor.math.arithmetic import where
from .embedding import rows_of

_MODES = ("sum", "mean", "max")

def _check_weight(input, weight, per_sample_weights, mode):
    if per_sample_weights is not None and per_sample_weights.shape != input.shape:
        raise ArgumentError(f"embedding_bag: If per_sample_weights ({list(per_sample_weights.shape)}) is not None, then it must "
                            f"have the same shape as the input ({list(input.shape)})")
    if weight.ndim != 2:
        raise ArgumentError(f"embedding_bag: weight has to be a 2D Tensor, but got Tensor of dimension {weight.ndim}")
    if not weight.dtype.is_floating_point:
        raise DTypeError(f"embedding_bag: Expected weight of a floating dtype, got {weight.dtype.name}; use .float()")
    if per_sample_weights is None:
        return
    if mode != "sum":
        raise ArgumentError(f"embedding_bag: per_sample_weights is only supported for mode='sum' (got mode={mode!r})")
    if per_sample_weights.dtype is not weight.dtype:
        raise DTypeError(f"embedding_bag: Expected weight and per_sample_weights to have the same dtype, got {weight.dtype.name} "
                         f"and {per_sample_weights.dtype.name}")


def _check_input(input, offsets, include_last_offset):
    if input.ndim not in (1, 2):
        raise ArgumentError(f"embedding_bag: input has to be 1D or 2D Tensor, but got Tensor of dimension {input.ndim}")
    if (offsets is None) != (input.ndim == 2):
        raise ArgumentError("embedding_bag: offsets has to be a 1D Tensor for a 1D input, and None for a 2D input, which is "
                            f"treated as bags of one length; got input {list(input.shape)} and offsets of type "
                            f"{type(offsets).__name__}")
    if offsets is not None and offsets.ndim != 1:
        raise ArgumentError(f"embedding_bag: offsets has to be a 1D Tensor, got shape {list(offsets.shape)}")
    kinds = [t.dtype for t in (input, offsets) if t is not None]
    if any(d.category != "int" for d in kinds) or not {dtypes.int32, dtypes.int64}.intersection(kinds):
        raise DTypeError(f"embedding_bag: Expected input and offsets of int64 or int32, got "
                         f"{' and '.join(d.name for d in kinds)}; use .long()")
    if input.ndim == 2 and not input.shape[1]:
        raise ShapeError(f"embedding_bag: bags of size 0 in input {list(input.shape)}; give a 1D input and offsets")
    if offsets is not None and include_last_offset and not offsets.shape[0]:
        raise ShapeError("embedding_bag: include_last_offset: number of offset should be at least 1, got none")


def _check_mode(mode, scale_grad_by_freq, sparse):
    if mode not in _MODES:
        raise ArgumentError(f"embedding_bag: mode has to be one of sum, mean or max, got {mode!r}")
    if mode == "max" and scale_grad_by_freq:
        raise ArgumentError("embedding_bag: max mode does not support scaling the gradient by the frequency")
    if mode == "max" and sparse:
        raise ArgumentError("embedding_bag: max mode does not support sparse weights")


def _padding_row(padding_idx, n):
    """The row to leave out; -1 for none."""
    if padding_idx is None:
        return -1
    if not -n <= padding_idx < n:
        raise ShapeError(f"embedding_bag: padding_idx must be within the number of embeddings, {-n} through {n - 1}, but got "
                         f"{padding_idx}")
    return padding_idx % n


def embedding_bag(input: Tensor, weight: Tensor, offsets: Tensor | None = None, max_norm: float | None = None,
                  norm_type: float = 2, scale_grad_by_freq: bool = False, mode: str = "mean", sparse: bool = False,
                  per_sample_weights: Tensor | None = None, include_last_offset: bool = False, padding_idx: int | None = None):
    """Sum, mean or largest value of the rows of weight (num_embeddings, dim) in each bag: (bags, dim), 0 for an empty bag.

    Args: input (bags, size), or (N,) with offsets (bags,), the start of each bag in input, from 0 on; both int64 or int32.
    include_last_offset: offsets has one more element, the end of the last bag.  per_sample_weights: factors of the rows, for
    "sum", of input's shape and weight's dtype.  padding_idx: a row to leave out.  max_norm: first scale the rows that are read
    down to this norm, in place; scale_grad_by_freq: divide a row's gradient by how often it was read; sparse: as
    for embedding.
    Raises ArgumentError, DTypeError, ShapeError; DimensionError for a number outside the table, where values are read.
    Numerics: float16 and bfloat16 add up in float32.
    """
    _check_weight(input, weight, per_sample_weights, mode)
    _check_input(input, offsets, include_last_offset)
    _check_mode(mode, scale_grad_by_freq, sparse)
    padding = _padding_row(padding_idx, weight.shape[0])
    numbers = input.reshape(-1).long()
    rows = rows_of(weight, numbers, max_norm, norm_type, scale_grad_by_freq, sparse, padding)
    bags, count = _bags(input, numbers, offsets, include_last_offset, padding)
    return _pooled(rows, per_sample_weights, bags, count, mode)


def _bags(input, numbers, offsets, include_last_offset, padding):
    """(the bag of each element, the number of bags); padding goes to one extra bag."""
    if offsets is None:
        count = input.shape[0]
        started = arange(1, count + 1, device=input.device).unsqueeze(1).expand(input.shape).reshape(-1)
    else:
        count = offsets.shape[0] - bool(include_last_offset)
        started = searchsorted(offsets.long().contiguous(), arange(numbers.shape[0], device=input.device), right=True)
    return embedding.bag(started, numbers, padding=padding, spare=count), count


@in_float32
def _pooled(rows, weights, bags, count, mode):
    rows = rows if weights is None else rows * weights.reshape(-1, 1)
    if mode == "max":
        return _largest(rows, bags, count)
    total = rows.new_zeros((count + 1, rows.shape[1])).index_add(0, bags, rows)[:count]
    if mode == "mean":
        ones = rows.detach().new_ones(bags.shape)
        total = total / ones.new_zeros(count + 1).index_add(0, bags, ones)[:count].clamp_min(1).unsqueeze(1)
    return total


def _firsts(rows, bags, count):
    """The first row of each bag with its largest value (count, dim); for an empty bag, the number of rows."""
    n, dim = rows.shape
    index = bags.unsqueeze(1).expand(n, dim)
    values = rows.detach()
    top = values.new_full((count + 1, dim), 0).scatter_reduce(0, index, values, "amax", include_self=False)
    attained = (values == top.index_select(0, bags)) | values.isnan()
    place = where(attained, arange(n, device=rows.device).unsqueeze(1), n)
    return place.new_full((count + 1, dim), n).scatter_reduce(0, index, place, "amin")[:count]


def _largest(rows, bags, count):
    """The largest values, each from the first row of a bag that has it."""
    n = rows.shape[0]
    first = _firsts(rows, bags, count)
    found = rows.gather(0, first.clamp_max(n - 1)) if n else rows.sum(0, keepdim=True)
    return where(first < n, found, 0.0)


def described(input, weight, offsets, mode, include_last_offset, padding_idx):
    """(the bag of each element, the size of each bag, the row of weight of each maximum, or the sizes again), int64."""
    numbers = input.reshape(-1).long()
    bags, count = _bags(input, numbers, offsets, include_last_offset, _padding_row(padding_idx, weight.shape[0]))
    sizes = bags.new_zeros(count + 1).index_add(0, bags, bags.new_ones(bags.shape))[:count]
    every, _ = _bags(input, numbers, offsets, include_last_offset, -1)
    if mode != "max" or not len(numbers):
        return every, sizes, sizes
    first = _firsts(weight.detach().index_select(0, numbers), bags, count)
    rows = numbers.index_select(0, first.clamp_max(len(numbers) - 1).reshape(-1)).reshape(first.shape)
    return every, sizes, where(first < len(numbers), rows, 0)
