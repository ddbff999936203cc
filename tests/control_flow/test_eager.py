"""cond, while_loop, scan, map and associative_scan as they run eagerly: results, gradients, memory, errors."""

import numpy as np
import pytest

import cltensor as ct
from cltensor.base.errors import ArgumentError, ArgumentTypeError, DTypeError, ShapeError

pytestmark = [pytest.mark.device, pytest.mark.any_style]


def array(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape, dtype=np.float32)


# --- cond ----------------------------------------------------------------------------------------------------------------


def test_cond_runs_one_function_and_compares_both_once():
    seen = []

    def up(x):
        seen.append("up")
        return x + 1

    def down(x):
        seen.append("down")
        return x - 1

    for sign in (1, -1, 1, -1):
        x = ct.full((2,), float(sign))
        assert ct.cond(x.sum() > 0, up, down, (x,)).tolist() == [2 * sign] * 2
    assert sorted(seen[:2]) == ["down", "up"]
    assert seen[2:] == ["down", "up", "down"]


def test_the_function_not_taken_leaves_no_trace():
    total, generator, x = ct.zeros(2), ct.Generator().manual_seed(3), ct.ones(2)
    before = total._version

    def other(x):
        total.add_(x)
        x.mul_(9)
        return x + ct.rand(2, generator=generator) + x[ct.tensor([5, 7])]  # out of bounds

    for _ in range(2):
        assert ct.cond(x.sum() > 0, lambda x: x * 2, other, (x,)).tolist() == [2, 2]
    assert (total.tolist(), total._version, x.tolist(), x._version) == ([0, 0], before, [1, 1], 0)
    assert generator._offset == 0


def test_an_error_in_either_function_comes_before_any_effect():
    total = ct.zeros(2)

    def adds(x):
        total.add_(1)
        return x

    for taken in (True, False):
        with pytest.raises(ShapeError, match="add"):
            ct.cond(ct.tensor(taken), adds, lambda x: x + ct.ones(3), (ct.ones(2),))
    assert total.tolist() == [0, 0]


def test_comparing_is_no_compiling_and_leaves_gradients_alone():
    seen, w, x = [], ct.ones(2, requires_grad=True), ct.ones(2)

    def inner(x):
        seen.append(ct.compiler.is_compiling())
        return ct.cond(x.sum() > 0, lambda x: x + 1, lambda x: x * w, (x,)) * 2

    for _ in range(2):
        assert not ct.cond(x.sum() > 0, inner, lambda x: x * 3, (x,)).requires_grad
    assert seen == [False, False]


def test_functions_may_read_values():
    for taken in (True, False, True):
        assert ct.cond(ct.tensor(taken), lambda x: x * x.sum().item(), lambda x: x - x.sum().item(), (ct.ones(2),)).tolist() == [
            2, 2] if taken else [-1, -1]


def test_results_share_no_memory():
    x, w = ct.ones(3), ct.ones(3)
    for _ in range(2):
        for fn in (lambda x: x, lambda x: x[:3], lambda x: w):
            ct.cond(x.sum() > 0, fn, lambda x: x * 2, (x,)).mul_(5)
        a, b = ct.cond(x.sum() > 0, lambda x: (y := x + 1, y), lambda x: (x, x), (x,))
        a.mul_(5)
        assert b.tolist() == [2, 2, 2]
    assert x.tolist() == w.tolist() == [1, 1, 1]


def test_gradients_of_cond_reach_operands_and_tensors_from_outside():
    w = ct.tensor(array(3, seed=1), requires_grad=True)
    for sign in (1, -1):
        x = ct.tensor(np.abs(array(3)) * sign, requires_grad=True)
        w.grad = None
        ct.cond(x.sum() > 0, lambda x: x * w, lambda x: (x * w * w).sin(), (x,)).sum().backward()
        a, b = x.detach().numpy(), w.detach().numpy()
        slope = 1 if sign > 0 else np.cos(a * b * b)
        np.testing.assert_allclose(x.grad.numpy(), slope * (b if sign > 0 else b * b), rtol=1e-5)
        np.testing.assert_allclose(w.grad.numpy(), slope * (a if sign > 0 else 2 * a * b), rtol=1e-5)


