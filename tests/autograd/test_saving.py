"""What a node keeps: only the outputs its gradient reads, so that the others' memory is free when nobody else holds them."""

import gc

import numpy as np
import pytest

import cltensor
from cltensor import nn

pytestmark = pytest.mark.device
MIB = 1 << 20


def held(fn, x):
    """MiB that fn(x) leaves allocated, once its result is gone but for its history."""
    gc.collect()  # what earlier tests left
    before = cltensor.opencl.memory_allocated()
    node = fn(x).grad_fn
    cltensor.opencl.synchronize()
    return node, round((cltensor.opencl.memory_allocated() - before) / MIB)


def test_normalisation_drops_its_result():
    x = cltensor.ones(1024, 1024, requires_grad=True)
    node, mib = held(lambda x: nn.functional.layer_norm(x, (1024,)), x)
    assert mib == 0
    assert node is not None


def test_pooling_keeps_positions_only():
    x = cltensor.ones(1, 1, 2048, 1024, requires_grad=True)
    _, mib = held(lambda x: nn.functional.max_pool2d(x, 2), x)
    assert mib == 4  # int64 positions of 2**19 windows, not their 2 MiB of values


def test_a_result_changed_in_place_is_noticed_where_it_is_read():
    x = cltensor.tensor([3.0, 1.0, 2.0], requires_grad=True)
    values, order = x.sort()
    values.detach().zero_()  # the gradient reads the order alone
    values.sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), 1)
    values, order = x.sort()
    order.zero_()
    with pytest.raises(cltensor.AutogradError, match="output 1 of sort_rows"):
        values.sum().backward()


OVERWRITTEN = {
    "result of div": lambda x: x / 2.0, "result of div by it": lambda x: 3.0 / x, "result of softsign": nn.functional.softsign,
    "result of mul": lambda x: x * x, "result of sin": cltensor.sin,
}


@pytest.mark.parametrize("name", OVERWRITTEN)
def test_results_that_programs_overwrite_are_not_kept(name):
    x = cltensor.tensor([0.5, 2.0], requires_grad=True)
    kept = OVERWRITTEN[name](x)
    expected, = cltensor.autograd.grad(kept.sum(), x)
    y = OVERWRITTEN[name](x)
    y.detach().zero_()
    y.sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), expected.numpy())


def test_the_input_of_reciprocal_may_be_overwritten():
    x = cltensor.tensor([0.5, 2.0], requires_grad=True)
    clone = x.clone()
    y = clone.reciprocal()
    clone.detach().zero_()
    y.sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), [-4, -0.25])
