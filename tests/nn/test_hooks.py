"""Hooks around forward and backward."""

import pytest

import cltensor
from cltensor import nn

pytestmark = pytest.mark.device


class Pair(nn.Module):
    def forward(self, a, b, scale=1):
        return a * b * scale, a + b


def test_forward_hooks_run_in_order_and_may_change_values():
    m, calls = nn.Identity(), []
    m.register_forward_pre_hook(lambda m, args: calls.append("pre") or args[0] + 1)
    m.register_forward_hook(lambda m, args, out: calls.append("post") or out * 10)
    m.register_forward_hook(lambda m, args, out: calls.append("first"), prepend=True)
    assert m(cltensor.ones(1)).tolist() == [20]
    assert calls == ["pre", "first", "post"]


def test_hooks_with_keywords():
    m = Pair()
    m.register_forward_pre_hook(lambda m, args, kwargs: (args, {"scale": 5}), with_kwargs=True)
    seen = []
    m.register_forward_hook(lambda m, args, kwargs, out: seen.append(kwargs), with_kwargs=True)
    assert m(cltensor.ones(1), cltensor.ones(1), scale=2)[0].tolist() == [5]
    assert seen == [{"scale": 5}]


def test_removed_hooks_do_not_run():
    m, calls = nn.Identity(), []
    handle = m.register_forward_hook(lambda *a: calls.append(1))
    with m.register_forward_hook(lambda *a: calls.append(2)):
        m(cltensor.ones(1))
    handle.remove()
    m(cltensor.ones(1))
    assert calls == [1, 2]


def gradients(values):
    return tuple(None if v is None else v.tolist() for v in values)


def test_full_backward_hooks_see_both_gradients():
    m, seen = Pair(), []
    m.register_full_backward_pre_hook(lambda m, gy: seen.append(("pre", gradients(gy))))
    m.register_full_backward_hook(lambda m, gx, gy: seen.append(("full", gradients(gx), gradients(gy))))
    a, b = cltensor.tensor([2.0], requires_grad=True), cltensor.tensor([3.0])
    product, total = m(a, b)
    (product * 2 + total * 5).sum().backward()
    assert seen == [("pre", ([2.0], [5.0])), ("full", ([11.0], None), ([2.0], [5.0]))]
    assert a.grad.tolist() == [11]


def test_full_backward_hooks_may_replace_gradients():
    m = nn.Linear(1, 1, bias=False)
    m.weight.data.fill_(3)
    m.register_full_backward_pre_hook(lambda m, gy: (gy[0] * 2,))
    m.register_full_backward_hook(lambda m, gx, gy: (gx[0] + 100,))
    x = cltensor.ones(1, 1, requires_grad=True)
    m(x).sum().backward()
    assert (x.grad.tolist(), m.weight.grad.tolist()) == ([[106]], [[2]])


def test_full_backward_hooks_without_gradients_of_inputs():
    m, seen = nn.Linear(1, 1), []
    m.register_full_backward_hook(lambda m, gx, gy: seen.append((gradients(gx), gradients(gy))))
    m(cltensor.ones(1, 1)).sum().backward()
    assert seen == [((None,), ([[1.0]],))]
    with cltensor.no_grad():
        m(cltensor.ones(1, 1))


def test_a_hook_that_returns_too_much():
    m = nn.Identity()
    m.register_full_backward_hook(lambda m, gx, gy: (gx[0], gx[0]))
    x = cltensor.ones(1, requires_grad=True)
    with pytest.raises(RuntimeError, match="got 2, but expected 1"):
        m(x).sum().backward()
