"""Random numbers: reproducible from a seed, the same for every layout and device style, with the moments they should have."""

import copy
import math
import pickle

import numpy as np
import pytest

import cltensor as ct

pytestmark = [pytest.mark.device, pytest.mark.optimised]
N = 100_000


@pytest.fixture(autouse=True)
def _seed():
    ct.manual_seed(1234)


def moments(t, mean, std):
    """Check mean and standard deviation within five standard errors."""
    values = t.double().numpy()
    assert abs(values.mean() - mean) < 5 * std / np.sqrt(values.size)
    assert abs(values.std() - std) < 10 * std / np.sqrt(values.size)


@pytest.mark.parametrize("dtype", [ct.float32, ct.float64, ct.float16, ct.bfloat16], ids=lambda d: d.name)
def test_uniform_and_normal(dtype):
    u = ct.rand(N, dtype=dtype)
    assert u.dtype is dtype
    assert u.min().item() >= 0
    assert u.max().item() < 1
    moments(u, 0.5, 12**-0.5)
    moments(ct.randn(N, dtype=dtype), 0, 1)


def test_seed_repeats():
    first = ct.rand(7), ct.randn(5), ct.randint(9, (4,)), ct.randperm(6)
    ct.manual_seed(1234)
    again = ct.rand(7), ct.randn(5), ct.randint(9, (4,)), ct.randperm(6)
    assert [t.tolist() for t in first] == [t.tolist() for t in again]
    assert ct.rand(7).tolist() != first[0].tolist()


def test_known_values():
    """Philox is the same everywhere: these numbers may never change."""
    g = ct.Generator().manual_seed(0)
    first, second = ct.rand(4, generator=g), ct.rand(4, generator=g)
    assert len({*first.tolist(), *second.tolist()}) == 8
    g.manual_seed(0)
    assert ct.rand(2, 2, generator=g).flatten().tolist() == first.tolist()


def test_generators_are_independent():
    a, b = (ct.Generator().manual_seed(5) for _ in range(2))
    x = ct.rand(10, generator=a)
    ct.rand(3)
    assert ct.rand(10, generator=b).tolist() == x.tolist()
    state = a.get_state()
    y = ct.rand(10, generator=a)
    a.set_state(state)
    assert ct.rand(10, generator=a).tolist() == y.tolist()


def test_neighbours_do_not_correlate():
    u = ct.rand(N).numpy()
    assert abs(np.corrcoef(u[:-1], u[1:])[0, 1]) < 0.02
    first, second = ct.rand(1000).numpy(), ct.rand(1000).numpy()
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.2


def test_integers():
    t = ct.randint(-3, 5, (N,))
    assert t.dtype is ct.int64
    assert set(t.tolist()) == set(range(-3, 5))
    counts = np.bincount(t.numpy() + 3)
    assert abs(counts - N / 8).max() < 6 * np.sqrt(N / 8)
    assert ct.randint(256, (10,), dtype=ct.uint8).dtype is ct.uint8


def test_permutation():
    p = ct.randperm(1000)
    assert sorted(p.tolist()) == list(range(1000))
    assert p.tolist() != list(range(1000))


def test_filling_in_place():
    t = ct.empty(N)
    moments(t.uniform_(-1, 3), 1, 4 * 12**-0.5)
    moments(t.normal_(2, 3), 2, 3)
    moments(t.exponential_(2), 0.5, 0.5)
    moments(t.bernoulli_(0.3), 0.3, 0.21**0.5)
    strided = ct.zeros(10, 10)
    strided[::2, 1:3].uniform_()
    assert (strided != 0).sum().item() == 10
    assert strided._version == 1


def test_bernoulli():
    p = ct.tensor([0.0, 0.25, 1.0]).repeat(N, 1)
    b = ct.bernoulli(p)
    np.testing.assert_allclose(b.mean(0).tolist(), [0, 0.25, 1], atol=0.01)
    assert set(b.unique().tolist()) <= {0, 1}


