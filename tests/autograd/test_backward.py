"""backward() and grad(): accumulation, options, and what they refuse."""

import numpy as np
import pytest

import cltensor as ct
from cltensor.autograd import backward, grad

pytestmark = pytest.mark.device


@pytest.fixture
def x():
    return ct.tensor([1.0, 2.0, 3.0], requires_grad=True)


def test_gradient_reaches_every_leaf(x):
    w = ct.tensor([[2.0], [3.0]], requires_grad=True)
    (x * w).sum().backward()
    assert x.grad.tolist() == [5, 5, 5]
    assert w.grad.tolist() == [[6], [6]]


def test_gradients_accumulate(x):
    (x * 2).sum().backward()
    first = x.grad
    (x * x).sum().backward()
    assert x.grad.tolist() == [4, 6, 8]
    assert x.grad is first  # added in place, as optimisers that keep a reference expect


def test_a_leaf_used_twice_gets_the_sum(x):
    (x * x + x).sum().backward()
    assert x.grad.tolist() == [3, 5, 7]


def test_grads_of_one_gradient_do_not_share_memory():
    a, b = (ct.ones(3, requires_grad=True) for _ in range(2))
    (a + b).sum().backward()
    a.grad.add_(1)
    assert b.grad.tolist() == [1, 1, 1]


def test_grad_does_not_share_memory_with_the_gradient_given(x):
    g = ct.ones(3)
    x.clone().backward(g)
    x.grad.add_(1)
    assert g.tolist() == [1, 1, 1]


def test_grad_does_not_share_memory_with_a_hooks_tensor(x):
    kept = []
    x.register_hook(kept.append)
    x.clone().backward(ct.ones(3))
    x.grad.add_(1)
    assert kept[0].tolist() == [1, 1, 1]


def test_grad_has_no_history_of_the_gradient_given(x):
    x.backward(ct.ones_like(x).requires_grad_() * 1)
    assert not x.grad.requires_grad
    assert x.grad.grad_fn is None


def test_grad_of_a_view_is_dense(x):
    x.expand(2, 3).sum().backward()
    assert x.grad.is_contiguous()
    x.grad.add_(1)
    assert x.grad.tolist() == [3, 3, 3]


def test_backward_twice_is_refused(x):
    y = (x * x).sum()
    y.backward()
    with pytest.raises(RuntimeError, match="Trying to backward through the graph a second time"):
        y.backward()
    assert x.grad.tolist() == [2, 4, 6]


def test_backward_twice_where_nothing_was_saved(x):
    y = (x + 1).sum()
    y.backward()
    y.backward()
    assert x.grad.tolist() == [2, 2, 2]


def test_retain_graph(x):
    y = (x * x).sum()
    y.backward(retain_graph=True)
    y.backward()
    assert x.grad.tolist() == [4, 8, 12]


def test_output_that_is_no_scalar(x):
    y = x * 2
    with pytest.raises(RuntimeError, match=r"implicitly created only for scalar outputs.*\[3\]"):
        y.backward()
    y.backward(ct.tensor([1.0, 0.0, 2.0]))
    assert x.grad.tolist() == [2, 0, 4]


def test_gradient_of_the_wrong_shape(x):
    with pytest.raises(RuntimeError, match=r"Mismatch in shape.*\[2\].*\[3\]"):
        (x * 2).backward(ct.ones(2))
    assert x.grad is None


def test_output_without_history():
    with pytest.raises(RuntimeError, match="does not require grad"):
        ct.ones(1).backward()


def test_only_the_inputs_asked_for(x):
    w = ct.ones(3, requires_grad=True)
    (x * w).sum().backward(inputs=[w])
    assert x.grad is None
    assert w.grad.tolist() == [1, 2, 3]
    with pytest.raises(RuntimeError, match="cannot be empty"):
        (x * w).sum().backward(inputs=[])


def test_several_roots(x):
    y, z = x * 2, x * 3
    backward([y, z], [ct.ones(3), ct.full((3,), 2.0)])
    assert x.grad.tolist() == [8, 8, 8]


def test_one_root_inside_the_other(x):
    y = x * 2
    z = y * 3
    backward([y, z], [ct.ones(3), ct.ones(3)])
    assert x.grad.tolist() == [8, 8, 8]


def test_integers_cannot_require_grad():
    with pytest.raises(RuntimeError, match="only Tensors of floating point and complex dtype can require gradients"):
        ct.tensor([1, 2], requires_grad=True)
    assert not (ct.ones(3, requires_grad=True) > 0).requires_grad


def test_gradient_in_the_dtype_of_its_input():
    x = ct.ones(3, dtype=ct.float16, requires_grad=True)
    (x.float() * 2).sum().backward()
    assert x.grad.dtype is ct.float16


def test_grad_leaves_no_trace(x):
    (g,) = grad((x * x).sum(), x)
    assert g.tolist() == [2, 4, 6]
    assert x.grad is None
    assert not g.requires_grad


def test_grad_of_an_intermediate(x):
    y = x * 2
    z = (y * y).sum()
    gy, gx = grad(z, [y, x])
    assert gy.tolist() == [4, 8, 12]
    assert gx.tolist() == [8, 16, 24]


def test_unused_input(x):
    unused = ct.ones(2, requires_grad=True)
    y = (x * 2).sum()
    with pytest.raises(RuntimeError, match=r"input 1\) appears to not have been used.*allow_unused=True"):
        grad(y, [x, unused], retain_graph=True)
    assert grad(y, [x, unused], allow_unused=True, retain_graph=True)[1] is None
    assert grad(y, [x, unused], materialize_grads=True)[1].tolist() == [0, 0]


def test_grad_frees_only_what_it_ran(x):
    w = ct.ones(3, requires_grad=True)
    y = (x.exp() + w.exp()).sum()
    grad(y, x)
    grad(y, w)
    with pytest.raises(RuntimeError, match="second time"):
        grad(y, x)


def test_input_without_grad(x):
    with pytest.raises(RuntimeError, match="does not require grad"):
        grad((x * 2).sum(), [ct.ones(3)])


def test_third_order():
    x = ct.tensor([2.0, 3.0], dtype=ct.float64, requires_grad=True)
    y = (x**4).sum()
    for expected in ([32, 108], [48, 108], [48, 72]):
        (y,) = grad(y.sum(), x, create_graph=True)
        np.testing.assert_allclose(y.tolist(), expected, rtol=1e-12)


def test_backward_with_create_graph(x):
    (x**3).sum().backward(create_graph=True)
    (g,) = grad(x.grad.sum(), x)
    np.testing.assert_allclose(g.tolist(), [6, 12, 18], rtol=1e-6)


def test_zero_gradient_of_steps(x):
    x.floor().sum().backward()
    assert x.grad.tolist() == [0, 0, 0]


def test_grad_attribute_is_checked(x):
    with pytest.raises(RuntimeError, match="they must agree"):
        x.grad = ct.ones(2)
    with pytest.raises(TypeError, match="assign a Tensor or None"):
        x.grad = 3
    x.grad = ct.ones(3)
    x.grad = None
    assert x.grad is None


def test_failed_backward_leaves_the_graph_usable(x):
    y = (x * x).sum()
    with pytest.raises(RuntimeError):
        y.backward(ct.ones(5))
    y.backward()
    assert x.grad.tolist() == [2, 4, 6]
