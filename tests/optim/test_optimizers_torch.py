"""Parameters after each step equal PyTorch's, for every optimiser and setting."""

import numpy as np
import pytest

import cltensor
from cltensor import nn, optim

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.device

TENSOR = 0.25  # becomes a tensor of the library
CASES = [
    ("SGD", {"lr": 0.1}), ("SGD", {"lr": 0.1, "weight_decay": 0.2, "maximize": True}),
    ("SGD", {"lr": 0.1, "momentum": 0.9}), ("SGD", {"lr": 0.1, "momentum": 0.9, "dampening": 0.3, "weight_decay": 0.1}),
    ("SGD", {"lr": 0.1, "momentum": 0.8, "nesterov": True}), ("SGD", {"lr": 0.1, "momentum": 0.8, "maximize": True}),
    ("Adam", {}), ("Adam", {"lr": 0.1, "betas": (0.8, 0.95), "eps": 1e-3, "weight_decay": 0.1}),
    ("Adam", {"lr": 0.1, "amsgrad": True}), ("Adam", {"lr": 0.1, "maximize": True, "weight_decay": 0.1}),
    ("Adam", {"lr": 0.1, "weight_decay": 0.1, "decoupled_weight_decay": True}),
    ("AdamW", {"lr": 0.1}), ("AdamW", {"lr": 0.1, "weight_decay": 0.3, "amsgrad": True}),
    ("RMSprop", {}), ("RMSprop", {"momentum": 0.9, "weight_decay": 0.1}), ("RMSprop", {"centered": True, "alpha": 0.9}),
    ("RMSprop", {"centered": True, "momentum": 0.5, "maximize": True}), ("Adagrad", {}),
    ("Adagrad", {"lr": 0.1, "lr_decay": 0.1, "weight_decay": 0.1, "initial_accumulator_value": 0.5}), ("Adadelta", {}),
    ("Adadelta", {"rho": 0.5, "weight_decay": 0.1, "maximize": True}), ("Adamax", {"lr": 0.1, "weight_decay": 0.1}),
    ("NAdam", {"lr": 0.1}), ("NAdam", {"lr": 0.1, "weight_decay": 0.1, "momentum_decay": 0.1, "maximize": True}),
    ("NAdam", {"lr": 0.1, "weight_decay": 0.1, "decoupled_weight_decay": True}), ("RAdam", {"lr": 0.1, "betas": (0.8, 0.9)}),
    ("RAdam", {"lr": 0.1, "weight_decay": 0.1, "decoupled_weight_decay": True}), ("Rprop", {}), ("Rprop", {"etas": (0.3, 2.0)}),
    ("ASGD", {}), ("ASGD", {"lr": 0.1, "t0": 3, "lambd": 0.05, "weight_decay": 0.1, "maximize": True}),
    ("Adafactor", {}), ("Adafactor", {"lr": 0.5, "weight_decay": 0.1, "d": 1.5, "maximize": True, "eps": (1e-4, 0.1)}),
    ("Adam", {"lr": TENSOR, "betas": (TENSOR, TENSOR)}), ("SGD", {"lr": TENSOR, "momentum": 0.5, "weight_decay": TENSOR}),
    ("Adafactor", {"lr": TENSOR}), ("RMSprop", {"lr": TENSOR}), ("Rprop", {"lr": TENSOR}), ("ASGD", {"lr": TENSOR}),
]


def tensors(settings, make):
    """The settings with a new tensor for each TENSOR."""
    if isinstance(settings, dict):
        return {k: tensors(v, make) for k, v in settings.items()}
    return tuple(tensors(v, make) for v in settings) if isinstance(settings, tuple) else make() if settings is TENSOR else settings


class Run:
    """One optimiser over two parameters, the second in a group with its own learning rate."""

    def __init__(self, lib, tensor, name, settings, start):
        self.tensor = tensor
        self.params = [lib.nn.Parameter(tensor(a)) for a in start]
        groups = [{"params": self.params[:1]}, {"params": self.params[1:], "lr": 0.05}]
        self.optimizer = getattr(lib.optim, name)(groups, **tensors(settings, lambda: tensor(np.array(0.25, np.float32))))

    def step(self, gradients):
        for p, g in zip(self.params, gradients, strict=True):
            p.grad = None if g is None else self.tensor(g)
        self.optimizer.step()

    def values(self):
        return [p.detach().numpy() for p in self.params]


class Here:
    nn, optim = nn, optim


@pytest.fixture
def start(rng):
    return [rng.standard_normal((3, 4)).astype(np.float32), rng.standard_normal(5).astype(np.float32)]


@pytest.fixture
def gradients(rng, start):
    steps = [[rng.standard_normal(a.shape).astype(np.float32) for a in start] for _ in range(12)]
    steps[3][0] = None
    return steps


@pytest.mark.parametrize(("name", "settings"), CASES)
def test_steps(name, settings, start, gradients):
    runs = [Run(torch, torch.from_numpy, name, settings, [a.copy() for a in start]),
            Run(Here, cltensor.from_numpy, name, settings, start)]
    for given in gradients:
        for run in runs:
            run.step(given)
        for theirs, ours in zip(*(run.values() for run in runs), strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=2e-5, atol=2e-6)


@pytest.mark.parametrize(("name", "settings"), CASES)
def test_state_dict_has_the_same_structure(name, settings, start, gradients):
    theirs, ours = (run.optimizer.state_dict() for run in (
        Run(torch, torch.from_numpy, name, settings, [a.copy() for a in start]),
        Run(Here, cltensor.from_numpy, name, settings, start)) if run.step(gradients[0]) is None)
    assert ours["state"].keys() == theirs["state"].keys()
    for number, kept in theirs["state"].items():
        assert ours["state"][number].keys() == kept.keys()
        for key, value in kept.items():
            np.testing.assert_allclose(ours["state"][number][key].numpy(), value.numpy(), rtol=1e-5, atol=1e-9)
    for mine, other in zip(ours["param_groups"], theirs["param_groups"], strict=True):
        assert list(mine) == list(other)
        for key, value in other.items():
            assert plain(mine[key]) == plain(value)


def plain(value):
    """A setting with tensors as numbers."""
    return tuple(map(plain, value)) if isinstance(value, tuple) else value.item() if hasattr(value, "item") else value


@pytest.mark.parametrize("name", [name for name in optim.__all__ if name[0].isupper() and name != "Optimizer"])
def test_repr_and_default_settings(name):
    mine = getattr(optim, name)([nn.Parameter(cltensor.ones(2, 2))])
    other = getattr(torch.optim, name)([torch.nn.Parameter(torch.ones(2, 2))])
    assert repr(mine) == repr(other)
    assert mine.defaults == other.defaults
