"""Divergences against means over samples, and against PyTorch's where that is there."""

import itertools

import numpy as np
import pytest

import cltensor as ct
from cltensor import distributions as D
from cltensor.distributions.kl import registry
from distributions.examples import ROOT, SPREAD, WEIGHTS, A, E

pytestmark = [pytest.mark.device, pytest.mark.any_style, pytest.mark.filterwarnings("ignore::UserWarning:torch")]
#: several of each class, so that each pair of classes that has a formula has a pair with a finite divergence
EXAMPLES = [
    E("Bernoulli", A([0.3, 0.9])), E("Bernoulli", A([0.5, 0.2])), E("Beta", A([2.0, 1.5]), A([3.0, 2.0])), E("Beta", 1.2, 2.5),
    E("Binomial", 5, A([0.3, 0.6])), E("Binomial", 5, A([0.5, 0.5])), E("Categorical", WEIGHTS),
    E("Categorical", WEIGHTS[::-1].copy()),
    E("Cauchy", A([0.0, 1.0]), A([1.0, 2.0])), E("Cauchy", 0.5, 1.5), E("ContinuousBernoulli", A([0.3, 0.8])),
    E("ContinuousBernoulli", A([0.5, 0.4])), E("Dirichlet", A([2.0, 1.0, 3.0])), E("Dirichlet", A([1.5, 2.0, 2.0])),
    E("Exponential", A([1.0, 3.0])), E("Exponential", 2.0), E("Gamma", A([2.0, 3.5]), A([1.0, 2.0])), E("Gamma", 1.5, 0.7),
    E("Chi2", A([3.0, 4.0])), E("Geometric", A([0.3, 0.7])), E("Geometric", 0.5), E("Gumbel", A([0.0, 1.0]), A([1.0, 2.0])),
    E("Gumbel", 0.5, 1.5), E("HalfNormal", A([1.0, 2.0])), E("HalfNormal", 1.5), E("Laplace", A([0.0, 1.0]), A([1.0, 0.5])),
    E("Laplace", 0.5, 1.5), E("LogNormal", A([0.0, 0.5]), A([0.5, 0.7])), E("LogNormal", 0.2, 0.6),
    E("LowRankMultivariateNormal", A([0.5, -1.0]), A([[0.5], [1.0]]), A([1.0, 2.0])),
    E("LowRankMultivariateNormal", A([[0.0, 0.0], [1.0, 1.0]]), A([[1.0], [0.3]]), A([1.5, 1.0])),
    E("MultivariateNormal", A([0.5, -1.0]), SPREAD), E("MultivariateNormal", A([0.0, 0.0]), scale_tril=A([ROOT, 2 * ROOT])),
    E("Normal", A([0.0, 1.0]), A([1.0, 0.5])), E("Normal", 0.5, 1.5), E("OneHotCategorical", WEIGHTS),
    E("OneHotCategorical", WEIGHTS[::-1].copy()), E("Pareto", A([1.0, 2.0]), A([9.0, 7.5])), E("Pareto", 0.5, 6.0),
    E("Poisson", A([0.5, 4.0])), E("Poisson", 2.0), E("Uniform", A([0.2, 0.6]), A([0.7, 0.9])), E("Uniform", -0.5, 1.5),
    E("Wishart", A(4.0), SPREAD), E("Wishart", A(3.0), scale_tril=ROOT),
]
N = 2000


def made(example, **more):
    return example.made(D, lambda a: ct.tensor(np.asarray(a, np.float32)), **more)


def divergence(p, q, function=D.kl_divergence):
    try:
        return function(p, q)
    except NotImplementedError:
        return None


FIRST = {e.name: e for e in reversed(EXAMPLES)}
PAIRS = [(p, q) for p, q in itertools.product(FIRST.values(), EXAMPLES)
         if p is not q and registry._closest(getattr(D, p.name), getattr(D, q.name))]
#: pairs of classes where the first always has values outside the second's support
INFINITE = {(p.__name__, q.__name__) for (p, q), formula in registry._formulas.items() if formula.__name__ == "_infinite"}
BASES = {("ExponentialFamily",) * 2, ("TransformedDistribution",) * 2, ("Independent",) * 2}


def test_divergences_of_all_pairs():
    """Within six standard errors of the mean of log p(x) - log q(x), wherever they are finite."""
    ct.manual_seed(11)
    finite = set()
    for p_example, q_example in PAIRS:
        p, q = (made(e, validate_args=False) for e in (p_example, q_example))
        found = divergence(p, q)
        if found is None:
            continue
        kl = found.double().numpy()
        p = p.expand(kl.shape)
        x = p.sample((N,))
        terms = (p.log_prob(x) - q.log_prob(x)).double().numpy()
        inside = np.isfinite(kl)
        assert (kl[~inside] == np.inf).all(), (p_example, q_example, kl)
        if inside.any():
            finite.add((p_example.name, q_example.name))
            terms = terms[:, inside]
            error = 6 * terms.std(0) / np.sqrt(N) + 2e-4
            assert (np.abs(terms.mean(0) - kl[inside]) <= error).all(), (p_example, q_example, terms.mean(0), kl)
    formulas = {(p.__name__, q.__name__) for p, q in registry._formulas}
    assert formulas - finite - INFINITE == BASES
    assert not finite & INFINITE