def test_multinomial():
    weights = ct.tensor([1.0, 0.0, 3.0])
    drawn = ct.multinomial(weights, N, replacement=True).numpy()
    np.testing.assert_allclose(np.bincount(drawn, minlength=3) / N, [0.25, 0, 0.75], atol=0.01)
    assert sorted(ct.multinomial(weights, 2).tolist()) == [0, 2]


def test_dropout():
    x = ct.ones(N, requires_grad=True)
    y = ct.nn.functional.dropout(x, 0.25, training=True)
    kept = y.detach().numpy()
    np.testing.assert_allclose(np.unique(kept), [0, 4 / 3], rtol=1e-6)
    assert abs((kept > 0).mean() - 0.75) < 0.01
    y.sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), kept)


def test_empty():
    assert ct.rand(0, 3).shape == (0, 3)
    assert ct.randperm(0).tolist() == []


@pytest.mark.parametrize("draw", [
    lambda t: t.uniform_(), lambda t: t.normal_(), lambda t: t.exponential_(), lambda t: t.log_normal_(), lambda t: t.cauchy_(),
], ids=["uniform", "normal", "exponential", "log_normal", "cauchy"])
def test_float64_draws_more_bits_than_float32_has(draw):
    values = draw(ct.empty(1000, dtype=ct.float64)).numpy()
    assert (values != values.astype(np.float32)).mean() > 0.99


def test_uniform_float64_does_not_repeat():
    assert len(ct.rand(N, dtype=ct.float64).unique()) == N  # of 24 bits some 300 would be there twice


def test_distributions_of_float64():
    """Kolmogorov and Smirnov's distance of normal numbers; the moments, or the median, of others."""
    x = np.sort(ct.randn(N, dtype=ct.float64).numpy())
    wanted = np.array([0.5 * math.erfc(-v / math.sqrt(2)) for v in x])
    assert abs(np.arange(1, N + 1) / N - wanted).max() < 1.95 / math.sqrt(N)
    moments(ct.empty(N, dtype=ct.float64).exponential_(2), 0.5, 0.5)
    assert abs(ct.empty(N, dtype=ct.float64).cauchy_(1, 2).median().item() - 1) < 0.05


def chi_square(drawn, probability):
    """Check counts (a tensor of whole numbers) against k -> probability, cells of less than five expected in one."""
    values = drawn.double().numpy()
    assert (values == np.floor(values)).all()
    k = np.arange(int(values.min()), int(values.max()) + 1)
    expected = np.array([probability(int(i)) for i in k]) * values.size
    seen = np.array([(values == i).sum() for i in k])
    small = expected < 5
    expected, seen = np.append(expected[~small], values.size - expected[~small].sum()), np.append(seen[~small], seen[small].sum())
    cells = len(expected) - 1
    assert ((seen - expected) ** 2 / np.maximum(expected, 1)).sum() < cells + 4 * math.sqrt(2 * cells) + 4


@pytest.mark.parametrize("dtype", [ct.float32, ct.float64], ids=lambda d: d.name)
def test_poisson(dtype):
    for rate in (0.3, 4, 9.5, 11, 60):  # below 10 by adding up, above by rejection
        drawn = ct.poisson(ct.full((N,), rate, dtype=dtype))
        assert drawn.dtype is dtype
        chi_square(drawn, lambda k, rate=rate: math.exp(k * math.log(rate) - rate - math.lgamma(k + 1)))
        moments(drawn, rate, math.sqrt(rate))
    large = ct.poisson(ct.full((N,), 1e6, dtype=dtype))
    moments(large, 1e6, 1e3)
    assert ct.poisson(ct.tensor([0.0, 0.0])).tolist() == [0, 0]


@pytest.mark.parametrize("dtype", [ct.float32, ct.float64], ids=lambda d: d.name)
def test_binomial(dtype):
    for n, p in ((1, 0.25), (8, 0.5), (40, 0.0625), (40, 0.375), (40, 0.75), (1000, 0.5)):
        drawn = ct.binomial(ct.full((N,), n, dtype=dtype), ct.tensor(p, dtype=dtype))
        chi_square(drawn, lambda k, n=n, p=p: math.comb(n, k) * p**k * (1 - p) ** (n - k))
        moments(drawn, n * p, math.sqrt(n * p * (1 - p)))
    edges = ct.binomial(ct.tensor([5.0, 5, 0, -3, math.nan, 5]), ct.tensor([0.0, 1, 0.5, 0.5, 0.5, math.nan]))
    np.testing.assert_array_equal(edges.numpy(), [0, 5, 0, 0, np.nan, np.nan])


