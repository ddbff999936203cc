"""Randomised decompositions of matrices of low rank (Halko, Martinsson and Tropp 2011)."""

from ...base.errors import ArgumentError, DTypeError
from ..core.public_api import function
from ..random.sampling import randn
from .linalg import qr, svd


def _basis(a, q, niter):
    """q orthonormal columns that nearly span a's range: a random sample of it, refined by power iterations."""
    basis = qr(a @ randn(*a.shape[:-2], a.shape[-1], q, dtype=a.dtype, device=a.device)).Q
    for _ in range(niter):
        basis = qr(a.mH @ basis).Q
        basis = qr(a @ basis).Q
    return basis


@function(out=False)
def svd_lowrank(A, q=6, niter=2, M=None) -> tuple:
    """(U, S, V) with A - M close to U diag(S) V.T, by a random projection to q columns; take q a little above the rank."""
    if not A.dtype.is_inexact:
        raise DTypeError(f"svd_lowrank: expected a floating point tensor, got {A.dtype.name}")
    a = A if M is None else A - M
    wide = a.shape[-2] < a.shape[-1]
    a = a.mH if wide else a
    if not 0 <= q <= min(a.shape[-2:]):
        raise ArgumentError(f"svd_lowrank: q(={q}) must be non-negative integer and not greater than min(m, n)={min(a.shape[-2:])}")
    basis = _basis(a, q, niter)
    u, s, vh = svd(basis.mH @ a, full_matrices=False)
    u, v = basis @ u, vh.mH
    return (v, s, u) if wide else (u, s, v)


@function(out=False)
def pca_lowrank(A, q=None, center=True, niter=2) -> tuple:
    """(U, S, V) of the principal components of A's rows: svd_lowrank of A minus its columns' means."""
    m, n = A.shape[-2:]
    q = min(6, m, n) if q is None else q
    if not 0 <= q <= min(m, n):
        raise ArgumentError(f"pca_lowrank: q(={q}) must be non-negative integer and not greater than min(m, n)={min(m, n)}")
    if niter < 0:
        raise ArgumentError(f"pca_lowrank: niter(={niter}) must be non-negative integer")
    return svd_lowrank(A - A.mean(-2, keepdim=True) if center else A, q, niter)
