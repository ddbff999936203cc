"""cltensor.linalg: decompositions, solvers and norms of matrices.

Decompositions run through NumPy's LAPACK on the host (small dense matrices are faster there than on any device); their
gradients run on the device.  They are marked `host` in the registry, and `cltensor doctor` lists them.
"""

import math
from collections import namedtuple

import numpy as np

from ..base import dtypes
from ..base.errors import ArgumentError, DTypeError, ShapeError
from ..base.shapes import broadcast_shapes, normalize_dim
from ..ops.composite import composite
from .creation import eye, from_array
from .diagonals import diag_embed
from .dispatch import TensorBase
from .products import linalg_cross as cross
from .products import multi_dot, product
from .shape import cat
from .statistics import vector_norm
from .surface import also, function


class LinAlgError(ShapeError):
    """A matrix that is singular, or not positive definite, where the function needs it to be."""


SlogDet = namedtuple("slogdet", ("sign", "logabsdet"))
QR = namedtuple("qr", ("Q", "R"))
SVD = namedtuple("svd", ("U", "S", "Vh"))
EigH = namedtuple("eigh", ("eigenvalues", "eigenvectors"))
InvEx = namedtuple("inv_ex", ("inverse", "info"))
CholeskyEx = namedtuple("cholesky_ex", ("L", "info"))
SolveEx = namedtuple("solve_ex", ("result", "info"))
TriangularSolve = namedtuple("triangular_solve", ("solution", "cloned_coefficient"))
LstSq = namedtuple("lstsq", ("solution", "residuals", "rank", "singular_values"))


def _floating(name, x):
    if x.dtype not in (dtypes.float32, dtypes.float64):
        raise DTypeError(f"linalg.{name}: Expected a floating point tensor of float32 or float64 as input. Got {x.dtype.name}")


def _matrix(name, x):
    if x.ndim < 2:
        raise ShapeError(f"linalg.{name}: The input tensor A must have at least 2 dimensions, got {x.ndim}.")
    _floating(name, x)


def _square(name, x):
    _matrix(name, x)
    if x.shape[-1] != x.shape[-2]:
        raise ShapeError(f"linalg.{name}: A must be batches of square matrices, but they are {x.shape[-2]} by {x.shape[-1]} "
                         f"matrices")


def _host(x):
    return x.detach()._read()


def _device(array, like):
    return from_array(np.asarray(array, like.dtype.numpy), like.dtype, like.device)


def _lapack(name, fn, *arrays):
    try:
        return fn(*arrays)
    except np.linalg.LinAlgError as e:
        raise LinAlgError(f"linalg.{name}: {e}") from None


# --- the ops that have their own gradient ----------------------------------------------------------------------------


@composite("linalg_inv", batch="leading", host=True, public=False, saves="y", dtypes="floating", vjp=(
    lambda g, y, a: -product(y.mT, product(g, y.mT)),))
def _inv(a):
    """The inverse."""
    return _device(_lapack("inv", np.linalg.inv, _host(a)), a)


def _cholesky_vjp(g, y, a):
    n = y.shape[-1]
    phi = product(y.mT, g).tril()
    phi = phi - diag_embed(phi.diagonal(0, -2, -1)) * 0.5
    inner_ = _solve_triangular(y.mT, phi, upper=True, unitriangular=False)
    result = _solve_triangular(y.mT, inner_.mT, upper=True, unitriangular=False)
    return (result + result.mT) * 0.5 if n else g


@composite("linalg_cholesky", batch="leading", host=True, public=False, saves="y", dtypes="floating", vjp=(_cholesky_vjp,))
def _cholesky(a):
    """The lower Cholesky factor."""
    return _device(_lapack("cholesky", np.linalg.cholesky, _host(a)), a)


def _tri_solve(a, b, upper, unit):
    a = np.triu(a) if upper else np.tril(a)
    if unit:
        i = np.arange(a.shape[-1])
        a = a.copy()
        a[..., i, i] = 1
    return np.linalg.solve(a, b)


