"""GradScaler: PyTorch's scales and parameters step by step, steps that are skipped on the device, order and mistakes."""

import copy
import pickle

import numpy as np
import pytest

import cltensor as ct
from cltensor import amp, nn, optim

pytestmark = pytest.mark.device
SETTINGS = [("SGD", {"lr": 0.1}), ("SGD", {"lr": 0.1, "momentum": 0.9, "dampening": 0.5}), ("Adam", {}),
            ("AdamW", {"amsgrad": True}), ("NAdam", {}), ("RAdam", {}), ("RMSprop", {"momentum": 0.5}), ("Adagrad", {}),
            ("Adadelta", {}), ("Adamax", {}),
            ("ASGD", {"t0": 1}), ("Rprop", {}), ("Adafactor", {}), ("Muon", {"lr": 0.1})]
OVERFLOWS = (0, 3, 4)  # the steps whose gradients are infinite or NaN


def run(lib, scaler, name, settings, steps=8, clip=None, transpose=False):
    """(parameters after each step, scales, the optimiser) of a run some of whose gradients overflow."""
    rng = np.random.default_rng(5)
    shapes = [(3, 4), (4, 2)] if name == "Muon" else [(3, 4), (5,), (1,)]
    params = [lib.nn.Parameter(lib.tensor(rng.standard_normal(s).astype(np.float32))) for s in shapes]
    if transpose:
        params[0] = lib.nn.Parameter(params[0].detach().T)
    optimizer = getattr(lib.optim, name)(params, **settings)
    found, scales = [], []
    for step in range(steps):
        factors = [rng.standard_normal(tuple(p.shape)).astype(np.float32) for p in params]
        if step in OVERFLOWS:
            factors[step % 2].flat[0] = np.inf if step else np.nan
        optimizer.zero_grad()
        scaler.scale(sum((p * lib.tensor(f)).sum() for p, f in zip(params, factors, strict=True))).backward()
        if clip is not None:
            scaler.unscale_(optimizer)
            lib.nn.utils.clip_grad_norm_(params, clip)
        scaler.step(optimizer)
        scaler.update()
        found.append([p.detach().numpy().copy() for p in params])
        scales.append(scaler.get_scale())
    return found, scales, optimizer


@pytest.mark.parametrize("clip", [None, 0.5])
@pytest.mark.parametrize(("name", "settings"), SETTINGS)
def test_as_pytorch(name, settings, clip):
    torch = pytest.importorskip("torch")
    how = {"init_scale": 1024.0, "growth_interval": 2}
    theirs = run(torch, torch.amp.GradScaler("cpu", **how), name, settings, clip=clip)
    ours = run(ct, amp.GradScaler(**how), name, settings, clip=clip)
    assert ours[1] == theirs[1]
    tolerance = {"rtol": 0.05, "atol": 0.02} if name == "Muon" else {"rtol": 1e-5, "atol": 1e-6}
    for mine, other in zip(ours[0], theirs[0], strict=True):
        for a, b in zip(mine, other, strict=True):
            np.testing.assert_allclose(a, b, **tolerance)
    mine, other = (part[2].state_dict()["state"] for part in (ours, theirs))
    steps = [{n: float(kept.get("step", 0)) for n, kept in state.items()} for state in (mine, other)]
    assert steps[0] == steps[1]


@pytest.mark.filterwarnings("ignore:Sparse invariant checks")
@pytest.mark.parametrize(("name", "settings"), [("SGD", {"lr": 0.1}), ("Adagrad", {}), ("SparseAdam", {})])
def test_sparse_gradients_as_pytorch(name, settings):
    torch = pytest.importorskip("torch")

    def losses(lib):
        table = lib.nn.Embedding(5, 3, sparse=True, _weight=lib.linspace(-1, 1, 15).reshape(5, 3))
        optimizer = getattr(lib.optim, name)(table.parameters(), **settings)
        scaler = lib.amp.GradScaler("cpu", init_scale=4.0, growth_interval=2)
        for factor in (2.0, float("inf"), 3.0):
            optimizer.zero_grad()
            scaler.scale((table(lib.tensor([1, 2, 1])) * factor).sum()).backward()
            scaler.step(optimizer)
            scaler.update()
        return table.weight.detach().numpy(), scaler.get_scale()

    (mine, scale), (other, expected) = losses(ct), losses(torch)
    assert scale == expected
    np.testing.assert_allclose(mine, other, rtol=1e-5, atol=1e-6)


