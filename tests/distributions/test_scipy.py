"""Densities, distribution functions, quantiles, moments and entropies against SciPy's, in float32."""

import numpy as np
import pytest

import cltensor as ct
from cltensor import distributions as D

stats = pytest.importorskip("scipy.stats")
special = pytest.importorskip("scipy.special")
pytestmark = pytest.mark.device

A = np.array
#: ours, parameters, SciPy's
CASES = {
    "Bernoulli": (D.Bernoulli, (A([0.2, 0.7]),), lambda p: stats.bernoulli(p)),
    "Beta": (D.Beta, (A([0.5, 3.0, 60.0]), A([0.7, 2.0, 20.0])), lambda a, b: stats.beta(a, b)),
    "Binomial": (D.Binomial, (A([5.0, 40.0]), A([0.3, 0.6])), lambda n, p: stats.binom(n, p)),
    "Cauchy": (D.Cauchy, (A([0.0, 2.0]), A([1.0, 0.5])), lambda m, s: stats.cauchy(m, s)),
    "Chi2": (D.Chi2, (A([1.5, 9.0]),), lambda k: stats.chi2(k)),
    "Exponential": (D.Exponential, (A([0.5, 3.0]),), lambda r: stats.expon(scale=1 / r)),
    "FisherSnedecor": (D.FisherSnedecor, (A([3.0, 8.0]), A([6.0, 12.0])), lambda a, b: stats.f(a, b)),
    "Gamma": (D.Gamma, (A([0.4, 2.0, 500.0]), A([1.0, 3.0, 2.0])), lambda a, r: stats.gamma(a, scale=1 / r)),
    "GeneralizedPareto": (D.GeneralizedPareto, (A([0.0, 1.0, 0.0]), A([1.0, 2.0, 3.0]), A([-0.3, 0.0, 0.2])),
                          lambda m, s, k: stats.genpareto(k, m, s)),
    "Geometric": (D.Geometric, (A([0.2, 0.7]),), lambda p: stats.geom(p, -1)),
    "Gumbel": (D.Gumbel, (A([0.0, 2.0]), A([1.0, 0.5])), lambda m, s: stats.gumbel_r(m, s)),
    "HalfCauchy": (D.HalfCauchy, (A([1.0, 0.5]),), lambda s: stats.halfcauchy(scale=s)),
    "HalfNormal": (D.HalfNormal, (A([1.0, 0.5]),), lambda s: stats.halfnorm(scale=s)),
    "InverseGamma": (D.InverseGamma, (A([3.5, 6.0]), A([1.0, 2.0])), lambda a, r: stats.invgamma(a, scale=r)),
    "Laplace": (D.Laplace, (A([0.0, 2.0]), A([1.0, 0.5])), lambda m, s: stats.laplace(m, s)),
    "LogNormal": (D.LogNormal, (A([0.0, 0.5]), A([1.0, 0.5])), lambda m, s: stats.lognorm(s, scale=np.exp(m))),
    "NegativeBinomial": (D.NegativeBinomial, (A([3.0, 7.5]), A([0.3, 0.6])), lambda n, p: stats.nbinom(n, 1 - p)),
    "Normal": (D.Normal, (A([0.0, 2.0]), A([1.0, 0.5])), lambda m, s: stats.norm(m, s)),
    "Pareto": (D.Pareto, (A([1.0, 2.0]), A([3.0, 5.0])), lambda s, a: stats.pareto(a, scale=s)),
    "Poisson": (D.Poisson, (A([0.4, 12.0]),), lambda r: stats.poisson(r)),
    "StudentT": (D.StudentT, (A([3.0, 9.0]), A([0.0, 1.0]), A([1.0, 2.0])), lambda k, m, s: stats.t(k, m, s)),
    "Uniform": (D.Uniform, (A([0.0, -1.0]), A([1.0, 3.0])), lambda a, b: stats.uniform(a, b - a)),
    "VonMises": (D.VonMises, (A([0.0, 0.5]), A([0.6, 20.0])), lambda m, k: stats.vonmises(k, m)),
    "Weibull": (D.Weibull, (A([1.0, 2.0]), A([1.5, 0.8])), lambda s, c: stats.weibull_min(c, scale=s)),
}
CLOSE = {"rtol": 2e-5, "atol": 3e-6}


def tensor(a):
    return ct.tensor(np.asarray(a, np.float32))


@pytest.fixture(params=CASES)
def case(request):
    """(ours, SciPy's, whether values are counts)."""
    made, parameters, frozen = CASES[request.param]
    theirs = frozen(*parameters)
    return made(*map(tensor, parameters)), theirs, hasattr(theirs.dist, "pmf")


def values(theirs, discrete):
    """Quantiles (5, *batch) as float32 holds them."""
    x = theirs.ppf(A([0.02, 0.2, 0.5, 0.9, 0.999])[:, None])
    return np.maximum(x, 0) if discrete else x.astype(np.float32).astype(float)


