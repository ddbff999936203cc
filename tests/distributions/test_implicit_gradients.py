"""Samples move with their parameters as quantiles do: gradients of rsample against differences of SciPy's quantile functions."""

import numpy as np
import pytest

import cltensor as ct
from cltensor import distributions as D
from cltensor.codegen import reference
from cltensor.ops.random.rejection import beta_slope, gamma_slope
from distributions.examples import EXAMPLES

special = pytest.importorskip("scipy.special")
stats = pytest.importorskip("scipy.stats")
pytestmark = pytest.mark.device
CONCENTRATIONS = np.array([0.01, 0.2, 1.0, 1.9, 2.1, 6.0, 40.0, 900.0, 3e4])
PROBABILITIES = np.array([1e-6, 0.01, 0.3, 0.7, 0.99, 1 - 1e-6])


def slope(quantile, a):
    """d quantile / d a by differences of fourth order."""
    h = 2e-3 * a
    return (8 * (quantile(a + h) - quantile(a - h)) - (quantile(a + 2 * h) - quantile(a - 2 * h))) / (12 * h)


def quantile_pairs(quantile, *parameters):
    """(parameters, quantiles, slopes), flat, of those that float32 holds."""
    *grid, p = (g.ravel() for g in np.meshgrid(*parameters, PROBABILITIES))
    x = quantile(*grid, p)
    expected = slope(lambda a: quantile(a, *grid[1:], p), grid[0])
    kept = (x > 1e-25) & (x < (1 - 1e-4 if len(parameters) == 2 else np.inf))
    return [g[kept] for g in grid], x[kept], expected[kept]


@pytest.mark.parametrize(("dtype", "close"), [(ct.float32, 2e-4), (ct.float64, 2e-6)], ids=["float32", "float64"])
def test_slope_of_gamma(dtype, close):
    (a,), x, expected = quantile_pairs(special.gammaincinv, CONCENTRATIONS)
    found = gamma_slope(ct.tensor(a, dtype=dtype), ct.tensor(x, dtype=dtype)).double().numpy()
    np.testing.assert_allclose(found, expected, rtol=close)


@pytest.mark.parametrize(("dtype", "close"), [(ct.float32, 1e-3), (ct.float64, 1e-5)], ids=["float32", "float64"])
def test_slope_of_beta(dtype, close):
    (a, b), x, expected = quantile_pairs(special.betaincinv, CONCENTRATIONS[1:-1], CONCENTRATIONS[1:-1])
    found = beta_slope(*(ct.tensor(v, dtype=dtype) for v in (x, a, b))).double().numpy() * (1 - x)
    # a quantile of float32 lies up to a rounding error away, which counts where the density is wide
    np.testing.assert_allclose(found, expected, rtol=close, atol=close * 1e-2)


def test_references():
    x = special.gammaincinv(3.5, 0.3)
    np.testing.assert_allclose(reference.gamma_slope(3.5, x), slope(lambda a: special.gammaincinv(a, 0.3), 3.5), rtol=1e-7)
    x = special.betaincinv(2.5, 0.7, 0.3)
    expected = slope(lambda a: special.betaincinv(a, 0.7, 0.3), 2.5) / (1 - x)
    np.testing.assert_allclose(reference.beta_slope(x, 2.5, 0.7), expected, rtol=1e-6)


def test_slopes_at_the_ends():
    assert gamma_slope(ct.tensor([1.0, 50.0]), ct.tensor([0.0, 0.0])).tolist() == [0, 0]
    assert gamma_slope(ct.tensor([-1.0, 1.0, np.nan]), ct.tensor([1.0, -1.0, 1.0])).isnan().all()
    assert beta_slope(ct.tensor([0.0]), ct.tensor([2.0]), ct.tensor([3.0])).tolist() == [0]
    assert beta_slope(ct.tensor([1.0, 1.0]), ct.tensor([2.0, 0.5]), ct.tensor([3.0, 0.5])).isfinite().all()
    assert beta_slope(ct.tensor([-0.1, 1.1, 0.5]), ct.tensor([2.0, 2.0, -1.0]), ct.tensor([3.0, 3.0, 1.0])).isnan().all()


