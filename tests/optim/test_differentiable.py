"""Steps with differentiable=True are recorded: gradients through them are right, those of settings given as tensors too."""

import numpy as np
import pytest

import cltensor
from cltensor import nn, optim

pytestmark = pytest.mark.device

CASES = [("SGD", {}), ("SGD", {"momentum": 0.9}), ("SGD", {"momentum": 0.9, "nesterov": True, "maximize": True}), ("Adam", {}),
         ("Adam", {"amsgrad": True, "weight_decay": 0.1}), ("AdamW", {}), ("Adamax", {}), ("NAdam", {}), ("RAdam", {}),
         ("RMSprop", {"momentum": 0.5, "centered": True}), ("Adagrad", {"lr_decay": 0.1}), ("Adadelta", {}), ("ASGD", {})]


def loss(name, settings, start, lr, steps=2):
    """(a loss after some steps, its starting point); lr: a number, or a tensor that needs a gradient."""
    x = cltensor.tensor(start).requires_grad_()
    p = x.clone()
    optimizer = getattr(optim, name)([p], lr=lr, differentiable=True, **settings)
    for step in range(steps):
        p.grad = x * (step + 1) + x * x
        optimizer.step()
    return (p * p * p).sum(), x


def slopes(fn, at, h=1e-5):
    """Central differences of a function of a vector."""
    return [(fn(at + h * e) - fn(at - h * e)) / (2 * h) for e in np.eye(len(at))]


@pytest.mark.parametrize(("name", "settings"), CASES)
def test_gradients_through_steps(name, settings, rng):
    start = rng.uniform(0.5, 2, 3)
    result, x = loss(name, settings, start, 0.05)
    result.backward()
    np.testing.assert_allclose(x.grad.numpy(), slopes(lambda at: loss(name, settings, at, 0.05)[0].item(), start), rtol=2e-4)


@pytest.mark.parametrize(("name", "settings"), CASES)
def test_gradients_of_the_learning_rate(name, settings, rng):
    start = rng.uniform(0.5, 2, 3)
    lr = cltensor.tensor(0.05, dtype=cltensor.float64, requires_grad=True)
    loss(name, settings, start, lr)[0].backward()
    expected = slopes(lambda at: loss(name, settings, start, at[0])[0].item(), np.array([0.05]))
    np.testing.assert_allclose(lr.grad.item(), expected[0], rtol=2e-4)


@pytest.mark.parametrize(("name", "settings"), [("SGD", {"weight_decay": 0.1}), ("Adam", {"amsgrad": True}), ("Adadelta", {}),
                                                ("RMSprop", {}), ("Adamax", {})])
def test_one_step_as_in_pytorch(name, settings, rng):
    torch = pytest.importorskip("torch")
    start, found = rng.uniform(0.5, 2, 4), []
    for lib in (torch, cltensor):
        x = lib.tensor(start).requires_grad_()
        p = x.clone()
        optimizer = getattr(lib.optim, name)([p], lr=0.05, differentiable=True, **settings)
        p.grad = x * x
        optimizer.step()
        (p * p).sum().backward()
        found.append(x.grad.numpy())
    np.testing.assert_allclose(found[1], found[0], rtol=1e-6)


def test_a_non_leaf_needs_it():
    p = cltensor.ones(2, requires_grad=True) * 2
    with pytest.raises(ValueError, match="non-leaf"):
        optim.SGD([p])
    optim.SGD([p], differentiable=True)


def test_a_leaf_cannot_be_written_to():
    p = nn.Parameter(cltensor.ones(2))
    p.grad = cltensor.ones(2)
    with pytest.raises(RuntimeError, match="leaf"):
        optim.SGD([p], differentiable=True).step()
