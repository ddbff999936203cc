"""Averaged models, their batch statistics and SWALR give PyTorch's numbers."""

import numpy as np
import pytest

import cltensor
from cltensor import nn
from cltensor.optim import swa_utils

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.device


def model(lib, rng):
    made = lib.nn.Sequential(lib.nn.Linear(3, 4), lib.nn.BatchNorm1d(4), lib.nn.Linear(4, 2))
    made.load_state_dict({k: lib.tensor(rng.standard_normal(v.shape).astype(np.float32)) if v.dim() else lib.tensor(5)
                          for k, v in made.state_dict().items()})
    return made


def averaged(lib, make, updates=4, **settings):
    """The state of an average over models that change from update to update."""
    rng = np.random.default_rng(2)
    source = model(lib, rng)
    average = make(lib.optim.swa_utils, source, **settings)
    for _ in range(updates):
        average.update_parameters(source)
        with lib.no_grad():
            for p in (*source.parameters(), *source.buffers()):
                p.add_(lib.tensor(rng.integers(1, 5, p.shape)).to(p.dtype))
    return {k: v.numpy() for k, v in average.state_dict().items()}


WAYS = {
    "mean": lambda s, m, **more: s.AveragedModel(m, **more),
    "mean by a function": lambda s, m, **more: s.AveragedModel(m, avg_fn=s.get_swa_avg_fn(), **more),
    "mean of lists": lambda s, m, **more: s.AveragedModel(m, multi_avg_fn=s.get_swa_multi_avg_fn(), **more),
    "ema by a function": lambda s, m, **more: s.AveragedModel(m, avg_fn=s.get_ema_avg_fn(0.7), **more),
    "ema of lists": lambda s, m, **more: s.AveragedModel(m, multi_avg_fn=s.get_ema_multi_avg_fn(0.7), **more),
    "ema of few": lambda s, m, **more: s.AveragedModel(m, multi_avg_fn=s.get_ema_multi_avg_fn(0.2), **more),
}


class Here:
    nn, tensor, no_grad = nn, staticmethod(cltensor.tensor), cltensor.no_grad

    class optim:
        swa_utils = swa_utils


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("use_buffers", [False, True])
def test_averages(way, use_buffers):
    if way == "mean of lists" and use_buffers:
        way = "mean by a function"  # PyTorch refuses integer buffers in the other form
    theirs, ours = (averaged(lib, WAYS[way], use_buffers=use_buffers) for lib in (torch, Here))
    assert ours.keys() == theirs.keys()
    for name, value in theirs.items():
        assert ours[name].dtype == value.dtype
        np.testing.assert_allclose(ours[name], value, rtol=1e-5, atol=1e-6, err_msg=name)


def test_the_count_is_read_where_another_wrote_to_it(rng):
    source = nn.Linear(2, 2)
    average = swa_utils.AveragedModel(source)
    average.update_parameters(source)
    state = average.state_dict()
    resumed = swa_utils.AveragedModel(nn.Linear(2, 2))
    resumed.load_state_dict(state)
    with cltensor.no_grad():
        source.weight.add_(4)
    resumed.update_parameters(source)
    np.testing.assert_allclose(resumed.module.weight.detach().numpy(), source.weight.detach().numpy() - 2, rtol=1e-5)
    assert resumed.n_averaged.item() == 2


def test_an_average_computes(rng):
    source = nn.Linear(3, 2)
    average = swa_utils.AveragedModel(source, device=cltensor.device())
    x = cltensor.ones(1, 3)
    assert average(x).tolist() == source(x).tolist()


@pytest.mark.parametrize("pairs", [False, True])
def test_update_bn(pairs):
    states = []
    for lib in (torch, Here):
        rng = np.random.default_rng(4)
        source = model(lib, rng).eval()
        loader = [lib.tensor(rng.standard_normal((n, 3)).astype(np.float32)) for n in (4, 5, 6)]
        lib.optim.swa_utils.update_bn([(x, 0) for x in loader] if pairs else loader, source)
        assert not source.training
        assert source[1].momentum == 0.1
        states.append([source[1].running_mean.numpy(), source[1].running_var.numpy(), source[1].num_batches_tracked.item()])
    np.testing.assert_allclose(states[1][0], states[0][0], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(states[1][1], states[0][1], rtol=1e-5)
    assert states[1][2] == states[0][2] == 3


def test_update_bn_leaves_other_models_alone():
    swa_utils.update_bn(iter(()), nn.Linear(1, 1))


@pytest.mark.parametrize("settings", [{}, {"anneal_epochs": 3, "anneal_strategy": "linear"}, {"anneal_epochs": 0}])
@pytest.mark.parametrize("swa_lr", [0.05, [0.5, 0.01]])
def test_swalr(settings, swa_lr):
    rates = []
    for lib in (torch, cltensor):
        p, q = (lib.nn.Parameter(lib.ones(1)) for _ in range(2))
        o = lib.optim.SGD([{"params": [p]}, {"params": [q], "lr": 0.3}], lr=0.1)
        schedule = lib.optim.swa_utils.SWALR(o, swa_lr, **settings)
        rates.append([])
        for _ in range(14):
            o.step()
            schedule.step()
            rates[-1].append(schedule.get_last_lr())
    np.testing.assert_allclose(rates[1], rates[0], rtol=1e-9)


@pytest.mark.parametrize(("make", "words"), [
    (lambda o: swa_utils.SWALR(o, 0.1, anneal_strategy="step"), "anneal_strategy"),
    (lambda o: swa_utils.SWALR(o, 0.1, anneal_epochs=-1), "anneal_epochs must be equal or greater than 0, got -1"),
    (lambda o: swa_utils.SWALR(o, [0.1, 0.2]), "swa_lr must have one value for each"),
    (lambda o: swa_utils.get_ema_avg_fn(1.5), "Invalid decay value 1.5"),
    (lambda o: swa_utils.get_ema_multi_avg_fn(-1), "Invalid decay value -1"),
    (lambda o: swa_utils.AveragedModel(nn.Linear(1, 1), avg_fn=max, multi_avg_fn=max), "Only one of avg_fn and multi_avg_fn")])
def test_mistakes_are_named(make, words):
    with pytest.raises((ValueError, AssertionError), match=words):
        make(cltensor.optim.SGD([nn.Parameter(cltensor.ones(1))]))
