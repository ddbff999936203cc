"""Operators between tensors and NumPy arrays, and NumPy's functions of tensors."""

import operator

import numpy as np
import pytest

import cltensor as ct

pytestmark = [pytest.mark.device, pytest.mark.any_style]

A = np.array([[1.0, 2.0], [3.0, 4.0]], np.float32)
T = [[5.0, 6.0], [7.0, 8.0]]
ARITHMETIC = ["add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul"]
COMPARISONS = ["eq", "ne", "lt", "le", "gt", "ge"]


@pytest.mark.parametrize("name", ARITHMETIC)
def test_arithmetic_gives_tensors(name):
    op, t = getattr(operator, name), ct.tensor(T)
    for ours, theirs in ((op(t, A), op(np.float32(T), A)), (op(A, t), op(A, np.float32(T)))):
        assert type(ours) is ct.Tensor
        assert ours.dtype is ct.float32
        np.testing.assert_allclose(ours.numpy(), theirs, rtol=1e-6)


@pytest.mark.parametrize("name", COMPARISONS)
def test_comparisons_give_tensors_of_bool(name):
    op, t = getattr(operator, name), ct.tensor(A * 2 - 2)
    for ours, theirs in ((op(t, A), op(A * 2 - 2, A)), (op(A, t), op(A, A * 2 - 2))):
        assert ours.dtype is ct.bool
        assert ours.tolist() == theirs.tolist()


def test_promotion_is_numpys():
    assert (ct.ones(2) + np.ones(2)).dtype is ct.float64
    assert (np.ones(2) + ct.ones(2)).dtype is ct.float64
    assert (ct.arange(2) + np.ones(2, np.float32)).dtype is ct.float64
    assert (ct.ones(2, dtype=ct.bool) & np.ones(2, bool)).dtype is ct.uint8  # as PyTorch has it


def test_numpy_scalars_count_as_numbers():
    t = ct.ones(2)
    for made in (np.float64(2) * t, t * np.float64(2), np.float32(2) * t, t + np.int64(1), np.int64(1) + t):
        assert made.dtype is ct.float32
        assert made.tolist() == [2, 2]
    assert (np.float64(1) == t).tolist() == [True, True]


def test_functions_of_tensors():
    t = ct.tensor([1.0, 4.0])
    for made, right in ((np.sqrt(t), [1, 2]), (np.add(t, 1), [2, 5]), (np.maximum(t, np.float32([2, 2])), [2, 4]),
                        (np.abs(-t), [1, 4]), (np.round(t), [1, 4]), (np.cumsum(t), [1, 5])):
        assert type(made) is ct.Tensor
        assert made.tolist() == right
    assert np.isnan(t).dtype is ct.uint8
    assert np.transpose(ct.ones(2, 3)).shape == (3, 2)
    assert np.exp(t, out=np.zeros(2, np.float32)).dtype == np.float32


def test_arrays_of_tensors():
    t = ct.tensor([1.0, 2.0])
    assert np.asarray(t).dtype == np.float32
    assert np.asarray(t, dtype=np.float64).dtype == np.float64
    assert np.array(t, copy=True).tolist() == [1, 2]
    with pytest.raises(ValueError, match="always a copy"):
        np.asarray(t, copy=False)
    with pytest.raises(RuntimeError, match=r"Can't call numpy\(\)"):
        np.asarray(ct.ones(1, requires_grad=True))


def test_a_gradient_is_not_lost():
    with pytest.raises(RuntimeError, match=r"Can't call numpy\(\) on Tensor that requires grad"):
        ct.ones(2, 2, requires_grad=True) + A
    with pytest.raises(RuntimeError, match="do not broadcast"):
        operator.eq(ct.ones(2), np.ones(3))


def test_in_place_makes_another_tensor():
    before = t = ct.ones(2)
    t += np.ones(2)
    assert t is not before
    assert (t.tolist(), before.tolist()) == ([2, 2], [1, 1])


class Foreign:
    """Stands for another library's tensor, as PyTorch's marks itself."""

    __module__ = "torch"
    __torch_function__ = None


def test_another_librarys_tensor_is_called_that():
    Foreign.__name__ = Foreign.__qualname__ = "Tensor"
    x, other = ct.ones(2), Foreign()
    for call in (lambda: x + other, lambda: other + x, lambda: x == other, lambda: x @ other, lambda: ct.add(x, other),
                 lambda: ct.exp(other), lambda: ct.sum(other), lambda: ct.cat([other]), lambda: ct.matmul(other, x)):
        with pytest.raises(TypeError, match=r"torch\.Tensor"):
            call()
