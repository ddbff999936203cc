"""Every optimiser of PyTorch's own database gives PyTorch's parameters, state and errors, alone and with its schedules."""

import importlib
import inspect
import types
import warnings

import numpy as np
import pytest

pytest.importorskip("torch", reason="PyTorch is not installed")
pytest.importorskip("expecttest", reason="PyTorch's optimizer database needs expecttest")

import torch

import cltensor

from .convert import Converter, Inconvertible

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # PyTorch's test modules warn of packages they can do without
    from torch.testing._internal.common_optimizers import OptimizerErrorEnum, optim_db

pytestmark = [pytest.mark.device, pytest.mark.parity]
ENTRIES = {info.optim_cls.__name__: info for info in optim_db}
#: LBFGS reads the loss up to 25 times a step, and runs no kernel of its own: one launch style tells all
DENSE = [pytest.param(name, marks=pytest.mark.any_style) if name == "LBFGS" else name
         for name, info in ENTRIES.items() if not info.only_supports_sparse_grads]
DEFAULT = [torch.nn.Parameter(torch.randn(2, 3))]
FLAGS = ("foreach", "fused", "capturable", "differentiable")


def _module(lib, name):
    return importlib.import_module(f"{lib.__name__}.{name}")


def inputs(name):
    """The settings of an entry, and those with one of the ways of updating that it has."""
    info = ENTRIES[name]
    found = [given.kwargs for given in info.optim_inputs_func(device="cpu")]
    ways = [flag for flag in FLAGS if flag in info.supported_impls and flag != "differentiable"]
    return [*found, *({**kwargs, flag: True} for flag in ways for kwargs in found[1:3] if "lr" not in kwargs)]


class Fitting:
    """A small fit by one library, whose parameters Muon takes as well as vectors for the others."""

    def __init__(self, lib, name, kwargs, convert):
        rng = np.random.default_rng(3)
        shapes = [(4, 3), (3, 5)] if name == "Muon" else [(4, 3), (5,), ()]
        self.lib = lib
        self.params = [lib.nn.Parameter(lib.tensor(rng.standard_normal(s))) for s in shapes]
        self.targets = [lib.tensor(rng.standard_normal(s)) for s in shapes]
        self.optimizer = getattr(lib.optim, name)(self.params, **convert(kwargs))

    def closure(self):
        self.optimizer.zero_grad()
        loss = sum(((p - t) ** 2).sum() + (p * t).sin().sum() for p, t in zip(self.params, self.targets, strict=True))
        loss.backward()
        return loss

    def run(self, steps, schedules=()):
        """The parameters and learning rates after each step."""
        for _ in range(steps):
            loss = self.optimizer.step(self.closure).item()
            for schedule in schedules:
                plateau = isinstance(schedule, (torch.optim.lr_scheduler.ReduceLROnPlateau,
                                                cltensor.optim.lr_scheduler.ReduceLROnPlateau))
                schedule.step(*([loss] if plateau else []))
            rates = [float(group["lr"]) for group in self.optimizer.param_groups]
            yield [p.detach().numpy() for p in self.params], rates


def plain(kwargs):
    """PyTorch's settings, with tensors of its own."""
    return {k: v.clone() if isinstance(v, torch.Tensor) else v for k, v in kwargs.items()}


def same(ours, theirs, name):
    tolerance = {"rtol": 0.05, "atol": 2e-3} if name == "Muon" else {"rtol": 1e-5, "atol": 1e-6}  # Muon computes in bfloat16
    for (mine, rates), (other, rates_there) in zip(ours, theirs, strict=True):
        assert rates == pytest.approx(rates_there, rel=1e-6)
        for a, b in zip(mine, other, strict=True):
            np.testing.assert_allclose(a, b, **tolerance)


@pytest.mark.parametrize("name", DENSE)
def test_steps(name):
    for kwargs in inputs(name):
        theirs, ours = Fitting(torch, name, {k: v for k, v in kwargs.items() if k not in FLAGS}, plain), \
            Fitting(cltensor, name, kwargs, Converter())
        steps = 2 if name == "LBFGS" else 6
        same(ours.run(steps), theirs.run(steps), name)
        mine, other = (fit.optimizer.state_dict() for fit in (ours, theirs))
        assert [group.keys() for group in mine["param_groups"]] == [group.keys() for group in other["param_groups"]]
        assert {n: kept.keys() for n, kept in mine["state"].items()} == {n: kept.keys() for n, kept in other["state"].items()}


@pytest.mark.parametrize("name", DENSE)
def test_schedules(name):
    for makers in ENTRIES[name].scheduler_inputs:
        theirs, ours = Fitting(torch, name, {"lr": 0.01}, plain), Fitting(cltensor, name, {"lr": 0.01}, plain)
        there, here = [make(theirs.optimizer) for make in makers], [bound_here(make)(ours.optimizer) for make in makers]
        steps = 3 if name == "LBFGS" else 5
        same(ours.run(steps, here), theirs.run(steps, there), name)


def bound_here(make):
    """A function of the database that makes a schedule, with PyTorch's classes replaced by ours."""
    schedules = {name: getattr(cltensor.optim.lr_scheduler, name) for name in cltensor.optim.lr_scheduler.__all__}
    return types.FunctionType(make.__code__, {**make.__globals__, **schedules}, "make", make.__defaults__, make.__closure__)


@pytest.mark.parametrize("name", ENTRIES)
def test_errors(name):
    tried = 0
    for given in ENTRIES[name].optim_error_inputs_func(device="cpu", dtype=torch.float64):
        error = given.optimizer_error_input
        convert = Converter()
        try:
            params, kwargs = convert(DEFAULT if error.params is None else error.params), convert(error.kwargs)
        except Inconvertible:
            continue
        tried += 1
        for theirs, mine in list(convert.tensors.values()):
            if theirs.is_leaf and theirs.grad is not None:
                mine.grad = convert(theirs.grad)
        make = getattr(cltensor.optim, name)
        if given.error_type is UserWarning:
            with pytest.warns(UserWarning, match=given.error_regex):
                make(params, **kwargs)
        elif given.error_on is OptimizerErrorEnum.CONSTRUCTION_ERROR:
            with pytest.raises(given.error_type, match=given.error_regex):
                make(params, **kwargs)
        else:
            optimizer = make(params, **kwargs)
            with pytest.raises(given.error_type, match=given.error_regex):
                optimizer.step()
    assert tried >= 6


def test_every_public_name_and_parameter_is_there():
    names = {"optim": torch.optim.__all__, "optim.lr_scheduler": torch.optim.lr_scheduler.__all__,
             "optim.swa_utils": torch.optim.swa_utils.__all__}
    for module, public in names.items():
        here, there = _module(cltensor, module), _module(torch, module)
        for name in public:
            mine, other = getattr(here, name), getattr(there, name)
            if callable(other):
                assert list(inspect.signature(mine).parameters) == list(inspect.signature(other).parameters), name
                for a, b in zip(inspect.signature(mine).parameters.values(), inspect.signature(other).parameters.values(),
                                strict=True):
                    assert (a.kind, a.default) == (b.kind, b.default), (name, a)
