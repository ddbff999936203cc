"""What is wrong is refused at the call, with PyTorch's kind of error, and names the class, the value and the rule."""

import copy
import pickle

import numpy as np
import pytest

import cltensor as ct
from cltensor import distributions as D

pytestmark = [pytest.mark.device, pytest.mark.any_style]
NORMAL = ("Normal", 0.0, 1.0)

#: function of a library, its `distributions`; the error; what ours says
BAD = [
    (lambda t, D: D.Normal(0.0, -1.0), ValueError, r"Normal.*scale.*GreaterThan\(lower_bound=0\.0\)"),
    (lambda t, D: D.Normal(t.tensor([0.0, float("nan")]), 1.0), ValueError, "loc.*Real"),
    (lambda t, D: D.Normal("a", 1.0), ValueError, "Number or Tensor, got str"),
    (lambda t, D: D.Normal(t.zeros(2), t.ones(3)), RuntimeError, "broadcast"),
    (lambda t, D: D.Normal(0.0, 1.0).log_prob(1.0), ValueError, "must be a Tensor, got float"),
    (lambda t, D: D.Normal(t.zeros(2), 1.0).log_prob(t.zeros(3)), ValueError, "not broadcastable"),
    (lambda t, D: D.Normal(0.0, 1.0).log_prob(t.tensor(float("nan"))), ValueError, "support"),
    (lambda t, D: D.Categorical(t.ones(3)).log_prob(t.tensor(4)), ValueError, r"support.*IntegerInterval.*2"),
    (lambda t, D: D.Dirichlet(t.ones(3)).log_prob(t.ones(2)), ValueError, "event_shape"),
    (lambda t, D: D.Bernoulli(), ValueError, "probs.*logits.*but not both"),
    (lambda t, D: D.Bernoulli(0.2, 0.3), ValueError, "probs.*logits.*but not both"),
    (lambda t, D: D.Categorical(), ValueError, "but not both"),
    (lambda t, D: D.Bernoulli(1.2), ValueError, "probs.*Interval"),
    (lambda t, D: D.Categorical(t.tensor(1.0)), ValueError, "at least one-dimensional"),
    (lambda t, D: D.Categorical(t.tensor([-1.0, 2.0])), ValueError, "Simplex"),
    (lambda t, D: D.Dirichlet(t.tensor(1.0)), ValueError, "at least one-dimensional"),
    (lambda t, D: D.Poisson(1.0).rsample(), NotImplementedError, "rsample"),
    (lambda t, D: D.Normal(0.0, 1.0).enumerate_support(), NotImplementedError, "enumerate_support"),
    (lambda t, D: D.StudentT(1.0).cdf(t.tensor(1.0)), NotImplementedError, "cdf"),
    (lambda t, D: D.Gamma(1.0, 1.0).icdf(t.tensor(0.5)), NotImplementedError, "icdf"),
    (lambda t, D: D.Uniform(1.0, 0.0), ValueError, "low.*LessThan"),
    (lambda t, D: D.Uniform(0.0, 1.0).log_prob(t.tensor(2.0)), ValueError, "Interval"),
    (lambda t, D: D.MultivariateNormal(t.zeros(2)), ValueError, "Exactly one of"),
    (lambda t, D: D.MultivariateNormal(t.tensor(0.0), t.eye(2)), ValueError, "loc must be"),
    (lambda t, D: D.MultivariateNormal(t.zeros(2), t.ones(2)), ValueError, "two-dimensional"),
    (lambda t, D: D.MultivariateNormal(t.zeros(2), -t.eye(2)), ValueError, "PositiveDefinite"),
    (lambda t, D: D.Multinomial(t.tensor([1]), t.ones(2)), NotImplementedError, "inhomogeneous"),
    (lambda t, D: D.Binomial(t.tensor([2.0, 3.0]), t.tensor(0.5)).entropy(), NotImplementedError, "Inhomogeneous.*entropy"),
    (lambda t, D: D.Binomial(t.tensor([2.0, 3.0]), t.tensor(0.5)).enumerate_support(), NotImplementedError, "Inhomogeneous"),
    (lambda t, D: D.Independent(D.Normal(t.zeros(2), 1.0), 2), ValueError, "actual 2 vs 1"),
    (lambda t, D: D.Independent(D.Bernoulli(t.ones(2) * 0.5), 1).enumerate_support(), NotImplementedError, "cartesian"),
    (lambda t, D: D.MixtureSameFamily(D.Normal(0.0, 1.0), D.Normal(0.0, 1.0)), ValueError, "Categorical"),
    (lambda t, D: D.MixtureSameFamily(D.Categorical(t.ones(2)), 3), ValueError, "Distribution, not int"),
    (lambda t, D: D.MixtureSameFamily(D.Categorical(t.ones(3)), D.Normal(t.zeros(2), 1.0)), ValueError, r"\(3\).*2"),
    (lambda t, D: D.MixtureSameFamily(D.Categorical(t.ones(3, 2)), D.Normal(t.zeros(4, 2), 1.0)), ValueError, "not compatible"),
    (lambda t, D: D.LKJCholesky(1), ValueError, "dim=1"),
    (lambda t, D: D.Wishart(1.0, t.eye(3)), ValueError, "greater than ndim - 1 = 2"),
    (lambda t, D: D.TransformedDistribution(D.Normal(0.0, 1.0), [3]), ValueError, "transforms must be"),
    (lambda t, D: D.TransformedDistribution(D.Normal(0.0, 1.0), 3), ValueError, "transforms must be"),
    (lambda t, D: D.TransformedDistribution(D.Normal(0.0, 1.0), D.StickBreakingTransform()), ValueError, "at least 1"),
    (lambda t, D: D.Geometric(0.0), ValueError, "positive"),
    (lambda t, D: D.LowRankMultivariateNormal(t.zeros(2), t.zeros(3, 1), t.ones(2)), ValueError, "2 x m"),
    (lambda t, D: D.LowRankMultivariateNormal(t.zeros(2), t.zeros(2), t.ones(2)), ValueError, "two-dimensional"),
    (lambda t, D: D.LowRankMultivariateNormal(t.zeros(2), t.zeros(2, 1), t.ones(3)), ValueError, "cov_diag"),
    (lambda t, D: D.LowRankMultivariateNormal(t.tensor(0.0), t.zeros(2, 1), t.ones(2)), ValueError, "loc must"),
    (lambda t, D: D.LowRankMultivariateNormal(t.zeros(3, 2), t.zeros(2, 2, 1), t.ones(2)), ValueError, "ncompatible"),
    (lambda t, D: D.Distribution.set_default_validate_args(3), ValueError, "True or False, got 3"),
    (lambda t, D: D.Distribution(validate_args=False).sample(), NotImplementedError, "rsample"),
    (lambda t, D: D.Distribution(validate_args=False).log_prob(t.ones(1)), NotImplementedError, "log_prob"),
    (lambda t, D: D.Distribution(validate_args=False).stddev, NotImplementedError, "variance"),
    (lambda t, D: D.Distribution(validate_args=False).mean, NotImplementedError, "mean"),
    (lambda t, D: D.Distribution(validate_args=False).mode, NotImplementedError, "mode"),
    (lambda t, D: D.Distribution(validate_args=False).support, NotImplementedError, "support"),
    (lambda t, D: D.Distribution(validate_args=False).arg_constraints, NotImplementedError, "arg_constraints"),
    (lambda t, D: D.Distribution(validate_args=False).entropy(), NotImplementedError, "entropy"),
    (lambda t, D: D.Distribution(validate_args=False).expand((2,)), NotImplementedError, "expand"),
    (lambda t, D: D.ExponentialFamily(validate_args=False).entropy(), NotImplementedError, "_natural_params"),
    (lambda t, D: D.ExponentialFamily(validate_args=False)._log_normalizer(), NotImplementedError, "_log_normalizer"),
]