def _tri_grad_a(g, y, a, b, upper, unitriangular):
    gb = _solve_triangular(a.mT, g, upper=not upper, unitriangular=unitriangular)
    ga = -product(gb, y.mT)
    return ga.triu(1 if unitriangular else 0) if upper else ga.tril(-1 if unitriangular else 0)


@composite("linalg_solve_triangular", batch="leading", host=True, public=False, saves="a y", dtypes="floating", vjp=(
    _tri_grad_a,
    lambda g, y, a, b, upper, unitriangular: _solve_triangular(a.mT, g, upper=not upper, unitriangular=unitriangular)))
def _solve_triangular(a, b, *, upper, unitriangular):
    """X with a X = b, a triangular."""
    x = _lapack("solve_triangular", _tri_solve, _host(a), _host(b), upper, unitriangular)
    return _device(x, b)


def _factor_gradient(g, y, b, factor, upper):
    """Gradient of cholesky_solve for the factor, as if all of it were read, as PyTorch has it."""
    common = product(_cholesky_solve(g, factor, upper=upper), y.mT)
    common = common + common.mT
    return -product(factor, common) if upper else -product(common, factor)


@composite("cholesky_solve_dense", batch="leading", host=True, public=False, saves="factor y", dtypes="floating", vjp=(
    lambda g, y, b, factor, upper: _cholesky_solve(g, factor, upper=upper), _factor_gradient))
def _cholesky_solve(b, factor, *, upper):
    """X with A X = b, A = factor factor.T (factor.T factor with upper)."""
    low = factor.mT if upper else factor
    y = _solve_triangular(low, b, upper=False, unitriangular=False)
    return _solve_triangular(low.mT, y, upper=True, unitriangular=False)


@composite("linalg_solve", batch="leading", host=True, public=False, saves="a y", dtypes="floating", vjp=(
    lambda g, y, a, b: -product(_solve(a.mT, g), y.mT), lambda g, y, a, b: _solve(a.mT, g)))
def _solve(a, b):
    """X with a X = b."""
    return _device(_lapack("solve", np.linalg.solve, _host(a), _host(b)), b)


@composite("linalg_det", batch="leading", host=True, public=False, saves="a y", dtypes="floating", vjp=(
    lambda g, y, a: _cofactors(a, y) * g.unsqueeze(-1).unsqueeze(-1),))
def _det(a):
    """The determinant."""
    return _device(np.linalg.det(_host(a)), a)


def _cofactors(a, det_):
    """det(A) inv(A).T, through the singular values where A is singular."""
    if not bool((det_ == 0).any()):
        return _inv(a).mT * det_.unsqueeze(-1).unsqueeze(-1)
    u, s, vh = _svd(a)
    n = s.shape[-1]
    rest = cat([cat([s.narrow(-1, 0, i), s.narrow(-1, i + 1, n - i - 1)], -1).prod(-1, keepdim=True) for i in range(n)], -1)
    sign = _det(u) * _det(vh)
    return product(u * rest.unsqueeze(-2), vh) * sign.unsqueeze(-1).unsqueeze(-1)


@composite("linalg_slogdet", batch="leading", host=True, public=False, saves="a", dtypes="floating", vjp=(
    lambda g, y, a: _inv(a).mT * g[1].unsqueeze(-1).unsqueeze(-1),))
def _slogdet(a):
    """Sign and logarithm of the absolute value of the determinant."""
    sign, log = np.linalg.slogdet(_host(a))
    return _device(sign, a), _device(log, a)


