"""Control flow under compile: captured once whatever is taken, replayed as eager mode does it, gradients included."""

import copy
import threading

import numpy as np
import pytest

import cltensor as ct
from cltensor import nn
from cltensor.base.errors import CaptureError, ShapeError
from cltensor.compiler import compile
from cltensor.graph.structure import flatten

pytestmark = pytest.mark.device


def array(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape, dtype=np.float32)


def signed(*shape):
    """Six arrays, whose sums are above 0 and below it in turn."""
    return [np.abs(array(*shape, seed=i)) * (1 if i % 2 else -1) for i in range(6)]


@pytest.fixture
def weights():
    return [ct.tensor(array(4, seed=s), requires_grad=True) for s in (8, 9)]


def outcome(f, arrays, weights):
    """All that a call gives: results, gradients of its arguments and of weights, where the generator stands."""
    ct.manual_seed(7)
    given = [ct.tensor(a, requires_grad=bool(weights)) for a in arrays]
    for w in weights:
        w.grad = None
    tensors = [t if isinstance(t, ct.Tensor) else ct.tensor(t) for t in flatten(f(*given))[0]]
    total = [t.sum() for t in tensors if t.requires_grad]
    if total:
        sum(total[1:], total[0]).backward()
    grads = [np.zeros(t.shape, np.float32) if t.grad is None else t.grad.numpy() for t in (*given, *weights)]
    return [*(t.detach().numpy() for t in tensors), *grads, ct.default_generator._offset]


def check(f, calls, weights=(), captures=1):
    """Each call, compiled and as it is.  Returns the compiled function."""
    compiled = compile(f, fullgraph=captures == 1)
    for arrays in calls:
        for a, b in zip(outcome(compiled, arrays, weights), outcome(f, arrays, weights), strict=True):
            np.testing.assert_allclose(a, b, rtol=2e-5, atol=1e-5)
    assert compiled.captures == captures
    return compiled


def pick(x, ours, theirs):
    return ct.cond(x.sum() > 0, ours, theirs, (x,))


def test_cond_is_captured_once(tmp_path):
    f = check(lambda x: pick(x, lambda a: (a * 2).sin() + 1, lambda a: a / 3) * 2, [(a,) for a in signed(4)])
    text = str(f.explain())
    assert "cond(" in text
    assert "    b" in text
    assert "fused_mul_sin_add" in text
    assert f.explain().launches == 2 + 2 + 1  # both ways count
    assert f.explain().bytes_moved < f.explain().bytes_moved_before
    assert "cond" in f.graph.to_dot()
    f.graph.to_html(tmp_path / "graph.html")


def test_results_that_are_copied():
    check(lambda x: pick(x, lambda a: (a * 2, a.exp()), lambda a: (a / 3, a))[1].clone() + 1, [(a,) for a in signed(4)])
    check(lambda x: ct.stack([pick(x, lambda a: a * 2, lambda a: a / 3).clone(), x]), [(a,) for a in signed(4)])


def test_constants():
    below = ct.tensor(False)

    def f(x):
        flag = ct.tensor([True]) & ct.tensor([True])
        return ct.cond(flag, lambda x: x + ct.tensor([1.0, 2.0, 3.0, 4.0]).exp(), lambda x: x, (x,)) + ct.cond(
            below, lambda: ct.ones(4), lambda: ct.tensor(2.0).exp().expand(4) + 0, ())

    check(f, [(a,) for a in signed(4)])


def test_gradients_of_cond(weights):
    w, v = weights
    calls = [(a,) for a in signed(4)]
    check(lambda x: pick(x, lambda a: (a * w).exp(), lambda a: (a * w).sigmoid() * v), calls, weights)
    check(lambda x: pick(x * w, lambda a: a[1:] * w[:-1], lambda a: (a * a)[:-1] - v.sum()), calls, weights)
    check(lambda x: pick(x, lambda a: {"a": a, "b": (w, a[:2])}, lambda a: {"a": v, "b": (a * 2, a[2:])})["b"], calls, weights)