def test_cond_in_vmap_chooses_along_the_batch():
    def f(p, x):
        return ct.cond(p, lambda x: (x.sin(), x.sum()), lambda x: (x.cos(), x.amax()), (x,))

    x = ct.tensor(array(4, 3))
    flags = ct.tensor([True, False, False, True])
    found = ct.vmap(f)(flags, x)
    wanted = [f(p, row) for p, row in zip(flags, x, strict=True)]
    for i in range(2):
        np.testing.assert_allclose(found[i].numpy(), [w[i].numpy() for w in wanted], rtol=1e-6)
    with pytest.raises(ShapeError, match="same structure"):
        ct.vmap(lambda p, x: ct.cond(p, lambda x: (x,), lambda x: x, (x,)))(flags, x)


@pytest.mark.parametrize(("call", "error", "words"), [
    (lambda p, x: ct.cond(p, 3, ct.sin, (x,)), ArgumentTypeError, "cond: expected two functions, got int"),
    (lambda p, x: ct.cond("yes", ct.cos, ct.sin, (x,)), ArgumentTypeError, "got 'yes'"),
    (lambda p, x: ct.cond(x > 0, ct.cos, ct.sin, (x,)), ShapeError, r"got shape \[3\]"),
    (lambda p, x: ct.cond(p, ct.cos, ct.sin, x), ArgumentTypeError, "tuple of possibly nested .* got Tensor"),
    (lambda p, x: ct.cond(p, ct.cos, ct.sin, (None,)), ArgumentTypeError, "got None"),
    (lambda p, x: ct.cond(p, ct.cos, ct.sum, (x,)), ShapeError, r"result 0 has shape \[3\] in one and \[\] in the other"),
    (lambda p, x: ct.cond(p, ct.cos, lambda x: x > 0, (x,)), DTypeError, "result 0 is float32 in one and bool in the other"),
    (lambda p, x: ct.cond(p, ct.cos, lambda x: (x, 1), (x,)), ShapeError, "same structure"),
    (lambda p, x: ct.cond(p, ct.cos, lambda x: 1, (x,)), ShapeError, "a tensor in one and 1 in the other"),
])
def test_errors_of_cond(call, error, words):
    for taken in (True, False):
        with pytest.raises(error, match=words):
            call(ct.tensor(taken), ct.ones(3))


# --- while_loop -----------------------------------------------------------------------------------------------------------


def test_gradients_of_while_loop():
    x = ct.tensor(array(3), requires_grad=True)
    _, y = ct.while_loop(lambda i, y: i < 4, lambda i, y: (i + 1, y * x), (0, x))
    y.sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), 5 * x.detach().numpy() ** 4, rtol=1e-5)


def test_while_loop_leaves_what_it_is_given():
    x, flag = ct.ones(2), ct.tensor(False)
    for f in (lambda i, y: i < 3, lambda i, y: flag):
        _, y = ct.while_loop(f, lambda i, y: (i.add_(1), y.mul_(2)), (ct.tensor(0), x))
        y.add_(1)
        assert x.tolist() == [1, 1]