def _qr_vjp(g, y, a):
    (gq, gr), (q, r) = g, y
    if q.shape[-2] < a.shape[-1]:  # wide: the first columns determine Q
        m = q.shape[-1]
        ga_right = product(q, gr.narrow(-1, m, a.shape[-1] - m))
        gq_all = gq + product(a.narrow(-1, m, a.shape[-1] - m), gr.narrow(-1, m, a.shape[-1] - m).mT)
        left = _qr_square(gq_all, gr.narrow(-1, 0, m), q, r.narrow(-1, 0, m))
        return cat([left, ga_right], -1)
    return _qr_square(gq, gr, q, r)


def _qr_square(gq, gr, q, r):
    m = product(r, gr.mT) - product(gq.mT, q)
    low = m.tril(-1)
    sym = low + low.mT + diag_embed(m.diagonal(0, -2, -1))
    return _solve_triangular(r, (gq + product(q, sym)).mT, upper=True, unitriangular=False).mT


@composite("linalg_qr", batch="leading", host=True, public=False, saves="a y", dtypes="floating", vjp=(_qr_vjp,))
def _qr(a):
    """The reduced QR decomposition."""
    q, r = np.linalg.qr(_host(a), "reduced")
    return _device(q, a), _device(r, a)


def _inverse_gaps(w):
    """1 / (w_j - w_i) off the diagonal, 0 on it."""
    gaps = w.unsqueeze(-2) - w.unsqueeze(-1)
    gaps = gaps + diag_embed((w * 0) + math.inf)
    return 1 / gaps


def _eigh_vjp(g, y, a, lower):
    (gw, gv), (w, v) = g, y
    inner_ = product(v.mT, gv) * _inverse_gaps(w) + diag_embed(gw)
    result = product(v, product(inner_, v.mT))
    return (result + result.mT) * 0.5


@composite("linalg_eigh", batch="leading", host=True, public=False, saves="y", dtypes="floating", vjp=(_eigh_vjp,))
def _eigh(a, *, lower):
    """Eigenvalues and eigenvectors of symmetric matrices."""
    w, v = _lapack("eigh", lambda m: np.linalg.eigh(m, "L" if lower else "U"), _host(a))
    return _device(w, a), _device(v, a)


def _svd_vjp(g, y, a):
    (gu, gs, gvh), (u, s, vh) = g, y
    m, n, k = a.shape[-2], a.shape[-1], s.shape[-1]
    gaps = (s.unsqueeze(-2) - s.unsqueeze(-1)) * (s.unsqueeze(-2) + s.unsqueeze(-1))
    f = 1 / (gaps + diag_embed(s * 0 + math.inf))
    utgu, vtgv = product(u.mT, gu), product(vh, gvh.mT)
    left = (utgu - utgu.mT) * f * s.unsqueeze(-2)
    right = (vtgv - vtgv.mT) * f * s.unsqueeze(-1)
    ga = product(u, product(left + right + diag_embed(gs), vh))
    if m > k:
        outside = gu / s.unsqueeze(-2)
        ga = ga + product(outside - product(u, product(u.mT, outside)), vh)
    if n > k:
        outside = gvh.mT / s.unsqueeze(-2)
        ga = ga + product(u, (outside - product(vh.mT, product(vh, outside))).mT)
    return ga


@composite("linalg_svd", batch="leading", host=True, public=False, saves="a y", dtypes="floating", vjp=(_svd_vjp,))
def _svd(a):
    """The reduced singular value decomposition."""
    u, s, vh = _lapack("svd", lambda m: np.linalg.svd(m, full_matrices=False), _host(a))
    return _device(u, a), _device(s, a), _device(vh, a)


def _pinv_vjp(g, y, a, rtol, atol, hermitian):
    p = y
    left, right = a.shape[-2], a.shape[-1]
    pg = product(p.mT, product(g, p.mT))
    outside = eye(left, dtype=a.dtype, device=a.device) - product(a, p)
    inside = eye(right, dtype=a.dtype, device=a.device) - product(p, a)
    return product(outside, product(g.mT, product(p, p.mT))) + product(product(p.mT, p), product(g.mT, inside)) - pg


