"""Parameters after each step equal PyTorch's, for every optimiser and setting."""

import numpy as np
import pytest

import cltensor
from cltensor import nn, optim

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.device

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
]


class Run:
    """One optimiser over two parameters, the second in a group with its own learning rate."""

    def __init__(self, lib, tensor, name, settings, start):
        self.tensor = tensor
        self.params = [lib.nn.Parameter(tensor(a)) for a in start]
        groups = [{"params": self.params[:1]}, {"params": self.params[1:], "lr": 0.05}]
        self.optimizer = getattr(lib.optim, name)(groups, **settings)

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
        assert ours["state"][number].keys() == {k for k, v in kept.items() if v is not None}
        for key, value in kept.items():
            if value is not None:
                mine = ours["state"][number][key]
                mine = mine if isinstance(mine, (int, float)) else mine.numpy()
                np.testing.assert_allclose(mine, value.numpy(), rtol=1e-5, atol=1e-9)
    for mine, other in zip(ours["param_groups"], theirs["param_groups"], strict=True):
        assert mine == {key: other[key] for key in mine}


@pytest.mark.parametrize("name", sorted(set(optim.__all__) - {"Optimizer", "lr_scheduler"}))
def test_repr_and_default_settings(name):
    mine = getattr(optim, name)([nn.Parameter(cltensor.ones(2))])
    other = getattr(torch.optim, name)([torch.nn.Parameter(torch.ones(2))])
    shown = [line for line in repr(other).split("\n") if line.split(":")[0].strip() not in
             ("foreach", "capturable", "differentiable", "fused")]
    assert repr(mine).split("\n") == shown
