"""Small sizes and rare dtypes: 0-d tensors, divisors of zero, integers, one number made a tensor."""

import math

import numpy as np
import pytest

import cltensor as ct

pytestmark = pytest.mark.device


@pytest.mark.parametrize("dtype", ["bfloat16", "float16", "float32", "int8", "bool"])
def test_one_number_makes_a_tensor_without_dimensions(dtype):
    x = ct.tensor(1.0, dtype=getattr(ct, dtype))
    assert x.shape == ()
    assert x.item() == 1


@pytest.mark.parametrize("correction", [2, 3])
def test_variance_divides_by_nothing_below_zero(correction):
    x = ct.tensor([[1.0, 3.0], [2.0, 3.0]])
    found = ct.var(x, 0, correction=correction).tolist()
    assert found[0] == math.inf
    assert math.isnan(found[1])  # 0 / 0


@pytest.mark.parametrize("name", ["cumsum", "cumprod", "logcumsumexp"])
def test_gradient_of_a_scan_over_one_number(name):
    x = ct.tensor(2.0, requires_grad=True)
    getattr(ct, name)(x, 0).backward()
    assert x.grad.item() == 1


def test_numbers_are_copied_into_tensors():
    assert ct.zeros(2, dtype=ct.int32).copy_(3).tolist() == [3, 3]
    assert ct.zeros(2).copy_(True).tolist() == [1, 1]
    with pytest.raises(TypeError, match="copy_: expected a Tensor"):
        ct.zeros(2).copy_("3")


@pytest.mark.parametrize(("equation", "operands", "dtype"), [
    ("ii", 1, "int64"), ("ij->i", 1, "int64"), ("ij->ji", 1, "int16"), ("ij,jk->ik", 2, "int16"), ("ij,ij->i", 2, "int16"),
])
def test_sums_of_einsum_are_as_wide_as_those_of_sum(equation, operands, dtype):
    x = ct.tensor([[100, 20000], [20000, 30000]], dtype=ct.int16)
    found = ct.einsum(equation, *[x] * operands)
    assert found.dtype.name == dtype
    expected = np.einsum(equation, *[x.numpy().astype(dtype)] * operands)
    np.testing.assert_array_equal(found.numpy(), expected)


@pytest.mark.parametrize("name", ["addmm", "baddbmm"])
@pytest.mark.parametrize("alpha", [1, 2])
def test_what_beta_0_leaves_out_has_zeros_for_a_gradient(name, alpha):
    a = ct.ones(2, 2) if name == "addmm" else ct.ones(1, 2, 2)
    x = ct.tensor([[math.nan, 1.0]], requires_grad=True)
    y = getattr(ct, name)(x, a, a, beta=0, alpha=alpha)
    assert y.reshape(-1).tolist() == [2 * alpha] * 4
    y.sum().backward()
    assert x.grad.tolist() == [[0, 0]]


def test_slope_of_hardsigmoid_at_nan_is_0():
    x = ct.tensor([math.nan, -3.0, 0.0, 3.0], requires_grad=True)
    ct.nn.functional.hardsigmoid(x).sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), [0, 0, 1 / 6, 0], rtol=1e-6)


@pytest.mark.parametrize("name", ["elu", "celu", "selu"])
def test_slope_at_nan_is_that_above_zero(name):
    x = ct.tensor([math.nan, 1.0], requires_grad=True)
    y = getattr(ct.nn.functional, name)(x)
    y.sum().backward()
    assert math.isnan(y[0].item())
    assert x.grad[0].item() == x.grad[1].item()


def test_ldexp_overflows_only_where_its_result_does():
    found = ct.ldexp(ct.tensor([1e-30, 0.0, 1.0, 1e30]), ct.tensor([130, 254, 126, -140]))
    np.testing.assert_allclose(found.numpy(), [1e-30 * 2.0**130, 0.0, 2.0**126, 1e30 * 2.0**-140], rtol=1e-6)