@composite("linalg_pinv", batch="leading", host=True, public=False, saves="a y", dtypes="floating", vjp=(_pinv_vjp,))
def _pinv(a, *, rtol, atol, hermitian):
    """The Moore-Penrose inverse."""
    x = _host(a)
    if not x.size:
        return a.new_zeros((*a.shape[:-2], a.shape[-1], a.shape[-2]))
    if hermitian:  # one triangle is read
        x = np.tril(x) + np.swapaxes(np.tril(x, -1), -1, -2)
    u, s, vh = _lapack("pinv", lambda m: np.linalg.svd(m, full_matrices=False), x)
    limit = np.maximum(atol, rtol * s.max(-1, keepdims=True))
    inverse = np.where(s > limit, 1 / np.where(s > limit, s, 1), 0)
    return _device(np.swapaxes(u * inverse[..., None, :] @ vh, -1, -2), a)


# --- the public functions --------------------------------------------------------------------------------------------


def inv(A):
    """The inverse of square matrices.  Raises LinAlgError for a singular one."""
    _square("inv", A)
    return _inv(A)


def inv_ex(A, *, check_errors=False):
    """(inverse, info); info is 0 where the matrix could be inverted."""
    return InvEx(inv(A), A.new_zeros(A.shape[:-2], dtype=dtypes.int32))


def det(A):
    """The determinant of square matrices."""
    _square("det", A)
    return _det(A)


def slogdet(A):
    """(sign, log of the absolute value) of the determinant of square matrices."""
    _square("slogdet", A)
    return SlogDet(*_slogdet(A))


def cholesky(A, *, upper=False):
    """The Cholesky factor of symmetric positive-definite matrices.  Raises LinAlgError for others."""
    _square("cholesky", A)
    low = _cholesky(A)
    return low.mT if upper else low


def cholesky_ex(A, *, upper=False, check_errors=False):
    """(Cholesky factor, info)."""
    return CholeskyEx(cholesky(A, upper=upper), A.new_zeros(A.shape[:-2], dtype=dtypes.int32))


def qr(A, mode="reduced"):
    """(Q, R) with orthonormal columns in Q; mode "r" leaves Q empty, "complete" gives a square Q (no gradient)."""
    _matrix("qr", A)
    if mode not in ("reduced", "complete", "r"):
        raise ArgumentError(f"linalg.qr: received unrecognized mode {mode!r} but expected one of 'reduced', 'r', or 'complete'")
    if mode == "complete" and A.shape[-2] > A.shape[-1]:
        q, r = np.linalg.qr(_host(A), "complete")
        return QR(_device(q, A), _device(r, A))
    q, r = _qr(A)
    return QR(A.new_empty(0), r) if mode == "r" else QR(q, r)


def eigh(A, UPLO="L"):
    """(eigenvalues ascending, eigenvectors in columns) of symmetric matrices, of which one triangle is read."""
    _square("eigh", A)
    if UPLO.upper() not in ("L", "U"):
        raise ArgumentError(f"linalg.eigh: Expected UPLO argument to be 'L' or 'U', but got {UPLO}")
    return EigH(*_eigh(A, lower=UPLO.upper() == "L"))


def eigvalsh(A, UPLO="L"):
    """The eigenvalues of symmetric matrices, ascending."""
    return eigh(A, UPLO).eigenvalues


def svd(A, full_matrices=True, *, driver=None):
    """(U, S, Vh) with singular values descending; full_matrices completes U and Vh (they are then without gradient)."""
    _matrix("svd", A)
    if not full_matrices or A.shape[-1] == A.shape[-2]:
        return SVD(*_svd(A))
    u, _, vh = np.linalg.svd(_host(A), full_matrices=True)
    return SVD(_device(u, A), _svd(A)[1], _device(vh, A))


def svdvals(A, *, driver=None):
    """The singular values of matrices, descending."""
    _matrix("svdvals", A)
    return _svd(A)[1]


