"""Dynamic sizes: what was captured for a few sizes holds for all, and where the program asks otherwise, it does not."""

import copy
import pickle
import warnings

import numpy as np
import pytest

import cltensor as ct
from cltensor import nn, optim
from cltensor.base.errors import ArgumentError, DimensionError
from cltensor.base.observed_sizes import Observations, hold, observing
from cltensor.codegen.nodes import Input
from cltensor.compiler import compile, mark_dynamic, mark_static, maybe_mark_dynamic
from cltensor.graph.alike import alike
from cltensor.nn import functional as F

pytestmark = [pytest.mark.device, pytest.mark.any_style]

SIZES = (3, 5, 8, 13, 7, 2, 11, 3)


def array(*shape, seed=0):
    return ct.tensor(np.random.default_rng(seed + sum(shape)).standard_normal(shape, dtype=np.float32))


def check(fn, inputs, captures, **settings):
    """Call fn compiled and as it is.  Returns the compiled one."""
    compiled = compile(fn, dynamic=True, **settings)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of many captures
        for args in inputs:
            np.testing.assert_allclose(compiled(*args).detach().numpy(), fn(*args).detach().numpy(), rtol=1e-5, atol=1e-6)
    program = compiled._program if isinstance(fn, nn.Module) else compiled
    assert program.captures in np.atleast_1d(captures), program.explain().sizes
    return compiled


