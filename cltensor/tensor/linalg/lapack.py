"""Factorizations and solvers as ops: forward through NumPy's LAPACK on the host, gradients of every order on the device.

Small dense matrices are faster on the host than on any device.  The ops are marked `host`, and `cltensor doctor` lists them.
"""

import bisect
import math

import numpy as np

from ...base import dtypes
from ...base.errors import DTypeError, ShapeError
from ...ops.kinds.composite import composite
from ..api.creation import eye, from_values
from ..core.values import any_true
from ..math.complex_numbers import complex_
from ..math.products import product
from ..shape.diagonals import diag_embed
from ..shape.joining import cat


class LinAlgError(ShapeError):
    """A matrix is singular, or not positive definite, and the function cannot work with it."""


def check_floating(name, x):
    if x.dtype.to_real() not in (dtypes.float32, dtypes.float64):
        raise DTypeError(f"linalg.{name}: Expected a floating point or complex tensor of float32 or float64, or of complex64 or "
                         f"complex128, as input. Got {x.dtype.name}")


def check_matrix(name, x):
    if x.ndim < 2:
        raise ShapeError(f"linalg.{name}: The input tensor A must have at least 2 dimensions, got {x.ndim}.")
    check_floating(name, x)


def check_square(name, x):
    check_matrix(name, x)
    if x.shape[-1] != x.shape[-2]:
        raise ShapeError(f"linalg.{name}: A must be batches of square matrices, but they are {x.shape[-2]} by {x.shape[-1]} "
                         f"matrices")


def to_host(x):
    """x's values as an array.  Raises DTypeError for 16-bit floats, which LAPACK does not support."""
    if x.dtype.is_inexact:
        check_floating("LAPACK", x)
    return np.broadcast_to(_stand_in(x), x.shape) if x.is_meta else x.detach()._read()


def _stand_in(x):
    """A matrix that every factorisation works with, to learn the shapes of what is made of a meta tensor."""
    if not x.dtype.is_inexact:  # pivots, and numbers of what went wrong
        return np.zeros(x.shape, x.dtype.numpy)
    return np.eye(*x.shape[-2:], dtype=x.dtype.numpy) if x.ndim > 1 else np.ones(x.shape, x.dtype.numpy)


def to_device(array, like):
    """An array on like's device and in its precision; real numbers stay real."""
    array = np.asarray(array)
    return from_values(array, like.dtype if array.dtype.kind == "c" else like.dtype.to_real(), like.device)


def attempt(name, fn, *arrays):
    try:
        return fn(*arrays)
    except np.linalg.LinAlgError as e:
        raise LinAlgError(f"linalg.{name}: {e}") from None


def fails(fn, matrices):
    """Whether fn raises NumPy's LinAlgError for each matrix of an array (*, n, n)."""
    found = np.zeros(matrices.shape[:-2], bool)
    for at in np.ndindex(found.shape):
        try:
            fn(matrices[at])
        except np.linalg.LinAlgError:
            found[at] = True
    return found


def indefinite(matrices):
    """The order of each matrix's first leading minor that is not positive definite, 0 if there is none, as int32."""
    orders = range(1, matrices.shape[-1] + 1)
    found = np.zeros(matrices.shape[:-2], np.int32)
    for at in map(tuple, np.argwhere(fails(np.linalg.cholesky, matrices))):
        a = matrices[at]
        found[at] = bisect.bisect_left(orders, True, key=lambda k, a=a: bool(fails(np.linalg.cholesky, a[:k, :k]))) + 1
    return found


def _cholesky(a):
    """np.linalg.cholesky with an error that says what is wrong."""
    try:
        return np.linalg.cholesky(a)
    except np.linalg.LinAlgError:
        info = indefinite(a)
        at = np.argmax(info.ravel() > 0)
        where = f"(Batch element {at}): " if info.ndim else ""
        raise np.linalg.LinAlgError(
            f"{where}The factorization could not be completed because the input is not positive-definite (the leading minor of "
            f"order {info.ravel()[at]} is not positive-definite); cholesky_ex tells it of each matrix without an error") from None


# --- ops with their own gradient -------------------------------------------------------------------------------------


@composite("linalg_inv", batch="leading", host=True, public=False, saves="y", dtypes="floating", complex=True, vjp=(
    lambda g, y, a: -product(y.mH, product(g, y.mH)),))
def inv(a):
    """The inverse."""
    return to_device(attempt("inv", np.linalg.inv, to_host(a)), a)


def _cholesky_vjp(g, y, a):
    phi = product(y.mH, g).tril()
    phi = (phi + phi.tril(-1).mH) * 0.5
    inner_ = solve_triangular(y.mH, phi, upper=True, unitriangular=False)
    return solve_triangular(y.mH, inner_.mH, upper=True, unitriangular=False).mH


@composite("linalg_cholesky", batch="leading", host=True, public=False, saves="y", dtypes="floating", complex=True,
           vjp=(_cholesky_vjp,))
def cholesky(a):
    """The lower Cholesky factor."""
    return to_device(attempt("cholesky", _cholesky, to_host(a)), a)


