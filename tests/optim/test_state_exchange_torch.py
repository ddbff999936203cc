"""An optimiser's state saved by PyTorch goes on here, and the other way round, to the parameters that one library alone gives."""

import numpy as np
import pytest

import cltensor
from cltensor import nn, optim
from cltensor.optim import lr_scheduler

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.device

CASES = [("SGD", {"lr": 0.1, "momentum": 0.9, "dampening": 0.2}), ("Adam", {}), ("Adam", {"amsgrad": True}), ("AdamW", {"lr": 0.1}),
         ("Adamax", {}), ("NAdam", {}), ("RAdam", {"betas": (0.8, 0.9)}), ("RMSprop", {"momentum": 0.5, "centered": True}),
         ("Rprop", {}), ("Adagrad", {"lr_decay": 0.1}), ("Adadelta", {}), ("ASGD", {"t0": 2, "lambd": 0.1}), ("Adafactor", {}),
         ("Muon", {"lr": 0.1}), ("LBFGS", {"max_iter": 3, "history_size": 2}), ("LBFGS", {"line_search_fn": "strong_wolfe"})]


class Fit:
    """A fit of two matrices in one library, from given parameters."""

    def __init__(self, lib, name, settings, start):
        self.params = [lib.nn.Parameter(lib.tensor(a.copy())) for a in start]
        self.optimizer = getattr(lib.optim, name)(self.params, **settings)

    def closure(self):
        self.optimizer.zero_grad()
        loss = sum(((p * p - 2) ** 2).sum() for p in self.params)
        loss.backward()
        return loss

    def run(self, steps):
        for _ in range(steps):
            self.optimizer.step(self.closure)
        return [p.detach().numpy().copy() for p in self.params]


class Here:
    nn, optim = nn, optim
    tensor = staticmethod(cltensor.tensor)


def exchanged(value, tensor):
    """A state_dict with the other library's tensors."""
    if isinstance(value, dict):
        return {k: exchanged(v, tensor) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(exchanged(v, tensor) for v in value)
    return tensor(value.numpy().copy()) if hasattr(value, "numpy") else value


@pytest.mark.parametrize(("name", "settings"), CASES)
@pytest.mark.parametrize(("first", "second"), [(torch, Here), (Here, torch)], ids=["from PyTorch", "to PyTorch"])
def test_a_run_goes_on_in_the_other_library(first, second, name, settings, rng):
    start = [rng.standard_normal((3, 4)), rng.standard_normal((4, 2))]
    begun = Fit(first, name, settings, start)
    middle = begun.run(3)
    state = exchanged(begun.optimizer.state_dict(), second.tensor)
    went_on = Fit(second, name, {**settings, "lr": 0.5}, middle)
    went_on.optimizer.load_state_dict(state)
    tolerance = {"rtol": 0.05, "atol": 0.01} if name == "Muon" else {"rtol": 1e-5, "atol": 1e-7}
    for a, b in zip(went_on.run(3), begun.run(3), strict=True):
        np.testing.assert_allclose(a, b, **tolerance)


def test_arrays_and_tensors_of_pytorch_are_taken_as_they_are(rng):
    start = [rng.standard_normal((2, 3))]
    theirs = Fit(torch, "NAdam", {}, start)
    middle = theirs.run(2)
    ours = Fit(Here, "NAdam", {}, middle)
    ours.optimizer.load_state_dict(theirs.optimizer.state_dict())
    np.testing.assert_allclose(ours.run(2)[0], theirs.run(2)[0], rtol=1e-6)
    state = ours.optimizer.state_dict()["state"][0]
    assert {name: (value.dtype, value.shape) for name, value in state.items() if name in ("step", "mu_product")} == {
        "step": (cltensor.float32, ()), "mu_product": (cltensor.float32, ())}


def schedule(lib, optimizer, name, settings):
    return getattr(lib.optim.lr_scheduler, name)(optimizer, **settings)


@pytest.mark.parametrize(("name", "settings"), [
    ("CyclicLR", {"base_lr": 0.01, "max_lr": 0.2, "step_size_up": 4}), ("OneCycleLR", {"max_lr": 0.4, "total_steps": 20}),
    ("ReduceLROnPlateau", {"patience": 0}), ("MultiStepLR", {"milestones": [2, 4]}), ("CosineAnnealingLR", {"T_max": 5})])
@pytest.mark.parametrize(("first", "second"), [(torch, Here), (Here, torch)], ids=["from PyTorch", "to PyTorch"])
def test_schedules_go_on_in_the_other_library(first, second, name, settings, rng):
    start = [np.ones((2, 2))]
    measure = (1.0,) if name == "ReduceLROnPlateau" else ()
    fits = [Fit(lib, "SGD", {"lr": 0.1, "momentum": 0.9}, start) for lib in (first, second)]
    schedules = [schedule(lib, fit.optimizer, name, settings) for lib, fit in zip((first, second), fits, strict=True)]
    for _ in range(3):
        fits[0].run(1)
        schedules[0].step(*measure)
    states = [part.state_dict() for part in (fits[0].optimizer, schedules[0])]
    assert states[1].keys() <= schedules[1].state_dict().keys() | {"_get_lr_called_within_step"}
    fits[1].optimizer.load_state_dict(exchanged(states[0], second.tensor))
    schedules[1].load_state_dict(states[1])
    for _ in range(4):
        for fit, part in zip(fits, schedules, strict=True):
            fit.optimizer.step(fit.closure)
            part.step(*measure)
        assert schedules[1].get_last_lr() == pytest.approx(schedules[0].get_last_lr(), rel=1e-9)
    assert isinstance(schedules[second is Here], lr_scheduler.LRScheduler)