PROGRAMS = {
    "pointwise": lambda x: (x * 2 + 1).relu().exp(), "softmax": lambda x: x.softmax(0) + x.log_softmax(1),
    "product": lambda x: x @ x.t() @ x, "sum": lambda x: x / x.sum(0, keepdim=True), "mean": lambda x: x - x.mean(),
    "view": lambda x: x.view(-1, 2).flip(0).reshape(x.shape), "stack": lambda x: ct.stack([x, x * 2], 1).flatten(0, 1),
    "in place": lambda x: (x + 1).mul_(x).clamp_(min=-1), "half": lambda x: x.to(ct.float16).float() + 1,
    "arange": lambda x: x + ct.arange(x.shape[0]).unsqueeze(1), "full": lambda x: x + ct.full((x.shape[0], 1), 0.25),
    "sizes": lambda x: x * x.shape[0] + x.numel() / x.size(0), "sort": lambda x: x.sort(0).values.cumsum(0),
    "where": lambda x: ct.where(x > 0, x, x.flip(0)), "scale": lambda x: x / x.size(0) ** 0.5,
    "norm": lambda x: F.layer_norm(x, (4,)) + F.normalize(x, dim=0), "triangle": lambda x: ct.tril(x @ x.t()),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_two_sizes_tell_all_others(name):
    check(PROGRAMS[name], [(array(n, 4),) for n in SIZES], 2)


@pytest.mark.parametrize("fn", [lambda x: x.std(0), lambda x: (x - x.mean()) / x.std(), lambda x: x[1:] - x[:-1],
                                lambda x: x[1:].reshape(-1) * 2])
def test_rules_with_two_numbers_follow_from_formulas(fn):
    check(fn, [(array(n, 4),) for n in (3, 5, 8, 13, 7, 11)], 2)


def test_several_dimensions():
    def fn(x, y):
        b, t, d = x.shape
        return (x.view(b * t, d) @ y).view(b, t, -1).transpose(1, 2).contiguous() + t

    check(fn, [(array(b, t, 4), array(4, 6)) for b, t in ((2, 3), (3, 5), (5, 4), (4, 4), (7, 9), (2, 11))], 2)


def test_a_size_that_stayed_the_same_may_change_later():
    check(lambda x: x.softmax(-1) * 2, [(array(b, t),) for b, t in ((2, 3), (2, 5), (2, 7), (3, 7), (4, 9), (5, 6))], 3)


def test_questions_about_sizes_are_asked_again():
    check(lambda x: x * 2 if x.shape[0] > 10 else x + 1, [(array(n, 3),) for n in (3, 12, 5, 14, 7, 9, 11, 10, 100)], 4)
    check(lambda x: x * 2 if x.size()[0] % 2 else x + 1, [(array(n, 3),) for n in (3, 4, 5, 6, 7, 8, 9, 10)], 4)
    check(lambda x: x * 2 if len(x) % 2 else x + 1, [(array(n, 3),) for n in (3, 4, 5, 3, 4, 5)], 3)
    check(lambda x: x * min(x.size(0), 6), [(array(n, 3),) for n in (3, 8, 5, 10, 4, 7)], 4)


def test_loops_over_a_size_are_captured_for_each():
    def fn(x):
        total = x[0]
        for row in range(1, x.shape[0]):
            total = total * 0.5 + x[row]
        return total

    check(fn, [(array(n, 3),) for n in (3, 5, 4, 3, 5)], 3)


def test_sizes_of_0_and_1_are_captured_by_themselves():
    check(lambda x: x.softmax(0) * 2, [(array(n, 4),) for n in (3, 5, 1, 0, 7, 1, 0)], 4)


def test_sizes_that_agreed_may_differ():
    check(lambda x, y: x.sum() + y.sum(), [(array(a), array(b)) for a, b in ((3, 3), (5, 5), (7, 7), (4, 6), (6, 9), (9, 4))], 3)


def test_a_size_that_is_returned_is_a_plain_int():
    f = compile(lambda x: (x + 1, x.shape[0] * 2, [x.size(0)]), dynamic=True)
    for n in SIZES:
        _, double, (size,) = f(array(n, 2))
        assert (double, size) == (2 * n, n)
        assert type(double) is type(size) is int
    assert f.captures == 2
    assert not observing


def test_layouts_are_guarded():
    f = compile(lambda x: x * 2 + x.sum(0), dynamic=True)
    for n in SIZES:
        for x in (array(n, 4), array(4, n).t(), array(2 * n, 4)[::2]):
            np.testing.assert_allclose(f(x).numpy(), (x * 2 + x.sum(0)).numpy(), rtol=1e-5)
    assert f.captures == 6


def test_slices_of_one_tensor():
    data = array(200, 4)
    check(lambda x: x[1:].relu().sum(0), [(data[3 * n: 4 * n],) for n in (4, 7, 9, 20, 5)], 2)


def test_keywords_lists_and_numbers():
    f = compile(lambda parts, scale=1.0: ct.cat(parts) * scale, dynamic=True)
    for a, b in ((2, 3), (4, 7), (5, 5), (9, 2)):
        for scale in (2.0, 3.0):
            got = f([array(a, 3), array(b, 3)], scale=scale)
            np.testing.assert_allclose(got.numpy(), ct.cat([array(a, 3), array(b, 3)]).numpy() * scale, rtol=1e-6)
    assert f.captures == 4


def mlp():
    return nn.Sequential(nn.Linear(6, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.3), nn.Linear(8, 3))


def cnn():
    return nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(36, 3))


class Attention(nn.Module):
    """A block of a language model."""

    def __init__(self):
        super().__init__()
        self.embedding, self.qkv, self.out = nn.Embedding(9, 8), nn.Linear(8, 24), nn.Linear(8, 9)

    def forward(self, tokens):
        b, t = tokens.shape
        assert t <= 64
        q, k, v = (x.view(b, t, 2, 4).transpose(1, 2) for x in self.qkv(self.embedding(tokens)).split(8, 2))
        mask = ct.tril(ct.ones(t, t)) == 0
        weights = (q @ k.transpose(-1, -2) / 2).masked_fill(mask, -ct.inf).softmax(-1)
        return self.out((weights @ v).transpose(1, 2).reshape(b, t, 8))


