"""LU decompositions with partial pivoting, and solvers that use them.

The host computes the factors, one panel of columns at a time, with NumPy's products; the gradients run on the device.
Pivots are LAPACK's: int32, counted from 1; in turn, row i was swapped with row pivots[i].
"""

import numpy as np

from ...base import dtypes
from ...base.errors import DTypeError, ShapeError
from ...dispatch.autocast import FLOAT32_ON_CPU, autocasts
from ...ops.kinds.composite import composite
from ..api.creation import eye, from_array, from_values
from ..core.public_api import function
from ..core.results import result
from ..math.products import product
from ..shape.joining import cat
from .lapack import LinAlgError, check_matrix, check_square, solve_triangular, to_device, to_host

_PANEL = 32  # columns eliminated one by one before a product updates the rest

LUFactor = result("linalg_lu_factor", "LU pivots")
LUFactorEx = result("linalg_lu_factor_ex", "LU pivots info")
LU = result("linalg_lu", "P L U")
LUUnpack = result("lu_unpack", "P L U")


# --- on the host -----------------------------------------------------------------------------------------------------


def _factored(a, pivot):
    """(LU, pivots, info) of an array of matrices (b, m, n); info is the number of the first zero on U's diagonal, or 0."""
    a = a.copy()
    count, m, n = a.shape
    every, k = np.arange(count), min(m, n)
    pivots = np.broadcast_to(np.arange(1, k + 1, dtype=np.int32), (count, k)).copy()
    for start in range(0, k, _PANEL):
        stop = min(start + _PANEL, k)
        for j in range(start, stop):
            if pivot:
                row = j + np.argmax(sizes_of(a[:, j:, j]), 1)
                pivots[:, j] = row + 1
                a[every, j], a[every, row] = a[every, row], a[every, j]
            top = a[:, j, j, None]
            a[:, j + 1 :, j] /= np.where(top == 0, 1, top)
            a[:, j + 1 :, j + 1 : stop] -= a[:, j + 1 :, j, None] * a[:, j, None, j + 1 : stop]
        if stop < n:
            low = np.tril(a[:, start:stop, start:stop], -1) + np.eye(stop - start, dtype=a.dtype)
            a[:, start:stop, stop:] = np.linalg.solve(low, a[:, start:stop, stop:])
            a[:, stop:, stop:] -= a[:, stop:, start:stop] @ a[:, start:stop, stop:]
    zero = np.einsum("bii->bi", a[:, :k, :k]) == 0
    return a, pivots, np.where(zero.any(1), zero.argmax(1) + 1, 0).astype(np.int32) if k else np.zeros(count, np.int32)


def sizes_of(a):
    """Absolute values; of complex numbers |re| + |im|, as LAPACK compares them."""
    return np.abs(a.real) + np.abs(a.imag) if a.dtype.kind == "c" else np.abs(a)


def _permutation(pivots, m, like):
    """The matrices P (*, m, m) of A = P L U."""
    return _permutations(pivots, size=m, dtype=like.dtype)


@composite("lu_permutation", batch="leading", host=True, public=False, vjp=(None,))
def _permutations(pivots, *, size, dtype):
    """The permutation matrices of the swaps in pivots."""
    swaps = np.asarray(to_host(pivots)).reshape(_count(pivots.shape[:-1]), pivots.shape[-1])
    order = np.broadcast_to(np.arange(size), (len(swaps), size)).copy()
    every = np.arange(len(swaps))
    for i in range(swaps.shape[1]):
        other = swaps[:, i] - 1
        order[every, i], order[every, other] = order[every, other], order[every, i]
    p = np.zeros((len(swaps), size, size))
    p[every[:, None], order, np.arange(size)] = 1
    return from_values(p.reshape(*pivots.shape[:-1], size, size), dtype, pivots.device)


# --- the op with its own gradient ------------------------------------------------------------------------------------


