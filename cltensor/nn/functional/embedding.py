"""Rows of a table by number (embedding), and numbers as one-hot rows."""

from __future__ import annotations

from ...autograd.function import Function
from ...autograd.modes import is_grad_enabled, no_grad
from ...base.errors import ArgumentError, AssertedShapeError, DTypeError, ShapeError
from ...tensor.core.tensor import Tensor
from ...tensor.math.arithmetic import where
from ...tensor.sparse.layouts import SparseCOO


def embedding(input: Tensor, weight: Tensor, padding_idx: int | None = None, max_norm: float | None = None,
              norm_type: float = 2.0, scale_grad_by_freq: bool = False, sparse: bool = False):
    """Rows of weight (num_embeddings, dim) at the integers in input (*): (*, dim).

    padding_idx: this row gets no gradient; max_norm: first scale the rows that are read down to this norm, in place;
    scale_grad_by_freq: divide a row's gradient by how often it was read; sparse: a weight that is a leaf gets a sparse gradient of
    the rows that were read, for SGD, Adagrad and SparseAdam.
    Raises DimensionError for a number outside the table, where values are read; ArgumentError for scale_grad_by_freq with sparse.
    """
    if input.dtype.category != "int":
        raise DTypeError(f"embedding: Expected input of indices to have an integer dtype, got {input.dtype.name}; use "
                         ".long()")
    if weight.ndim != 2:
        raise ShapeError(f"embedding: 'weight' must be 2-D, got shape {list(weight.shape)}")
    numbers = input.reshape(-1)
    row = -1 if padding_idx is None else _padding_row(padding_idx, weight.shape[0])
    rows = rows_of(weight, numbers, max_norm, norm_type, scale_grad_by_freq, sparse, row)
    if padding_idx is not None:
        rows = where((numbers == row).unsqueeze(-1), rows.detach(), rows)
    return rows.reshape(*input.shape, weight.shape[1])


def rows_of(weight, numbers, max_norm, norm_type, scale_grad_by_freq, sparse=False, padding=-1):
    """Rows of weight at numbers (n,); padding: a row without a gradient; the other arguments as for embedding."""
    if max_norm is not None:
        renormalize(weight, numbers, float(max_norm), norm_type)
    if sparse and weight.requires_grad and is_grad_enabled():
        if scale_grad_by_freq:
            raise ArgumentError("embedding: scale_grad_by_freq not supported with sparse gradients; leave one of them out")
        if weight.is_leaf:
            return _SparseRows.apply(weight, numbers, padding)
    rows = weight.index_select(0, numbers)
    if scale_grad_by_freq and rows.requires_grad:
        share = 1 / _times_read(numbers, weight).unsqueeze(-1)
        rows.register_hook(lambda g: g * share)
    return rows


class _SparseRows(Function):
    """Rows of a leaf, whose gradient is a sparse tensor of the rows that were read."""

    @staticmethod
    def forward(ctx, weight, numbers, padding):
        ctx.numbers, ctx.padding, ctx.shape = numbers.long(), padding, weight.shape
        return weight.index_select(0, numbers)

    @staticmethod
    def backward(ctx, g):
        numbers = ctx.numbers
        if ctx.padding >= 0:
            kept = (numbers != ctx.padding).nonzero().squeeze(1)
            numbers, g = numbers.index_select(0, kept), g.index_select(0, kept)
        return SparseCOO(numbers.unsqueeze(0), g, ctx.shape), None, None


def _times_read(numbers, weight):
    """How often each number occurs."""
    one = weight.detach().new_ones(numbers.shape)
    return weight.detach().new_zeros(weight.shape[0]).scatter_add(0, numbers.long(), one).index_select(0, numbers)


def _padding_row(padding_idx, n):
    if not -n <= padding_idx < n:
        raise AssertedShapeError(f"embedding: Padding_idx must be within num_embeddings, in [{-n}, {n}), got {padding_idx}")
    return padding_idx % n


def renormalize(weight, numbers, max_norm, norm_type):
    """Scale the rows of weight at numbers (n,) down to max_norm, in place."""
    with no_grad():
        rows = weight.index_select(0, numbers)
        norms = rows.abs().pow(norm_type).sum(1, keepdim=True).pow(1.0 / norm_type)
        weight.index_copy_(0, numbers, rows * where(norms > max_norm, max_norm / (norms + 1e-7), 1.0))


def one_hot(tensor: Tensor, num_classes: int = -1):
    """int64 (*, num_classes) with a 1 at each number of tensor (*); -1 takes one class more than the largest number.

    Raises DTypeError, ArgumentError; DimensionError for a number that is no class, where values are read.
    """
    if tensor.dtype.category != "int":
        raise DTypeError(f"one_hot is only applicable to index tensor of an integer dtype, got {tensor.dtype.name}")
    if num_classes == -1:
        if tensor.numel() == 0:
            raise ArgumentError("one_hot: Can not infer total number of classes from empty tensor; give num_classes")
        num_classes = int(tensor.amax()) + 1
    if num_classes < 1:
        raise ArgumentError(f"one_hot: num_classes should be positive, got {num_classes}")
    index = tensor.long().unsqueeze(-1)
    return index.new_zeros((*tensor.shape, num_classes)).scatter_(-1, index, 1)
