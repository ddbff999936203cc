"""Hooks on tensors, nodes and accumulation, and retain_grad."""

import pytest

import cltensor as ct

pytestmark = pytest.mark.device


@pytest.fixture
def x():
    return ct.tensor([1.0, 2.0], requires_grad=True)


def test_hook_sees_and_replaces_the_gradient(x):
    seen = []
    y = x * 3
    y.register_hook(lambda g: seen.append(g.tolist()))
    y.register_hook(lambda g: g * 2)
    y.register_hook(lambda g: seen.append(g.tolist()))
    y.sum().backward()
    assert seen == [[1, 1], [2, 2]]
    assert x.grad.tolist() == [6, 6]


def test_hook_on_a_leaf_sees_the_sum(x):
    seen = []
    x.register_hook(lambda g: seen.append(g.tolist()))
    (x * 2 + x * 3).sum().backward()
    assert seen == [[5, 5]]


def test_hook_on_a_leaf_replaces_the_gradient(x):
    x.register_hook(lambda g: g * 10)
    (x * 2).sum().backward()
    assert x.grad.tolist() == [20, 20]


def test_removed_hook(x):
    y = x * 3
    y.register_hook(lambda g: g * 2).remove()
    with y.register_hook(lambda g: g * 5):
        pass
    y.sum().backward()
    assert x.grad.tolist() == [3, 3]


def test_hook_needs_a_gradient():
    with pytest.raises(RuntimeError, match="doesn't require gradient"):
        ct.ones(2).register_hook(print)


@pytest.mark.parametrize("leaf", [True, False])
def test_hook_that_returns_nonsense(x, leaf):
    y = x if leaf else x * 2
    y.register_hook(lambda g: 3.0)
    with pytest.raises(TypeError, match=r"hook .* returned float"):
        (y * 2).sum().backward()
    z = ct.ones(2, requires_grad=True) if leaf else x * 2
    z.register_hook(lambda g: g[:1])
    with pytest.raises(RuntimeError, match=r"hook .* changed the size of value.*\[2\].*\[1\]"):
        (z * 2).sum().backward()


def test_exception_in_a_hook_leaves_all_as_it_was(x):
    def fail(g):
        raise ZeroDivisionError("as asked")

    y = x * 3
    handle = y.register_hook(fail)
    z = (y * y).sum()
    with pytest.raises(ZeroDivisionError, match="as asked"):
        z.backward(retain_graph=True)
    assert x.grad is None
    assert ct.is_grad_enabled()
    handle.remove()
    z.backward()
    assert x.grad.tolist() == [18, 36]


def test_gradients_in_hooks_are_not_recorded(x):
    recorded = []
    y = x * 3
    y.register_hook(lambda g: recorded.append((g * 2).requires_grad))
    y.sum().backward()
    assert recorded == [False]


def test_backward_inside_a_hook(x):
    inner = ct.tensor([3.0], requires_grad=True)
    y = x * 3

    def run(g):
        with ct.enable_grad():
            (inner * inner).backward()

    y.register_hook(run)
    y.sum().backward()
    assert inner.grad.tolist() == [6]
    assert x.grad.tolist() == [3, 3]


def test_node_hook(x):
    seen = []

    def double_inputs(grad_inputs, grad_outputs):
        seen.append(([None if g is None else g.tolist() for g in grad_inputs], grad_outputs[0].tolist()))
        return tuple(None if g is None else g * 2 for g in grad_inputs)

    y = x * 3
    handle = y.grad_fn.register_hook(double_inputs)
    y.sum().backward(retain_graph=True)
    assert seen == [([[3, 3], None], [1, 1])]
    assert x.grad.tolist() == [6, 6]
    handle.remove()
    y.sum().backward()
    assert x.grad.tolist() == [9, 9]


def test_node_prehook(x):
    y = x * 3
    y.grad_fn.register_prehook(lambda gs: (gs[0] * 5,))
    y.sum().backward()
    assert x.grad.tolist() == [15, 15]


def test_post_accumulate_hook(x):
    seen = []

    def step(t):
        seen.append(t.grad.tolist())
        t.grad = None

    handle = x.register_post_accumulate_grad_hook(step)
    (x * 2).sum().backward()
    (x * 3).sum().backward()
    assert seen == [[2, 2], [3, 3]]
    assert x.grad is None
    handle.remove()
    (x * 2).sum().backward()
    assert len(seen) == 2
    with pytest.raises(RuntimeError, match="leaves"):
        (x * 2).register_post_accumulate_grad_hook(step)


def test_retain_grad(x):
    y = x * 3
    y.retain_grad()
    y.retain_grad()
    assert y.retains_grad
    (y * y).sum().backward(retain_graph=True)
    assert y.grad.tolist() == [6, 12]
    (y * y).sum().backward()
    assert y.grad.tolist() == [12, 24]
    x.retain_grad()
    assert not x.retains_grad
    with pytest.raises(RuntimeError, match="can't retain_grad"):
        ct.ones(2).retain_grad()


def test_retained_gradient_is_what_hooks_made_of_it(x):
    y = x * 3
    y.retain_grad()
    y.register_hook(lambda g: g * 2)
    y.sum().backward()
    assert y.grad.tolist() == [2, 2]


def test_retained_gradient_follows_an_inplace_operation(x):
    y = x * 3
    y.retain_grad()
    y.mul_(2)
    (y * y).sum().backward()
    assert y.grad.tolist() == [12, 24]


def test_graph_is_open_to_inspection(x):
    y = (x * 3).exp()
    node = y.grad_fn
    assert node.name() == "ExpBackward0"
    (product, number), = node.next_functions
    assert (product.name(), number) == ("MulBackward0", 0)
    node.metadata["note"] = 1
    assert y.grad_fn.metadata == {"note": 1}
    assert "ExpBackward0" in repr(y)


def test_a_gradient_that_a_hook_keeps_stays_as_it_was():
    x, seen = ct.ones(3, requires_grad=True), []
    x.register_hook(seen.append)
    for _ in range(2):
        (x * ct.tensor([1.0, 2.0, 3.0])).sum().backward()
    assert [g.tolist() for g in seen] == [[1.0, 2.0, 3.0]] * 2
    assert x.grad.tolist() == [2.0, 4.0, 6.0]
