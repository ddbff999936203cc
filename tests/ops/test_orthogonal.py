"""Orthogonal polynomials against SciPy's, and PyTorch's where SciPy has none."""

import numpy as np
import pytest

import cltensor as ct
from cltensor.ops.pointwise import orthogonal_polynomials

scipy = pytest.importorskip("scipy.special")
pytestmark = pytest.mark.device

SCIPY = {"chebyshev_polynomial_t": scipy.eval_chebyt, "chebyshev_polynomial_u": scipy.eval_chebyu,
         "shifted_chebyshev_polynomial_t": scipy.eval_sh_chebyt, "shifted_chebyshev_polynomial_u": scipy.eval_sh_chebyu,
         "hermite_polynomial_h": scipy.eval_hermite, "hermite_polynomial_he": scipy.eval_hermitenorm,
         "laguerre_polynomial_l": scipy.eval_laguerre, "legendre_polynomial_p": scipy.eval_legendre}
NAMES = [name for name in vars(orthogonal_polynomials) if "_polynomial_" in name]


@pytest.mark.parametrize("name", SCIPY)
@pytest.mark.parametrize("dtype", [ct.float32, ct.float64], ids=lambda d: d.name)
def test_values(name, dtype, rng):
    x, n = rng.uniform(-1.2, 1.2, 2000).astype(dtype.numpy), rng.integers(0, 20, 2000)
    got = getattr(ct.special, name)(ct.tensor(x), ct.tensor(n).to(dtype)).numpy().astype(np.float64)
    want = SCIPY[name](n, x.astype(np.float64))
    size = np.maximum.accumulate(np.abs(want)[np.argsort(n)])[np.argsort(np.argsort(n))]  # of polynomials up to this degree
    assert (np.abs(got - want) <= 400 * ct.finfo(dtype).eps * np.maximum(1, size)).all()


@pytest.mark.parametrize("name", NAMES)
def test_as_in_pytorch(name):
    torch = pytest.importorskip("torch")
    x, degrees = np.array([-2, -1, -0.5, 0, 0.3, 1, 1.5]), [-1, -0.5, 0, 1, 2.7, 6, 7, 9, 50, np.nan, np.inf]
    for n in degrees:
        got = getattr(ct.special, name)(ct.tensor(x), n).numpy()
        want = getattr(torch.special, name)(torch.tensor(x), torch.tensor(n, dtype=torch.float64)).numpy()
        np.testing.assert_allclose(got, want, rtol=1e-9, atol=1e-11, err_msg=f"degree {n}")


def test_numbers_and_gradients():
    assert ct.special.chebyshev_polynomial_t(2, ct.tensor([1, 2, 3])).tolist() == [2, 7, 26]
    assert ct.special.legendre_polynomial_p(ct.tensor([1, 1]), 3).tolist() == [1, 1]
    assert not ct.special.legendre_polynomial_p(ct.ones(2, requires_grad=True), 3).requires_grad
