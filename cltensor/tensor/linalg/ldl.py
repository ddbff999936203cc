"""LDL decompositions of symmetric or Hermitian matrices, with the pivots of Bunch and Kaufman (1977), and solvers that use them.

D has blocks of one or two rows.  Pivots are LAPACK's for the lower triangle: int32, counted from 1.  A positive pivot is a
block of one row, swapped with that row.  Two equal negative ones are a block of two, whose second row was swapped.
Everything runs on the host.  PyTorch has no gradients for these, nor does cltensor.
"""

import math

import numpy as np

from ...base import dtypes
from ...base.errors import DTypeError, ShapeError
from ...base.shapes import broadcast_shapes
from ...ops.kinds.composite import composite
from ..api.creation import from_array
from ..core.results import result
from .lapack import LinAlgError, check_square, to_device, to_host
from .lu import sizes_of

_ALPHA = (1 + math.sqrt(17)) / 8  # smallest pivot relative to its column: gives the best bound on the growth of elements

LDLFactor = result("linalg_ldl_factor", "LD pivots")
LDLFactorEx = result("linalg_ldl_factor_ex", "LD pivots info")


# --- on the host, one matrix at a time -------------------------------------------------------------------------------


def _mirrored(a, hermitian):
    """The symmetric or Hermitian matrix of a lower triangle."""
    below = np.tril(a, -1)
    if hermitian:
        return below + below.conj().T + np.diag(np.diag(a).real)
    return below + below.T + np.diag(np.diag(a))


def _factor(a, hermitian):
    """(LD, pivots, info) of one matrix; only the lower triangle is read."""
    a = _mirrored(a, hermitian)
    n, k, info = len(a), 0, 0
    pivots = np.zeros(n, np.int32)
    while k < n:
        row, width = _choice(a, k)
        if width == 0:
            info, row, width = info or k + 1, k, 1
        last = k + width - 1  # the row of the block that is swapped
        if row != last:
            _swap(a, k, last, row)
        pivots[k : k + width] = row + 1 if width == 1 else -(row + 1)
        _eliminate(a, k, width, hermitian)
        k += width
    return np.tril(a), pivots, info


def _choice(a, k):
    """(row to swap in, rows of the block) for column k; no rows if the column is all zero."""
    own, below = sizes_of(a[k, k]), sizes_of(a[k + 1 :, k])
    row = k + 1 + int(below.argmax()) if below.size else k
    column = below.max() if below.size else 0
    if not max(own, column) > 0:
        return k, 0
    if own >= _ALPHA * column:
        return k, 1
    across = sizes_of(a[row, k:])
    across[row - k] = 0
    largest = across.max()
    if own >= _ALPHA * column * (column / largest):
        return k, 1
    return row, 1 if sizes_of(a[row, row]) >= _ALPHA * largest else 2


def _swap(a, k, i, j):
    """Swap rows and columns i and j of the remaining matrix, from k on."""
    a[[i, j], k:] = a[[j, i], k:]
    a[k:, [i, j]] = a[k:, [j, i]]


def _eliminate(a, k, width, hermitian):
    """Eliminate the block at k from the remaining matrix below, and store L there."""
    rest = slice(k + width, None)
    block, below = a[k : k + width, k : k + width], a[rest, k : k + width].copy()
    if width == 2 or block[0, 0] != 0:
        factors = np.linalg.solve(block.T, below.T).T if width == 2 else below / block[0, 0]
        a[rest, rest] -= factors @ (below.conj().T if hermitian else below.T)
        a[rest, k : k + width] = factors


def _substitute(ld, pivots, b, hermitian):
    """Solve one system, in place of b (n, k)."""
    n, blocks, k = len(ld), [], 0
    while k < n:
        blocks.append((k, 1 if pivots[k] > 0 else 2))
        k += blocks[-1][1]
    for k, width in blocks:
        _swap_rows(b, k + width - 1, abs(pivots[k]) - 1)
        b[k + width :] -= ld[k + width :, k : k + width] @ b[k : k + width]
    for k, width in blocks:
        block = ld[k : k + width, k : k + width]
        b[k : k + width] = np.linalg.solve(_mirrored(block, hermitian), b[k : k + width])
    for k, width in reversed(blocks):
        left = ld[k + width :, k : k + width]
        b[k : k + width] -= (left.conj() if hermitian else left).T @ b[k + width :]
        _swap_rows(b, k + width - 1, abs(pivots[k]) - 1)
    return b


def _swap_rows(b, i, j):
    if i != j:
        b[[i, j]] = b[[j, i]]


