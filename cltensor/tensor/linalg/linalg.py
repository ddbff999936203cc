"""cltensor.linalg: decompositions, solvers and norms of matrices.

Decompositions run through NumPy's LAPACK on the host, their gradients on the device: see lapack.py.
"""

import math

import numpy as np

from ...base import dtypes
from ...base.errors import ArgumentError, DTypeError, ShapeError
from ...base.shapes import broadcast_shapes, normalize_dim
from ...dispatch.autocast import FLOAT32_ON_CPU, LOW, autocasts
from ...dispatch.tensor_base import TensorBase
from ...ops.kinds.precision import in_float32
from ..api.creation import eye
from ..core.public_api import also, function, spelled
from ..core.results import result
from ..math.products import linalg_cross as cross
from ..math.products import multi_dot, product
from ..math.statistics import vector_norm
from ..shape.joining import cat
from . import lapack
from .lapack import LinAlgError

SlogDet = result("linalg_slogdet slogdet", "sign logabsdet")
QR = result("linalg_qr qr", "Q R")
SVD = result("linalg_svd", "U S Vh")
SVDWithV = result("svd", "U S V")
EigH = result("linalg_eigh", "eigenvalues eigenvectors")
TriangularSolve = result("triangular_solve", "solution cloned_coefficient")
LstSq = result("linalg_lstsq", "solution residuals rank singular_values")


@autocasts(FLOAT32_ON_CPU)
def inv(A):
    """The inverse of square matrices.  Raises LinAlgError for a singular one."""
    lapack.check_square("inv", A)
    return lapack.inv(A)


def det(A):
    """The determinant of square matrices."""
    lapack.check_square("det", A)
    return lapack.det(A)


def slogdet(A) -> SlogDet:
    """(sign, log of the absolute value) of the determinant of square matrices."""
    lapack.check_square("slogdet", A)
    return SlogDet(*lapack.slogdet(A))


@autocasts(FLOAT32_ON_CPU)
def cholesky(A, *, upper=False):
    """The Cholesky factor of symmetric positive-definite matrices.  Raises LinAlgError for others."""
    lapack.check_square("cholesky", A)
    low = lapack.cholesky(A)
    return low.mH if upper else low


@autocasts(FLOAT32_ON_CPU)
def qr(A, mode="reduced") -> QR:
    """(Q, R) with orthonormal columns in Q; mode "r" leaves Q empty, "complete" gives a square Q (no gradient)."""
    lapack.check_matrix("qr", A)
    if mode not in ("reduced", "complete", "r"):
        raise ArgumentError(f"linalg.qr: received unrecognized mode {mode!r} but expected one of 'reduced', 'r', or 'complete'")
    if mode == "complete" and A.shape[-2] > A.shape[-1]:
        q, r = np.linalg.qr(lapack.to_host(A), "complete")
        return QR(lapack.to_device(q, A), lapack.to_device(r, A))
    q, r = lapack.qr(A)
    return QR(A.new_empty(0), r) if mode == "r" else QR(q, r)


@autocasts(FLOAT32_ON_CPU)
def eigh(A, UPLO="L") -> EigH:
    """(eigenvalues ascending, eigenvectors in columns) of symmetric matrices; only one triangle is read."""
    lapack.check_square("eigh", A)
    if UPLO.upper() not in ("L", "U"):
        raise ArgumentError(f"linalg.eigh: Expected UPLO argument to be 'L' or 'U', but got {UPLO}")
    return EigH(*lapack.eigh(A, lower=UPLO.upper() == "L"))


@autocasts(FLOAT32_ON_CPU)
def eigvalsh(A, UPLO="L"):
    """The eigenvalues of symmetric matrices, ascending."""
    return eigh(A, UPLO).eigenvalues


@autocasts(FLOAT32_ON_CPU)
def svd(A, full_matrices=True, *, driver=None) -> SVD:
    """(U, S, Vh) with singular values descending; full_matrices completes U and Vh by vectors that have no gradient."""
    lapack.check_matrix("svd", A)
    return SVD(*lapack.svd(A, full=bool(full_matrices)))


@autocasts(FLOAT32_ON_CPU)
def svdvals(A, *, driver=None):
    """The singular values of matrices, descending."""
    lapack.check_matrix("svdvals", A)
    return lapack.svd(A)[1]


def _is_vector_rhs(A, B):
    return B.ndim == 1 or (A.ndim - 1 == B.ndim and tuple(B.shape) == tuple(A.shape[:-1]))


