"""Products: matrices, vectors, batches, chains, tensors over pairs of dimensions."""

import inspect
import math

from ...base import calls, dtypes
from ...base.context import context
from ...base.errors import ArgumentError, ArgumentTypeError, DTypeError, ShapeError
from ...base.shapes import broadcast_shapes, normalize_dim
from ...dispatch.autocast import GIVEN_OR_LOW, LOW, LOW_ON_GPU, PROMOTE_ON_GPU, autocasts
from ...dispatch.binding import check_tensor
from ...dispatch.out import write_out
from ...dispatch.promotion import result_type
from ...dispatch.run_planned import run_planned
from ...dispatch.tensor_base import SparseBase, TensorBase
from ...ops.gemm.matmul import addmm as addmm_op
from ...ops.gemm.matmul import matmul as matmul_op
from ...ops.kinds.precision import in_float32
from ...ops.reduce import reduction_ops
from ..core.public_api import function, method
from ..shape.joining import stack
from .arithmetic import convert, where


def _same_dtype(name, *tensors):
    for x in tensors[1:]:
        if x.dtype is not tensors[0].dtype:
            raise DTypeError(f"{name}: expected m1 and m2 to have the same dtype, but got: {tensors[0].dtype.name} != "
                             f"{x.dtype.name}")


def _dims(name, **wanted):
    for label, (x, n) in wanted.items():
        if not isinstance(x, TensorBase):
            raise ArgumentTypeError(f"{name}(): argument '{label}' must be Tensor, not {calls.kind(x)}")
        if x.ndim != n:
            raise ShapeError(f"{name}: {label} must be a {n}-D tensor, got {x.ndim}-D of shape {list(x.shape)}")


def product(a, b):
    """matmul of real tensors; for bools, multiply is and, add is or."""
    return matmul_op(a, b)


def _check_mm(input, mat2):
    _dims("mm", self=(input, 2), mat2=(mat2, 2))


def _check_bmm(input, mat2):
    _dims("bmm", batch1=(input, 3), batch2=(mat2, 3))
    if input.shape[0] != mat2.shape[0]:
        raise ShapeError(f"bmm: batch sizes differ: {list(input.shape)} and {list(mat2.shape)}")


@function()
def mm(input, mat2):
    """Product of two matrices, of which either may be sparse."""
    if isinstance(input, SparseBase) or isinstance(mat2, SparseBase):
        return input @ mat2
    _check_mm(input, mat2)
    return product(input, mat2)


@function()
def bmm(input, mat2):
    """Products of two batches of matrices."""
    _check_bmm(input, mat2)
    return product(input, mat2)


@function()
@autocasts(GIVEN_OR_LOW)
def mv(input, vec):
    """Product of a matrix and a vector."""
    _dims("mv", input=(input, 2), vec=(vec, 1))
    return product(input, vec)


@function()
@autocasts(PROMOTE_ON_GPU)
def dot(input, tensor):
    """Inner product of two vectors."""
    _dims("dot", input=(input, 1), tensor=(tensor, 1))
    _same_dtype("dot", input, tensor)
    if input.shape != tensor.shape:
        raise ShapeError(f"dot: inconsistent tensor size, expected tensor {list(input.shape)} and src {list(tensor.shape)} to "
                         "have the same number of elements")
    return _dot(input, tensor)


@function()
@autocasts(PROMOTE_ON_GPU)
def vdot(input, other):
    """Inner product of two vectors, the first one conjugated: sum of conj(input[i]) * other[i].

    Args: input, other: (N,), of one dtype.
    Returns: a 0-d tensor of that dtype.
    Raises: ShapeError for other shapes, DTypeError for two dtypes.
    Source: BLAS's dotc (Blackford et al. 2002).

        vdot(tensor([1j]), tensor([1j]))  # tensor(1.+0.j)
    """
    _dims("vdot", input=(input, 1), other=(other, 1))
    return dot(input.conj(), other)


def _dot(a, b, dims=(0,)):
    result = run_planned(reduction_ops.dot, (a, b), (dims, False))
    return result if result.dtype is a.dtype else convert(result, a.dtype)


@function("ger")
def outer(input, vec2):
    """All products of elements of two vectors."""
    _dims("outer", self=(input, 1), vec2=(vec2, 1))
    return input.unsqueeze(1) * vec2.unsqueeze(0)


@function()
def inner(input, other):
    """Products summed over the last dimension of both."""
    check_tensor("inner", "other", 2, other)
    if not input.ndim or not other.ndim:
        return input * other
    if input.shape[-1] != other.shape[-1]:
        raise ShapeError(f"inner() the last dimension must match on both input tensors but got shapes {list(input.shape)} and "
                         f"{list(other.shape)}")
    return tensordot(input, other, dims=([-1], [-1]))


def _factors(dtype, *factors):
    """Convert the factors to the tensors' dtype, as PyTorch does."""
    return factors if dtype.is_inexact else map(bool if dtype.category == "bool" else int, factors)