@pytest.mark.parametrize(("call", "error", "words"), [
    (lambda x: ct.while_loop(3, ct.sin, (x,)), ArgumentTypeError, "while_loop: expected two functions, got int"),
    (lambda x: ct.while_loop(ct.any, ct.sin, x), ArgumentTypeError, "got Tensor; write"),
    (lambda x: ct.while_loop(ct.any, ct.sin, ()), ArgumentError, "holds nothing"),
    (lambda x: ct.while_loop(ct.any, ct.sin, (1.5,)), ArgumentTypeError, "tensors or ints, got 1.5"),
    (lambda x: ct.while_loop(lambda x: x > 0, ct.sin, (x,)), ShapeError, r"cond_fn must return .* got bool \[3\]"),
    (lambda x: ct.while_loop(ct.sum, ct.sin, (x,)), ShapeError, "got float32"),
    (lambda x: ct.while_loop(lambda x: None, ct.sin, (x,)), ArgumentTypeError, "got None"),
    (lambda x: ct.while_loop(lambda x: (x > 0).all(), ct.sum, (x,)), ShapeError, r"was float32 \[3\] and became float32 \[\]"),
    (lambda x: ct.while_loop(lambda x: (x > 0).all(), ct.Tensor.double, (x,)), DTypeError, "became float64"),
    (lambda x: ct.while_loop(lambda x: (x > 0).all(), lambda x: (x, x), (x,)), ShapeError, "structure of carried_inputs, 1 in all"),
    (lambda x: ct.while_loop(lambda i: i < 1, lambda i: (ct.tensor(1),), (0,)), ShapeError, "was int and became int64"),
])
def test_errors_of_while_loop(call, error, words):
    with pytest.raises(error, match=words):
        call(ct.ones(3))


# --- scan, map, associative_scan --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("dim", [0, 1, -1])
def test_scan_is_a_loop(dim, reverse):
    xs, w = array(2, 3, 4), array(1, seed=1)
    x, k = ct.tensor(xs, requires_grad=True), ct.tensor(w, requires_grad=True)
    rest = [n for i, n in enumerate(xs.shape) if i != dim % 3]
    last, outs = ct.scan(lambda c, e: ((c * k).tanh() + e, {"y": c * e}), ct.ones(rest), x, dim=dim, reverse=reverse)
    carry, found = np.ones(rest, np.float32), []
    for e in (np.moveaxis(xs, dim, 0)[::-1] if reverse else np.moveaxis(xs, dim, 0)):
        found.append(carry * e)
        carry = np.tanh(carry * w) + e
    np.testing.assert_allclose(last.detach().numpy(), carry, rtol=1e-5)
    np.testing.assert_allclose(outs["y"].detach().numpy(), np.stack(found[::-1] if reverse else found, dim), rtol=1e-5, atol=1e-6)
    assert ct.autograd.gradcheck(
        lambda x, k: ct.scan(lambda c, e: ((c * k).tanh() + e, c * e), ct.ones(rest).double(), x, dim=dim, reverse=reverse),
        (x.detach().double().requires_grad_(), k.detach().double().requires_grad_()))


def test_map_is_a_loop():
    xs = array(4, 3)
    x = ct.tensor(xs, requires_grad=True)
    found = ct.map(lambda t, k: [(t["a"] * k).sum(), None, t["b"].exp()], {"a": x, "b": x * 2}, 3)
    np.testing.assert_allclose(found[0].detach().numpy(), 3 * xs.sum(1), rtol=1e-5, atol=1e-6)
    assert found[1] is None
    np.testing.assert_allclose(found[2].detach().numpy(), np.exp(2 * xs), rtol=1e-5)
    (found[0].sum() + found[2].sum()).backward()
    np.testing.assert_allclose(x.grad.numpy(), 3 + 2 * np.exp(2 * xs), rtol=1e-5)


@pytest.mark.parametrize("mode", ["pointwise", "generic"])
@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("n", [1, 2, 3, 4, 7, 8])
def test_associative_scan_is_a_scan(n, reverse, mode):
    a, b = array(2, n), array(2, n, seed=1)
    found = ct.associative_scan(lambda p, q: (p[0] * q[0], p[1] * q[0] + q[1]), (ct.tensor(a), ct.tensor(b)), 1, reverse, mode)
    order, p, q = range(n)[::-1] if reverse else range(n), None, None
    for i in order:
        p, q = (a[:, i], b[:, i]) if p is None else (p * a[:, i], q * a[:, i] + b[:, i])
        np.testing.assert_allclose(found[0].numpy()[:, i], p, rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(found[1].numpy()[:, i], q, rtol=1e-4, atol=1e-5)


def test_associative_scan_of_single_slices_has_gradients():
    x = ct.tensor(array(5, 2, 2), requires_grad=True)
    ct.associative_scan(lambda a, b: a @ b, x, 0, combine_mode="generic")[-1].sum().backward()
    w = x.detach().clone().requires_grad_()
    (w[0] @ w[1] @ w[2] @ w[3] @ w[4]).sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), w.grad.numpy(), rtol=1e-4, atol=1e-5)


