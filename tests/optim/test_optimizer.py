"""Optimizer: groups, state, closures, hooks, mistakes; and the order of optimiser and schedule."""

import copy

import numpy as np
import pytest

import cltensor
from cltensor import nn, optim
from cltensor.ops.optim import updates as ops

pytestmark = pytest.mark.device


def parameter(*values):
    p = nn.Parameter(cltensor.tensor([float(v) for v in values]))
    p.grad = cltensor.ones(len(values))
    return p


def test_groups_have_settings_of_their_own():
    a, b, c = parameter(1), parameter(1), parameter(1)
    o = optim.SGD([{"params": [("a", a)]}, {"params": [("b", b)], "lr": 0.5}], lr=0.1)
    o.add_param_group({"params": [("c", c)], "lr": 0.25})
    o.step()
    assert [p.item() for p in (a, b, c)] == pytest.approx([0.9, 0.5, 0.75])
    assert o.param_groups[2]["param_names"] == ["c"]
    assert [g["lr"] for g in o.param_groups] == [0.1, 0.5, 0.25]


def test_adam_by_its_formula():
    p, lr, (b1, b2), eps = parameter(1, -2, 3), 0.1, (0.9, 0.99), 1e-8
    o = optim.Adam([p], lr=lr, betas=(b1, b2), eps=eps)
    x, m, v = np.array([1.0, -2, 3]), 0, 0
    for t in range(1, 6):
        g = np.array([0.5, -1, 2]) * t
        p.grad = cltensor.from_numpy(g.astype(np.float32))
        o.step()
        m, v = b1 * m + (1 - b1) * g, b2 * v + (1 - b2) * g * g
        x = x - lr * (m / (1 - b1**t)) / (np.sqrt(v / (1 - b2**t)) + eps)
    np.testing.assert_allclose(p.detach().numpy(), x, rtol=1e-5)


def test_settings_are_kernel_arguments():
    p = parameter(1, 2)
    o = optim.SGD([p], lr=0.1)
    o.step()
    before = len(ops.sgd_step.plans), len(ops.sgd_step.sources)
    for lr in (0.2, 0.3):
        o.param_groups[0]["lr"] = lr
        o.step()
    assert (len(ops.sgd_step.plans), len(ops.sgd_step.sources)) == before
    assert p.tolist() == pytest.approx([0.4, 1.4])


def test_a_step_writes_in_place_and_leaves_no_history():
    p = parameter(1)
    memory = p.untyped_storage()
    for kind in optim.__all__:
        if kind[0].isupper() and kind not in ("Optimizer", "LBFGS", "SparseAdam", "Muon"):
            getattr(optim, kind)([p]).step()
    assert p.untyped_storage() is memory
    assert p.is_leaf
    assert p.requires_grad


def test_parameters_without_gradient_are_left_alone():
    p, q = parameter(1), parameter(1)
    q.grad = None
    o = optim.Adam([p, q])
    o.step()
    assert (q.item(), list(o.state)) == (1, [p])
    o.zero_grad(set_to_none=False)
    assert p.grad.item() == 0
    o.zero_grad()
    assert p.grad is None


def test_closure():
    p = parameter(2)
    o = optim.SGD([p], lr=0.25)

    def closure():
        o.zero_grad()
        loss = (p * p).sum()
        loss.backward()
        return loss

    assert o.step(closure).item() == 4
    assert p.item() == 1


@pytest.mark.parametrize("kind", ["SGD", "Adam", "Adagrad", "NAdam"])
def test_state_dict_continues_the_run(kind):
    def run(o, p, n):
        for i in range(n):
            p.grad = cltensor.tensor([1.0 + i, -2.0])
            o.step()

    settings = {"momentum": 0.9} if kind == "SGD" else {}
    p = parameter(1, 2)
    o = getattr(optim, kind)([p], lr=0.1, **settings)
    run(o, p, 3)
    saved, q = copy.deepcopy(o.state_dict()), nn.Parameter(p.detach().clone())
    other = getattr(optim, kind)([q], lr=0.7, **settings)
    other.load_state_dict(saved)
    run(o, p, 3)
    run(other, q, 3)
    assert q.tolist() == p.tolist()