def test_gradients_inside_the_program(weights):
    w, v = weights

    def step(x):
        w.grad = v.grad = None
        y = pick(x, lambda a: (a * w).exp(), lambda a: (a * w).tanh() * v)
        (y * y).sum().backward()
        return w.grad + 0, v.grad + 0

    w.grad, v.grad = ct.zeros(4), ct.zeros(4)
    compiled = compile(step, fullgraph=True)
    for a in signed(4):
        found = compiled(ct.tensor(a))
        x = ct.tensor(a)
        y = (x * w).exp() if a.sum() > 0 else (x * w).tanh() * v
        wanted = ct.autograd.grad((y * y).sum(), [w, v], allow_unused=True)
        for g, r in zip(found, wanted, strict=True):
            np.testing.assert_allclose(g.numpy(), 0 if r is None else r.numpy(), rtol=1e-5, atol=1e-6)
    assert compiled.captures == 1


def test_nested_control_flow(weights):
    w, v = weights
    calls = [(a,) for a in signed(4)]

    def inner(a):
        return ct.cond(a.amax() > 1, lambda a: a * w, lambda a: a + v, (a,))

    check(lambda x: pick(x, lambda a: inner(a).exp(), lambda a: inner(a * v).sigmoid()), calls, weights)
    check(lambda x: ct.scan(lambda c, e: (pick(c, lambda c: c * w - e, lambda c: c.exp() + e * v), c * e), w, x.outer(v)), calls,
          weights)


def test_while_loop_is_captured_once():
    f = check(lambda x: ct.while_loop(lambda i, a: (a.sum() < 100) & (i < 9), lambda i, a: (i + 1, a * 2 + 1), (ct.tensor(0), x)),
              [(a * s,) for s in (1, 30) for a in signed(4)])
    assert "while_loop(" in str(f.explain())


def test_loops_in_loops_and_choices():
    calls = [(a,) for a in signed(4)]

    def twice(i, a):
        return ct.while_loop(lambda j, a: j < i, lambda j, a: (j + 1, a * 1.5), (ct.tensor(0), a))[1]

    check(lambda x: ct.while_loop(lambda i, a: i < 4, lambda i, a: (i + 1, twice(i, a)), (ct.tensor(0), x)), calls)
    check(lambda x: pick(x, lambda a: twice(ct.tensor(3), a), lambda a: a / 2), calls)
    check(lambda x: ct.while_loop(lambda i, a: i < 6, lambda i, a: (
        i + 1, pick(a, lambda a: a - 1, lambda a: ct.rand(4) - a * 2)), (ct.tensor(0), x)), calls)


def test_a_loop_over_numbers_is_captured_round_by_round(weights):
    w, _ = weights
    check(lambda x: ct.while_loop(lambda i, a: i < 3, lambda i, a: (i + 1, a * w), (0, x)), [(a,) for a in signed(4)], weights)


def test_values_that_change_places_in_a_loop():
    calls = [(a,) for a in signed(4)]
    def rounds(x, body, *given):
        return ct.while_loop(lambda i, *_: i < x.abs().sum(), lambda i, *s: (i + 1, *body(*s)), (ct.tensor(0), *given))

    check(lambda x: rounds(x, lambda a, b: (b, a), x, x * 2), calls)
    check(lambda x: rounds(x, lambda a, b: (a.t(), a[0] + b), x.outer(x * 2), x), calls)
    check(lambda x: ct.while_loop(lambda i, a: i < 3, lambda i, a: (i.add_(1), a.mul_(2)), (ct.tensor(0), x)), calls)


def test_random_numbers_come_in_eager_order(weights):
    w, _ = weights
    calls = [(a,) for a in signed(4)]
    check(lambda x: (ct.rand(4), pick(x, lambda a: a + ct.rand(4), lambda a: a - ct.rand(2).sum()), ct.rand(4)), calls)
    dropout = nn.functional.dropout
    check(lambda x: (pick(x, lambda a: dropout(a * w, 0.5), lambda a: a * w * ct.rand(4)), ct.rand(2)), calls, weights)
    check(lambda x: (pick(x, lambda a: ct.rand(4) * 0, lambda a: a) * 0, ct.rand(4))[1], calls)


