"""inv_ex, cholesky_ex and solve_ex: report which matrices of a batch could not be factored as numbers, not as an error.

The other matrices keep their values and gradients.
"""

import numpy as np

from ...base import dtypes
from ...dispatch.autocast import FLOAT32_ON_CPU, autocasts
from ..api.creation import eye, from_array
from ..core.results import result
from ..math.arithmetic import where
from . import lapack
from .lapack import LinAlgError, check_square, to_device, to_host
from .linalg import cholesky, inv, solve
from .lu import lu_factor_ex

InvEx = result("linalg_inv_ex", "inverse info")
CholeskyEx = result("linalg_cholesky_ex", "L info")
SolveEx = result("linalg_solve_ex", "result info")


@autocasts(FLOAT32_ON_CPU)
def inv_ex(A, *, check_errors=False) -> InvEx:
    """(inverse, info) of square matrices.

    A: (*, n, n) float32 or float64; info: (*) int32, 0 where the matrix could be inverted, else i where U[i-1, i-1] of its LU
    factors is the first zero.  The inverse is infinite there.  Raises LinAlgError with check_errors; this waits for the device.

        inverse, info = cltensor.linalg.inv_ex(cltensor.eye(2))

    Source: LAPACK Users' Guide, getrf and getri.
    """
    check_square("inv_ex", A)
    try:
        return InvEx(inv(A), _zeros(A))
    except LinAlgError:
        if check_errors:
            raise
    info = _singular(A)
    fine = _fine(info, A)
    return InvEx(where(fine, inv(_without_others(A, fine)), float("inf")), from_array(info, dtypes.int32, A.device))


@autocasts(FLOAT32_ON_CPU)
def cholesky_ex(A, *, upper=False, check_errors=False) -> CholeskyEx:
    """(L, info) of symmetric matrices.

    A: (*, n, n) float32 or float64; only its lower triangle is read.  L: lower triangular with A = L L^T, or its transpose with
    `upper`.  info: (*) int32, 0 where A is positive definite, else the order of the first leading minor that is not; L then holds
    the factor up to there.  Raises LinAlgError with check_errors; this waits for the device.

        L, info = cltensor.linalg.cholesky_ex(-cltensor.eye(2))   # info is 1

    Source: LAPACK Users' Guide, potrf.
    """
    check_square("cholesky_ex", A)
    try:
        return CholeskyEx(cholesky(A, upper=upper), _zeros(A))
    except LinAlgError:
        if check_errors:
            raise
    host = to_host(A)
    info = lapack.indefinite(host)
    fine = _fine(info, A)
    low = where(fine, cholesky(_without_others(A, fine)), to_device(_begun(host, info), A))
    return CholeskyEx(low.mH if upper else low, from_array(info, dtypes.int32, A.device))


def solve_ex(A, B, *, left=True, check_errors=False) -> SolveEx:
    """(X, info) with A X = B, or X A = B with left=False.

    A: (*, n, n) float32 or float64; B as for solve; info: (*) int32, as inv_ex's; X is infinite where A is singular.  Raises
    LinAlgError with check_errors; this waits for the device.

        result, info = cltensor.linalg.solve_ex(cltensor.eye(2), cltensor.ones(2))

    Source: LAPACK Users' Guide, getrf and getrs.
    """
    check_square("solve_ex", A)
    try:
        return SolveEx(solve(A, B, left=left), _zeros(A))
    except LinAlgError:
        if check_errors:
            raise
    info = _singular(A)
    fine = _fine(info, A)
    found = solve(_without_others(A, fine), B, left=left)
    of_each = fine if found.ndim >= A.ndim else fine.squeeze(-1)
    return SolveEx(where(of_each, found, float("inf")), from_array(info, dtypes.int32, A.device))


def _zeros(A):
    return A.new_zeros(A.shape[:-2], dtype=dtypes.int32)


def _fine(info, A):
    """Whether each matrix could be factored, as a bool tensor (*, 1, 1)."""
    return from_array(info[..., None, None] == 0, dtypes.bool_, A.device)


def _without_others(A, fine):
    """Replace matrices of A that cannot be factored by the identity."""
    return where(fine, A, eye(A.shape[-1], dtype=A.dtype, device=A.device))


def _singular(A):
    """info of inv_ex as an array: nonzero for each matrix that NumPy's LAPACK finds singular."""
    zero_at = to_host(lu_factor_ex(A.detach()).info)
    return np.where(lapack.fails(np.linalg.inv, to_host(A)), np.where(zero_at > 0, zero_at, A.shape[-1]), 0).astype(np.int32)


def _begun(matrices, info):
    """The lower triangles; where Cholesky's algorithm stops, its finished columns replace the matrix's."""
    made = np.tril(matrices)
    for at in map(tuple, np.argwhere(info)):
        done = info[at] - 1
        first = np.linalg.cholesky(matrices[at][:done, :done])
        left = np.linalg.solve(first, matrices[at][done:, :done].conj().T).conj().T
        made[at][:done, :done], made[at][done:, :done] = first, left
        made[at][done, done] -= left[0] @ left[0].conj()
    return made


NAMES = ("cholesky_ex", "inv_ex", "solve_ex")