def test_loading_converts_and_does_not_share():
    p = nn.Parameter(cltensor.ones(2, dtype=cltensor.float16))
    o = optim.Adam([p])
    given = {"step": cltensor.tensor(3.0), "exp_avg": cltensor.ones(2), "exp_avg_sq": cltensor.ones(2)}
    o.load_state_dict({"state": {0: given}, "param_groups": [{**o.state_dict()["param_groups"][0], "lr": 0.5}]})
    state = o.state[p]
    assert (state["step"], state["exp_avg"].dtype, o.param_groups[0]["lr"]) == (3, cltensor.float16, 0.5)
    p.grad = cltensor.ones(2, dtype=cltensor.float16)
    o.step()
    assert given["exp_avg_sq"].tolist() == [1, 1]


def test_hooks():
    p, calls = parameter(1), []
    o = optim.SGD([p], lr=0.1)
    o.register_step_pre_hook(lambda o, args, kwargs: calls.append("before"))
    handle = o.register_step_post_hook(lambda o, args, kwargs: calls.append("after"))
    o.register_state_dict_post_hook(lambda o, state: {**state, "more": 1})
    o.register_load_state_dict_pre_hook(lambda o, state: calls.append("loading"))
    o.step()
    handle.remove()
    o.step()
    o.load_state_dict(o.state_dict())
    assert calls == ["before", "after", "before", "loading"]
    assert o.state_dict()["more"] == 1


class Descent(optim.Optimizer):
    """An optimiser of a user's own."""

    def __init__(self, params, lr):
        super().__init__(params, {"lr": lr})

    @cltensor.no_grad()
    def step(self):
        for group in self.param_groups:
            for p in group["params"]:
                p.sub_(p.grad, alpha=group["lr"])


def test_an_optimiser_of_ones_own():
    p = parameter(1)
    o = Descent([p], 0.5)
    schedule = optim.lr_scheduler.ExponentialLR(o, 0.5)
    for _ in range(2):
        o.step()
        schedule.step()
    assert p.item() == 0.25


def test_a_schedule_stepped_first_warns():
    o = optim.SGD([parameter(1)], lr=0.1)
    schedule = optim.lr_scheduler.StepLR(o, 1)
    with pytest.warns(UserWarning, match="before `optimizer.step"):
        schedule.step()


