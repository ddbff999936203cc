"""Concat: cat and stack of any number of tensors, with dtypes promoted and gradients of every order."""

import numpy as np
import pytest

import cltensor as ct
from cltensor.autograd import gradcheck, gradgradcheck

pytestmark = pytest.mark.device


@pytest.fixture
def parts(rng):
    return [ct.tensor(rng.random((2, n, 3))) for n in (2, 1, 4)]


@pytest.mark.parametrize("dim", [1, -2])
def test_cat(parts, dim):
    found = ct.cat(parts, dim)
    np.testing.assert_array_equal(found.numpy(), np.concatenate([p.numpy() for p in parts], dim))


@pytest.mark.parametrize("dim", [0, 1, -1])
def test_stack(parts, dim):
    layers = [parts[0], parts[0] * 2, parts[0].flip(1)]
    found = ct.stack(layers, dim)
    np.testing.assert_array_equal(found.numpy(), np.stack([p.numpy() for p in layers], dim))


def test_any_layout(rng):
    a = ct.tensor(rng.random((6, 4)))
    views = [a.t(), a.t()[:, ::2], a[0].expand(2, 4).t(), a.t()[:, :0]]
    found = ct.cat(views, 1)
    np.testing.assert_array_equal(found.numpy(), np.concatenate([v.numpy() for v in views], 1))


def test_dtypes_are_promoted():
    found = ct.cat([ct.tensor([True]), ct.tensor([2]), ct.tensor([2.5], dtype=ct.float16)])
    assert found.dtype is ct.float16
    assert found.tolist() == [1, 2, 2.5]
    assert ct.stack([ct.tensor(1, dtype=ct.uint8), ct.tensor(-2, dtype=ct.int8)]).dtype is ct.int16


def test_empty_vector_is_passed_over():
    assert ct.cat([ct.zeros(0), ct.ones(2, 3)]).shape == (2, 3)


def test_one_tensor_is_copied(parts):
    found = ct.cat(parts[:1])
    found.zero_()
    assert parts[0].sum().item() != 0


@pytest.mark.parametrize("join", [lambda *xs: ct.cat(xs, 1), lambda *xs: ct.stack([x[:, 0] for x in xs], -1)])
def test_gradients(parts, join):
    inputs = [p.requires_grad_() for p in parts]
    assert gradcheck(lambda *xs: join(*xs) ** 3, inputs)
    assert gradgradcheck(lambda *xs: join(*xs) ** 3, inputs, fast_mode=True)


def test_gradient_of_some():
    a, b = ct.ones(2, requires_grad=True), ct.ones(3)
    (ct.cat([a, b, a]) * ct.arange(7)).sum().backward()
    assert a.grad.tolist() == [5, 7]
    assert b.grad is None


def test_out(parts):
    out = ct.empty(0, dtype=ct.float64)
    ct.cat(parts, 1, out=out)
    assert out.shape == (2, 7, 3)