@pytest.mark.parametrize(("call", "kind", "says"), BAD, ids=[f"{i}" for i in range(len(BAD))])
def test_refused(call, kind, says):
    with pytest.raises(kind, match=f"(?s){says}"):
        call(ct, D)


@pytest.mark.filterwarnings("ignore::UserWarning:torch")
def test_refused_as_torch_does(monkeypatch):
    torch = pytest.importorskip("torch")
    monkeypatch.setattr(torch.distributions.Distribution, "_validate_args", True)  # torch.compile turns it off for good
    for call, kind, _ in BAD:
        with pytest.raises(kind):
            call(torch, torch.distributions)


def test_without_validation():
    n = D.Normal(0.0, -1.0, validate_args=False)
    assert n.log_prob(ct.tensor(1.0)).isnan()
    assert D.Uniform(0.0, 1.0, validate_args=False).log_prob(ct.tensor(2.0)).item() == -np.inf
    assert D.HalfNormal(1.0, validate_args=False).log_prob(ct.tensor(-1.0)).item() == -np.inf
    D.Distribution.set_default_validate_args(False)
    try:
        D.Normal(0.0, -1.0)
    finally:
        D.Distribution.set_default_validate_args(True)
    assert D.Normal(0.0, 1.0, validate_args=False).expand((2,))._validate_args is False