def _scaled(beta, input, alpha, result):
    beta, alpha = _factors(result.dtype, beta, alpha)
    scaled = result if alpha == 1 else result * alpha
    if beta == 0:  # input's values do not count, and its gradient is 0
        never = input.new_zeros((), dtype=dtypes.bool_) if input.requires_grad else None
        return scaled if never is None else where(never, input, scaled)
    return scaled + (input if beta == 1 else input * beta)


def _check_expandable(name, input, shape):
    if broadcast_shapes(tuple(input.shape), shape, op=name) != shape:
        raise ShapeError(f"{name}: input of shape {list(input.shape)} is not expandable to {list(shape)}")


def _added(name, input, result, beta, alpha):
    _check_expandable(name, input, tuple(result.shape))
    return _scaled(beta, input, alpha, result)


def _added_product(name, check, input, a, b, beta, alpha):
    """beta * input + alpha * a @ b, in one launch where only numbers are needed; check: raises for a wrong a or b."""
    check(a, b)
    _same_dtype(name, input, a, b)
    if beta == 0 or a.dtype.category == "bool" or context.given is not None:
        return _apart(name, product, input, a, b, beta, alpha) if alpha != 1 or beta else _added(name, input, product(a, b), 0, 1)
    if a.shape[-1] == b.shape[-2]:
        _check_expandable(name, input, (*a.shape[:-1], b.shape[-1]))
    beta, alpha = _factors(a.dtype, beta, alpha)
    return addmm_op(input, a, b, beta=beta, alpha=alpha)


@function()
@autocasts(LOW)
def addmm(input, mat1, mat2, *, beta=1, alpha=1):
    """beta * input + alpha * mat1 @ mat2."""
    return _added_product("addmm", _check_mm, input, mat1, mat2, beta, alpha)


@in_float32
def _apart(name, multiply, input, a, b, beta, alpha):
    """beta * input + alpha * multiply(a, b), in several launches."""
    return _added(name, input, multiply(a, b), beta, alpha)


@function()
@autocasts(LOW_ON_GPU)
def addmv(input, mat, vec, *, beta=1, alpha=1):
    """beta * input + alpha * mat @ vec."""
    _dims("addmv", input=(mat, 2), vec=(vec, 1))
    _same_dtype("addmv", input, mat, vec)
    return _apart("addmv", product, input, mat, vec, beta, alpha)


@function()
@autocasts(LOW_ON_GPU)
def addr(input, vec1, vec2, *, beta=1, alpha=1):
    """beta * input + alpha * outer(vec1, vec2)."""
    dtype = result_type([input._spec, vec1._spec, vec2._spec])
    return _apart("addr", outer, input.to(dtype), vec1.to(dtype), vec2.to(dtype), beta, alpha)


@function()
@autocasts(LOW)
def baddbmm(input, batch1, batch2, *, beta=1, alpha=1):
    """beta * input + alpha * batch1 @ batch2."""
    return _added_product("baddbmm", _check_bmm, input, batch1, batch2, beta, alpha)


@function()
@autocasts(LOW)
def addbmm(input, batch1, batch2, *, beta=1, alpha=1):
    """beta * input + alpha * sum over the batch of batch1 @ batch2."""
    _check_bmm(batch1, batch2)
    _same_dtype("addbmm", input, batch1, batch2)
    return _apart("addbmm", lambda a, b: product(a, b).sum(0, dtype=a.dtype), input, batch1, batch2, beta, alpha)


def _written(fn):
    def inplace(self, *args, **options):
        return self.copy_(fn(self, *args, **options))

    inplace.__name__ = f"{fn.__name__}_"
    inplace.__doc__ = f"{fn.__name__} in place: {fn.__doc__}"
    inplace.__signature__ = inspect.signature(fn)
    method()(inplace)


for _fn in (addmm, addmv, addr, baddbmm, addbmm):
    _written(_fn)


@function(method=False)
def chain_matmul(*matrices):
    """The product of a chain of matrices, in the cheapest order."""
    return multi_dot(matrices)


def multi_dot(tensors):
    """The product of a chain of matrices (the ends may be vectors), in the cheapest order."""
    tensors = list(tensors)
    if len(tensors) < 2:
        raise ArgumentError(f"multi_dot(): expected at least 2 tensors but got {len(tensors)}")
    first, last = tensors[0].ndim == 1, tensors[-1].ndim == 1
    for x, bad in [(x, x.ndim != 2) for x in tensors[1:-1]] + [(x, x.ndim not in (1, 2)) for x in (tensors[0], tensors[-1])]:
        if bad:
            raise ShapeError(f"multi_dot(): expected matrices (the first and last may be vectors), got shape {list(x.shape)}")
    if first:
        tensors[0] = tensors[0].unsqueeze(0)
    if last:
        tensors[-1] = tensors[-1].unsqueeze(1)
    sizes = [tensors[0].shape[0], *(x.shape[1] for x in tensors)]
    result = _chained(tensors, _best_splits(sizes), 0, len(tensors) - 1)
    if first:
        result = result.squeeze(0)
    return result.squeeze(-1) if last else result


