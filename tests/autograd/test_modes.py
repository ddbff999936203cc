"""Grad modes as context managers and decorators, detach, and inference mode."""

import threading

import pytest

import cltensor as ct

pytestmark = pytest.mark.device


@pytest.fixture
def x():
    return ct.tensor([1.0, 2.0], requires_grad=True)


def test_no_grad(x):
    with ct.no_grad():
        assert not ct.is_grad_enabled()
        assert not (x * 2).requires_grad
    assert ct.is_grad_enabled()
    assert (x * 2).requires_grad


def test_nested_modes(x):
    with ct.no_grad():
        with ct.enable_grad():
            assert (x * 2).requires_grad
        assert not (x * 2).requires_grad


def test_mode_is_restored_after_an_exception():
    with pytest.raises(ZeroDivisionError), ct.no_grad():
        raise ZeroDivisionError
    assert ct.is_grad_enabled()


def test_decorators(x):
    @ct.no_grad()
    def twice(t):
        return t * 2

    @ct.enable_grad()
    def thrice(t):
        return t * 3

    assert not twice(x).requires_grad
    with ct.no_grad():
        assert thrice(x).requires_grad
    assert twice.__name__ == "twice"


def test_decorator_without_parentheses(x):
    @ct.no_grad
    def twice(t):
        return t * 2

    assert not twice(x).requires_grad


def test_decorated_generator(x):
    @ct.no_grad()
    def values():
        yield x * 2
        yield x * 3

    found = []
    for y in values():
        assert ct.is_grad_enabled()
        found.append(y.requires_grad)
    assert found == [False, False]


@pytest.mark.parametrize("on", [True, False])
def test_set_grad_enabled(x, on):
    with ct.set_grad_enabled(on):
        assert (x * 2).requires_grad is on
    assert ct.is_grad_enabled()

    @ct.set_grad_enabled(on)
    def twice(t):
        return t * 2

    assert ct.is_grad_enabled()
    assert twice(x).requires_grad is on


def test_set_grad_enabled_as_a_function():
    ct.set_grad_enabled(False)
    try:
        assert not ct.is_grad_enabled()
    finally:
        ct.set_grad_enabled(True)


def test_modes_belong_to_a_thread():
    seen = []
    with ct.no_grad():
        thread = threading.Thread(target=lambda: seen.append(ct.is_grad_enabled()))
        thread.start()
        thread.join()
    assert seen == [True]


def test_detach_shares_memory(x):
    y = x * 2
    d = y.detach()
    assert not d.requires_grad
    assert d.grad_fn is None
    d.add_(1)
    assert y.tolist() == [3, 5]


def test_detach_in_place(x):
    y = x * 2
    assert y.detach_() is y
    assert y.is_leaf
    with pytest.raises(RuntimeError, match="Can't detach views in-place"):
        (x * 2)[:1].detach_()


def test_inference_mode(x):
    with ct.inference_mode():
        assert ct.is_inference_mode_enabled()
        y = x * 2
        assert not y.requires_grad
        assert y.is_inference()
        y.add_(1)
    assert not x.is_inference()
    assert not ct.is_inference_mode_enabled()
    assert y.tolist() == [3, 5]


def test_inference_tensors_stay_out_of_graphs(x):
    with ct.inference_mode():
        y = x * 2
    with pytest.raises(RuntimeError, match="requires_grad=True on inference tensor"):
        y.requires_grad_()
    with pytest.raises(RuntimeError, match=r"[Ii]nference tensors cannot be saved for backward"):
        x * y
    with pytest.raises(RuntimeError, match=r"[Ii]nplace update to inference tensor outside InferenceMode"):
        y.add_(1)
    assert (x * y.clone()).requires_grad


def test_inference_mode_off(x):
    with ct.inference_mode(False):
        assert (x * 2).requires_grad


def test_requires_grad_of_results(x):
    y = x * 2
    with pytest.raises(RuntimeError, match="only change requires_grad flags of leaf"):
        y.requires_grad_(False)
    assert x.requires_grad_(False).requires_grad is False


def test_clones():
    off = ct.no_grad()
    with off, ct.enable_grad().clone():
        assert ct.is_grad_enabled()
        assert off.clone() is not off
    assert type(ct.inference_mode(False).clone()) is ct.inference_mode
    with ct.set_grad_enabled(False) as mode:
        ct.autograd.grad_mode.set_grad_enabled(True)
        with mode.clone():
            assert not ct.is_grad_enabled()
        assert ct.is_grad_enabled()
    assert ct.is_grad_enabled()
    assert not ct.autograd.grad_mode.set_multithreading_enabled(False).clone().mode


def test_layout_of_the_first_gradient():
    def strides():
        p = ct.zeros(2, 3).T.requires_grad_()
        (p * 1).backward(ct.ones(3, 2))
        p.backward(ct.ones(3, 2).contiguous())
        assert (p.grad.numpy() == 2).all()
        q = ct.zeros(2, 3).T.requires_grad_()
        ct.autograd.backward(q, ct.ones(3, 2))
        return q.grad.stride()

    assert strides() == (1, 3)
    p = ct.zeros(4, 3)[::2].requires_grad_()
    p.backward(ct.ones(3, 2).T)
    assert p.grad.stride() == (3, 1)
    with ct.autograd.enforce_grad_layout_policy(False):
        assert strides() == (2, 1)
        q = ct.zeros(2, requires_grad=True)
        q.backward(ct.ones(1).expand(2))
        assert q.grad.stride() == (1,)  # one place for two elements cannot be added to
    assert strides() == (1, 3)
    ct.autograd.enforce_grad_layout_policy(False)
    try:
        assert strides() == (2, 1)
    finally:
        ct.autograd.enforce_grad_layout_policy(True)
    assert ct.autograd.enforce_grad_layout_policy(False)(strides)() == (2, 1)
    assert strides() == (1, 3)
