"""Every distribution against PyTorch's, in float64: shapes, moments, densities, gradients, expansions, its name."""

import functools

import numpy as np
import pytest

import cltensor as ct
from cltensor import distributions
from distributions.examples import EXAMPLES

torch = pytest.importorskip("torch")
pytestmark = [pytest.mark.device, pytest.mark.any_style, pytest.mark.filterwarnings("ignore::UserWarning:torch")]
QUANTITIES = ("mean", "mode", "variance", "stddev")
#: where PyTorch's formula has no value though there is one
BETTER = {"Kumaraswamy": ("mode", "PyTorch takes the logarithm of a negative number"),
          "Weibull": ("mode", "below concentration 1 it is 0, where PyTorch takes the root of a negative number")}


def ours(array):
    return ct.tensor(array)


def pair(example):
    """The distribution in both libraries, of float64 but where PyTorch's own formulas mix it with float32."""
    if example.name == "GeneralizedPareto":
        return (example.made(distributions, lambda a: ours(a).float()),
                example.made(torch.distributions, lambda a: torch.tensor(a).float()))
    return example.made(distributions, ours), example.made(torch.distributions, torch.tensor)


def result(fn):
    """What fn returns, or the kind of error that it raises."""
    try:
        return fn()
    except NotImplementedError:
        return NotImplementedError
    except ValueError:
        return ValueError


def same(mine, theirs, what, rtol=2e-5):
    """Compare two results: tensors, shapes, or kinds of errors."""
    if isinstance(theirs, torch.Tensor):
        assert tuple(mine.shape) == tuple(theirs.shape), what
        np.testing.assert_allclose(mine.detach().numpy(), theirs.detach().numpy(), rtol=rtol, atol=1e-5, err_msg=what)
    else:
        plain = tuple if isinstance(theirs, torch.Size) else lambda value: value
        assert plain(mine) == plain(theirs), what


def sampled(theirs, n=(4,)):
    """Values that PyTorch draws, the same in every run."""
    torch.manual_seed(7)
    return theirs.sample(n)


@pytest.mark.parametrize("example", EXAMPLES, ids=repr)
def test_distribution(example):
    mine, theirs = pair(example)
    for name in ("batch_shape", "event_shape", "has_rsample", "has_enumerate_support"):
        same(getattr(mine, name), getattr(theirs, name), name)
    assert repr(mine.support).replace("cltensor", "torch").split("(")[0] == repr(theirs.support).split("(")[0]
    assert mine.support.event_dim == theirs.support.event_dim
    assert mine.support.is_discrete == theirs.support.is_discrete
    assert repr(mine).split("(")[0] == repr(theirs).split("(")[0]
    for name in QUANTITIES:
        if name == BETTER.get(example.name, ("",))[0]:
            mode = theirs.mode.numpy()
            np.testing.assert_allclose(np.where(np.isnan(mode), mode, mine.mode.numpy()), mode, rtol=1e-5)
            continue
        same(result(lambda n=name: getattr(mine, n)), result(lambda n=name: getattr(theirs, n)), name)
    same(result(mine.entropy), result(theirs.entropy), "entropy")
    same(result(mine.perplexity), result(theirs.perplexity), "perplexity")
    for expand in (True, False):
        same(*(result(functools.partial(d.enumerate_support, expand)) for d in (mine, theirs)), "enumerate_support")
    x = sampled(theirs)
    same(mine.log_prob(ours(x.numpy())), theirs.log_prob(x), "log_prob")
    assert mine.sample((2, 3)).shape == (2, 3, *theirs.batch_shape, *theirs.event_shape)
    assert mine.support.check(mine.sample((5,))).all()


@pytest.mark.parametrize("example", EXAMPLES, ids=repr)
def test_distribution_functions(example):
    mine, theirs = pair(example)
    x = sampled(theirs)
    p = torch.rand((3, *theirs.batch_shape), generator=torch.Generator().manual_seed(1), dtype=torch.float32)
    expected = result(lambda: theirs.cdf(x)), result(lambda: theirs.icdf(p))
    found = result(lambda: mine.cdf(ours(x.numpy()))), result(lambda: mine.icdf(ours(p.numpy())))
    for mine_, theirs_, what in zip(found, expected, ("cdf", "icdf"), strict=True):
        if theirs_ is not NotImplementedError:
            same(mine_, theirs_, what)


@pytest.mark.parametrize("example", EXAMPLES, ids=repr)
def test_expanded(example):
    mine, theirs = (d.expand((3, 2, *d.batch_shape)) for d in pair(example))
    for name in ("batch_shape", "event_shape"):
        same(getattr(mine, name), getattr(theirs, name), name)
    x = sampled(theirs, ())
    same(mine.log_prob(ours(x.numpy())), theirs.log_prob(x), "log_prob")
    same(result(lambda: mine.mean), result(lambda: theirs.mean), "mean")
    assert type(mine).__name__ == type(theirs).__name__
    with pytest.raises(RuntimeError, match="expand"):
        mine.expand((5, 7))


@pytest.mark.parametrize("example", EXAMPLES, ids=repr)
def test_gradients_of_log_prob_and_entropy(example):
    def gradients(lib, tensor, x):
        leaves = []

        def leaf(array):
            leaves.append(tensor(array).requires_grad_())
            return leaves[-1]

        d = example.made(lib, leaf, validate_args=False)
        total = d.log_prob(x).sum()
        entropy = result(d.entropy)
        if not isinstance(entropy, type) and entropy.requires_grad and not d.__module__.endswith(("poisson",)):
            total = total + (entropy * 0.7).sum()
        if total.requires_grad:
            total.backward()
        lower = [leaf.tril() if n == "scale_tril" else None for n, leaf in zip(names, leaves, strict=True)]
        return [t.grad if low is None else t.grad.tril() for t, low in zip(leaves, lower, strict=True)]

    names = [n for n, a in [*enumerate(example.args), *example.named.items()] if isinstance(a, np.ndarray)]
    if example.name == "GeneralizedPareto" or not names:
        return
    x = sampled(pair(example)[1])
    mine, theirs = gradients(distributions, ours, ours(x.numpy())), gradients(torch.distributions, torch.tensor, x)
    for a, b in zip(mine, theirs, strict=True):
        assert (a is None) == (b is None)
        if b is not None:
            np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-5, atol=1e-6)


def test_every_name_is_here():
    assert set(torch.distributions.__all__) == set(distributions.__all__)
    assert {e.name for e in EXAMPLES} >= {n for n in distributions.__all__ if isinstance(getattr(distributions, n), type)
                                          and issubclass(getattr(distributions, n), distributions.Distribution)} - {
        "Distribution", "ExponentialFamily", "Independent", "MixtureSameFamily", "TransformedDistribution"}
    for module in ("constraints", "transforms"):
        assert set(getattr(torch.distributions, module).__all__) <= set(dir(getattr(distributions, module)))