@pytest.mark.parametrize(("make", "error", "words"), [
    (lambda p: optim.SGD(p), TypeError, "iterable of Tensors or dicts"),
    (lambda p: optim.SGD([]), ValueError, "empty parameter list"),
    (lambda p: optim.SGD([3]), TypeError, "one of the params is int"),
    (lambda p: optim.SGD([(p * 2).detach().requires_grad_() * 3]), ValueError, "non-leaf"),
    (lambda p: optim.SGD([("p", p), parameter(1)]), ValueError, "with/without names. Some param names are missing: 1 of 2"),
    (lambda p: optim.SGD([{"params": [p]}, {"params": [("q", parameter(1))]}]), ValueError, "cannot add param group with names"),
    (lambda p: optim.SGD([p], lr=cltensor.ones(2)), ValueError, "Tensor lr must be 1-element; got one of shape .2,."),
    (lambda p: optim.Adam([p], betas=(0.9, cltensor.tensor(0.9))), ValueError, "both floats or both Tensors"),
    (lambda p: optim.Adam([p], betas=(cltensor.ones(2), cltensor.ones(2))), ValueError, "betas.0. must be 1-element"),
    (lambda p: optim.Adam([p], lr=cltensor.tensor(0.1), foreach=True), ValueError, "lr as a Tensor is not supported"),
    (lambda p: optim.Adam([p], fused=True, foreach=True), RuntimeError, "cannot be `True` together"),
    (lambda p: optim.SGD([p], fused=True, differentiable=True), RuntimeError, "does not support `differentiable`"),
    (lambda p: optim.Adafactor([p], d=0.5), ValueError, "Clipping threshold d should be >= 1 but is: 0.5"),
    (lambda p: optim.Adafactor([p], eps=(-1, 1)), ValueError, "epsilon1 should be >= 0 but is: -1"),
    (lambda p: optim.Adafactor([p], eps=(None, -1)), ValueError, "epsilon2 should be >= 0 but is: -1"),
    (lambda p: optim.Adafactor([p], beta2_decay=1), ValueError, "beta2_decay should be <= 0 but is: 1"),
    (lambda p: optim.Adafactor([p], lr=-1), ValueError, "Learning rate should be >= 0 but is: -1"),
    (lambda p: optim.Adafactor([p], weight_decay=-1), ValueError, "weight_decay should be >= 0 but is: -1"),
    (lambda p: optim.ASGD([p], lr=-1), ValueError, "Invalid learning rate: -1"),
    (lambda p: optim.Muon([p]), ValueError, "only supports 2D parameters .* AdamW"),
    (lambda p: optim.Muon([p], momentum=-1), ValueError, "momentum should be >= 0 but is: -1"),
    (lambda p: optim.Muon([p], adjust_lr_fn="x"), ValueError, "Adjust learning rate function x is not supported"),
    (lambda p: optim.Muon([p], ns_steps=100), ValueError, "less than 100"),
    (lambda p: optim.Muon([p], ns_coefficients=(1, 2)), ValueError, "exactly 3 values"),
    (lambda p: optim.SparseAdam([p], lr=0), ValueError, "Invalid learning rate: 0"),
    (lambda p: optim.SparseAdam([p]).step(), RuntimeError, "does not support dense gradients"),
    (lambda p: optim.SGD([{"params": [p]}, {"params": [p]}]), ValueError, "more than one parameter group"),
    (lambda p: optim.SGD([{"params": {p}}]), TypeError, "ordered collections"),
    (lambda p: optim.SGD([p], lr=-1), ValueError, "Invalid learning rate: -1"),
    (lambda p: optim.SGD([p], nesterov=True), ValueError, "Nesterov momentum requires"),
    (lambda p: optim.Adam([p], betas=(0.9, 1.0)), ValueError, "Invalid beta parameter at index 1"),
    (lambda p: optim.Adam([{"params": [p], "eps": -1}]), ValueError, "Invalid eps value: -1"),
    (lambda p: optim.Rprop([p], etas=(2, 3)), ValueError, "Invalid eta values"),
    (lambda p: optim.SGD([p]).load_state_dict(optim.SGD([{"params": [p]}, {"params": []}]).state_dict()), ValueError,
     "different number of parameter groups"),
    (lambda p: optim.SGD([p]).load_state_dict(optim.SGD([p, parameter(1)]).state_dict()), ValueError, "match the size"),
    (lambda p: optim.lr_scheduler.StepLR(3, 1), TypeError, "int is not an Optimizer"),
    (lambda p: optim.lr_scheduler.StepLR(optim.SGD([p]), 1, last_epoch=3), KeyError, "initial_lr"),
])
def test_mistakes_are_named(make, error, words):
    with pytest.raises(error, match=words):
        make(parameter(1))


def test_a_parameter_listed_twice_warns_and_moves_twice():
    p = parameter(1)
    with pytest.warns(UserWarning, match="duplicate parameters") as found:
        o = optim.SGD([p, p], lr=0.25)
    assert found[0].filename == __file__
    o.step()
    assert p.item() == 0.5


def test_hooks_of_every_optimizer():
    p, calls = parameter(1), []
    handles = [optim.optimizer.register_optimizer_step_pre_hook(lambda o, args, kwargs: calls.append("all before")),
               optim.optimizer.register_optimizer_step_post_hook(lambda o, args, kwargs: calls.append("all after"))]
    o = optim.SGD([p], lr=0.1)
    o.register_step_pre_hook(lambda o, args, kwargs: calls.append("before"))
    o.register_step_post_hook(lambda o, args, kwargs: calls.append("after"))
    o.step()
    for handle in handles:
        handle.remove()
    optim.SGD([p], lr=0.1).step()
    assert calls == ["all before", "before", "after", "all after"]


def test_a_pre_hook_may_replace_the_arguments_and_nothing_else():
    p = parameter(1)
    o = optim.SGD([p], lr=0.1)
    handle = o.register_step_pre_hook(lambda o, args, kwargs: ((lambda: 3,), {}))
    assert o.step() == 3
    handle.remove()
    o.register_step_pre_hook(lambda o, args, kwargs: 5)
    with pytest.raises(RuntimeError, match=r"must return None or a tuple of \(new_args, new_kwargs\), but got 5"):
        o.step()