class WithoutSupport(D.Distribution):
    arg_constraints = {}  # noqa: RUF012

    def _log_prob(self, value):
        return value


def test_warnings():
    with pytest.warns(UserWarning, match="does not define `support`"):
        WithoutSupport().log_prob(ct.ones(1))
    with pytest.warns(UserWarning, match="does not define `arg_constraints`"):
        D.Distribution()
    with pytest.warns(FutureWarning, match="sample_n"):
        assert D.Normal(ct.zeros(2), 1.0).sample_n(3).shape == (3, 2)


class Own(D.Normal):
    def __init__(self, twice):
        super().__init__(twice / 2, 1.0)


class Expanding(Own):
    def expand(self, batch_shape, _instance=None):
        return super().expand(batch_shape, self._get_checked_instance(Expanding, _instance))


@pytest.mark.parametrize("base", [D.Independent, D.MixtureSameFamily, D.TransformedDistribution])
def test_subclasses_of_the_composed(base):
    class Made(base):
        def __init__(self):
            normal = D.Normal(ct.zeros(2), 1.0)
            arguments = {D.Independent: (normal, 1), D.MixtureSameFamily: (D.Categorical(ct.ones(2)), normal),
                         D.TransformedDistribution: (normal, D.ExpTransform())}
            super().__init__(*arguments[base])

    with pytest.raises(NotImplementedError, match=r"Made.*custom \.expand"):
        Made().expand((3, 2))


def test_subclasses():
    with pytest.raises(NotImplementedError, match=r"Subclass Own of Normal.*custom \.expand"):
        Own(2.0).expand((2,))
    assert isinstance(Expanding(2.0).expand((2,)), Expanding)
    assert Expanding(2.0).expand((2,)).loc.tolist() == [1.0, 1.0]


def test_nothing_is_read_from_the_device_but_by_validation(monkeypatch):
    """Neither drawing nor densities wait for values."""
    monkeypatch.setattr(D.Distribution, "_validate_args", False)
    made = [D.Normal(ct.zeros(2), 1.0), D.Gamma(ct.ones(2), 1.0), D.Beta(ct.ones(2), 1.0), D.Dirichlet(ct.ones(3)),
            D.Categorical(ct.ones(3)), D.VonMises(ct.zeros(2), 1.0), D.Poisson(ct.ones(2)), D.Binomial(3, ct.ones(2) * 0.5),
            D.StudentT(ct.ones(2)), D.Multinomial(4, ct.ones(3)), D.RelaxedBernoulli(1.0, ct.ones(2) * 0.5),
            D.Gumbel(ct.zeros(2), 1.0)]
    monkeypatch.setattr(ct.Tensor, "_read", lambda self: pytest.fail("read"))
    for d in made:
        d.log_prob(d.sample((3,)))


def test_copies_and_pickles():
    for d in (D.Normal(ct.zeros(2), 1.0), D.Beta(1.0, 2.0), D.Categorical(ct.ones(3)), D.LogNormal(0.0, 1.0)):
        x = d.sample()
        for other in (copy.deepcopy(d), pickle.loads(pickle.dumps(d))):
            assert other.log_prob(x).tolist() == d.log_prob(x).tolist()


def test_dtypes_and_numbers():
    assert D.Normal(0, 1).loc.dtype is ct.float32
    assert D.Normal(ct.zeros(2, dtype=ct.float64), 1.0).scale.dtype is ct.float64
    assert D.Normal(0.0, 1.0).sample().dtype is ct.float32
    assert D.Categorical(ct.ones(2)).sample().dtype is ct.int64
    assert D.Normal(0.0, 1.0).sample((2, 3)).shape == (2, 3)
    assert D.Normal(0.0, 1.0).sample(ct.Size([2])).shape == (2,)
    assert repr(D.Normal(ct.zeros(2), 1.0)) == "Normal(loc: cltensor.Size([2]), scale: cltensor.Size([2]))"
    assert repr(D.Normal(0.0, 1.0)) == "Normal(loc: 0.0, scale: 1.0)"
