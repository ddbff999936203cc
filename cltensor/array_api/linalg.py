"""The linalg extension of the array API standard, over cltensor.linalg."""

from .. import linalg as _ours
from ..base.errors import ArgumentError
from ..tensor import namespace as _namespace

__all__ = ["cholesky", "cross", "det", "diagonal", "eig", "eigh", "eigvals", "eigvalsh", "inv", "matmul", "matrix_norm",
           "matrix_power", "matrix_rank", "matrix_transpose", "outer", "pinv", "qr", "slogdet", "solve", "svd", "svdvals",
           "tensordot", "trace", "vecdot", "vector_norm"]

_f = _namespace()


def cholesky(x, /, *, upper=False):
    """The Cholesky factor of positive definite matrices."""
    return _ours.cholesky(x, upper=upper)


def cross(x1, x2, /, *, axis=-1):
    """The cross product of vectors of 3 along an axis."""
    return _ours.cross(x1, x2, dim=axis)


def det(x, /):
    """The determinant."""
    return _ours.det(x)


def diagonal(x, /, *, offset=0):
    """The diagonals of the last two axes."""
    return x.diagonal(offset, -2, -1)


def eig(x, /):
    """(eigenvalues, eigenvectors in columns) of square matrices, complex."""
    return _ours.eig(x)


def eigvals(x, /):
    """The eigenvalues of square matrices, complex."""
    return _ours.eigvals(x)


def eigh(x, /):
    """(eigenvalues, eigenvectors) of symmetric matrices."""
    return _ours.eigh(x)


def eigvalsh(x, /):
    """The eigenvalues of symmetric matrices."""
    return _ours.eigvalsh(x)


def inv(x, /):
    """The inverse."""
    return _ours.inv(x)


def matmul(x1, x2, /):
    """The matrix product."""
    return _f["matmul"](x1, x2)


def matrix_norm(x, /, *, keepdims=False, ord="fro"):
    """A norm of the matrices of the last two axes."""
    return _ours.matrix_norm(x, ord, keepdim=keepdims)


def matrix_power(x, n, /):
    """The n-th power of square matrices."""
    return _ours.matrix_power(x, n)


def matrix_rank(x, /, *, rtol=None):
    """How many singular values are above rtol times the largest."""
    return _ours.matrix_rank(x, rtol=rtol)


def matrix_transpose(x, /):
    """The last two axes exchanged."""
    return x.mT


def outer(x1, x2, /):
    """The products of all pairs of elements of two vectors."""
    return _f["outer"](x1, x2)


def pinv(x, /, *, rtol=None):
    """The pseudo-inverse."""
    return _ours.pinv(x, rtol=rtol)


def qr(x, /, *, mode="reduced"):
    """(Q, R) with orthonormal columns in Q and an upper triangular R."""
    return _ours.qr(x, mode)


def slogdet(x, /):
    """(sign, logarithm of the absolute value) of the determinant."""
    return _ours.slogdet(x)


def solve(x1, x2, /):
    """y with x1 @ y == x2."""
    return _ours.solve(x1, x2)


def svd(x, /, *, full_matrices=True):
    """(U, S, Vh), the singular value decomposition."""
    return _ours.svd(x, full_matrices)


def svdvals(x, /):
    """The singular values."""
    return _ours.svdvals(x)


def tensordot(x1, x2, /, *, axes=2):
    """Products summed over pairs of axes."""
    return _f["tensordot"](x1, x2, axes)


def trace(x, /, *, offset=0, dtype=None):
    """The sum of the diagonals of the last two axes."""
    return x.diagonal(offset, -2, -1).sum(-1, dtype=dtype)


def vecdot(x1, x2, /, *, axis=-1):
    """Products summed over one axis."""
    return _ours.vecdot(x1, x2, dim=axis)


def vector_norm(x, /, *, axis=None, keepdims=False, ord=2):
    """A norm over one axis, several, or all of them."""
    if axis == ():
        raise ArgumentError("vector_norm: axis is empty; give the axes to reduce, or None for all")
    return _ours.vector_norm(x, ord, axis, keepdims)


def __dir__():
    return sorted(__all__)
