"""What distributions draw has the distribution that log_prob and SciPy say, with a fixed seed."""

import numpy as np
import pytest

import cltensor as ct
from cltensor import distributions as D
from cltensor.tensor.random import implicit
from distributions.examples import EXAMPLES, A, E

stats = pytest.importorskip("scipy.stats")
pytestmark = pytest.mark.device
N = 4000
#: so heavy a tail that the variance of samples has none itself
HEAVY = {"FisherSnedecor", "InverseGamma", "Pareto", "StudentT"}


@pytest.fixture(autouse=True)
def _seed():
    ct.manual_seed(20)


def made(example, **more):
    return example.made(D, lambda a: ct.tensor(np.asarray(a, np.float32)), **more)


def drawn(example):
    d = made(example)
    return d, d.sample((N,)).double().numpy()


def first_of(example):
    """Whether the example is the first of its class."""
    return next(e for e in EXAMPLES if e.name == example.name) is example


@pytest.mark.parametrize("example", [e for e in EXAMPLES if first_of(e)], ids=repr)
def test_moments_of_samples(example):
    """Within five standard errors, where the moments are finite."""
    d, x = drawn(example)
    try:
        mean, variance = (m.double().numpy() for m in (d.mean, d.variance))
    except NotImplementedError:
        return
    if not (np.isfinite(mean) & np.isfinite(variance)).all() or example.name == "VonMises":
        return
    slack = 5 * np.sqrt(variance / N)
    assert (np.abs(x.mean(0) - mean) <= slack + 1e-6).all()
    if example.name in HEAVY:
        return
    fourth = ((x - x.mean(0)) ** 4).mean(0)
    assert (np.abs(x.var(0) - variance) <= 6 * np.sqrt(fourth / N) + 1e-6).all()


@pytest.mark.parametrize("example", [e for e in EXAMPLES if first_of(e)], ids=repr)
def test_log_prob_of_samples(example):
    """The mean of -log_prob is the entropy; densities of counts sum to 1."""
    d = made(example)
    try:
        entropy = d.entropy().double().numpy()
    except NotImplementedError:
        return
    log_probs = d.log_prob(d.sample((N,))).double().numpy()
    assert (np.abs(-log_probs.mean(0) - entropy) <= 5 * log_probs.std(0) / np.sqrt(N) + 1e-4).all()
    if d.has_enumerate_support:
        np.testing.assert_allclose(d.log_prob(d.enumerate_support()).exp().sum(0).numpy(), np.ones(d.batch_shape), rtol=1e-4)


CONTINUOUS = [
    E("VonMises", A([0.0, 1.0]), A([0.3, 8.0])), E("Gamma", A([0.1, 0.8, 2.5, 500.0]), A([1.0, 1.0, 3.0, 0.5])),
    E("Beta", A([0.3, 2.0, 80.0]), A([0.4, 5.0, 40.0])), E("StudentT", A([2.0, 7.0])), E("Cauchy", A([0.0, 1.0]), A([1.0, 2.0])),
    E("HalfCauchy", A([1.5])), E("RelaxedBernoulli", A(0.6), A([0.3])), E("Kumaraswamy", A([0.6, 3.0]), A([2.0, 0.5])),
    E("FisherSnedecor", A([3.0]), A([4.0])), E("InverseGamma", A([1.5]), A([2.0])), E("Pareto", A([2.0]), A([1.5])),
    E("Weibull", A([2.0]), A([0.8])), E("GeneralizedPareto", A([0.0, 1.0]), A([1.0, 2.0]), A([-0.4, 0.3])),
    E("ContinuousBernoulli", A([0.3, 0.5])), E("Gumbel", A([1.0]), A([2.0])), E("Laplace", A([1.0]), A([2.0])),
    E("LogNormal", A([0.2]), A([0.7])), E("HalfNormal", A([2.0])), E("Exponential", A([2.0])), E("Uniform", A([1.0]), A([3.0])),
    E("Normal", A([1.0]), A([2.0])), E("Chi2", A([0.7, 5.0])),
]


def probability_below(d, x):
    """The integral of exp(log_prob) up to each of sorted values x (N, 1 or *batch), from their smallest on, by trapezoids."""
    density = np.exp(d.log_prob(ct.tensor(x.astype(np.float32))).double().numpy())
    return np.cumsum(np.diff(x, axis=0) * (density[1:] + density[:-1]) / 2, 0)


