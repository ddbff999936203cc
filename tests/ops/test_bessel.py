"""Bessel functions and Airy's against SciPy's: relative to the value, or to the amplitude where they oscillate."""

import numpy as np
import pytest

import cltensor as ct

scipy = pytest.importorskip("scipy.special")
pytestmark = pytest.mark.device

#: name -> (SciPy's function, ranges, p if it oscillates with an amplitude of |x| ** -p, None if it decays)
FUNCTIONS = {
    "bessel_j0": (scipy.j0, [(-60, 60), (0, 2)], 0.5),
    "bessel_j1": (scipy.j1, [(-60, 60), (0, 2)], 0.5),
    "bessel_y0": (scipy.y0, [(0.01, 60), (0, 2)], 0.5),
    "bessel_y1": (scipy.y1, [(0.01, 60), (0, 2)], 0.5),
    "modified_bessel_i0": (scipy.i0, [(-20, 20)], None),
    "modified_bessel_i1": (scipy.i1, [(0.01, 20)], None),
    "modified_bessel_k0": (scipy.k0, [(0, 2), (1, 60)], None),
    "modified_bessel_k1": (scipy.k1, [(0, 2), (1, 60)], None),
    "scaled_modified_bessel_k0": (scipy.k0e, [(0, 2), (1, 60), (1e3, 1e6)], None),
    "scaled_modified_bessel_k1": (scipy.k1e, [(0, 2), (1, 60), (1e3, 1e6)], None),
    "spherical_bessel_j0": (lambda x: scipy.spherical_jn(0, np.abs(x)), [(-60, 60), (-1, 1)], 1.0),
    "airy_ai": (lambda x: scipy.airy(x)[0], [(-12, 1), (1, 10)], 0.25),
}


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("dtype", [ct.float32, ct.float64], ids=lambda d: d.name)
def test_values(name, dtype, rng):
    function, ranges, power = FUNCTIONS[name]
    x = np.concatenate([rng.uniform(*limits, 2000) for limits in ranges]).astype(dtype.numpy)
    got = getattr(ct.special, name)(ct.tensor(x)).numpy().astype(np.float64)
    wide = x.astype(np.float64)
    want = function(wide)
    waves = 0 if power is None else np.minimum(np.abs(wide), 1 / np.finfo(np.float64).eps) ** -power
    scale = np.maximum(np.abs(want), np.where((wide > 1) & (name == "airy_ai"), 0, waves))  # Ai decays for positive x
    eps = ct.finfo(dtype).eps * (200 if name == "airy_ai" else 25)  # Ai's phase, and exponent, is of size x ** 1.5
    assert (np.abs(got - want) <= eps * scale).all()


@pytest.mark.parametrize("name", FUNCTIONS)
def test_special_values(name):
    torch = pytest.importorskip("torch")
    x = [np.nan, np.inf, -np.inf, 0.0, -0.0, 1e-30, -1.0]
    if name in ("modified_bessel_i0", "modified_bessel_i1"):
        x = x[3:]  # PyTorch's are NaN at infinity
    got = getattr(ct.special, name)(ct.tensor(x, dtype=ct.float64)).numpy()
    np.testing.assert_allclose(got, getattr(torch.special, name)(torch.tensor(x, dtype=torch.float64)), rtol=1e-12)


def test_they_have_no_gradient():
    x = ct.ones(2, requires_grad=True)
    assert not ct.special.bessel_j0(x).requires_grad
    out = ct.empty(2)
    assert ct.special.airy_ai(x.detach(), out=out) is out
    assert ct.special.bessel_y1(ct.tensor([1, 2])).dtype is ct.float32
    assert ct.special.spherical_bessel_j0(input=ct.zeros(1)).tolist() == [1]
