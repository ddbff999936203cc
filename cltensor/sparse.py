"""cltensor.sparse: products, sums and softmax of sparse tensors, with torch.sparse's names.

Sparse tensors are COO or CSR: sparse_coo_tensor, sparse_csr_tensor, Tensor.to_sparse and Tensor.to_sparse_csr make them.
"""

from __future__ import annotations

from .base import absent as _absent
from .base.dtypes import dtype
from .base.errors import ArgumentError as _ArgumentError
from .base.errors import ArgumentTypeError as _ArgumentTypeError
from .base.errors import ShapeError as _ShapeError
from .tensor.core.tensor import Tensor
from .tensor.sparse import products as _products
from .tensor.sparse import reductions as _reductions
from .tensor.sparse.sparse_tensor import SparseTensor

__all__ = ["SparseTensor", "addmm", "log_softmax", "mm", "sampled_addmm", "softmax", "sum"]


def mm(mat1: Tensor | SparseTensor, mat2: Tensor | SparseTensor, reduce: str = "sum"):
    """mat1 (M, K) @ mat2 (K, N), at least one of them sparse: dense, or sparse for two sparse matrices.

    dtypes: floating ones and ints.  Gradients reach the values of sparse operands and dense ones.  Numerics: float16 and bfloat16
    add up in float32.  Memory: as many numbers as there are values times columns.
    reduce: "mean", "amax" or "amin" of a row's products in place of their sum, for a sparse mat1 and a dense mat2.
    Raises ShapeError for shapes that do not fit, ArgumentTypeError where neither is sparse, ArgumentError for another reduce.
    Source: the definition of the product.

    Example::

        cltensor.sparse.mm(cltensor.eye(3).to_sparse(), cltensor.ones(3, 2))
    """
    _one_sparse("mm", mat1, mat2)
    if reduce not in _products.REDUCTIONS:
        raise _ArgumentError(f"sparse.mm: reduce must be one of {', '.join(_products.REDUCTIONS)}, got {reduce!r}")
    if reduce == "sum":
        return _products.matmul(mat1, mat2)
    if not isinstance(mat1, SparseTensor) or isinstance(mat2, SparseTensor) or (mat1.ndim, mat2.ndim) != (2, 2) or (
            mat1.shape[1] != mat2.shape[0]):
        raise _ShapeError(f"sparse.mm: reduce={reduce!r} takes a sparse mat1 (M, K) and a dense mat2 (K, N), got "
                          f"{list(mat1.shape)} and {list(mat2.shape)}")
    return _products.reduced(mat1, mat2, reduce)


def _one_sparse(name, *given):
    if not any(isinstance(x, SparseTensor) for x in given):
        raise _ArgumentTypeError(f"sparse.{name}: expected at least one sparse tensor; use cltensor.{name} for dense ones")


def addmm(mat: Tensor, mat1: Tensor | SparseTensor, mat2: Tensor | SparseTensor, *, beta: float = 1.0, alpha: float = 1.0):
    """beta * mat + alpha * (mat1 @ mat2), at least one of mat1 (M, K) and mat2 (K, N) sparse; mat (M, N) is dense.

    dtypes, gradients and memory as for sparse.mm.  Raises ShapeError, ArgumentTypeError as sparse.mm does.
    Source: the definition of the product.

    Example::

        cltensor.sparse.addmm(cltensor.ones(3, 2), cltensor.eye(3).to_sparse(), cltensor.ones(3, 2))
    """
    return beta * mat + alpha * mm(mat1, mat2)


def sampled_addmm(input: SparseTensor, mat1: Tensor, mat2: Tensor, *, beta: float = 1.0, alpha: float = 1.0,
                  out: SparseTensor | None = None):
    """beta * input + alpha * (mat1 (M, K) @ mat2 (K, N)) at the places of input (M, N), sparse; no others are computed.

    dtypes: floating ones.  out: a sparse tensor that becomes the result.  Raises ShapeError for shapes that do not fit,
    ArgumentTypeError for a dense input or out.
    Source: the definition of the product.

    Example::

        cltensor.sparse.sampled_addmm(cltensor.eye(3).to_sparse_csr(), cltensor.ones(3, 2), cltensor.ones(2, 3))
    """
    _one_sparse("sampled_addmm", input)
    if mat1.ndim != 2 or mat2.ndim != 2 or mat1.shape[1] != mat2.shape[0] or input.shape != (mat1.shape[0], mat2.shape[1]):
        raise _ShapeError(f"sparse.sampled_addmm: the shapes {list(input.shape)}, {list(mat1.shape)} and {list(mat2.shape)} do not "
                          "fit (M, N), (M, K) and (K, N)")
    made = _products.sampled(input, mat1, mat2, beta, alpha)
    if out is None:
        return made
    _one_sparse("sampled_addmm", out)
    return out._become(made)


def sum(input: SparseTensor, dim: int | tuple[int, ...] | None = None, dtype: dtype | None = None):
    """The sum of a sparse tensor's elements, 0-d; over some dimensions sparse, or dense where no sparse dimension is left.

    Shapes (*), any dtype, converted to `dtype` first where that is given.  Raises DimensionError for a dimension that is none,
    ArgumentTypeError for a dense tensor.  Source: as in PyTorch 2.13.

    Example::

        cltensor.sparse.sum(cltensor.eye(3).to_sparse(), 0)
    """
    return _reductions.total(input, dim, dtype)


def softmax(input: SparseTensor, dim: int, *, dtype: dtype | None = None):
    """The softmax of a sparse tensor along dim: elements that are not kept count as -inf, and stay 0.

    Shapes (*), floating dtypes, converted to `dtype` first where that is given.  Raises DimensionError, ArgumentTypeError.
    Source: as in PyTorch 2.13.

    Example::

        cltensor.sparse.softmax(cltensor.eye(3).to_sparse(), 1)
    """
    return _reductions.softmax(input, dim, dtype)


def log_softmax(input: SparseTensor, dim: int, *, dtype: dtype | None = None):
    """The logarithm of sparse.softmax, at the places that are kept.  Raises DimensionError, ArgumentTypeError.

    Shapes (*), floating dtypes.  Source: as in PyTorch 2.13.

    Example::

        cltensor.sparse.log_softmax(cltensor.eye(3).to_sparse(), 1)
    """
    return _reductions.softmax(input, dim, dtype, logarithm=True)


def __getattr__(name):
    _absent.refuse("cltensor.sparse", name, dict.fromkeys(("spsolve", "spdiags", "as_sparse_gradcheck", "to_sparse_semi_structured",
                                                          "SparseSemiStructuredTensor"), _absent.SPARSE))
    raise AttributeError(f"module 'cltensor.sparse' has no attribute {name!r}")


def __dir__():
    return sorted(__all__)