def test_divergences_against_torch():
    torch = pytest.importorskip("torch")
    for p_example, q_example in PAIRS:
        p, q = (e.made(torch.distributions, lambda a: torch.tensor(a, dtype=torch.float32)) for e in (p_example, q_example))
        theirs = divergence(p, q, torch.distributions.kl_divergence)
        if theirs is not None:
            mine = D.kl_divergence(*(made(e, validate_args=False) for e in (p_example, q_example)))
            expected = theirs.detach().numpy()
            np.testing.assert_allclose(mine.numpy(), expected, rtol=2e-4, atol=2e-5, err_msg=f"{p_example} {q_example}")


def test_exponential_families_agree_with_closed_forms():
    general = registry._formulas[D.ExponentialFamily, D.ExponentialFamily]
    for name in ("Bernoulli", "Beta", "Dirichlet", "Exponential", "Gamma", "Normal", "Poisson", "ContinuousBernoulli"):
        p, q = [made(e) for e in EXAMPLES if e.name == name]
        np.testing.assert_allclose(general(p, q).numpy(), D.kl_divergence(p, q).numpy(), rtol=2e-3, atol=1e-5, err_msg=name)
    with pytest.raises(NotImplementedError, match="Bregman"):
        general(D.Normal(0.0, 1.0), D.Gamma(1.0, 1.0))


def test_entropies_of_exponential_families():
    for name in ("Beta", "Dirichlet", "Exponential", "Gamma", "Normal", "Bernoulli", "ContinuousBernoulli"):
        d = made(next(e for e in EXAMPLES if e.name == name))
        if name in ("Beta", "Dirichlet"):
            d.__class__ = type(name, (type(d),), {"_mean_carrier_measure": property(lambda self: carrier(self))})
        np.testing.assert_allclose(D.ExponentialFamily.entropy(d).numpy(), d.entropy().numpy(), rtol=1e-4, atol=1e-5, err_msg=name)


def carrier(d):
    """The mean of minus the sum of the logarithms: the densities are x ** a / x and so on."""
    a = d._dirichlet.concentration if hasattr(d, "_dirichlet") else d.concentration
    return -(a.digamma() - a.sum(-1, True).digamma()).sum(-1)


def test_more_trials():
    p, q = D.Binomial(ct.tensor([3.0, 5.0]), ct.tensor(0.4)), D.Binomial(ct.tensor([5.0, 3.0]), ct.tensor(0.6))
    k = ct.arange(4.0)
    first, other = D.Binomial(3, ct.tensor(0.4)), D.Binomial(5, ct.tensor(0.6))
    expected = (first.log_prob(k).exp() * (first.log_prob(k) - other.log_prob(k))).sum().item()
    np.testing.assert_allclose(D.kl_divergence(p, q).numpy(), [expected, np.inf], rtol=1e-5)


def test_independent_and_transformed():
    p, q = D.Normal(ct.zeros(2, 3), 1.0), D.Normal(ct.ones(2, 3), 2.0)
    kl = D.kl_divergence(p, q)
    np.testing.assert_allclose(D.kl_divergence(D.Independent(p, 1), D.Independent(q, 1)).numpy(), kl.sum(-1).numpy(), rtol=1e-6)
    with pytest.raises(NotImplementedError, match="Independent of 1"):
        D.kl_divergence(D.Independent(p, 1), D.Independent(q, 2))
    exp = D.ExpTransform()
    made_ = [D.TransformedDistribution(d, [exp]) for d in (p, q)]
    np.testing.assert_allclose(D.kl_divergence(*made_).numpy(), kl.numpy(), rtol=1e-6)
    with pytest.raises(NotImplementedError, match="different transforms"):
        D.kl_divergence(made_[0], D.TransformedDistribution(q, [D.TanhTransform()]))


def test_registering():
    class Mine(D.Normal):
        pass

    p, q = Mine(0.0, 1.0), D.Normal(1.0, 1.0)
    assert D.kl_divergence(p, q).item() == 0.5
    try:
        @D.register_kl(Mine, D.Normal)
        def _mine(p, q):
            return "mine"

        assert D.kl_divergence(p, q) == "mine"
        assert D.kl_divergence(q, q).item() == 0
    finally:
        del registry._formulas[Mine, D.Normal]
        registry._found.clear()
    with pytest.raises(TypeError, match="subclasses of Distribution"):
        D.register_kl(3, D.Normal)
    with pytest.raises(NotImplementedError, match=r"No KL.*Normal.*VonMises"):
        D.kl_divergence(q, D.VonMises(0.0, 1.0))