@autocasts(FLOAT32_ON_CPU)
def solve(A, B, *, left=True):
    """X with A X = B (or X A = B with left=False); B: a vector, a matrix, or batches.  Raises LinAlgError for a singular A."""
    lapack.check_square("solve", A)
    if A.dtype is not B.dtype:
        raise DTypeError(f"linalg.solve: Expected A and B to have the same dtype, but found A of type {A.dtype.name} and B of "
                         f"type {B.dtype.name}")
    vector = _is_vector_rhs(A, B)
    b = B.unsqueeze(-1) if vector else B
    if not left:
        A, b = A.mT, (b if vector else b.mT)
    if A.shape[-1] != b.shape[-2]:
        raise ShapeError(f"linalg.solve: Incompatible shapes of A and B for the equation {'AX = B' if left else 'XA = B'} "
                         f"({list(A.shape)} and {list(B.shape)})")
    x = lapack.solve(A, b)
    x = x.squeeze(-1) if vector else x
    return x if left or vector else x.mT


@autocasts(FLOAT32_ON_CPU)
def solve_triangular(A, B, *, upper, left=True, unitriangular=False):
    """X with A X = B (or X A = B); only one triangle of A is read."""
    lapack.check_square("solve_triangular", A)
    if B.ndim < 2:
        raise ShapeError(f"linalg.solve_triangular: The input tensor B must have at least 2 dimensions, got {B.ndim}.")
    if not left:
        return lapack.solve_triangular(A.mT, B.mT, upper=not upper, unitriangular=unitriangular).mT
    if A.shape[-1] != B.shape[-2]:
        raise ShapeError(f"linalg.solve_triangular: Incompatible shapes of A and B for the equation AX = B ({list(A.shape)} and "
                         f"{list(B.shape)})")
    return lapack.solve_triangular(A, B, upper=upper, unitriangular=unitriangular)


def _tolerances(A, rtol, atol):
    atol = 0.0 if atol is None else float(atol)
    if rtol is None:
        rtol = 0.0 if atol > 0 else dtypes.finfo(A.dtype).eps * max(A.shape[-2:])
    return float(rtol), atol


@autocasts(FLOAT32_ON_CPU)
def pinv(A, *, rtol=None, atol=None, rcond=None, hermitian=False):
    """The Moore-Penrose inverse; singular values up to max(atol, rtol * largest) count as 0."""
    lapack.check_matrix("pinv", A)
    rtol, atol = _tolerances(A, rcond if rtol is None else rtol, atol)
    return lapack.pinv(A, rtol=rtol, atol=atol, hermitian=hermitian)


_DRIVERS = (None, "gels", "gelsy", "gelsd", "gelss")


@also(b="B")
@autocasts(FLOAT32_ON_CPU)
def lstsq(A, B, rcond=None, *, driver=None) -> LstSq:
    """(solution, residuals, rank, singular values) of least squares for A X = B, by the pseudo-inverse.

    As in PyTorch, driver "gels" gives no rank, only "gelsd" and "gelss" give singular values, and "gelsy", the default, gives
    no residuals.
    """
    lapack.check_matrix("lstsq", A)
    if driver not in _DRIVERS:
        raise ArgumentError(f"linalg.lstsq: parameter `driver` should be one of {_DRIVERS[1:]}, got {driver!r}")
    vector = _is_vector_rhs(A, B) and B.ndim == A.ndim - 1
    b = B.unsqueeze(-1) if vector else B
    if A.shape[-2] != b.shape[-2]:
        raise ShapeError(f"linalg.lstsq: input.size(-2) should match other.size(-2), got {A.shape[-2]} and {b.shape[-2]}")
    x = product(pinv(A, rtol=rcond), b)
    over = A.shape[-2] > A.shape[-1] and driver not in (None, "gelsy")
    rest = ((product(A, x) - b).abs() ** 2).sum(-2) if over else x.reshape(-1)[:0].real
    rank = A.new_empty(0, dtype=dtypes.int64) if driver == "gels" else matrix_rank(A, rtol=rcond)
    values = lapack.svd(A.detach())[1] if driver in ("gelsd", "gelss") else A.new_empty(0).real
    return LstSq(x.squeeze(-1) if vector else x, rest, rank, values)