def _is_vector_rhs(A, B):
    return B.ndim == 1 or (A.ndim - 1 == B.ndim and tuple(B.shape) == tuple(A.shape[:-1]))


def solve(A, B, *, left=True):
    """X with A X = B (or X A = B with left=False); B a vector, a matrix, or batches.  Raises LinAlgError for a singular A."""
    _square("solve", A)
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
    x = _solve(A, b)
    x = x.squeeze(-1) if vector else x
    return x if left or vector else x.mT


def solve_ex(A, B, *, left=True, check_errors=False):
    """(X, info)."""
    return SolveEx(solve(A, B, left=left), A.new_zeros(A.shape[:-2], dtype=dtypes.int32))


def solve_triangular(A, B, *, upper, left=True, unitriangular=False):
    """X with A X = B (or X A = B), where only one triangle of A is read."""
    _square("solve_triangular", A)
    if B.ndim < 2:
        raise ShapeError(f"linalg.solve_triangular: The input tensor B must have at least 2 dimensions, got {B.ndim}.")
    if not left:
        return _solve_triangular(A.mT, B.mT, upper=not upper, unitriangular=unitriangular).mT
    if A.shape[-1] != B.shape[-2]:
        raise ShapeError(f"linalg.solve_triangular: Incompatible shapes of A and B for the equation AX = B ({list(A.shape)} and "
                         f"{list(B.shape)})")
    return _solve_triangular(A, B, upper=upper, unitriangular=unitriangular)


def _tolerances(A, rtol, atol):
    atol = 0.0 if atol is None else float(atol)
    if rtol is None:
        rtol = 0.0 if atol > 0 else dtypes.finfo(A.dtype).eps * max(A.shape[-2:])
    return float(rtol), atol


def pinv(A, *, rtol=None, atol=None, rcond=None, hermitian=False):
    """The Moore-Penrose inverse; singular values up to max(atol, rtol * largest) count as 0."""
    _matrix("pinv", A)
    rtol, atol = _tolerances(A, rcond if rtol is None else rtol, atol)
    return _pinv(A, rtol=rtol, atol=atol, hermitian=hermitian)


_DRIVERS = (None, "gels", "gelsy", "gelsd", "gelss")


@also(b="B")
def lstsq(A, B, rcond=None, *, driver=None):
    """(solution, residuals, rank, singular values) of least squares for A X = B, by the pseudo-inverse.

    As in PyTorch, driver "gels" gives no rank, and only "gelsd" and "gelss" give singular values.
    """
    _matrix("lstsq", A)
    if driver not in _DRIVERS:
        raise ArgumentError(f"linalg.lstsq: parameter `driver` should be one of {_DRIVERS[1:]}, got {driver!r}")
    vector = _is_vector_rhs(A, B) and B.ndim == A.ndim - 1
    b = B.unsqueeze(-1) if vector else B
    if A.shape[-2] != b.shape[-2]:
        raise ShapeError(f"linalg.lstsq: input.size(-2) should match other.size(-2), got {A.shape[-2]} and {b.shape[-2]}")
    x = product(pinv(A, rtol=rcond), b)
    over = A.shape[-2] > A.shape[-1]
    rest = ((product(A, x) - b) ** 2).sum(-2) if over else x.reshape(-1)[:0]
    rank = A.new_empty(0, dtype=dtypes.int64) if driver == "gels" else matrix_rank(A, rtol=rcond)
    values = _svd(A.detach())[1] if driver in ("gelsd", "gelss") else A.new_empty(0)
    return LstSq(x.squeeze(-1) if vector else x, rest, rank, values)


@also(input="A")
def matrix_rank(A, tol=None, hermitian=False, *, atol=None, rtol=None):
    """How many singular values are above max(atol, rtol * largest)."""
    _matrix("matrix_rank", A)
    s = _svd(A.detach())[1]
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


