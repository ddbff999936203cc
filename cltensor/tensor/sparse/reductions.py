"""Sums and softmax of sparse tensors."""

from ...base.errors import ArgumentTypeError
from ...base.shapes import normalize_dim, normalize_dims
from ...dispatch.tensor_base import SparseBase
from ..index.unique import unique
from .places import summed


def total(x, dim=None, dtype=None):
    """The sum of all elements, dense; over some dimensions sparse, or dense where no sparse dimension is left."""
    x = _sparse(x, "sum") if dtype is None else _sparse(x, "sum").to(dtype)
    if dim is None:
        return x._values().sum()
    x, dims = x.to_sparse(), normalize_dims(dim, x.ndim, "sum")
    count = x.sparse_dim()
    of_values = tuple(d - count + 1 for d in dims if d >= count)
    values = x._values().sum(of_values) if of_values else x._values()
    sparse = tuple(d for d in dims if d < count)
    shape = [n for d, n in enumerate(x.shape) if d < count or d not in dims]
    kept = type(x)(x._indices(), values, shape, x.is_coalesced())
    return kept._without(sparse, kept._indices(), values).coalesce() if len(sparse) < count else values.sum(0)


def softmax(x, dim, dtype=None, logarithm=False):
    """The softmax along dim, in which elements that are not kept count as -inf."""
    x = _sparse(x, "softmax") if dtype is None else _sparse(x, "softmax").to(dtype)
    dim = normalize_dim(dim, x.ndim, "softmax")
    kept = x.to_sparse().coalesce()
    values = kept._values()
    if dim >= kept.sparse_dim():
        along = dim - kept.sparse_dim() + 1
        return kept._like(values.log_softmax(along) if logarithm else values.softmax(along))
    others = [d for d in range(kept.sparse_dim()) if d != dim]
    groups, group = unique(kept._flat(others), return_inverse=True)
    n = groups.shape[0]
    index = group.reshape(-1, *[1] * (values.ndim - 1)).expand(values.shape)
    top = values.detach().new_zeros((n, *values.shape[1:])).scatter_reduce(0, index, values.detach(), "amax", include_self=False)
    shifted = values - top.index_select(0, group)
    sums = summed(shifted.exp(), group, n).index_select(0, group)
    return x._in_layout(kept._like(shifted - sums.log() if logarithm else shifted.exp() / sums))


def _sparse(x, op):
    if not isinstance(x, SparseBase):
        raise ArgumentTypeError(f"sparse.{op}: expected a sparse tensor, got {type(x).__name__}; use to_sparse()")
    return x