def _tri_solve(a, b, upper, unit):
    a = np.triu(a) if upper else np.tril(a)
    if unit:
        i = np.arange(a.shape[-1])
        a = a.copy()
        a[..., i, i] = 1
    return np.linalg.solve(a, b)


def _tri_grad_a(g, y, a, b, upper, unitriangular):
    gb = solve_triangular(a.mH, g, upper=not upper, unitriangular=unitriangular)
    ga = -product(gb, y.mH)
    return ga.triu(1 if unitriangular else 0) if upper else ga.tril(-1 if unitriangular else 0)


@composite("linalg_solve_triangular", batch="leading", host=True, public=False, saves="a y", dtypes="floating", complex=True, vjp=(
    _tri_grad_a,
    lambda g, y, a, b, upper, unitriangular: solve_triangular(a.mH, g, upper=not upper, unitriangular=unitriangular)))
def solve_triangular(a, b, *, upper, unitriangular):
    """X with a X = b, for triangular a."""
    x = attempt("solve_triangular", _tri_solve, to_host(a), to_host(b), upper, unitriangular)
    return to_device(x, b)


def _factor_gradient(g, y, b, factor, upper):
    """Gradient of cholesky_solve for the factor, as if all of it were read, as in PyTorch."""
    common = product(cholesky_solve(g, factor, upper=upper), y.mH)
    common = common + common.mH
    return -product(factor, common) if upper else -product(common, factor)


@composite("cholesky_solve_dense", batch="leading", host=True, public=False, saves="factor y", dtypes="floating",
           complex=True, vjp=(
    lambda g, y, b, factor, upper: cholesky_solve(g, factor, upper=upper), _factor_gradient))
def cholesky_solve(b, factor, *, upper):
    """X with A X = b, A = factor factor.T (factor.T factor with upper)."""
    low = factor.mH if upper else factor
    y = solve_triangular(low, b, upper=False, unitriangular=False)
    return solve_triangular(low.mH, y, upper=True, unitriangular=False)


@composite("linalg_solve", batch="leading", host=True, public=False, saves="a y", dtypes="floating", complex=True, vjp=(
    lambda g, y, a, b: -product(solve(a.mH, g), y.mH), lambda g, y, a, b: solve(a.mH, g)))
def solve(a, b):
    """X with a X = b."""
    return to_device(attempt("solve", np.linalg.solve, to_host(a), to_host(b)), b)


@composite("linalg_det", batch="leading", host=True, public=False, saves="a y", dtypes="floating", complex=True, vjp=(
    lambda g, y, a: _cofactors(a, y) * g.unsqueeze(-1).unsqueeze(-1),))
def det(a):
    """The determinant."""
    return to_device(np.linalg.det(to_host(a)), a)


def _cofactors(a, det_):
    """det(A) inv(A).T, conjugated; by singular values where A is singular."""
    if not any_true(det_ == 0):
        return inv(a).mH * det_.conj().unsqueeze(-1).unsqueeze(-1)
    u, s, vh = svd(a)
    n = s.shape[-1]
    rest = cat([cat([s.narrow(-1, 0, i), s.narrow(-1, i + 1, n - i - 1)], -1).prod(-1, keepdim=True) for i in range(n)], -1)
    sign = (det(u) * det(vh)).conj()
    return product(u * rest.unsqueeze(-2), vh) * sign.unsqueeze(-1).unsqueeze(-1)


def _slogdet_vjp(g, y, a):
    """The logarithm grows with the real part of tr(inv(A) dA); the sign of a complex determinant turns with the imaginary one."""
    factor = complex_(g[1], (g[0] * y[0].conj()).imag) if a.dtype.is_complex else g[1]
    return inv(a).mH * factor.unsqueeze(-1).unsqueeze(-1)


@composite("linalg_slogdet", batch="leading", host=True, public=False, saves="a y", dtypes="floating", complex=True,
           vjp=(_slogdet_vjp,))
def slogdet(a):
    """Sign and logarithm of the absolute value of the determinant."""
    sign, log = np.linalg.slogdet(to_host(a))
    return to_device(sign, a), to_device(log, a)


def _qr_vjp(g, y, a):
    (gq, gr), (q, r) = g, y
    if q.shape[-2] < a.shape[-1]:  # wide: the first columns determine Q
        m = q.shape[-1]
        ga_right = product(q, gr.narrow(-1, m, a.shape[-1] - m))
        gq_all = gq + product(a.narrow(-1, m, a.shape[-1] - m), gr.narrow(-1, m, a.shape[-1] - m).mH)
        left = _qr_square(gq_all, gr.narrow(-1, 0, m), q, r.narrow(-1, 0, m))
        return cat([left, ga_right], -1)
    return _qr_square(gq, gr, q, r)


def _qr_square(gq, gr, q, r):
    m = product(r, gr.mH) - product(gq.mH, q)
    low = m.tril(-1)
    sym = low + low.mH + diag_embed(m.diagonal(0, -2, -1).real)
    return solve_triangular(r, (gq + product(q, sym)).mH, upper=True, unitriangular=False).mH