@pytest.mark.parametrize("example", CONTINUOUS, ids=repr)
def test_samples_follow_log_prob(example):
    """Between the quantiles 0.1 and 0.9 of the samples lies 0.8 of the density; Kolmogorov and Smirnov's distance is small."""
    d, x = drawn(example)
    x = np.sort(x, 0)
    low, high = x[N // 10], x[-N // 10]
    grid = (np.geomspace if (low > 0).all() else np.linspace)(low, high, 2000)
    below = probability_below(d, grid)
    for i in range(x.shape[1]):
        empirical = np.searchsorted(x[:, i], grid[1:, i]) / N - np.searchsorted(x[:, i], grid[0, i]) / N
        assert np.abs(empirical - below[:, i]).max() < 1.9 / np.sqrt(N)


def test_gamma_of_large_and_small_parameters():
    x = implicit.standard_gamma(ct.full((N,), 1e4)).double().numpy()
    assert stats.kstest(x, stats.gamma(1e4).cdf).pvalue > 1e-3
    x, theirs, least = implicit.standard_gamma(ct.full((N,), 0.02)).double().numpy(), stats.gamma(0.02), 1e-37
    below = theirs.cdf(least)  # what float32 does not hold
    assert stats.kstest(x[x > least], lambda t: (theirs.cdf(t) - below) / (1 - below)).pvalue > 1e-3
    assert implicit.standard_gamma(ct.tensor([0.0])).item() < 1e-37
    assert implicit.standard_gamma(ct.tensor([-1.0, np.nan, np.inf])).isnan().all()


def test_small_dirichlet_concentrations_do_not_underflow_together():
    x = D.Dirichlet(ct.full((3,), 1e-3)).sample((200,))
    assert not x.isnan().any()
    np.testing.assert_allclose(x.sum(-1).numpy(), 1, rtol=1e-5)
    assert (x.amax(-1) > 0.99).float().mean().item() > 0.95


def test_angles_of_any_concentration():
    for k in (1e-8, 1e3, 1e6):
        x = implicit.von_mises(ct.full((N,), k)).double().numpy()
        assert stats.kstest(x, stats.vonmises(k).cdf).pvalue > 1e-3
    assert implicit.von_mises(ct.tensor([-1.0, np.nan])).isnan().all()


def test_correlations_of_lkj():
    """Every correlation of a matrix of n rows has, moved to [0, 1], the distribution Beta(b, b), b = concentration - 1 + n / 2."""
    for n, concentration in ((3, 1.0), (4, 2.5)):
        low = D.LKJCholesky(n, concentration).sample((N // 2,)).double().numpy()
        correlation = low @ low.swapaxes(-1, -2)
        np.testing.assert_allclose(np.diagonal(correlation, axis1=-2, axis2=-1), 1, rtol=1e-5)
        b = concentration - 1 + n / 2
        for i in range(n):
            for j in range(i):
                assert stats.kstest((correlation[:, i, j] + 1) / 2, stats.beta(b, b).cdf).pvalue > 1e-4


def test_the_same_seed_draws_the_same():
    for example in (EXAMPLES[4], E("VonMises", 0.0, 2.0), E("Dirichlet", A([0.5, 2.0]))):
        d, found = made(example), []
        for _ in range(2):
            ct.manual_seed(5)
            found.append(d.sample((7,)).numpy())
        np.testing.assert_array_equal(*found)
        assert (d.sample((7,)).numpy() != found[0]).any()


def test_a_mixture_draws_its_components():
    weights = D.Categorical(ct.tensor([0.2, 0.8]))
    mixture = D.MixtureSameFamily(weights, D.Normal(ct.tensor([-4.0, 4.0]), ct.tensor([1.0, 0.5])))
    x = mixture.sample((N,))
    assert abs((x > 0).float().mean().item() - 0.8) < 0.03
    np.testing.assert_allclose([x.mean().item(), x.var().item()], [mixture.mean.item(), mixture.variance.item()], atol=0.6)
    joint = D.MixtureSameFamily(D.Categorical(ct.ones(2, 3)), D.Independent(D.Normal(ct.zeros(2, 3, 4), 1.0), 1))
    assert joint.sample((5,)).shape == (5, 2, 4)
    assert joint.mean.shape == joint.variance.shape == (2, 4)


def test_16_bit_floats():
    for dtype in (ct.float16, ct.bfloat16):
        g = D.Gamma(ct.full((500,), 2.0, dtype=dtype), ct.ones(500, dtype=dtype), validate_args=False)
        x = g.sample()
        assert x.dtype is dtype
        assert abs(x.float().mean().item() - 2) < 0.4


def test_singular_wishart_samples_are_drawn_again(monkeypatch):
    d = D.Wishart(ct.tensor(4.0), ct.eye(2))
    assert d.rsample((3,), max_try_correction=2).shape == (3, 2, 2)
    draws = []

    def drawn(shape):
        draws.append(shape)
        return ct.stack([ct.eye(2), ct.zeros(2, 2) if len(draws) < 3 else 2 * ct.eye(2)])

    monkeypatch.setattr(d, "_drawn", drawn)
    found = d.rsample((2,), max_try_correction=3)
    assert len(draws) == 3
    assert found[:, 0, 0].tolist() == [1, 2]
    draws.clear()
    with pytest.warns(UserWarning, match="Singular sample detected"):
        d.rsample((2,), max_try_correction=1)


def test_arguments_have_pytorchs_names():
    mixture = D.MixtureSameFamily(D.Categorical(ct.ones(2)), D.Normal(ct.tensor([-1.0, 1.0]), 0.5))
    assert mixture.cdf(x=ct.tensor(0.0)).item() == pytest.approx(0.5)
    assert mixture.log_prob(x=ct.tensor(0.0)).item() == pytest.approx(D.Normal(1.0, 0.5).log_prob(ct.tensor(0.0)).item())
    for half in (D.HalfNormal(2.0), D.HalfCauchy(2.0)):
        assert half.cdf(half.icdf(prob=ct.tensor(0.3))).item() == pytest.approx(0.3, rel=1e-5)
    assert D.constraints.multinomial(2).check(x=ct.tensor([1.0, 1.0])).item()
    with pytest.raises(ct.base.errors.ArgumentError, match="dependent constraint"):
        D.constraints.dependent.check(x=ct.ones(1))