def both(c, e):
    return c + e, c


@pytest.mark.parametrize(("call", "error", "words"), [
    (lambda z: ct.scan(1, z[0], z), ArgumentTypeError, "scan: Combine_fn must be a callable"),
    (lambda z: ct.scan(both, (), z), ArgumentError, "requires init leaves"),
    (lambda z: ct.scan(both, 1.0, z), ArgumentTypeError, "all leaves of init must be tensors, got 1.0"),
    (lambda z: ct.scan(both, z[0], [z, 2]), ArgumentTypeError, "all leaves of xs must be tensors, got 2"),
    (lambda z: ct.scan(both, z[0], z, dim=2), ct.DimensionError, "dim is 2"),
    (lambda z: ct.scan(both, z[0], [z, z[0]], dim=1), ShapeError, "must have dimension 1"),
    (lambda z: ct.scan(both, z[0], [z, z[:1]]), ShapeError, "must be consistent"),
    (lambda z: ct.scan(both, z[0], z[:0]), ShapeError, "dimension 0 of xs must not be 0"),
    (lambda z: ct.scan(lambda c, e: c, z[0], z), ArgumentTypeError, "must return .next carry, output., got Tensor"),
    (lambda z: ct.scan(lambda c, e: (c, 1), z[0], z), ArgumentTypeError, "output of combine_fn must be tensors, got 1"),
    (lambda z: ct.scan(lambda c, e: ((c,), c), z[0], z), ShapeError, "the carry must keep its structure"),
    (lambda z: ct.scan(lambda c, e: (c[:1], c), z[0], z), ShapeError, r"the carry must keep its shape, got \[1\] after \[3\]"),
    (lambda z: ct.scan(lambda c, e: (c > 0, c), z[0], z), DTypeError, "the carry must keep its dtype, got bool after float32"),
    (lambda z: ct.scan(lambda c, e: (c + 1, e[: int(c[0].item())]), z[0], z), ShapeError, "combine_fn must keep its shape"),
    (lambda z: ct.map(2, z), ArgumentTypeError, "map: expected a function"),
    (lambda z: ct.map(ct.sin, ()), ArgumentError, "no tensor"),
    (lambda z: ct.map(ct.sin, z[:0]), ShapeError, "must not be 0"),
    (lambda z: ct.map(ct.sin, (z, z[:1])), ShapeError, "must be consistent"),
    (lambda z: ct.map(lambda r: 3, z), ArgumentTypeError, "must return tensors, got 3"),
    (lambda z: ct.map(lambda r: r[: int(r[0].item())], z), ShapeError, "for each slice"),
    (lambda z: ct.associative_scan(2, z, 0), ArgumentTypeError, "must be a callable"),
    (lambda z: ct.associative_scan(ct.add, z, 0, combine_mode="fast"), ArgumentError, "got fast"),
    (lambda z: ct.associative_scan(ct.add, (), 0), ArgumentError, "no tensor"),
    (lambda z: ct.associative_scan(ct.add, z, 4), ct.DimensionError, "dim is 4"),
    (lambda z: ct.associative_scan(lambda a, b: (a, b), z, 0), ShapeError, "must return what it is given"),
])
def test_errors_of_scans(call, error, words):
    with pytest.raises(error, match=words):
        call(ct.arange(1.0, 7.0).reshape(2, 3))