STEPS = {
    "mlp": (mlp, lambda n: (array(n, 6), ct.arange(n) % 3), lambda p: optim.SGD(p, 0.1, momentum=0.9)),
    "adam": (lambda: nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 3)), lambda n: (array(n, 6), ct.arange(n) % 3),
             lambda p: optim.Adam(p, 0.01)),
    "adafactor": (lambda: nn.Linear(6, 3), lambda n: (array(n, 6), ct.arange(n) % 3), lambda p: optim.Adafactor(p, 0.01)),
    "cnn": (cnn, lambda n: (array(n, 1, 6, 6), ct.arange(n) % 3), lambda p: optim.SGD(p, 0.05)),
    "attention": (Attention, lambda n: ((ct.arange(2 * n) * 5 % 9).view(2, n), ct.arange(2 * n) % 9),
                  lambda p: optim.SGD(p, 0.1)),
}


@pytest.mark.parametrize("name", STEPS)
def test_training_steps(name):
    """Of the first call's capture, before there are gradients, nothing is used again; a third size may be needed after that."""
    make, data, optimizer = STEPS[name]
    ct.manual_seed(0)
    nets = [make()]
    nets.append(copy.deepcopy(nets[0]))
    steps = []
    for net in nets:
        opt = optimizer(net.parameters())
        schedule = optim.lr_scheduler.StepLR(opt, 3, 0.5)

        def step(x, y, net=net, opt=opt, schedule=schedule):
            opt.zero_grad()
            scores = net(x)
            loss = F.cross_entropy(scores.reshape(-1, scores.shape[-1]), y)
            loss.backward()
            nn.utils.clip_grad_norm_(net.parameters(), 1.0)
            opt.step()
            schedule.step()
            return loss

        steps.append(step)
    steps[1] = compile(steps[1], dynamic=True)
    for seed, n in enumerate((3, 5, 8, 12, 7, 2, 11, 6)):
        losses = []
        for step in steps:
            ct.manual_seed(seed)
            losses.append(step(*data(n)).item())
        assert losses[0] == pytest.approx(losses[1], rel=1e-5)
    for p, q in zip(*(net.parameters() for net in nets), strict=True):
        np.testing.assert_allclose(q.detach().numpy(), p.detach().numpy(), rtol=1e-4, atol=1e-5)
    assert steps[1].captures <= 4, steps[1].explain().sizes


def test_gradients_of_a_module():
    ct.manual_seed(0)
    net = mlp()
    other = compile(copy.deepcopy(net), dynamic=True)
    for n in SIZES:
        found = []
        for m in (net, other):
            ct.manual_seed(n)
            x = array(n, 6).requires_grad_()
            m.zero_grad()
            m(x).square().sum().backward()
            found.append([x.grad, *(p.grad for p in m.parameters())])
        for a, b in zip(*found, strict=True):
            np.testing.assert_allclose(b.numpy(), a.numpy(), rtol=1e-4, atol=1e-5)
    assert other._program.captures == 2


def test_ops_of_passes_are_compared_by_their_formulas():
    x, y = Input("x"), Input("y")

    class Op:
        def __init__(self, e):
            self.formula = (e,), "float32"

    one, same, other = map(Op, (x * 2 + y, x * 2 + y, x + y * 2))
    assert alike(one, same)
    assert not alike(one, other)


def test_slices_inside_control_flow():
    """The places of an argument in a branch count from where the argument begins."""
    base, f = array(40, 4), compile(lambda x: ct.cond(x.sum() > 0, lambda a: a[1:] * 2, lambda a: a[:-1] - 1, (x,)), dynamic=True)
    for start, n in ((0, 3), (2, 5), (7, 8), (3, 4), (1, 6), (9, 3)):
        for x in (base[start:start + n], -base[start:start + n]):
            wanted = x[1:] * 2 if x.sum() > 0 else x[:-1] - 1
            np.testing.assert_allclose(f(x).numpy(), wanted.numpy(), rtol=1e-6)