def _best_splits(sizes):
    n = len(sizes) - 1
    cost, where = {(i, i): 0 for i in range(n)}, {}
    for length in range(1, n):
        for i in range(n - length):
            j = i + length
            options = [(cost[i, k] + cost[k + 1, j] + sizes[i] * sizes[k + 1] * sizes[j + 1], k) for k in range(i, j)]
            cost[i, j], where[i, j] = min(options)
    return where


def _chained(tensors, where, i, j):
    if i == j:
        return tensors[i]
    k = where[i, j]
    return mm(_chained(tensors, where, i, k), _chained(tensors, where, k + 1, j))


@function(method=False)
def tensordot(a, b, dims=2, out=None):
    """Sum products over pairs of dimensions: the last `dims` of a with the first of b, or two lists of dimensions."""
    found = _contracted(a, b, dims)
    return found if out is None else write_out("tensordot", found, out)


@autocasts(PROMOTE_ON_GPU)
def _contracted(a, b, dims):
    if hasattr(dims, "__index__"):
        n = int(dims)
        if n < 0:
            raise ArgumentError(f"tensordot expects dims >= 0, but got dims={n}")
        if n > min(a.ndim, b.ndim):
            raise ShapeError(f"tensordot expects dims < ndim_a or ndim_b, but got dims={n} for {a.ndim}-d and {b.ndim}-d")
        da, db = list(range(a.ndim - n, a.ndim)), list(range(n))
    else:
        lists = (x.tolist() if isinstance(x, TensorBase) else x for x in dims)
        da, db = ([d] if hasattr(d, "__index__") else list(d) for d in lists)
        da, db = [normalize_dim(d, a.ndim, "tensordot") for d in da], [normalize_dim(d, b.ndim, "tensordot") for d in db]
    if len(da) != len(db):
        raise ShapeError(f"tensordot: both dimension lists should have same length, got {da} and {db}")
    _same_dtype("tensordot", a, b)
    for x, y in zip(da, db, strict=True):
        if a.shape[x] == 1 or b.shape[y] == 1:  # a size of 1 broadcasts against the other
            a, b = (a, _summed(b, y)) if a.shape[x] == 1 else (_summed(a, x), b)
        if a.shape[x] != b.shape[y]:
            raise ShapeError(f"tensordot: contracted dimensions need to match, but first has size {a.shape[x]} in dim {x} and "
                             f"second has size {b.shape[y]} in dim {y}")
    ra, rb = [d for d in range(a.ndim) if d not in da], [d for d in range(b.ndim) if d not in db]
    k = math.prod(a.shape[d] for d in da)
    left = a.permute(*ra, *da).reshape(math.prod(a.shape[d] for d in ra), k)
    right = b.permute(*db, *rb).reshape(k, math.prod(b.shape[d] for d in rb))
    return product(left, right).reshape([a.shape[d] for d in ra] + [b.shape[d] for d in rb])


def _summed(x, dim):
    return x if x.shape[dim] == 1 else x.sum(dim, keepdim=True, dtype=x.dtype)


@function()
def kron(input, other):
    """The Kronecker product."""
    n = max(input.ndim, other.ndim)
    a = input.reshape((1,) * (n - input.ndim) + tuple(input.shape))
    b = other.reshape((1,) * (n - other.ndim) + tuple(other.shape))
    left = a.reshape([m for k in a.shape for m in (k, 1)])
    right = b.reshape([m for k in b.shape for m in (1, k)])
    return (left * right).reshape([x * y for x, y in zip(a.shape, b.shape, strict=True)])


@function()
@autocasts(PROMOTE_ON_GPU)
def cross(input, other, dim=None):
    """The cross product of vectors of 3 along dim (by default the first dimension of size 3)."""
    if dim is None:
        shape = broadcast_shapes(tuple(input.shape), tuple(other.shape), op="cross")
        dim = next((i for i, n in enumerate(shape) if n == 3), None)
        if dim is None:
            raise ShapeError(f"cross: no dimension of size 3 in input {list(input.shape)}")
    return linalg_cross(input, other, dim=dim)


def linalg_cross(input, other, *, dim=-1):
    """The cross product of vectors of 3 along dim, broadcast."""
    if input.ndim != other.ndim:
        raise ShapeError(f"linalg.cross: inputs must have the same number of dimensions, got {input.ndim} and {other.ndim}")
    d = normalize_dim(dim, input.ndim, "linalg.cross")
    if input.shape[d] != 3 or other.shape[d] != 3:
        raise ShapeError(f"linalg.cross: inputs dimension {dim} must have length 3. Got {input.shape[d]} and {other.shape[d]}")
    shape = broadcast_shapes(tuple(input.shape), tuple(other.shape), op="linalg.cross")
    return _cross(input.expand(shape), other.expand(shape), d)


@in_float32
def _cross(a, b, d):
    x, y, z = a.unbind(d)
    u, v, w = b.unbind(d)
    return stack([y * w - z * v, z * u - x * w, x * v - y * u], d)
