"""Products with sparse matrices, of gathered rows: as much work and memory as there are values times columns."""

from ...base.errors import ArgumentTypeError, ShapeError
from ...dispatch.tensor_base import SparseBase, TensorBase
from ...ops.kinds.precision import in_float32
from ..api.creation import arange
from ..shape.joining import stack
from .places import row_starts, summed

REDUCTIONS = ("sum", "mean", "amax", "amin")


def reduced(a, b, reduction):
    """a sparse @ b dense, where the products of a row are not only added up; 0 for a row without values."""
    a = _of_numbers(a.to_sparse())
    rows, columns = a._indices()[0], a._indices()[1]
    terms = a._values().unsqueeze(1) * b.index_select(0, columns)
    index = rows.unsqueeze(1).expand(terms.shape)
    return terms.new_zeros((a.shape[0], b.shape[1])).scatter_reduce(0, index, terms, reduction, include_self=False)


def matmul(a, b):
    """a @ b where one is a sparse matrix, the other one too, or a dense vector or matrix."""
    for x in (a, b):
        if not isinstance(x, (SparseBase, TensorBase)):
            raise ArgumentTypeError(f"matmul: expected a sparse or a dense tensor, got {type(x).__name__}")
    if isinstance(b, TensorBase) and b.ndim == 1:
        return matmul(a, b.unsqueeze(1)).squeeze(1)
    if isinstance(a, TensorBase) and a.ndim == 1:
        return matmul(a.unsqueeze(0), b).squeeze(0)
    if a.ndim != 2 or b.ndim != 2 or a.shape[1] != b.shape[0]:
        raise ShapeError(f"matmul: mat1 and mat2 shapes cannot be multiplied ({'x'.join(map(str, a.shape))} and "
                         f"{'x'.join(map(str, b.shape))}); sparse products are of matrices (M, K) and (K, N)")
    if isinstance(a, TensorBase):
        return matmul(b.t(), a.mT).mT
    if isinstance(b, TensorBase):
        return _with_dense(a, b)
    return a._in_layout(_with_sparse(a.to_sparse(), b.to_sparse()))


def _with_dense(a, b):
    a = _of_numbers(a.to_sparse())
    rows, columns = a._indices()[0], a._indices()[1]
    return _gathered(a._values(), b, rows, columns, a.shape[0])


@in_float32
def _gathered(values, b, rows, columns, n):
    return summed(values.unsqueeze(1) * b.index_select(0, columns), rows, n)


def _of_numbers(a):
    """a; raises ShapeError for dense dimensions."""
    if a.dense_dim():
        raise ShapeError(f"matmul: a sparse matrix with {a.dense_dim()} dense dimensions cannot be multiplied; use to_sparse(2)")
    return a


def _with_sparse(a, b):
    """Each value of a meets the row of b that its column names; what falls on one place is added up."""
    a, b = _of_numbers(a).coalesce(), _of_numbers(b).coalesce()
    starts = row_starts(b._indices()[0], b.shape[0])
    first = starts.index_select(0, a._indices()[1])
    counts = starts.index_select(0, a._indices()[1] + 1) - first
    ends = counts.cumsum(0)
    total = int(ends[-1]) if counts.numel() else 0
    left = arange(counts.shape[0], device=a.device).repeat_interleave(counts, output_size=total)
    right = arange(total, device=a.device) - (ends - counts).index_select(0, left) + first.index_select(0, left)
    values = a._values().index_select(0, left) * b._values().index_select(0, right)
    places = stack([a._indices()[0].index_select(0, left), b._indices()[1].index_select(0, right)])
    return type(a)(places, values, (a.shape[0], b.shape[1])).coalesce()


def sampled(input, mat1, mat2, beta, alpha):
    """beta * input + alpha * (mat1 @ mat2) at the places of input, a sparse matrix."""
    places = input.to_sparse().coalesce()
    rows, columns = places._indices()[0], places._indices()[1]
    products = (mat1.index_select(0, rows) * mat2.mT.index_select(0, columns)).sum(1)
    return input._in_layout(places._like(beta * places._values() + alpha * products))