def test_random_programs():
    weight = array(4, 4)
    parts = [lambda x: x.relu() + 0.5, lambda x: x - x.mean(0), lambda x: x.softmax(0), lambda x: x @ weight, lambda x: x.flip(0),
             lambda x: x.t().contiguous().t(), lambda x: ct.cat([x, x * 0.5])[::2], lambda x: x + x.sum(1, keepdim=True),
             lambda x: x.cumsum(0) / x.shape[0], lambda x: x.reshape(-1, 2).tanh().reshape(x.shape),
             lambda x: (x @ x.t()) @ x * 0.1,
             lambda x: ct.where(x > 0, x, x.flip(1)), lambda x: (x.clone().mul_(2).add_(x))[:, [3, 2, 1, 0]],
             lambda x: x + ct.arange(x.shape[0]).view(-1, 1) * 0.1]
    rng = np.random.default_rng(0)
    for _ in range(25):
        chosen = [parts[k] for k in rng.integers(len(parts), size=5)]

        def fn(x, chosen=chosen):
            for part in chosen:
                x = part(x)
            return x

        check(fn, [(array(n, 4),) for n in (4, 6, 9, 3, 14)], (2, 3))


def test_one_program_is_kept_for_each_size_and_made_again():
    f = compile(lambda x: (x + 1).sum(0), dynamic=True)
    for n in (*range(2, 30), 3, 4):
        np.testing.assert_allclose(f(array(n, 3)).numpy(), (array(n, 3) + 1).sum(0).numpy(), rtol=1e-5)
    assert f.captures == 2
    assert "one program for all sizes, from 2 captures" in str(f.explain())
    f.reset()
    assert f.explain().sizes == ()


def test_explain_says_why_sizes_are_captured_one_by_one():
    f = compile(lambda x: x * float(np.sin(len(x))), dynamic=True)
    for n in (3, 5, 8):
        f(array(n, 2))
    assert f.captures == 3
    assert any("captured" in text for text in f.explain().sizes)


def test_mark_dynamic():
    f = compile(lambda x: x * 2 + x.mean(0))
    for n in SIZES:
        x = array(n, 4)
        mark_dynamic(x, 0)
        np.testing.assert_allclose(f(x).numpy(), (x * 2 + x.mean(0)).numpy(), rtol=1e-5, atol=1e-6)
    assert f.captures == 2
    x = array(3, 5)
    maybe_mark_dynamic(x, -2)
    f(x)
    assert f.captures == 3  # the other dimension was not marked
    mark_static(x, 0)
    f(array(9, 4))
    assert f.captures == 4


def test_mark_dynamic_within_bounds():
    f = compile(lambda x: x * 2)
    for n in (3, 5, 7, 4, 9):
        x = array(n, 2)
        if n <= 8:
            mark_dynamic(x, 0, min=2, max=8)
        f(x)
    assert f.captures == 3
    with pytest.raises(ArgumentError, match="size 9 of dimension 0 is not within min=None and max=8"):
        mark_dynamic(array(9, 2), 0, max=8)
    with pytest.raises(DimensionError, match="mark_dynamic"):
        mark_dynamic(array(9, 2), 2)
    assert ct.mark_dynamic is ct._dynamo.mark_dynamic is mark_dynamic


def test_settings_survive_pickling():
    net = pickle.loads(pickle.dumps(compile(nn.Linear(4, 2), dynamic=True)))
    for n in SIZES:
        net(array(n, 4))
    assert net._program.captures == 2


def test_an_exception_ends_the_observation():
    def fn(x):
        raise ValueError(x.shape[0])

    with pytest.raises(ValueError, match="3"):
        compile(fn, dynamic=True)(array(3))
    assert not observing


def test_observed_sizes_are_ints():
    with Observations() as seen:
        n = array(6, 4).shape[0]
        assert isinstance(n, int)
        assert (n + 1, n - 1, 2 * n, n // 4, 20 % n, -n, n**2, divmod(n, 4), max(n, 3), f"{n}") == (
            7, 5, 12, 1, 2, -6, 36, (1, 2), 6, "6")
        assert n / 4 == 1.5
        assert list(range(n)) == [0, 1, 2, 3, 4, 5]
        assert {6: "six"}[n] == "six"
        assert pickle.loads(pickle.dumps(n)) == 6
    assert hold(seen.questions(), {0: 6})
    assert not hold(seen.questions(), {0: 7})