@also(input="A")
@autocasts(FLOAT32_ON_CPU)
def matrix_rank(A, tol=None, hermitian=False, *, atol=None, rtol=None):
    """How many singular values are above max(atol, rtol * largest)."""
    lapack.check_matrix("matrix_rank", A)
    s = lapack.svd(A.detach())[1]
    if tol is not None:
        return (s > tol).sum(-1)
    if not s.numel():
        return A.new_zeros(A.shape[:-2], dtype=dtypes.int64)
    given = isinstance(atol, TensorBase) or bool(atol)
    default = 0.0 if given else dtypes.finfo(A.dtype).eps * max(A.shape[-2:])
    rtol = default if rtol is None else rtol
    largest = s.amax(-1, keepdim=True)
    limit = largest * (rtol.unsqueeze(-1) if isinstance(rtol, TensorBase) and rtol.ndim else rtol)
    if atol is not None:
        floor = atol.unsqueeze(-1) if isinstance(atol, TensorBase) and atol.ndim else atol
        limit = limit.clamp(min=floor)
    return (s > limit).sum(-1)


@autocasts(FLOAT32_ON_CPU)
def cond(A, p=None):
    """The condition number of matrices in the norm p (2 by default)."""
    lapack.check_matrix("cond", A)
    if p in (None, 2, -2):
        s = lapack.svd(A)[1]
        top, low = s.amax(-1), s.amin(-1)
        return low / top if p == -2 else top / low
    return matrix_norm(A, p) * matrix_norm(inv(A), p)


def matrix_norm(A, ord="fro", dim=(-2, -1), keepdim=False, *, dtype=None):
    """A norm of matrices in two dimensions: "fro", "nuc", 1, -1, 2, -2, inf, -inf."""
    if dtype is not None:
        A = A.to(dtype)
    if not A.dtype.is_inexact:
        raise DTypeError(f"linalg.matrix_norm: Expected a floating point or complex tensor as input. Got {A.dtype.name}")
    if A.ndim < 2:
        raise ShapeError(f"linalg.matrix_norm: The input tensor A must have at least 2 dimensions, got {A.ndim}.")
    if len(dim) != 2:
        raise ShapeError(f"linalg.matrix_norm: dim must be a 2-tuple. Got {list(dim)}")
    r, c = (normalize_dim(d, A.ndim, "linalg.matrix_norm") for d in dim)
    if r == c:
        raise ShapeError(f"linalg.matrix_norm: dims must be different. Got ({dim[0]}, {dim[1]})")
    if ord == "fro":
        return vector_norm(A, 2, (r, c), keepdim)
    if ord in ("nuc", 2, -2):
        s = lapack.svd(A.movedim((r, c), (-2, -1)))[1]
        value = s.sum(-1) if ord == "nuc" else _largest(s, -1, False) if ord == 2 else s.amin(-1)
    elif ord in (1, -1, math.inf, -math.inf):
        along, other = (r, c) if abs(ord) == 1 else (c, r)
        sums = A.abs().sum(along, keepdim=True)
        value = _largest(sums, other, True) if ord > 0 else sums.amin(other, keepdim=True)
        return value if keepdim else value.reshape([n for d, n in enumerate(A.shape) if d not in (r, c)])
    else:
        raise ArgumentError(f"linalg.matrix_norm: Order {ord} not supported.")
    if keepdim:
        for d in sorted((r, c)):
            value = value.unsqueeze(d)
    return value


def _largest(x, dim, keepdim):
    return x.amax(dim, keepdim) if x.shape[dim] else x.sum(dim, keepdim)


@also(A="input")
def norm(input, ord=None, dim=None, keepdim=False, *, dtype=None):
    """vector_norm or matrix_norm, depending on ord and the number of dims."""
    if dim is not None and hasattr(dim, "__index__"):
        dim = (dim,)
    if ord is None:
        return vector_norm(input, 2, dim, keepdim, dtype=dtype)
    n = input.ndim if dim is None else len(dim)
    if n not in (1, 2):
        raise ShapeError(f"linalg.norm: If dim is specified, it must be of length 1 or 2; if it is None and ord is given, the "
                         f"tensor must be 1D or 2D. Got {dim} for a {input.ndim}D tensor")
    if n == 2:
        return matrix_norm(input, ord, (0, 1) if dim is None else tuple(dim), keepdim, dtype=dtype)
    if isinstance(ord, str):
        raise ArgumentError(f"linalg.norm: norm order {ord!r} needs a matrix, got {input.ndim}D tensor and dim {dim}")
    return vector_norm(input, ord, dim, keepdim, dtype=dtype)


