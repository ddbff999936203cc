"""Small networks, trained for some steps from the same start, follow PyTorch's losses."""

import numpy as np
import pytest

import cltensor
from cltensor import nn, optim
from cltensor.nn import functional as F

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.device


def perceptron(lib):
    return lib.Sequential(lib.Linear(6, 16), lib.BatchNorm1d(16), lib.ReLU(), lib.Linear(16, 3)), (32, 6)


def convolutional(lib):
    return lib.Sequential(lib.Conv2d(1, 4, 3, padding=1), lib.BatchNorm2d(4), lib.GELU(), lib.MaxPool2d(2),
                          lib.Conv2d(4, 8, 3, stride=2), lib.GroupNorm(2, 8), lib.SiLU(), lib.AdaptiveAvgPool2d(1), lib.Flatten(),
                          lib.LayerNorm(8), lib.Linear(8, 3)), (16, 1, 10, 10)


@pytest.mark.parametrize("network", [perceptron, convolutional])
@pytest.mark.parametrize(("optimizer", "settings"), [
    ("SGD", {"lr": 0.1, "momentum": 0.9, "nesterov": True}), ("AdamW", {"lr": 0.01, "weight_decay": 0.1}),
])
def test_losses_agree(network, optimizer, settings, rng):
    theirs, shape = network(torch.nn)
    ours, _ = network(nn)
    ours.load_state_dict({k: cltensor.from_numpy(v.numpy()) for k, v in theirs.state_dict().items()})
    x, y = rng.standard_normal(shape).astype(np.float32), rng.integers(0, 3, shape[0])
    losses = []
    sides = (torch.optim, theirs, torch.from_numpy, torch.nn.functional), (optim, ours, cltensor.from_numpy, F)
    for lib, model, make, fn in sides:
        step = getattr(lib, optimizer)(model.parameters(), **settings)
        schedule = lib.lr_scheduler.CosineAnnealingLR(step, 15)
        found = []
        for _ in range(15):
            step.zero_grad()
            loss = fn.cross_entropy(model(make(x)), make(y), label_smoothing=0.1)
            loss.backward()
            step.step()
            schedule.step()
            found.append(loss.item())
        losses.append(found)
    assert losses[1] == pytest.approx(losses[0], rel=2e-3)
    assert losses[1][-1] < losses[1][0]
