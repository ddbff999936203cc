"""Eigenvalues and eigenvectors of general matrices, which are complex: forward through NumPy's LAPACK, gradients on the device."""

import numpy as np

from ...base import dtypes
from ...dispatch.autocast import FLOAT32_ON_CPU, autocasts
from ...ops.kinds.composite import composite
from ..api.creation import eye, from_values
from ..core.results import result
from ..math.products import product
from ..shape.diagonals import diag_embed
from . import lapack
from .lapack import attempt, check_square, to_host

Eig = result("linalg_eig", "eigenvalues eigenvectors")


def _eig_vjp(g, y, a, needs):
    """Source: C. Boeddeker et al., "On the Computation of Complex-valued Gradients with Application to Beamforming", 2017."""
    (gw, gv), (w, v) = g, y
    inner = None if gw is None else diag_embed(gw)
    if gv is not None:
        along = product(v.mH, gv)
        along = along - product(v.mH, v * along.diagonal(0, -2, -1).real.unsqueeze(-2))  # the columns keep the length 1
        gaps = w.unsqueeze(-2) - w.unsqueeze(-1) + eye(w.shape[-1], dtype=w.dtype, device=w.device)
        turned = along / gaps.conj()
        turned = turned - diag_embed(turned.diagonal(0, -2, -1))
        inner = turned if inner is None else inner + turned
    return (lapack.solve(v.mH, product(inner, v.mH)),)


@composite("linalg_eig", batch="leading", host=True, public=False, saves="y", dtypes="floating", complex=True,
           accepts_missing_gradients=True, vjp=_eig_vjp)
def _eig(a):
    """Eigenvalues and eigenvectors of general matrices."""
    w, v = attempt("eig", np.linalg.eig, to_host(a))
    return tuple(from_values(x, dtypes.complex_for(a.dtype), a.device) for x in (w, v))


@autocasts(FLOAT32_ON_CPU)
def eig(A) -> Eig:
    """(eigenvalues, eigenvectors in columns) of square matrices, in no particular order.

    A: (*, n, n) float32, float64, complex64 or complex128.  eigenvalues: (*, n) and eigenvectors: (*, n, n), complex; the columns
    have length 1 and a free phase, which a function of them must not depend on if it is to have a gradient.  Raises DTypeError for
    other dtypes, ShapeError unless A is square, LinAlgError where the iteration does not converge.  It waits for the device.

        w, v = cltensor.linalg.eig(cltensor.tensor([[0.0, 1.0], [-1.0, 0.0]]))   # w is i and -i

    Source: LAPACK Users' Guide, geev.
    """
    check_square("eig", A)
    return Eig(*_eig(A))


@autocasts(FLOAT32_ON_CPU)
def eigvals(A):
    """The eigenvalues of square matrices, complex, in no particular order.

    A: (*, n, n) float32, float64, complex64 or complex128.  Returns (*, n).  Raises as eig does.

        w = cltensor.linalg.eigvals(cltensor.eye(2))

    Source: LAPACK Users' Guide, geev.
    """
    check_square("eigvals", A)
    return _eig(A)[0]


#: the public names of cltensor.linalg
NAMES = ("eig", "eigvals")