@composite("linalg_ldl_factor", batch="leading", host=True, public=False, dtypes="floating", complex=True)
def _ldl_factor(a, *, hermitian):
    """The packed factors, the pivots and info."""
    batch, n = a.shape[:-2], a.shape[-1]
    found = [_factor(m, hermitian) for m in to_host(a).reshape(-1, n, n)] if a.numel() else []
    ld, pivots, info = (np.array([f[i] for f in found]) for i in range(3))
    ld = ld.astype(a.dtype.numpy, copy=False)
    return (to_device(ld.reshape(a.shape), a),
            from_array(pivots.astype(np.int32).reshape(*batch, n), dtypes.int32, a.device),
            from_array((info if a.numel() else np.zeros(batch)).astype(np.int32).reshape(batch), dtypes.int32, a.device))


@composite("linalg_ldl_solve", host=True, public=False, dtypes="floating", complex=True)
def _ldl_solve(ld, pivots, b, *, hermitian):
    """X from the packed factors; the batch shapes are equal."""
    n, k = b.shape[-2:]
    if not b.numel() or b.is_meta:
        return b.clone()
    systems = zip(to_host(ld).reshape(-1, n, n), to_host(pivots).reshape(-1, n), to_host(b).reshape(-1, n, k), strict=True)
    return to_device(np.array([_solved(*system, hermitian) for system in systems]).reshape(b.shape), b)


def _solved(ld, pivots, b, hermitian):
    try:
        return _substitute(ld, pivots, b.copy(), hermitian)
    except np.linalg.LinAlgError as e:
        raise LinAlgError(f"linalg.ldl_solve: {e}: a block of D cannot be inverted") from None


# --- the public functions --------------------------------------------------------------------------------------------


def ldl_factor_ex(A, *, hermitian=False, check_errors=False) -> LDLFactorEx:
    """(LD, pivots, info) of symmetric matrices, or Hermitian ones with hermitian=True; only the lower triangle is read.

    A: (*, n, n) float32, float64, complex64 or complex128; pivots: (*, n) int32; info: (*) int32, i where D[i-1, i-1] is the first
    zero.
    """
    check_square("ldl_factor_ex", A)
    result = LDLFactorEx(*_ldl_factor(A.detach(), hermitian=bool(hermitian)))
    if check_errors:
        _check("ldl_factor_ex", result.info)
    return result


def ldl_factor(A, *, hermitian=False) -> LDLFactor:
    """(LD, pivots), as ldl_factor_ex.  Raises LinAlgError where D has a zero; this waits for the device."""
    check_square("ldl_factor", A)
    packed, pivots, info = _ldl_factor(A.detach(), hermitian=bool(hermitian))
    _check("ldl_factor", info)
    return LDLFactor(packed, pivots)


def _check(name, info):
    failed = np.asarray(to_host(info)).reshape(-1)
    if failed.any():
        n = int(failed[failed > 0][0])
        raise LinAlgError(f"linalg.{name}: D[{n},{n}] is zero, and the matrix is singular. To factor it all the same, use "
                          "linalg.ldl_factor_ex")


def ldl_solve(LD, pivots, B, *, hermitian=False):
    """X with A X = B, from ldl_factor's LD and pivots.  LD: (*, n, n); pivots: (*, n) int32; B: (*, n, k); batches broadcast."""
    check_square("ldl_solve", LD)
    if B.ndim < 2:
        raise ShapeError(f"linalg.ldl_solve: Expected B to have at least 2 dimensions, but it has {B.ndim} dimensions instead")
    if tuple(pivots.shape) != tuple(LD.shape[:-1]):
        raise ShapeError(f"linalg.ldl_solve: Expected LD.shape[:-1] and pivots.shape to be the same, but got pivots with shape "
                         f"{list(pivots.shape)} for LD with shape {list(LD.shape)}")
    if pivots.dtype.is_floating_point or pivots.dtype is dtypes.bool_:
        raise DTypeError(f"linalg.ldl_solve: Expected pivots to be integers. Got {pivots.dtype.name}")
    if LD.dtype is not B.dtype:
        raise DTypeError(f"linalg.ldl_solve: LD dtype {LD.dtype.name} does not match b dtype {B.dtype.name}")
    if LD.shape[-1] != B.shape[-2]:
        raise ShapeError(f"linalg.ldl_solve: Incompatible matrix sizes: each LD matrix is {LD.shape[-1]} by {LD.shape[-1]} but "
                         f"each B matrix is {B.shape[-2]} by {B.shape[-1]}")
    batch = broadcast_shapes(LD.shape[:-2], B.shape[:-2], op="linalg.ldl_solve")
    ld, pivots, b = (x.detach().expand(*batch, *x.shape[-d:]) for x, d in ((LD, 2), (pivots, 1), (B, 2)))
    return _ldl_solve(ld, pivots, b, hermitian=bool(hermitian))


#: the public names of cltensor.linalg
NAMES = ("ldl_factor", "ldl_factor_ex", "ldl_solve")
