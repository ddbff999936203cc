"""Options of autograd.grad, and views made in no_grad mode."""

import pytest

import cltensor as ct

pytestmark = pytest.mark.device


@pytest.fixture
def x():
    return ct.tensor([1.0, 2.0], requires_grad=True)


def test_batched_gradients(x):
    z = ct.ones(2, requires_grad=True)
    g, none = ct.autograd.grad(x ** 2, (x, z), grad_outputs=ct.eye(2), is_grads_batched=True, allow_unused=True)
    assert g.tolist() == [[2, 0], [0, 4]]
    assert none is None


def test_batched_gradients_of_gradients(x):
    g, = ct.autograd.grad(x ** 3, x, grad_outputs=ct.eye(2), is_grads_batched=True, create_graph=True)
    assert ct.autograd.grad(g.sum(), x)[0].tolist() == [6, 12]


def test_batched_gradients_need_a_batch(x):
    for options in ({}, {"grad_outputs": ct.ones(())}):
        with pytest.raises(RuntimeError, match="same leading dimension"):
            ct.autograd.grad((x ** 2).sum(), x, is_grads_batched=True, **options)


def test_only_inputs(x):
    with pytest.raises(ValueError, match="only_inputs must be True"):
        ct.autograd.grad((x ** 2).sum(), x, only_inputs=False)


def test_writing_to_a_view_made_without_grad(x):
    with ct.no_grad():
        view = x[1:]
        view.add_(1)
    assert x.tolist() == [1, 3]
    with pytest.raises(RuntimeError, match="A view was created in no_grad mode"):
        view.add_(1)
    assert x.tolist() == [1, 3]


def test_the_older_name_of_grad_tensors():
    x = ct.ones(2, requires_grad=True)
    with pytest.warns(FutureWarning, match="`grad_variables` is deprecated"):
        ct.autograd.backward(x * 2, grad_variables=ct.tensor([1.0, 3.0]))
    assert x.grad.tolist() == [2, 6]
    with pytest.raises(ct.base.errors.ArgumentError, match="both passed"):
        ct.autograd.backward(x * 2, ct.ones(2), grad_variables=ct.ones(2))