def test_hooks_of_state_dicts_come_in_order():
    calls, o = [], optim.SGD([parameter(1)], lr=0.1)
    for event in ("state_dict_pre", "state_dict_post", "load_state_dict_pre", "load_state_dict_post"):
        register = getattr(o, f"register_{event}_hook")
        register(lambda *_, event=event: calls.append(f"{event} second"))
        register(lambda *_, event=event: calls.append(f"{event} first"), prepend=True)
    o.load_state_dict(o.state_dict())
    assert calls == [f"{event} {place}" for event in ("state_dict_pre", "state_dict_post", "load_state_dict_pre",
                                                     "load_state_dict_post") for place in ("first", "second")]


def test_names_are_saved_and_kept():
    named, other = optim.SGD([("p", parameter(1))]), optim.SGD([parameter(1)])
    assert named.state_dict()["param_groups"][0]["param_names"] == ["p"]
    other.load_state_dict(named.state_dict())
    assert other.param_groups[0]["param_names"] == ["p"]
    named.load_state_dict(optim.SGD([parameter(1)]).state_dict())
    assert named.param_groups[0]["param_names"] == ["p"]


def test_a_tensor_setting_is_read_once_and_again_when_written_to(monkeypatch):
    lr, p, read = cltensor.tensor(0.5), parameter(4), []
    o = optim.Adam([p], lr=lr, betas=(cltensor.tensor(0.0), cltensor.tensor(0.0)))
    original = cltensor.Tensor.item
    monkeypatch.setattr(cltensor.Tensor, "item", lambda self: read.append(1) or original(self))
    o.step()
    o.step()
    assert len(read) == 3
    lr.fill_(0.25)
    o.step()
    assert len(read) == 4
    assert p.item() == pytest.approx(2.75)


def test_schedules_write_to_a_tensor_in_place():
    lr = cltensor.tensor(0.5)
    o = optim.SGD([parameter(1)], lr=lr)
    schedule = optim.lr_scheduler.StepLR(o, 1, gamma=0.5)
    o.step()
    schedule.step()
    assert o.param_groups[0]["lr"] is lr
    assert (lr.item(), schedule.base_lrs[0].item(), schedule.get_last_lr()[0].item()) == (0.25, 0.5, 0.25)


def test_rows_of_a_sparse_gradient(rng):
    """SparseAdam's update of some entries is Adam's on those rows, and leaves the others alone."""
    start = rng.standard_normal((5, 3)).astype(np.float32)
    p = nn.Parameter(cltensor.tensor(start))
    o = optim.SparseAdam([p], lr=0.1)
    x, m, v = start.copy(), np.zeros_like(start), np.zeros_like(start)
    for step in range(1, 4):
        rows, g = np.array([3, 1]), rng.standard_normal((2, 3)).astype(np.float32)
        with cltensor.no_grad():
            o.update_entries(p, cltensor.tensor(rows[None]), cltensor.tensor(g), o.param_groups[0])
        m[rows], v[rows] = 0.9 * m[rows] + 0.1 * g, 0.999 * v[rows] + 0.001 * g * g
        x[rows] -= 0.1 * np.sqrt(1 - 0.999**step) / (1 - 0.9**step) * m[rows] / (np.sqrt(v[rows]) + 1e-8)
    np.testing.assert_allclose(p.detach().numpy(), x, rtol=1e-5)
    assert o.state_dict()["state"][0]["step"] == 3


def test_an_optimizer_on_other_parameters_for_a_while():
    p, q = parameter(1), parameter(5)
    o = optim.SGD([("p", p)], lr=0.5, momentum=0.5)
    o.step()
    saved = copy.deepcopy(o.state_dict())
    saved["param_groups"][0]["lr"] = 1.0
    buffer = saved["state"][0]["momentum_buffer"]
    with optim.swap_in_optimizer_params_and_state(o, {"p": q}, saved):
        o.step()
    assert (p.item(), q.item(), buffer.item(), o.state[p]["momentum_buffer"].item()) == (0.5, 3.5, 1.5, 1)
    assert o.param_groups[0]["lr"] == 0.5
    with pytest.raises(ValueError, match="the optimizer has 1 parameters, got 2"), \
            optim.swap_in_optimizer_params_and_state(o, {"p": p, "q": q}, saved):
        pass


def test_types_of_hooks_are_there():
    assert optim.Optimizer.OptimizerPreHook.__args__[-1] is not type(None)
    assert optim.Optimizer.OptimizerPostHook.__args__[-1] in (None, type(None))