def test_parameters_that_go_alone():
    """A transposed one shares no launch."""
    torch = pytest.importorskip("torch")
    theirs = run(torch, torch.amp.GradScaler("cpu", init_scale=8.0), "Adam", {}, transpose=True)
    ours = run(ct, amp.GradScaler(init_scale=8.0), "Adam", {}, transpose=True)
    for a, b in zip(ours[0][-1], theirs[0][-1], strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


class Descent(optim.Optimizer):
    """An optimiser with a step of its own."""

    def __init__(self, params, lr):
        super().__init__(params, {"lr": lr})

    @ct.no_grad()
    def step(self):
        for p in self.param_groups[0]["params"]:
            p.sub_(p.grad, alpha=self.param_groups[0]["lr"])


def test_an_optimizer_with_a_step_of_its_own():
    p = nn.Parameter(ct.ones(2))
    o, scaler = Descent([p], 0.5), amp.GradScaler()
    for factor in (float("inf"), 2.0):
        o.zero_grad()
        scaler.scale((p * factor).sum()).backward()
        scaler.step(o)
        scaler.update()
    assert (p.tolist(), scaler.get_scale()) == ([0, 0], 2.0**15)


def test_an_object_around_an_optimizer():
    class Around:
        __hash__ = None

        def __init__(self, inner):
            self.inner, self.param_groups, self.step = inner, inner.param_groups, inner.step

    p = nn.Parameter(ct.ones(2))
    o, scaler = Around(optim.SGD([p], lr=0.5)), amp.GradScaler()
    for factor in (2.0, float("inf"), 2.0):
        p.grad = None
        scaler.scale((p * factor).sum()).backward()
        scaler.step(o)
        scaler.update()
    assert (p.tolist(), scaler.get_scale()) == ([-1, -1], 2.0**15)


def test_nothing_is_read(monkeypatch):
    """No value is read in an iteration but whether the step before was skipped, once the next one begins."""
    p, read = nn.Parameter(ct.ones(3)), []
    q = nn.Parameter(ct.ones(3))
    o, scaler = optim.Adam([p, q]), amp.GradScaler()
    original = ct.Tensor._read
    monkeypatch.setattr(ct.Tensor, "_read", lambda self: read.append(tuple(self.shape)) or original(self))
    for step in range(4):
        o.zero_grad()
        scaler.scale((p * p + q).sum()).backward()
        scaler.unscale_(o)
        nn.utils.clip_grad_norm_([p, q], 1.0)
        assert len(read) == step
        scaler.step(o)
        scaler.update()
        assert read == [()] * step


def test_a_state_that_is_looked_at_is_right():
    p = nn.Parameter(ct.ones(2))
    o, scaler = optim.Adam([p]), amp.GradScaler()
    for factor, step in ((1.0, 1), (float("nan"), 1), (1.0, 2)):
        o.zero_grad()
        scaler.scale((p * factor).sum()).backward()
        scaler.step(o)
        scaler.update()
        assert o.state[p]["step"] == step
    fresh = optim.Adam([q := nn.Parameter(ct.ones(2))])
    scaler.scale((q * float("inf")).sum()).backward()
    scaler.step(fresh)
    assert fresh.state_dict()["state"] == {}
    scaler.update()
    copies = copy.deepcopy(o)
    assert copies.state_dict()["state"][0]["step"].item() == 2


def test_several_optimizers_share_a_scale():
    p, q = nn.Parameter(ct.ones(2)), nn.Parameter(ct.ones(2))
    first, second, scaler = optim.SGD([p], lr=1.0), optim.SGD([q], lr=1.0), amp.GradScaler()
    scaler.scale(p.sum() + (q * float("inf")).sum()).backward()
    scaler.step(first)
    scaler.step(second)
    scaler.update()
    assert (p.tolist(), q.tolist(), scaler.get_scale()) == ([0, 0], [1, 1], 2.0**15)


def test_a_scale_that_would_overflow_stays():
    p = nn.Parameter(ct.ones(1))
    o, scaler = optim.SGD([p], lr=0.0), amp.GradScaler(init_scale=2.0**127, growth_interval=1)
    scaler.scale(p.sum() * 1e-30).backward()
    scaler.step(o)
    scaler.update()
    assert scaler.get_scale() == 2.0**127


def test_state_and_settings():
    p = nn.Parameter(ct.ones(1))
    o, scaler = optim.SGD([p], lr=0.1), amp.GradScaler(init_scale=4.0, growth_interval=5)
    scaler.scale(p.sum()).backward()
    scaler.step(o)
    scaler.update()
    expected = {"scale": 4.0, "growth_factor": 2.0, "backoff_factor": 0.5, "growth_interval": 5, "_growth_tracker": 1}
    assert scaler.state_dict() == expected
    for other in (amp.GradScaler(), pickle.loads(pickle.dumps(scaler))):
        other.load_state_dict(expected)
        assert other.state_dict() == expected
        other.scale(p.sum())
        assert other.state_dict() == expected
    scaler.set_growth_factor(3.0), scaler.set_backoff_factor(0.25), scaler.set_growth_interval(7)
    assert (scaler.get_growth_factor(), scaler.get_backoff_factor(), scaler.get_growth_interval()) == (3.0, 0.25, 7)
    scaler.load_state_dict(expected)
    assert scaler.state_dict() == expected
    scaler.update(16.0)
    assert scaler.get_scale() == 16
    scaler.update(ct.tensor(2.0))
    assert scaler.get_scale() == 2


def test_one_that_is_not_enabled_does_nothing():
    p = nn.Parameter(ct.ones(1))
    o, scaler = optim.SGD([p], lr=1.0), amp.GradScaler(enabled=False)
    loss = p.sum()
    assert scaler.scale(loss) is loss
    loss.backward()
    scaler.unscale_(o)
    scaler.step(o)
    scaler.update()
    assert (p.item(), scaler.get_scale(), scaler.state_dict(), scaler.is_enabled()) == (0, 1.0, {}, False)
    scaler.load_state_dict({})


def test_nested_outputs():
    scaler = amp.GradScaler(init_scale=2.0)
    a, (b,) = scaler.scale([ct.ones(1), (ct.ones(2),)])
    assert (a.tolist(), b.tolist()) == ([2], [2, 2])


def ready(scaler, dtype=None):
    p = nn.Parameter(ct.ones(2, dtype=dtype))
    scaler.scale(p.sum()).backward()
    return optim.SGD([p], lr=0.1)


@pytest.mark.parametrize(("use", "error", "words"), [
    (lambda s: s.update(), AssertionError, "Attempted update but _scale is None"),
    (lambda s: s.unscale_(None), AssertionError, "Attempted unscale_ but _scale is None"),
    (lambda s: s.step(None), AssertionError, "Attempted step but _scale is None"),
    (lambda s: s.scale(3), ValueError, "must be a Tensor or an iterable of Tensors, got int"),
    (lambda s: [s.unscale_(o) for o in [ready(s)] * 2], RuntimeError, r"unscale_\(\) has already been called"),
    (lambda s: [s.step(o) for o in [ready(s)] * 2], RuntimeError, r"step\(\) has already been called"),
    (lambda s: [call(o) for o in [ready(s)] for call in (s.step, s.unscale_)], RuntimeError, r"being called after step\(\)"),
    (lambda s: s.step(ready(s), closure=lambda: 3), RuntimeError, "Closure use is not currently supported"),
    (lambda s: s.unscale_(ready(s, ct.float16)), ValueError, "Attempting to unscale FP16 gradients"),
    (lambda s: [ready(s), s.step(optim.SGD([nn.Parameter(ct.ones(1))]))], AssertionError, "No inf checks were recorded for this"),
    (lambda s: [ready(s), s.update()], AssertionError, "No inf checks were recorded prior to update"),
    (lambda s: s.load_state_dict({}), RuntimeError, "source state dict is empty"),
    (lambda s: [s.unscale_(ready(s)), pickle.dumps(s)], AssertionError, "may only be pickled"),
    (lambda s: amp.GradScaler(growth_factor=1.0), AssertionError, "growth factor must be > 1.0"),
    (lambda s: amp.GradScaler(backoff_factor=1.0), AssertionError, "backoff factor must be < 1.0")])
def test_mistakes_are_named(use, error, words):
    with pytest.raises(error, match=words):
        use(amp.GradScaler(init_scale=2.0))