def cond(A, p=None):
    """The condition number of matrices in a norm (by default that of 2)."""
    _matrix("cond", A)
    if p in (None, 2, -2):
        s = _svd(A)[1]
        top, low = s.amax(-1), s.amin(-1)
        return low / top if p == -2 else top / low
    return matrix_norm(A, p) * matrix_norm(inv(A), p)


def matrix_norm(A, ord="fro", dim=(-2, -1), keepdim=False, *, dtype=None):
    """A norm of matrices in two dimensions: "fro", "nuc", 1, -1, 2, -2, inf, -inf."""
    if dtype is not None:
        A = A.to(dtype)
    if not A.dtype.is_floating_point:
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
        s = _svd(A.movedim((r, c), (-2, -1)))[1]
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


def norm(A, ord=None, dim=None, keepdim=False, *, dtype=None):
    """vector_norm or matrix_norm, by ord and the number of dims."""
    if dim is not None and hasattr(dim, "__index__"):
        dim = (dim,)
    if ord is None:
        return vector_norm(A, 2, dim, keepdim, dtype=dtype)
    n = A.ndim if dim is None else len(dim)
    if n not in (1, 2):
        raise ShapeError(f"linalg.norm: If dim is specified, it must be of length 1 or 2; if it is None and ord is given, the "
                         f"tensor must be "
                         f"1D or 2D. Got {dim} for a {A.ndim}D tensor")
    if n == 2:
        return matrix_norm(A, ord, (0, 1) if dim is None else tuple(dim), keepdim, dtype=dtype)
    if isinstance(ord, str):
        raise ArgumentError(f"linalg.norm: norm order {ord!r} needs a matrix, got {A.ndim}D tensor and dim {dim}")
    return vector_norm(A, ord, dim, keepdim, dtype=dtype)


def matrix_power(A, n):
    """A multiplied with itself n times; a negative n inverts first."""
    _square("matrix_power", A)
    if n == 0:
        return A * 0 + eye(A.shape[-1], dtype=A.dtype, device=A.device)
    base, n = (inv(A), -n) if n < 0 else (A, n)
    result = None
    while n:
        if n & 1:
            result = base if result is None else product(result, base)
        n >>= 1
        base = product(base, base) if n else base
    return result.clone() if result is A else result


def matrix_exp(A):
    """The matrix exponential, by scaling, a Taylor polynomial of degree 18, and squaring (Higham 2005 for the idea)."""
    _square("matrix_exp", A)
    if not A.numel():
        return A.clone()
    largest = float(A.detach().abs().sum(-2).amax())
    limit = 1.09 if A.dtype is dtypes.float64 else 3.01  # 1-norms up to which degree 18 reaches the dtype's precision
    squarings = max(0, math.ceil(math.log2(largest / limit))) if 0 < largest < math.inf else 0
    x = A * 2.0 ** -squarings
    unit = eye(A.shape[-1], dtype=A.dtype, device=A.device)
    result = unit + x / 18
    for k in range(17, 0, -1):
        result = unit + product(x, result) / k
    for _ in range(squarings):
        result = product(result, result)
    return result


def vecdot(x, y, *, dim=-1):
    """Products summed over one dimension, broadcast."""
    return (x * y).sum(dim)


def diagonal(A, *, offset=0, dim1=-2, dim2=-1):
    """The diagonal of two dimensions."""
    return A.diagonal(offset, dim1, dim2)


def vander(x, *, N=None):
    """The Vandermonde matrix with rising powers of the last dimension's elements along a new one."""
    x = x if x.ndim else x.unsqueeze(0)
    n = x.shape[-1] if N is None else N
    if n <= 1:
        raise ArgumentError(f"linalg.vander: N must be greater than 1, got {n}")
    powers = x.unsqueeze(-1).expand(*x.shape, n - 1).cumprod(-1)
    return cat([powers.new_ones((*x.shape, 1)), powers], -1)