@composite("linalg_qr", batch="leading", host=True, public=False, saves="a y", dtypes="floating", complex=True, vjp=(_qr_vjp,))
def qr(a):
    """The reduced QR decomposition."""
    q, r = np.linalg.qr(to_host(a), "reduced")
    return to_device(q, a), to_device(r, a)


def _inverse_gaps(w):
    """1 / (w_j - w_i) off the diagonal, 0 on it."""
    gaps = w.unsqueeze(-2) - w.unsqueeze(-1)
    gaps = gaps + diag_embed((w * 0) + math.inf)
    return 1 / gaps


def _eigh_vjp(g, y, a, lower):
    (gw, gv), (w, v) = g, y
    inner_ = product(v.mH, gv) * _inverse_gaps(w) + diag_embed(gw)
    result = product(v, product(inner_, v.mH))
    return (result + result.mH) * 0.5


@composite("linalg_eigh", batch="leading", host=True, public=False, saves="y", dtypes="floating", complex=True, vjp=(_eigh_vjp,))
def eigh(a, *, lower):
    """Eigenvalues and eigenvectors of symmetric matrices."""
    w, v = attempt("eigh", lambda m: np.linalg.eigh(m, "L" if lower else "U"), to_host(a))
    return to_device(w, a), to_device(v, a)


def _svd_vjp(g, y, a, full, needs):
    """Of full matrices only the first columns of u and rows of vh have a gradient: the others are any basis of the rest."""
    (gu, gs, gvh), (u, s, vh), k = g, y, y[1].shape[-1]
    gu, u, gvh, vh = (None if x is None else x.narrow(d, 0, k) for x, d in ((gu, -1), (u, -1), (gvh, -2), (vh, -2)))
    if gu is None and gvh is None:  # only the singular values, which may be equal, or 0
        return (product(u * gs.unsqueeze(-2), vh),)
    gu, gs, gvh = (x.new_zeros(x.shape) if h is None else h for h, x in ((gu, u), (gs, s), (gvh, vh)))
    m, n = a.shape[-2:]
    gaps = (s.unsqueeze(-2) - s.unsqueeze(-1)) * (s.unsqueeze(-2) + s.unsqueeze(-1))
    f = 1 / (gaps + diag_embed(s * 0 + math.inf))
    utgu, vtgv = product(u.mH, gu), product(vh, gvh.mH)
    left = (utgu - utgu.mH) * f * s.unsqueeze(-2)
    right = (vtgv - vtgv.mH) * f * s.unsqueeze(-1)
    middle = left + right + diag_embed(gs)
    if a.dtype.is_complex:  # columns of U turn together with rows of Vh
        turn = utgu.diagonal(0, -2, -1).imag / s
        middle = middle + diag_embed(complex_(turn * 0, turn))
    ga = product(u, product(middle, vh))
    if m > k:
        outside = gu / s.unsqueeze(-2)
        ga = ga + product(outside - product(u, product(u.mH, outside)), vh)
    if n > k:
        outside = gvh.mH / s.unsqueeze(-2)
        ga = ga + product(u, (outside - product(vh.mH, product(vh, outside))).mH)
    return (ga,)


@composite("linalg_svd", batch="leading", host=True, public=False, saves="a y", dtypes="floating", complex=True,
           accepts_missing_gradients=True, vjp=_svd_vjp)
def svd(a, *, full=False):
    """The singular value decomposition; `full` completes u and vh to square matrices."""
    u, s, vh = attempt("svd", lambda m: np.linalg.svd(m, full_matrices=full), to_host(a))
    return to_device(u, a), to_device(s, a), to_device(vh, a)


def _pinv_vjp(g, y, a, rtol, atol, hermitian):
    p = y
    left, right = a.shape[-2], a.shape[-1]
    pg = product(p.mH, product(g, p.mH))
    outside = eye(left, dtype=a.dtype, device=a.device) - product(a, p)
    inside = eye(right, dtype=a.dtype, device=a.device) - product(p, a)
    return product(outside, product(g.mH, product(p, p.mH))) + product(product(p.mH, p), product(g.mH, inside)) - pg


@composite("linalg_pinv", batch="leading", host=True, public=False, saves="a y", dtypes="floating", complex=True, vjp=(_pinv_vjp,))
def pinv(a, *, rtol, atol, hermitian):
    """The Moore-Penrose inverse."""
    x = to_host(a)
    if not x.size:
        return a.new_zeros((*a.shape[:-2], a.shape[-1], a.shape[-2]))
    if hermitian:  # only one triangle is read
        below = np.tril(x, -1)
        x = below + np.swapaxes(below, -1, -2).conj() + np.where(np.eye(x.shape[-1], dtype=bool), x.real, 0)
    u, s, vh = attempt("pinv", lambda m: np.linalg.svd(m, full_matrices=False), x)
    limit = np.maximum(atol, rtol * s.max(-1, keepdims=True))
    inverse = np.where(s > limit, 1 / np.where(s > limit, s, 1), 0)
    return to_device(np.swapaxes(u * inverse[..., None, :] @ vh, -1, -2).conj(), a)
