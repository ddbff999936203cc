"""Activation checkpointing: the same gradients, less kept, and an error when the function changes its mind."""

import gc
import weakref

import pytest

import cltensor as ct
from cltensor import nn
from cltensor.utils.checkpoint import CheckpointError, checkpoint, checkpoint_sequential

pytestmark = pytest.mark.device


def both(fn, *inputs, reentrant=False):
    """Gradients of fn's sum with respect to the inputs, without and with checkpointing."""
    found = []
    for run in (fn, lambda *a: checkpoint(fn, *a, use_reentrant=reentrant)):
        leaves = [x.detach().clone().requires_grad_() for x in inputs]
        run(*leaves).sum().backward()
        found.append([x.grad.tolist() for x in leaves])
    return found


@pytest.fixture
def x():
    return ct.tensor([0.5, -1.0, 2.0])


@pytest.mark.parametrize("reentrant", [False, True])
def test_gradients(x, reentrant):
    plain, again = both(lambda a, b: (a * b).exp() * a.tanh(), x, x + 1, reentrant=reentrant)
    assert plain == again


def test_in_place_writes_and_views(x):
    def fn(a):
        y = a * 2
        y[1:].mul_(a[:2])
        return y.sin_() * a

    plain, again = both(fn, x)
    assert plain == again


def test_custom_function(x):
    class Cube(ct.autograd.Function):
        @staticmethod
        def forward(ctx, a):
            ctx.save_for_backward(a, a * a)
            return a * a * a

        @staticmethod
        def backward(ctx, g):
            _, square = ctx.saved_tensors
            return 3 * square * g

    plain, again = both(lambda a: Cube.apply(a).tanh(), x)
    assert plain == again


def test_nested(x):
    inner = lambda a: checkpoint(lambda b: (b.exp() * b).sin(), a, use_reentrant=False)  # noqa: E731
    plain, again = both(lambda a: inner(a * 2).tanh() * a, x)
    assert plain == again


def test_second_order_and_autograd_grad(x):
    x.requires_grad_()
    y = checkpoint(lambda a: a.exp() * a, x, use_reentrant=False)
    g, = ct.autograd.grad(y.sum(), x, create_graph=True)
    second, = ct.autograd.grad(g.sum(), x)
    expected = (x.exp() * (2 + x)).detach()
    assert ct.allclose(second, expected, rtol=1e-5)


def test_parameters_of_a_closure_get_gradients():
    layer = nn.Linear(3, 2)
    checkpoint(layer, ct.ones(4, 3), use_reentrant=False).sum().backward()
    assert layer.bias.grad.tolist() == [4.0, 4.0]


def test_dropout_draws_the_same_numbers_again(x):
    x = ct.ones(1000, requires_grad=True)
    y = checkpoint(lambda a: nn.functional.dropout(a * a, 0.5), x, use_reentrant=False)
    before = ct.get_rng_state().tolist()
    y.sum().backward()
    assert (x.grad != 0).tolist() == (y != 0).tolist()
    assert ct.get_rng_state().tolist() == before


def test_intermediate_results_are_dropped(x):
    kept = []

    def fn(a):
        middle = a.exp()
        kept.append(weakref.ref(middle._storage))
        return middle * a

    x.requires_grad_()
    y = checkpoint(fn, x, use_reentrant=False)
    gc.disable()
    try:
        assert kept[0]() is None
        y.sum().backward()
        assert kept[1]() is None
    finally:
        gc.enable()


def test_a_function_that_changes_its_mind(x):
    calls = []

    def fn(a):
        calls.append(1)
        return a.exp() * a if len(calls) == 1 else a.exp().sin() * a

    x.requires_grad_()
    with pytest.raises(CheckpointError, match="2 operations were recorded during the original forward and 3"):
        checkpoint(fn, x, use_reentrant=False).sum().backward()


def test_arguments(x):
    with pytest.warns(UserWarning, match="use_reentrant parameter should be passed"):
        checkpoint(lambda a: a, x)
    with pytest.raises(ValueError, match="Unexpected keyword arguments: b"):
        checkpoint(lambda a, b: a, x, use_reentrant=True, b=1)
    assert checkpoint(lambda a, b: a * b, x, use_reentrant=False, b=2).tolist() == (x * 2).tolist()
    with ct.no_grad():
        assert not checkpoint(lambda a: a * 1, x.requires_grad_(), use_reentrant=False).requires_grad


@pytest.mark.parametrize("segments", [1, 2, 3])
def test_sequential(segments):
    model = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2), nn.Tanh())
    x = ct.ones(2, 3)
    model(x).sum().backward()
    expected = [p.grad.tolist() for p in model.parameters()]
    model.zero_grad()
    checkpoint_sequential(model, segments, x, use_reentrant=False).sum().backward()
    assert [p.grad.tolist() for p in model.parameters()] == expected