def test_log_prob(case):
    ours, theirs, discrete = case
    x = values(theirs, discrete)
    expected = theirs.logpmf(x) if discrete else theirs.logpdf(x)
    np.testing.assert_allclose(ours.log_prob(tensor(x)).numpy(), expected, rtol=2e-5, atol=2e-5 * max(1, np.abs(x).max() ** 0.5))


def test_moments_and_entropy(case):
    ours, theirs, _ = case
    if isinstance(ours, D.VonMises):
        np.testing.assert_allclose(ours.variance.numpy(), 1 - special.i1(A([0.6, 20.0])) / special.i0(A([0.6, 20.0])), rtol=1e-5)
        return
    if not isinstance(ours, (D.Cauchy, D.HalfCauchy)):
        np.testing.assert_allclose(ours.mean.numpy(), theirs.mean(), **CLOSE)
        np.testing.assert_allclose(ours.variance.numpy(), theirs.var(), **CLOSE)
        np.testing.assert_allclose(ours.stddev.numpy(), theirs.std(), **CLOSE)
    try:
        entropy = ours.entropy()
    except NotImplementedError:
        assert isinstance(ours, (D.Binomial, D.FisherSnedecor, D.NegativeBinomial, D.Poisson))
        return
    np.testing.assert_allclose(entropy.numpy(), theirs.entropy(), rtol=2e-5, atol=1e-4)


def test_distribution_function_and_quantiles(case):
    ours, theirs, discrete = case
    x = values(theirs, discrete)
    try:
        found = ours.cdf(tensor(x))
    except NotImplementedError:
        return
    np.testing.assert_allclose(found.numpy(), theirs.cdf(x), rtol=5e-5, atol=1e-6)
    try:
        quantiles = ours.icdf(tensor(A([0.1, 0.5, 0.8])[:, None]))
    except NotImplementedError:
        return
    np.testing.assert_allclose(quantiles.numpy(), theirs.ppf(A([0.1, 0.5, 0.8], np.float32)[:, None]), rtol=5e-5, atol=1e-5)


def test_tails_of_the_normal_distribution():
    n = D.Normal(0.0, 1.0)
    np.testing.assert_allclose(n.cdf(tensor([-9.0, 6.0])).numpy(), special.ndtr([-9.0, 6.0]), rtol=1e-5)
    np.testing.assert_allclose(n.icdf(tensor([1e-30, 1e-6])).numpy(), special.ndtri([1e-30, 1e-6]), rtol=1e-5)


def test_vectors_and_matrices():
    rng = np.random.default_rng(3)
    spread = A([[2.0, 0.6, 0.1], [0.6, 1.0, -0.2], [0.1, -0.2, 0.7]])
    x = rng.standard_normal((5, 3))
    for matrix, given in (("covariance_matrix", spread), ("precision_matrix", np.linalg.inv(spread)),
                          ("scale_tril", np.linalg.cholesky(spread))):
        ours = D.MultivariateNormal(tensor([0.1, 0.2, 0.3]), **{matrix: tensor(given)})
        expected = stats.multivariate_normal([0.1, 0.2, 0.3], spread)
        np.testing.assert_allclose(ours.log_prob(tensor(x)).numpy(), expected.logpdf(x), rtol=2e-5)
        np.testing.assert_allclose(ours.entropy().numpy(), expected.entropy(), rtol=1e-5)
        for name in ("covariance_matrix", "precision_matrix", "scale_tril"):
            wanted = {"covariance_matrix": spread, "precision_matrix": np.linalg.inv(spread),
                      "scale_tril": np.linalg.cholesky(spread)}
            np.testing.assert_allclose(getattr(ours, name).numpy(), wanted[name], rtol=1e-4, atol=1e-5)
    fractions = rng.dirichlet([1.0, 2.0, 3.0], 4).astype(np.float32)
    ours, theirs = D.Dirichlet(tensor([0.5, 2.0, 30.0])), stats.dirichlet([0.5, 2.0, 30.0])
    np.testing.assert_allclose(ours.log_prob(tensor(fractions)).numpy(),
                               [theirs.logpdf(f / f.sum()) for f in fractions.astype(float)], rtol=3e-5, atol=1e-4)
    np.testing.assert_allclose(ours.entropy().numpy(), theirs.entropy(), rtol=2e-5)
    counts = rng.multinomial(6, [0.2, 0.3, 0.5], 4)
    ours, theirs = D.Multinomial(6, tensor([0.2, 0.3, 0.5])), stats.multinomial(6, [0.2, 0.3, 0.5])
    np.testing.assert_allclose(ours.log_prob(tensor(counts)).numpy(), theirs.logpmf(counts), rtol=2e-5)
    np.testing.assert_allclose(ours.entropy().numpy(), theirs.entropy(), rtol=2e-5)
    m = stats.wishart.rvs(5, spread, 3, random_state=1)
    ours, theirs = D.Wishart(tensor(5.0), tensor(spread)), stats.wishart(5, spread)
    np.testing.assert_allclose(ours.log_prob(tensor(m)).numpy(), [theirs.logpdf(each) for each in m], rtol=1e-4)
    np.testing.assert_allclose(ours.entropy().numpy(), theirs.entropy(), rtol=2e-5)