def test_batch_statistics_change_where_their_branch_is_taken():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.linear, self.norm = nn.Linear(3, 3), nn.BatchNorm1d(3)

        def forward(self, x):
            return pick(x, lambda a: self.norm(self.linear(a)), lambda a: self.linear(a).relu())

    net = Net()
    twin = copy.deepcopy(net)
    compiled = compile(net, fullgraph=True)
    for a in signed(5, 3):
        for run, parameters in ((compiled, net.parameters()), (twin, twin.parameters())):
            for p in parameters:
                p.grad = None
            run(ct.tensor(a)).pow(2).sum().backward()
        for x, y in zip(net.state_dict().values(), twin.state_dict().values(), strict=True):
            np.testing.assert_allclose(x.numpy(), y.numpy(), rtol=1e-5, atol=1e-6)
        for p, q in zip(net.parameters(), twin.parameters(), strict=True):
            np.testing.assert_allclose(p.grad.numpy(), 0 if q.grad is None else q.grad.numpy(), rtol=1e-4, atol=1e-5)
    assert compiled._program.captures == 1


def test_writes_to_tensors_from_outside():
    total = ct.zeros(4)

    def adds(a):
        total.add_(a)
        return a * 2

    @compile(fullgraph=True)
    def f(x):
        y = pick(x, adds, lambda a: a - total)
        x.add_(1)
        return y

    sums = np.zeros(4, np.float32)
    for a in signed(4):
        x, version = ct.tensor(a), total._version
        found = f(x).numpy()
        sums = sums + a if a.sum() > 0 else sums
        np.testing.assert_allclose(found, a * 2 if a.sum() > 0 else a - sums, rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(total.numpy(), sums, rtol=1e-6)
        np.testing.assert_allclose(x.numpy(), a + 1, rtol=1e-6)
        assert a.sum() < 0 or total._version > version
    assert f.captures == 1


def test_threads_replay_one_program(weights):
    w, _ = weights
    found = []

    def loss(x):
        return pick(x, lambda a: (a * w).exp(), lambda a: ct.while_loop(
            lambda i, a: i < 5, lambda i, a: (i + 1, a / 2), (ct.tensor(0), a.detach()))[1] + a * w).sum()

    f = compile(loss, fullgraph=True)
    calls = signed(4)
    f(ct.tensor(calls[0]))

    def work():
        for a in calls:
            x, y = (ct.tensor(a, requires_grad=True) for _ in range(2))
            found.append([*ct.autograd.grad(f(x), [x]), *ct.autograd.grad(loss(y), [y])])

    threads = [threading.Thread(target=work) for _ in range(3)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert len(found) == 18
    for a, b in found:
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-5)


def test_what_is_returned_shares_no_memory():
    w = ct.ones(4)
    f = compile(lambda x: pick(x, lambda a: a, lambda a: w).mul_(3), fullgraph=True)
    for a in signed(4):
        x = ct.tensor(a)
        np.testing.assert_array_equal(f(x).numpy(), a * 3 if a.sum() > 0 else np.full(4, 3))
        np.testing.assert_array_equal(x.numpy(), a)
    assert w.tolist() == [1] * 4
    kept = [f(ct.tensor(a)) for a in signed(4)]
    for t, a in zip(kept, signed(4), strict=True):
        np.testing.assert_array_equal(t.numpy(), a * 3 if a.sum() > 0 else np.full(4, 3))


def test_layouts_that_differ():
    check(lambda x: pick(x, lambda a: a.t() + 0, lambda a: (a.t() + 0).contiguous()), [(a,) for a in signed(2, 3)])
    f, data = compile(lambda x: pick(x, lambda a: a * 2, lambda a: a - 1), fullgraph=True), ct.tensor(np.stack(signed(4)))
    for i in range(6):
        np.testing.assert_allclose(f(data[i]).numpy(), (data[i] * 2 if i % 2 else data[i] - 1).numpy())
        np.testing.assert_allclose(f(data[:, 1]).numpy(), f.fn(data[:, 1]).numpy())
    assert f.captures == 2


def test_an_index_out_of_range_in_the_branch_not_taken_is_none():
    f = compile(lambda x, i: ct.cond((i < 4).all(), lambda x, i: x[i], lambda x, i: x[i.clamp(max=3)] * 2, (x, i)), fullgraph=True)
    x = ct.arange(4.0)
    for _ in range(2):
        assert f(x, ct.tensor([0, 9])).tolist() == [0, 6]
        assert f(x, ct.tensor([0, 3])).tolist() == [0, 3]
    f = compile(lambda x, i: ct.cond(x.sum() > 0, lambda x, i: x[i], lambda x, i: x[i * 0], (x, i)), fullgraph=True)
    f(x, ct.tensor([0, 3]))
    for _ in range(2):
        with pytest.raises(ct.DimensionError, match="index 9"):
            f(x, ct.tensor([0, 9])).tolist()
        assert f(-x, ct.tensor([0, 9])).tolist() == [0, 0]


def test_autocast_keeps_casts_apart():
    w = ct.tensor(array(4, 4))

    @compile
    def f(x):
        with ct.autocast("cpu"):
            y = pick(x, lambda a: a @ w, lambda a: a @ w.t())
            return y + x @ w

    for a in signed(4, 4):
        np.testing.assert_allclose(f(ct.tensor(a)).float().numpy(), f.fn(ct.tensor(a)).float().numpy(), rtol=2e-2, atol=2e-2)
    assert f.captures == 1


@pytest.mark.parametrize(("f", "reason"), [
    (lambda x: pick(x, lambda a: a * a.sum().item(), lambda a: a + 1), "read by the host"),
    (lambda x: ct.while_loop(lambda i, a: a.sum() < 3 + i, lambda i, a: (i + 1, a * 2 + 1), (0, x)), "read by the host"),
    (lambda x: ct.while_loop(lambda i, a: bool(i < 3), lambda i, a: (i + 1, a * 2), (ct.tensor(0), x)), "read by the host"),
    (lambda x: pick(x, lambda a: (a, 1), lambda a: (a * 2, 2))[0], "numbers that differ"),
])
def test_what_cannot_be_captured_runs_eagerly_and_says_why(f, reason):
    calls = [(a,) for a in signed(4)]
    for order in (calls, calls[::-1]):
        compiled = check(f, order, captures=2)
        assert reason in str(compiled.explain())
        with pytest.raises(CaptureError, match=reason):
            compile(f, fullgraph=True)(ct.tensor(order[0][0]))


def test_gradients_that_cannot_be_captured(weights):
    w, v = weights
    calls = [(a,) for a in signed(4)]
    f = check(lambda x: ct.while_loop(lambda i, a: i < 3, lambda i, a: (i + 1, a * w), (ct.tensor(0), x)), calls, weights, 2)
    assert "gradients flow through while_loop" in str(f.explain())

    def deep(a):
        return pick(a, lambda a: ct.while_loop(lambda i, a: i < 3, lambda i, a: (i + 1, a * w), (i, a))[1], lambda a: a - 1)

    i = ct.tensor(0)

    for order in (calls, calls[1:]):
        f = check(lambda x: pick(x, lambda a: a * 2, deep), order, weights, captures=2)
        assert "gradients flow through while_loop" in str(f.explain())

    def second(x):
        g, = ct.autograd.grad((pick(x, lambda a: (a * w).exp(), lambda a: a * w * w) ** 2).sum(), [w], create_graph=True)
        return ct.autograd.grad(g.sum(), [w])

    assert "gradients of gradients" in str(check(second, calls, captures=2).explain())

    def writes(x):
        y = x * w
        pick(x, lambda a: y.mul_(2), lambda a: y.add_(v))
        return y

    assert "writes to a tensor from outside" in str(check(writes, calls, weights, captures=2).explain())


def test_an_optimizer_in_a_branch_runs_eagerly():
    p = nn.Parameter(ct.zeros(1))
    opt = ct.optim.SGD([p], lr=1.0)

    def step(x):
        opt.step()
        return x * 1

    @compile
    def f(x):
        p.grad = ct.ones(1)
        return pick(x, step, lambda a: a * 2)

    below, above = signed(4)[:2]
    for i, a in enumerate((below, below, above, below, above)):
        f(ct.tensor(a))
        assert p.item() == -[0, 0, 1, 1, 2][i]
    assert "such as the steps of an optimizer" in str(f.explain())


def test_errors_are_those_of_eager_mode():
    total = ct.zeros(4)

    def adds(a):
        total.add_(a)
        return a

    f = compile(lambda x: pick(x, adds, lambda a: a[:2]))
    for a in signed(4):
        with pytest.raises(ShapeError, match="same shapes"):
            f(ct.tensor(a))
    assert total.tolist() == [0] * 4 or np.allclose(total.numpy(), sum(a for a in signed(4) if a.sum() > 0))
    f = compile(lambda x: pick(x, lambda a: a, lambda a: 1 / 0))
    with pytest.raises(ZeroDivisionError):
        f(ct.ones(4))