def tensorinv(A, ind=2):
    """The inverse of the linear map that tensordot with A (its first `ind` dimensions as rows) is."""
    if ind <= 0:
        raise ArgumentError(f"linalg.tensorinv: Expected a strictly positive integer for 'ind', got {ind}")
    rows, columns = A.shape[:ind], A.shape[ind:]
    if math.prod(rows) != math.prod(columns):
        raise ShapeError(f"linalg.tensorinv: Expected self to satisfy the requirement prod(self.shape[ind:]) == "
                         f"prod(self.shape[:ind]), but "
                         f"got {math.prod(columns)} != {math.prod(rows)}")
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
NAMES = ("cholesky", "cholesky_ex", "cond", "cross", "det", "diagonal", "eigh", "eigvalsh", "inv", "inv_ex", "lstsq", "matmul",
         "matrix_exp", "matrix_norm", "matrix_power", "matrix_rank", "multi_dot", "norm", "pinv", "qr", "slogdet", "solve",
         "solve_ex", "solve_triangular", "svd", "svdvals", "tensorinv", "tensorsolve", "vander", "vecdot", "vector_norm")

for _fn, _names in ((inv, ("inverse",)), (det, ()), (slogdet, ()), (matrix_power, ()), (matrix_exp, ()), (pinv, ("pinverse",))):
    for _name in (_fn.__name__, *_names):
        if _name not in ("inv", "pinv"):
            function(_name)(_fn)


@function()
def logdet(input):
    """The logarithm of the determinant; NaN where it is negative."""
    sign, log = slogdet(input)
    return log + (sign.detach() * 0 + math.nan).where(sign < 0, sign.detach() * 0)


@function("cholesky")
def _top_cholesky(input, upper=False):
    """linalg.cholesky."""
    return cholesky(input, upper=upper)


@function()
def cholesky_inverse(input, upper=False):
    """The inverse of A from its Cholesky factor."""
    low = input.mT if upper else input
    return _inv(product(low, low.mT))


@function()
@also(input2="L")
def cholesky_solve(input, L, upper=False):
    """X with A X = input from A's Cholesky factor."""
    if input.ndim < 2 or L.ndim < 2 or input.shape[-2] != L.shape[-1]:
        raise ShapeError(f"cholesky_solve: Incompatible matrix sizes: input {list(input.shape)}, L {list(L.shape)}")
    batch = broadcast_shapes(input.shape[:-2], L.shape[:-2], op="cholesky_solve")
    b, low = input.expand(*batch, *input.shape[-2:]), L.expand(*batch, *L.shape[-2:])
    return _cholesky_solve(b, low, upper=bool(upper))


@function(method=True)
def triangular_solve(input, A, upper=True, transpose=False, unitriangular=False):
    """(X, A) with A X = input, where only one triangle of A is read, and A may be taken transposed."""
    if input.ndim < 2 or A.ndim < 2 or A.shape[-1] != A.shape[-2] or A.shape[-1] != input.shape[-2]:
        raise ShapeError(f"triangular_solve: expected input (*, m, k) and A (*, m, m), got {list(input.shape)} and {list(A.shape)}")
    batch = broadcast_shapes(input.shape[:-2], A.shape[:-2], op="triangular_solve")
    b, a = input.expand(*batch, *input.shape[-2:]), A.expand(*batch, *A.shape[-2:])
    left, upper = (a.mT, not upper) if transpose else (a, upper)
    x = _solve_triangular(left, b, upper=bool(upper), unitriangular=bool(unitriangular))
    return TriangularSolve(x, a.clone())


@function("qr")
def _top_qr(input, some=True):
    """linalg.qr."""
    return qr(input, "reduced" if some else "complete")


@function("svd")
def _top_svd(input, some=True, compute_uv=True):
    """(U, S, V): linalg.svd with V not transposed."""
    u, s, vh = svd(input, not some)
    return u, s, vh.mT