def _lu_vjp(g, y, a, pivot):
    (g, *_), (lu, pivots, _) = g, y
    m, n = a.shape[-2:]
    k = min(m, n)
    low, up = lu.narrow(-2, 0, k).narrow(-1, 0, k), lu.narrow(-2, 0, k).narrow(-1, 0, k)  # only one triangle of each is read
    square = g.narrow(-2, 0, k).narrow(-1, 0, k)
    below = product(_unit(low).mH, square.tril(-1))
    above = product(square.triu(), up.triu().mH)
    if n > k:
        right, rest = g.narrow(-1, k, n - k), lu.narrow(-1, k, n - k)
        below = below - product(right, rest.mH)
    if m > k:
        under, rest = g.narrow(-2, k, m - k), lu.narrow(-2, k, m - k)
        above = above - product(rest.mH, under)
    inner = _from_left(low, below.tril(-1) + above.triu())
    ga = _from_right(up, inner)
    if n > k:
        ga = cat([ga, _from_left(low, right)], -1)
    if m > k:
        ga = cat([ga, _from_right(up, under)], -2)
    return product(_permutation(pivots, m, a), ga) if pivot else ga


def _unit(lu):
    """The square matrix L of packed factors."""
    return lu.tril(-1) + eye(lu.shape[-1], dtype=lu.dtype, device=lu.device)


def _from_left(low, x):
    """L^-T x."""
    return solve_triangular(low.mH, x, upper=True, unitriangular=True)


def _from_right(up, x):
    """x U^-T."""
    return solve_triangular(up, x.mH, upper=True, unitriangular=False).mH


@composite("linalg_lu_factor", batch="leading", host=True, public=False, saves="a y", dtypes="floating", complex=True,
           vjp=(_lu_vjp,))
def _lu_factor(a, *, pivot):
    """The packed factors, the pivots and info."""
    batch, (m, n) = a.shape[:-2], a.shape[-2:]
    lu, pivots, info = _factored(np.asarray(to_host(a)).reshape(_count(batch), m, n), pivot)
    return (to_device(lu.reshape(a.shape), a), from_array(pivots.reshape(*batch, min(m, n)), dtypes.int32, a.device),
            from_array(info.reshape(batch), dtypes.int32, a.device))


def _count(batch):
    return int(np.prod(batch, dtype=int))


# --- the public functions --------------------------------------------------------------------------------------------


def lu_factor_ex(A, *, pivot=True, check_errors=False) -> LUFactorEx:
    """(LU, pivots, info): A = P L U with U and L, without its unit diagonal, packed into one matrix.

    A: (*, m, n) float32 or float64; pivots: (*, min(m, n)) int32; info: (*) int32, i where U[i-1, i-1] is the first zero.
    """
    check_matrix("lu_factor_ex", A)
    result = LUFactorEx(*_lu_factor(A, pivot=bool(pivot)))
    if check_errors:
        _check("lu_factor_ex", result.info)
    return result


@autocasts(FLOAT32_ON_CPU)
def lu_factor(A, *, pivot=True) -> LUFactor:
    """(LU, pivots), as lu_factor_ex.  Raises LinAlgError where U has a zero on its diagonal; this waits for the device."""
    check_matrix("lu_factor", A)
    packed, pivots, info = _lu_factor(A, pivot=bool(pivot))
    _check("lu_factor", info)
    return LUFactor(packed, pivots)


def _check(name, info):
    failed = np.asarray(to_host(info)).reshape(-1)
    if failed.any():
        n = int(failed[failed > 0][0])
        raise LinAlgError(f"linalg.{name}: U[{n},{n}] is zero and using it on lu_solve would result in a division by zero. To "
                          "factor the matrix all the same, use linalg.lu or linalg.lu_factor_ex")


@autocasts(FLOAT32_ON_CPU)
def lu(A, *, pivot=True) -> LU:
    """(P, L, U) with A = P L U: a permutation, unit lower and upper triangular matrices.

    A: (*, m, n); P: (*, m, m), empty without pivot; L: (*, m, k); U: (*, k, n), with k = min(m, n).
    """
    check_matrix("lu", A)
    packed, pivots, _ = _lu_factor(A, pivot=bool(pivot))
    return LU(*_unpacked(packed, pivots, True, bool(pivot)))