def test_counts_follow_from_the_seed():
    rates = ct.tensor([[0.5, 20.0, 3.0], [100.0, 1.0, 9.0]])
    draws = [ct.poisson(rates, generator=g).tolist() for g in (ct.Generator().manual_seed(5), ct.Generator().manual_seed(5))]
    assert draws[0] == draws[1]
    strided = ct.poisson(rates.t().contiguous().t(), ct.Generator().manual_seed(5))
    assert strided.tolist() == draws[0]
    assert ct.binomial(ct.tensor([[9.0], [3.0]]), ct.tensor([0.5, 0.1])).shape == (2, 2)


@pytest.mark.parametrize("draw", [ct.poisson, ct.bernoulli], ids=["poisson", "bernoulli"])
def test_gradients_are_zero(draw):
    x = ct.tensor([0.5, 0.25, 1.0], requires_grad=True)
    draw(x).sum().backward()
    assert x.grad.tolist() == [0, 0, 0]


def test_binomial_has_no_gradient():
    n = ct.tensor([5.0], requires_grad=True)
    with pytest.raises(RuntimeError, match="derivative for binomial is not implemented"):
        ct.binomial(n, ct.tensor([0.5])).backward()


@pytest.mark.parametrize(("draw", "rule"), [
    (lambda: ct.bernoulli(ct.tensor([0.5, 1.5])), "probabilities to be in"),
    (lambda: ct.empty(2).bernoulli_(ct.tensor([0.5, math.nan])), "probabilities to be in"),
    (lambda: ct.poisson(ct.tensor([3.0, -1.0])), "rates to be non-negative"),
])
def test_bad_values_are_raised_where_the_result_is_read(draw, rule):
    drawn = draw()
    with pytest.raises(ValueError, match=rule):
        drawn.tolist()
    assert ct.bernoulli(ct.ones(2)).tolist() == [1, 1]


def test_generators_are_copied_and_pickled():
    g = ct.Generator().manual_seed(11)
    ct.rand(3, generator=g)
    for other in (copy.deepcopy(g), pickle.loads(pickle.dumps(g)), g.clone_state()):
        assert ct.rand(4, generator=other).tolist() == ct.rand(4, generator=g.clone_state()).tolist()


@pytest.mark.parametrize(("call", "error", "message"), [
    (lambda: ct.randn(2, generator=3), TypeError, "expected a cltensor.Generator or None, got int"),
    (lambda: ct.randint(0, 300, (2,), dtype=ct.uint8), ValueError, "to - 1 is out of bounds for uint8"),
    (lambda: ct.normal(ct.zeros(2), -1.0), ValueError, "std >= 0"),
    (lambda: ct.bernoulli(ct.zeros(2), 1.5), ValueError, "p to be in"),
    (lambda: ct.poisson(ct.tensor([1, 2])), RuntimeError, "not defined for int64"),
    (lambda: ct.binomial(ct.tensor([1, 2]), ct.tensor([0.5])), RuntimeError, "only supports floating-point dtypes for count"),
    (lambda: ct.binomial(ct.tensor([1.0]), ct.tensor([0.5]).double()), RuntimeError, "found dtype float64 of prob"),
    (lambda: ct.normal(0.0, 1.0), TypeError, "give the size"),
    (lambda: ct.arange(2**40), ct.OutOfMemoryError, "in one allocation"),
    (lambda: ct.linspace(0, 1, 2**40), ct.OutOfMemoryError, "in one allocation"),
    (lambda: ct.randperm(2**40), ct.OutOfMemoryError, "in one allocation"),
])
def test_refused_before_any_work(call, error, message):
    with pytest.raises(error, match=message):
        call()
