"""A step over many parameters is a few launches, and gives what one step at a time gives."""

import copy
import pickle

import numpy as np
import pytest

import cltensor
from cltensor import nn, optim
from cltensor.runtime.device import default_device

pytestmark = pytest.mark.device

SETTINGS = [("SGD", {"lr": 0.1}), ("SGD", {"lr": 0.1, "momentum": 0.9}), ("AdamW", {"lr": 0.1}), ("NAdam", {})]


def parameters(count, dtype=cltensor.float32):
    """Parameters of many sizes, with gradients; the same ones each time."""
    rng = np.random.default_rng(0)
    made = []
    for i in range(count):
        shape = (i % 5 + 1, i % 7 + 1)
        p = nn.Parameter(cltensor.from_numpy(rng.standard_normal(shape)).to(dtype))
        p.grad = cltensor.from_numpy(rng.standard_normal(shape)).to(dtype)
        made.append(p)
    return made


def same(some, others):
    for p, q in zip(some, others, strict=True):
        np.testing.assert_array_equal(p.detach().double().numpy(), q.detach().double().numpy())


def one_by_one(kind, params, settings):
    """An optimiser with a group for each parameter, which leaves nothing to launch together."""
    return getattr(optim, kind)([{"params": [p]} for p in params], **settings)


@pytest.fixture
def launches(monkeypatch):
    """The names of the kernels enqueued so far."""
    names, device = [], default_device()
    submit = device.submit

    def noted(launch):
        names.append(launch.kernel.function_name)
        submit(launch)

    monkeypatch.setitem(device.__dict__, "submit", noted)
    return names


@pytest.mark.parametrize(("kind", "settings"), SETTINGS)
def test_as_one_by_one(kind, settings):
    together, apart = parameters(40), parameters(40)
    optimizers = getattr(optim, kind)(together, **settings), one_by_one(kind, apart, settings)
    for step in range(3):
        for o in optimizers:
            o.step()
        together[step].grad = apart[step].grad = None
    for p, q in zip(together, apart, strict=True):
        np.testing.assert_allclose(p.detach().numpy(), q.detach().numpy(), rtol=1e-6, atol=1e-7)


def test_few_launches(launches):
    params = parameters(40)
    o = optim.SGD(params, lr=0.1, momentum=0.9)
    o.step()
    del launches[:]
    o.step()
    assert launches == ["multi_tensor"] * 2


def test_half_and_single_precision_go_apart(launches):
    params = [*parameters(3), *parameters(4, cltensor.float16)]
    apart = [*parameters(3), *parameters(4, cltensor.float16)]
    optim.SGD(params, lr=0.1).step()
    assert launches[-2:] == ["multi_tensor"] * 2
    one_by_one("SGD", apart, {"lr": 0.1}).step()
    same(params, apart)


def unusual():
    """Parameters some of which cannot go along: transposed, a part of a storage, empty, and two that share memory."""
    params = parameters(4)
    params.append(nn.Parameter(cltensor.arange(6.0).reshape(2, 3).t()))
    params.append(nn.Parameter(cltensor.arange(6.0)[2:]))
    params.append(nn.Parameter(cltensor.ones(0, 2)))
    for p in params[4:]:
        p.grad = cltensor.ones(p.shape)
    return params


def test_unusual_layouts(launches):
    params, apart = unusual(), unusual()
    optim.SGD(params, lr=0.1).step()
    assert launches.count("multi_tensor") == 1
    assert launches.count("elementwise") >= 2
    one_by_one("SGD", apart, {"lr": 0.1}).step()
    same(params, apart)


def test_parameters_that_share_memory_follow_one_another():
    def step(make):
        whole = cltensor.arange(6.0)
        params = [nn.Parameter(whole.detach()), nn.Parameter(whole[:3].detach()), *parameters(2)]
        params[0].grad, params[1].grad = cltensor.ones(6), cltensor.ones(3)
        make(params).step()
        return params

    same(step(lambda params: optim.SGD(params, lr=0.5)), step(lambda params: one_by_one("SGD", params, {"lr": 0.5})))


def test_a_gradient_that_is_another_parameter():
    def step(make):
        params = [nn.Parameter(cltensor.full((3,), float(n))) for n in (1, 2, 4)]
        for p, q in zip(params, params[1:] + params[:1], strict=True):
            p.grad = q.detach()
        make(params).step()
        return [p.tolist() for p in params]

    assert step(lambda params: optim.SGD(params, lr=0.5)) == step(lambda params: one_by_one("SGD", params, {"lr": 0.5}))


def test_versions_count_and_memory_stays():
    params = parameters(3)
    o = optim.AdamW(params)
    o.step()
    before, storages = [p._version for p in params], [p.untyped_storage() for p in params]
    moments = [o.state[p]["exp_avg"]._version for p in params]
    o.step()
    assert [p._version for p in params] == [v + 1 for v in before]
    assert [o.state[p]["exp_avg"]._version for p in params] == [v + 1 for v in moments]
    assert [p.untyped_storage() for p in params] == storages
    assert all(p.is_leaf and p.requires_grad for p in params)


def test_replaced_memory_is_noticed():
    params = [nn.Parameter(cltensor.zeros(2)) for _ in range(3)]
    for p in params:
        p.grad = cltensor.ones(2)
    o = optim.SGD(params, lr=1.0, momentum=0.5)
    o.step()
    params[1].data = cltensor.full((2,), 10.0)
    o.state[params[2]]["momentum_buffer"] = cltensor.full((2,), 4.0)
    o.step()
    assert [p.tolist()[0] for p in params] == [-2.5, 8.5, -4.0]


def test_gradients_are_not_kept_alive():
    params = parameters(3)
    o = optim.SGD(params, lr=0.1)
    o.step()
    used = cltensor.opencl.memory_allocated()
    size = sum(p.grad.numel() * 4 for p in params)
    o.zero_grad()
    assert cltensor.opencl.memory_allocated() <= used - size


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda o: pickle.loads(pickle.dumps(o))])
def test_an_optimizer_that_has_stepped_can_be_copied(duplicate):
    params = parameters(3)
    o = optim.AdamW(params)
    o.step()
    other = duplicate(o)
    copies = other.param_groups[0]["params"]
    for p, q in zip(params, copies, strict=True):
        q.grad = p.grad.clone()
    o.step()
    other.step()
    same(params, copies)


def test_parameters_of_different_age():
    together, apart = parameters(6), parameters(6)
    optimizers = optim.Adam(together, lr=0.1), one_by_one("Adam", apart, {"lr": 0.1})
    for kept in (slice(0, 3), slice(0, 6), slice(2, 6)):
        for params, o in zip((together, apart), optimizers, strict=True):
            grads = [p.grad for p in params]
            for p in {*params} - {*params[kept]}:
                p.grad = None
            o.step()
            for p, g in zip(params, grads, strict=True):
                p.grad = g
    for p, q in zip(together, apart, strict=True):
        np.testing.assert_allclose(p.detach().numpy(), q.detach().numpy(), rtol=1e-6, atol=1e-7)