def _unpacked(packed, pivots, data, permutation):
    m, n = packed.shape[-2:]
    k = min(m, n)
    p = _permutation(pivots, m, packed) if permutation else packed.new_empty(0)
    if not data:
        return p, packed.new_empty(0), packed.new_empty(0)
    low = packed.narrow(-1, 0, k).tril(-1) + eye(m, k, dtype=packed.dtype, device=packed.device)
    return p, low, packed.narrow(-2, 0, k).triu()


@autocasts(FLOAT32_ON_CPU)
def lu_solve(LU, pivots, B, *, left=True, adjoint=False):
    """X with A X = B (X A = B with left=False, A.mH for A with adjoint=True), from lu_factor's LU and pivots.

    LU: (*, n, n); pivots: (*, n) int32; B: (*, n, k), or (*, k, n) with left=False; batches broadcast.
    """
    check_square("lu_solve", LU)
    if B.ndim < 2:
        raise ShapeError(f"linalg.lu_solve: The input tensor B must have at least 2 dimensions, got {B.ndim}.")
    if LU.dtype is not B.dtype:
        raise DTypeError(f"linalg.lu_solve: Expected LU and B to have the same dtype, but found LU of type {LU.dtype.name} and B "
                         f"of type {B.dtype.name}")
    _check_pivots("linalg.lu_solve", LU, pivots)
    if LU.shape[-1] != B.shape[-2 if left else -1]:
        raise ShapeError(f"linalg.lu_solve: Incompatible shapes of A and B for the equation {'AX = B' if left else 'XA = B'} "
                         f"({list(LU.shape)} and {list(B.shape)})")
    if not left:
        return _solved(LU, pivots, B.mH, not adjoint).mH.contiguous()
    return _solved(LU, pivots, B, adjoint).contiguous()


def _check_pivots(name, packed, pivots):
    if pivots.dtype is not dtypes.int32:
        raise DTypeError(f"{name}: pivots should be a Tensor of scalar type int32, got {pivots.dtype.name}; pass those that "
                         "lu_factor returned")
    wanted = (*packed.shape[:-2], min(packed.shape[-2:]))
    if tuple(pivots.shape) != wanted:
        raise ShapeError(f"{name}: Number of pivots per batch should be same as the dimension of the matrix: expected "
                         f"pivots of shape {list(wanted)}, got {list(pivots.shape)}")


def _solved(packed, pivots, b, transposed):
    p = _permutation(pivots, packed.shape[-1], packed)
    if transposed:
        x = solve_triangular(packed.mH, b, upper=False, unitriangular=False)
        return product(p, solve_triangular(packed.mH, x, upper=True, unitriangular=True))
    x = solve_triangular(packed, product(p.mH, b), upper=False, unitriangular=True)
    return solve_triangular(packed, x, upper=True, unitriangular=False)


#: the public names of cltensor.linalg
NAMES = ("lu", "lu_factor", "lu_factor_ex", "lu_solve")


@function("lu_solve")
def _top_lu_solve(input, LU_data, LU_pivots):
    """linalg.lu_solve."""
    return lu_solve(LU_data, LU_pivots, input)


@function(method=False)
def lu_unpack(LU_data, LU_pivots, unpack_data=True, unpack_pivots=True) -> LUUnpack:
    """(P, L, U) of lu_factor's LU and pivots; parts not requested are empty."""
    if unpack_pivots:
        _check_pivots("lu_unpack", LU_data, LU_pivots)
    return LUUnpack(*_unpacked(LU_data, LU_pivots, bool(unpack_data), bool(unpack_pivots)))


@function("lu")
def _top_lu(A, pivot=True, get_infos=False):
    """linalg.lu_factor, or lu_factor_ex with get_infos: an old name for them."""
    return lu_factor_ex(A, pivot=pivot) if get_infos else lu_factor(A, pivot=pivot)