@in_float32
def matrix_power(A, n):
    """A multiplied by itself n times; a negative n inverts first."""
    lapack.check_square("matrix_power", A)
    if n == 0:
        return A.nan_to_num(0.0, 0.0, 0.0) * 0 + eye(A.shape[-1], dtype=A.dtype, device=A.device)
    base, n = (inv(A), -n) if n < 0 else (A, n)
    result = None
    while n:
        if n & 1:
            result = base if result is None else product(result, base)
        n >>= 1
        base = product(base, base) if n else base
    return result.clone() if result is A else result


@in_float32
def matrix_exp(A):
    """The matrix exponential, by scaling, a Taylor polynomial of degree 18, and squaring (Higham 2005 for the idea)."""
    lapack.check_square("matrix_exp", A)
    if not A.numel():
        return A.clone()
    largest = 0.0 if A.is_meta else float(A.detach().abs().sum(-2).amax())
    # largest 1-norms at which degree 18 reaches the dtype's precision
    limit = 1.09 if A.dtype.to_real() is dtypes.float64 else 3.01
    squarings = max(0, math.ceil(math.log2(largest / limit))) if 0 < largest < math.inf else 0
    x = A * 2.0 ** -squarings
    unit = eye(A.shape[-1], dtype=A.dtype, device=A.device)
    result = unit + x / 18
    for k in range(17, 0, -1):
        result = unit + product(x, result) / k
    for _ in range(squarings):
        result = product(result, result)
    return result


@autocasts(LOW)
@in_float32
def vecdot(x, y, *, dim=-1):
    """The sum of products over one dimension, broadcast; x is conjugated."""
    return (x.conj() * y).sum(dim)


def diagonal(A, *, offset=0, dim1=-2, dim2=-1):
    """The diagonal of two dimensions."""
    return A.diagonal(offset, dim1, dim2)


def vander(x, N=None):
    """The Vandermonde matrix with rising powers of the last dimension's elements along a new one."""
    x = x if x.ndim else x.unsqueeze(0)
    n = x.shape[-1] if N is None else N
    if n <= 1:
        raise ArgumentError(f"linalg.vander: N must be greater than 1, got {n}")
    powers = x.unsqueeze(-1).expand(*x.shape, n - 1).cumprod(-1)
    return cat([powers.new_ones((*x.shape, 1)), powers], -1)


def tensorinv(A, ind=2):
    """The inverse of A as a linear map under tensordot, with its first `ind` dimensions as rows."""
    if ind <= 0:
        raise ArgumentError(f"linalg.tensorinv: Expected a strictly positive integer for 'ind', got {ind}")
    rows, columns = A.shape[:ind], A.shape[ind:]
    if math.prod(rows) != math.prod(columns):
        raise ShapeError(f"linalg.tensorinv: Expected self to satisfy the requirement prod(self.shape[ind:]) == "
                         f"prod(self.shape[:ind]), but got {math.prod(columns)} != {math.prod(rows)}")
    return inv(A.reshape(math.prod(rows), -1)).reshape((*columns, *rows))


@also(other="B")
def tensorsolve(A, B, dims=None):
    """X with tensordot(A, X, X.ndim) = B."""
    if dims is not None:
        A = A.movedim(tuple(dims), tuple(range(A.ndim - len(dims), A.ndim)))
    wanted = tuple(A.shape[B.ndim:])
    if math.prod(wanted) != B.numel():
        raise ShapeError(f"linalg.tensorsolve: Expected self to satisfy the requirement prod(self.shape[other.ndim:]) == "
                         f"prod(self.shape[:other.ndim]), but got {math.prod(wanted)} != {B.numel()}")
    return solve(A.reshape(B.numel(), -1), B.reshape(-1)).reshape(wanted)


def matmul(input, other):
    """The matrix product."""
    return product(input, other)


__all__ = ["NAMES", "LinAlgError", "cross", "multi_dot", "vander", "vector_norm"]

#: the public names of cltensor.linalg
NAMES = ("cholesky", "cond", "cross", "det", "diagonal", "eigh", "eigvalsh", "inv", "lstsq", "matmul",
         "matrix_exp", "matrix_norm", "matrix_power", "matrix_rank", "multi_dot", "norm", "pinv", "qr", "slogdet", "solve",
         "solve_triangular", "svd", "svdvals", "tensorinv", "tensorsolve", "vander", "vecdot", "vector_norm")

