"""Products of complex matrices: one product of real ones, twice as long and twice as wide.

Row k of the right factor becomes two rows of parts, of b and of i b; a row of the left factor, seen in parts, is the row that
multiplies them:

    (ar, ai) @ ((br, bi), (-bi, br)) = (ar br - ai bi, ar bi + ai br)
"""

import numpy as np

from ...dispatch.run_elementwise import run_elementwise
from ..gemm.matmul import added_shape, grad_a, grad_b, linear_shape, matmul_shape
from ..index.parts import paired, view_as_real
from ..kinds.composite import composite
from ..pointwise.elementary import mul


def _drawn(*shapes):
    """Samples: complex arrays of these shapes."""
    return lambda rng: [(tuple(rng.uniform(-1, 1, s) + 1j * rng.uniform(-1, 1, s) for s in each), {}) for each in shapes]


def in_parts(b):
    """The real matrices (..., 2 K, 2 N) that multiply rows in parts as b (..., K, N) multiplies complex rows."""
    *batch, k, n = b.shape
    rows = b.new_empty((*batch, k, 2, n))
    rows.select(-2, 0).copy_(b)
    run_elementwise(mul, (b, 1j), out=rows.select(-2, 1))
    return view_as_real(rows).reshape((*batch, 2 * k, 2 * n))


@composite("complex_matmul", batch="inside", public=False, dtypes="none", complex=True, saves="input(other) other(input)",
           ref=np.matmul, vjp=(grad_a, grad_b), samples=_drawn(((3, 4), (4, 2)), ((4,), (4,)), ((3, 4), (4,)), ((4,), (2, 4, 3)),
                                                ((2, 1, 3, 4), (3, 4, 2))))
def complex_matmul(input, other):
    """The matrix product of complex tensors, with torch.matmul's rules."""
    matmul_shape(input._spec, other._spec)
    a = input.unsqueeze(0) if input.ndim == 1 else input
    b = other.unsqueeze(-1) if other.ndim == 1 else other
    rows = view_as_real(a).reshape((*a.shape[:-1], 2 * a.shape[-1]))
    y = rows @ in_parts(b)
    y = paired(y.reshape((*y.shape[:-1], b.shape[-1], 2)))
    y = y.squeeze(-1) if other.ndim == 1 else y
    return y.squeeze(-2 if other.ndim > 1 else -1) if input.ndim == 1 else y


@composite("complex_addmm", batch="inside", public=False, dtypes="none", complex=True, samples=lambda rng: [
    (_drawn(((3, 2), (3, 4), (4, 2)))(rng)[0][0], {"beta": 2, "alpha": 3})],
    ref=lambda x, a, b, beta, alpha: beta * x + alpha * (a @ b))
def complex_addmm(input, a, b, *, beta, alpha):
    """beta * input + alpha * a @ b of complex tensors."""
    added_shape(input._spec, a._spec, b._spec, beta=beta, alpha=alpha)
    return beta * input + alpha * complex_matmul(a, b)


@composite("complex_linear", batch="inside", public=False, dtypes="none", complex=True, samples=_drawn(((3, 4), (2, 4), (2,))),
           ref=lambda x, w, b: x @ w.T + b)
def complex_linear(input, weight, bias):
    """input @ weight.T + bias of complex tensors; bias may be None."""
    linear_shape(input._spec, weight._spec, None if bias is None else bias._spec)
    y = complex_matmul(input, weight.mT)
    return y if bias is None else y + bias
