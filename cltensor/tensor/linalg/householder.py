"""Householder reflectors: QR decompositions in LAPACK's compact form, and the orthogonal matrices they represent.

Column i of `input` below its diagonal, with a 1 on it, is the vector v of H_i = I - tau_i v v.H.  A product of k of them is
I - V T V.H with T = (I + D S)^-1 D, D = diag(tau), S the part of V.H V above its diagonal (Schreiber and Van Loan 1989).
That takes a few matrix products and one triangular solve, so gradients of every order follow.
"""

import numpy as np

from ...base.errors import DTypeError, ShapeError
from ...dispatch.autocast import FLOAT32_ON_CPU, autocasts
from ...ops.kinds.composite import composite
from ..api.creation import eye
from ..core.public_api import function, spelled
from ..core.results import result
from ..math.products import product
from .lapack import check_matrix, solve_triangular, to_device, to_host

GeQRF = result("geqrf", "a tau")


@composite("geqrf_compact", batch="leading", host=True, public=False, dtypes="floating", complex=True)
def _geqrf(a):
    """R with the reflectors below it, and their factors tau."""
    x = to_host(a)
    m, n = x.shape[-2:]
    if not x.size:
        return a.clone(), a.new_zeros((*a.shape[:-2], min(m, n)))
    packed, tau = np.linalg.qr(x, "raw")  # packed holds rows as columns, as Fortran does
    return to_device(np.swapaxes(packed, -1, -2), a), to_device(tau, a)


@function()
def geqrf(input) -> GeQRF:
    """(a, tau): the QR decomposition of (*, m, n) as R with the reflectors of Q below it; no gradient.  See linalg.qr."""
    check_matrix("geqrf", input)
    return GeQRF(*_geqrf(input.detach()))


def _reflectors(input, tau):
    """(V, times_t) for the first k = tau.shape[-1] reflectors: V (*, m, k); times_t: x -> T x, or T.H x with transposed=True."""
    k = tau.shape[-1]
    v = input.narrow(-1, 0, k).tril(-1) + eye(input.shape[-2], k, dtype=input.dtype, device=input.device)
    d = tau.unsqueeze(-1)
    unit = d * product(v.mH, v).triu(1)  # D S; the solver adds the I

    def times_t(x, transposed=False):
        if transposed:
            return d.conj() * solve_triangular(unit.mH, x, upper=False, unitriangular=True)
        return solve_triangular(unit, d * x, upper=True, unitriangular=True)

    return v, times_t


def _check(name, input, tau):
    check_matrix(name, input)
    if input.ndim - tau.ndim != 1:
        raise ShapeError(f"{name}: Expected tau to have one dimension less than input, but got tau.ndim equal to {tau.ndim} and "
                         f"input.ndim is equal to {input.ndim}")
    if tau.shape[:-1] != input.shape[:-2]:
        raise ShapeError(f"{name}: Expected batch dimensions of tau to be equal to input.shape[:-2] {list(input.shape[:-2])}, but "
                         f"got {list(tau.shape[:-1])}")
    if tau.dtype is not input.dtype:
        raise DTypeError(f"{name}: tau dtype {tau.dtype.name} does not match input dtype {input.dtype.name}")


@autocasts(FLOAT32_ON_CPU)
def householder_product(A, tau):
    """The first n columns of the product of k reflectors.

    A: (*, m, n) with m >= n; tau: (*, k) with n >= k.  Returns (*, m, n) with orthonormal columns where tau is geqrf's.
    """
    _check("linalg.householder_product", A, tau)
    m, n = A.shape[-2:]
    if m < n:
        raise ShapeError(f"linalg.householder_product: input.shape[-2] must be greater than or equal to input.shape[-1], got "
                         f"{list(A.shape)}")
    if n < tau.shape[-1]:
        raise ShapeError(f"linalg.householder_product: input.shape[-1] must be greater than or equal to tau.shape[-1], got "
                         f"{list(A.shape)} and {list(tau.shape)}")
    v, times_t = _reflectors(A, tau)
    return eye(m, n, dtype=A.dtype, device=A.device) - product(v, times_t(v.narrow(-2, 0, n).mH))


@function("orgqr")
def _orgqr(input, input2):
    """linalg.householder_product; input2 is geqrf's tau."""
    return householder_product(input, input2)


@function()
@spelled(input2="tau", input3="other")
@autocasts(FLOAT32_ON_CPU)
def ormqr(input, tau, other, left=True, transpose=False):
    """Q other, or other Q with left=False, for the square Q of geqrf's input and tau; Q.H with transpose=True.

    input: (*, m, k); tau: (*, min(m, k)); other: (*, m, n), or (*, n, m) with left=False.
    """
    if input.ndim < 2 or other.ndim < 2:
        which = "input" if input.ndim < 2 else "other"
        raise ShapeError(f"ormqr: {which} must have at least 2 dimensions, got {list((input if input.ndim < 2 else other).shape)}")
    side = "other.shape[-2]" if left else "other.shape[-1]"
    m, k = other.shape[-2 if left else -1], tau.shape[-1] if tau.ndim else 0
    if m < k:
        raise ShapeError(f"ormqr: {side} must be greater than or equal to tau.shape[-1], got {m} and {k}")
    if k != min(m, input.shape[-1]):
        raise ShapeError(f"ormqr: tau.shape[-1] must be equal to min({side}, input.shape[-1]), got {k}, {m} and {input.shape[-1]}")
    if m != input.shape[-2]:
        raise ShapeError(f"ormqr: {side} must be equal to input.shape[-2], got {m} and {input.shape[-2]}")
    _check("ormqr", input, tau)
    if other.shape[:-2] != input.shape[:-2]:
        raise ShapeError(f"ormqr: Expected batch dimensions of other to be equal to input.shape[:-2] {list(input.shape[:-2])}, "
                         f"but got {list(other.shape[:-2])}")
    if other.dtype is not input.dtype:
        raise DTypeError(f"ormqr: Expected input and other to have the same dtype, but input has dtype {input.dtype.name} and "
                         f"other has dtype {other.dtype.name}")
    v, times_t = _reflectors(input, tau)
    if left:
        return other - product(v, times_t(product(v.mH, other), transpose))
    return other - product(times_t(product(other, v).mH, not transpose).mH, v.mH)


#: the public names of cltensor.linalg
NAMES = ("householder_product",)
