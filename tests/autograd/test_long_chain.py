"""A chain of 50,000 operations: recorded, differentiated and freed without recursion."""

import gc

import pytest

import cltensor as ct

pytestmark = pytest.mark.device
STEPS = 50_000


def test_forward_backward_and_release():
    x = ct.ones(4, requires_grad=True)
    y = x
    for _ in range(STEPS):
        y = y + 1
    assert y.tolist() == [STEPS + 1] * 4
    y.sum().backward()
    assert x.grad.tolist() == [1] * 4
    del y
    gc.collect()


def test_release_without_backward():
    x = ct.ones(4, requires_grad=True)
    y = x
    for _ in range(STEPS):
        y = y * 1.0
    held = ct.opencl.memory_allocated()
    del y
    assert ct.opencl.memory_allocated() < held


def test_chain_of_views():
    x = ct.ones(2, 3, requires_grad=True)
    y = x
    for _ in range(2000):
        y = y.t()
    y.sum().backward()
    assert x.grad.tolist() == [[1] * 3] * 2


def test_chain_of_writes():
    x = ct.ones(4, requires_grad=True)
    y = x * 1.0
    part = y[1:3]
    for _ in range(1000):
        part.mul_(1.0)
    y.sum().backward()
    assert x.grad.tolist() == [1] * 4