#: class, parameters, which one moves, quantile function of SciPy with it first
MOVED = {
    "Gamma": ((2.5, 1.5), 0, lambda a, p: stats.gamma(a, scale=1 / 1.5).ppf(p)),
    "Gamma rate": ((2.5, 1.5), 1, lambda r, p: stats.gamma(2.5, scale=1 / r).ppf(p)),
    "Beta": ((0.7, 2.0), 0, lambda a, p: stats.beta(a, 2.0).ppf(p)),
    "Beta concentration0": ((0.7, 2.0), 1, lambda b, p: stats.beta(0.7, b).ppf(p)),
    "Chi2": ((3.0,), 0, lambda k, p: stats.chi2(k).ppf(p)),
    "InverseGamma": ((2.5, 1.0), 0, lambda a, p: stats.invgamma(a).ppf(p)),
    "Normal": ((1.0, 2.0), 1, lambda s, p: stats.norm(1.0, s).ppf(p)),
    "Laplace": ((1.0, 2.0), 1, lambda s, p: stats.laplace(1.0, s).ppf(p)),
    "Gumbel": ((1.0, 2.0), 1, lambda s, p: stats.gumbel_r(1.0, s).ppf(p)),
    "Exponential": ((2.0,), 0, lambda r, p: stats.expon(scale=1 / r).ppf(p)),
    "Pareto": ((2.0, 3.0), 1, lambda a, p: stats.pareto(a, scale=2.0).ppf(p)),
    "Weibull": ((2.0, 1.5), 1, lambda c, p: stats.weibull_min(c, scale=2.0).ppf(p)),
    "LogNormal": ((0.2, 0.7), 1, lambda s, p: stats.lognorm(s, scale=np.exp(0.2)).ppf(p)),
    "HalfNormal": ((2.0,), 0, lambda s, p: stats.halfnorm(scale=s).ppf(p)),
    "Cauchy": ((0.5, 2.0), 1, lambda s, p: stats.cauchy(0.5, s).ppf(p)),
    "Uniform": ((0.0, 2.0), 1, lambda b, p: stats.uniform(0.0, b).ppf(p)),
    "GeneralizedPareto": ((0.0, 1.0, 0.3), 2, lambda k, p: stats.genpareto(k).ppf(p)),
    "Kumaraswamy": ((1.5, 2.0), 0, lambda a, p: (1 - (1 - p) ** 0.5) ** (1 / a)),
}


@pytest.mark.parametrize("name", MOVED)
def test_samples_move_as_quantiles(name):
    """By the distribution function at what was drawn, which stays while the parameter moves."""
    parameters, which, quantile = MOVED[name]
    ct.manual_seed(3)
    leaves = [ct.tensor(float(v), dtype=ct.float64).expand(40).clone().requires_grad_() for v in parameters]
    x = getattr(D, name.split()[0])(*leaves).rsample()
    x.sum().backward()
    grid = np.linspace(1e-6, 1 - 1e-6, 20001)
    p = np.interp(x.detach().numpy(), quantile(parameters[which], grid), grid)
    inside = (p > 0.02) & (p < 0.98)
    expected = slope(lambda v: quantile(v, p), parameters[which])
    np.testing.assert_allclose(leaves[which].grad.numpy()[inside], expected[inside], rtol=3e-3, atol=1e-4)


@pytest.mark.parametrize("example", [e for e in EXAMPLES if getattr(D, e.name).has_rsample is not False], ids=repr)
def test_rsample_has_gradients_for_every_parameter(example):
    leaves = []

    def leaf(array):
        leaves.append(ct.tensor(np.asarray(array, np.float32)).requires_grad_())
        return leaves[-1]

    d = example.made(D, leaf)
    x = d.rsample((2,))
    assert x.shape == (2, *d.batch_shape, *d.event_shape)
    assert x.requires_grad == bool(leaves)
    assert not d.sample((2,)).requires_grad
    if leaves:
        (x**2).sum().backward()
        assert all(t.grad is not None and t.grad.isfinite().all() for t in leaves)


def test_dirichlet_moves_the_mean():
    """The gradient of the mean of a function of samples is that of the function's mean: of x0 ** 2, a (a + 1) / (s (s + 1))."""
    ct.manual_seed(1)
    a = ct.tensor([0.8, 2.0, 3.0], requires_grad=True)
    (D.Dirichlet(a).rsample((4000,))[:, 0] ** 2).mean().backward()
    c = ct.tensor([0.8, 2.0, 3.0], requires_grad=True)
    (c[0] * (c[0] + 1) / (c.sum() * (c.sum() + 1))).backward()
    np.testing.assert_allclose(a.grad.numpy(), c.grad.numpy(), atol=4e-3)