for _fn, _out in ((det, False), (slogdet, True), (matrix_power, True), (matrix_exp, False)):
    function(out=_out)(spelled(input="A")(_fn))


@function("inverse")
def _inverse(input):
    """The inverse of square matrices (*, n, n) of a floating or complex dtype: linalg.inv.

    Raises LinAlgError for a singular matrix, ShapeError for one that is not square.
    Source: LU decomposition with partial pivoting, LAPACK's getrf and getri.

        >>> ct.inverse(ct.tensor([[2.0, 0.0], [0.0, 4.0]]))
        tensor([[0.5000, 0.0000],
                [0.0000, 0.2500]])
    """
    return inv(input)


@function("pinverse", out=False)
def _pinverse(input, rcond=1e-15):
    """The pseudoinverse of matrices (*, m, n) of a floating or complex dtype.

    Singular values below rcond times the largest count as 0.

    Raises ShapeError for less than two dimensions.  Source: Moore-Penrose inverse by the singular value decomposition.

        >>> ct.pinverse(ct.tensor([[2.0, 0.0]]))
        tensor([[0.5000],
                [0.0000]])
    """
    return pinv(input, rtol=rcond)


@function(out=False)
def logdet(input):
    """The logarithm of the determinant; NaN where it is negative, its principal value where it is complex."""
    sign, log = slogdet(input)
    if input.dtype.is_complex:
        return sign.log() + log
    return log + (sign.detach() * 0 + math.nan).where(sign < 0, sign.detach() * 0)


@function("cholesky")
def _top_cholesky(input, upper=False):
    """linalg.cholesky."""
    return cholesky(input, upper=upper)


@function()
@autocasts(FLOAT32_ON_CPU)
def cholesky_inverse(input, upper=False):
    """The inverse of A from its Cholesky factor."""
    low = input.mH if upper else input
    return lapack.inv(product(low, low.mH))


@function()
@spelled(input2="L")
@autocasts(FLOAT32_ON_CPU)
def cholesky_solve(input, L, upper=False):
    """X with A X = input from A's Cholesky factor."""
    if input.ndim < 2 or L.ndim < 2 or input.shape[-2] != L.shape[-1]:
        raise ShapeError(f"cholesky_solve: Incompatible matrix sizes: input {list(input.shape)}, L {list(L.shape)}")
    batch = broadcast_shapes(input.shape[:-2], L.shape[:-2], op="cholesky_solve")
    b, low = input.expand(*batch, *input.shape[-2:]), L.expand(*batch, *L.shape[-2:])
    return lapack.cholesky_solve(b, low, upper=bool(upper))


@function(method=True)
def triangular_solve(input, A, upper=True, transpose=False, unitriangular=False) -> TriangularSolve:
    """(X, A) with A X = input; only one triangle of A is read; transpose: solve with A.T."""
    if input.ndim < 2 or A.ndim < 2 or A.shape[-1] != A.shape[-2] or A.shape[-1] != input.shape[-2]:
        raise ShapeError(f"triangular_solve: expected input (*, m, k) and A (*, m, m), got {list(input.shape)} and {list(A.shape)}")
    batch = broadcast_shapes(input.shape[:-2], A.shape[:-2], op="triangular_solve")
    b, a = input.expand(*batch, *input.shape[-2:]), A.expand(*batch, *A.shape[-2:])
    left, upper = (a.mT, not upper) if transpose else (a, upper)
    x = lapack.solve_triangular(left, b, upper=bool(upper), unitriangular=bool(unitriangular))
    return TriangularSolve(x, a.clone())


@function("qr")
def _top_qr(input, some=True) -> QR:
    """linalg.qr."""
    return qr(input, "reduced" if some else "complete")


@function("svd")
def _top_svd(input, some=True, compute_uv=True) -> SVDWithV:
    """(U, S, V): linalg.svd with V instead of its conjugate transpose; without compute_uv U and V are square and all zeros."""
    if not compute_uv:
        batch, (m, n) = input.shape[:-2], input.shape[-2:]
        return SVDWithV(input.new_zeros((*batch, m, m)), svdvals(input), input.new_zeros((*batch, n, n)))
    u, s, vh = svd(input, not some)
    return SVDWithV(u, s, vh.mH)
