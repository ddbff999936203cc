"""Normalisation against its formulas in NumPy: statistics, running ones, gradients of both orders, precision."""

import dataclasses

import numpy as np
import pytest

import cltensor
from cltensor import nn
from cltensor.nn import functional as F

pytestmark = pytest.mark.device


def normalised(x, dims, eps=1e-5):
    x = np.float64(x)
    return (x - x.mean(dims, keepdims=True)) / np.sqrt(x.var(dims, keepdims=True) + eps)


def test_batch_statistics_and_running_ones(rng):
    layer, x = nn.BatchNorm2d(3, momentum=0.2), rng.standard_normal((4, 3, 5, 6)).astype(np.float32) * 2 + 1
    mean, var = np.zeros(3), np.ones(3)
    for _ in range(3):
        y = layer(cltensor.from_numpy(x))
        mean = 0.8 * mean + 0.2 * x.mean((0, 2, 3))
        var = 0.8 * var + 0.2 * x.var((0, 2, 3), ddof=1)
    np.testing.assert_allclose(y.detach().numpy(), normalised(x, (0, 2, 3)), atol=1e-5)
    np.testing.assert_allclose(layer.running_mean.numpy(), mean, rtol=1e-5)
    np.testing.assert_allclose(layer.running_var.numpy(), var, rtol=1e-5)
    assert layer.num_batches_tracked.item() == 3
    layer.eval()
    expected = (x - mean[:, None, None]) / np.sqrt(var + 1e-5)[:, None, None]
    np.testing.assert_allclose(layer(cltensor.from_numpy(x)).detach().numpy(), expected, atol=1e-5)
    layer.reset_running_stats()
    assert (layer.running_mean.tolist(), layer.num_batches_tracked.item()) == ([0, 0, 0], 0)


def test_a_large_mean_costs_no_precision(rng):
    x = (rng.standard_normal((64, 2, 16)) + 1e4).astype(np.float32)
    y = F.batch_norm(cltensor.from_numpy(x), None, None, training=True)
    np.testing.assert_allclose(y.numpy(), normalised(x, (0, 2)), atol=2e-3)


@pytest.mark.parametrize("dtype", [cltensor.float16, cltensor.bfloat16])
def test_halves_are_worked_out_in_float32(dtype):
    x = cltensor.randn(32, 4, 16, generator=cltensor.Generator().manual_seed(0)).mul(300).to(dtype)
    y = F.batch_norm(x, None, None, training=True)
    assert y.dtype is dtype
    exact = normalised(x.float().numpy(), (0, 2))
    np.testing.assert_allclose(y.float().numpy(), exact, atol=4e-3 if dtype is cltensor.float16 else 3e-2)


CHECKED = {
    "batch_norm": lambda x, w, b: F.batch_norm(x, None, None, w, b, training=True),
    "batch_norm without parameters": lambda x, w, b: F.batch_norm(x, None, None, training=True) + w.sum() + b.sum(),
    "batch_norm without bias": lambda x, w, b: F.batch_norm(x, None, None, w, training=True) + b.sum(),
    "batch_norm in evaluation": lambda x, w, b: F.batch_norm(x, x.new_tensor([1.0, 2.0]), x.new_tensor([0.5, 3.0]), w, b),
    "layer_norm": lambda x, w, b: F.layer_norm(x, (4,), w.repeat(2), b.repeat(2)),
    "group_norm": lambda x, w, b: F.group_norm(x.reshape(3, 2, 4), 1, w, b),
    "instance_norm": lambda x, w, b: F.instance_norm(x, weight=w, bias=b),
    "rms_norm": lambda x, w, b: F.rms_norm(x, (4,), w.repeat(2)) + b.sum(),
    "local_response_norm": lambda x, w, b: F.local_response_norm(x, 2, alpha=0.5) + w.sum() + b.sum(),
}


@pytest.mark.parametrize("name", CHECKED)
def test_gradients_of_both_orders(name, rng):
    given = [cltensor.from_numpy(rng.standard_normal(s)).requires_grad_() for s in ((3, 2, 4), (2,), (2,))]
    assert cltensor.autograd.gradcheck(CHECKED[name], given)
    assert cltensor.autograd.gradgradcheck(CHECKED[name], given, fast_mode=True)


@pytest.mark.parametrize(("call", "error", "words"), [
    (lambda: nn.BatchNorm2d(3)(cltensor.ones(2, 3)), RuntimeError, "expected 4D input"),
    (lambda: nn.BatchNorm1d(3)(cltensor.ones(1, 3)), ValueError, "more than 1 value per channel"),
    (lambda: nn.BatchNorm1d(3)(cltensor.ones(2, 4)), RuntimeError, "running_mean should contain 4 elements"),
    (lambda: F.batch_norm(cltensor.ones(2, 4), None, None), ValueError, "running_mean and running_var to be defined"),
    (lambda: nn.LayerNorm(3)(cltensor.ones(2, 4)), RuntimeError, r"normalized_shape=\[3\]"),
    (lambda: nn.GroupNorm(2, 3), ValueError, "divisible"),
    (lambda: F.group_norm(cltensor.ones(1, 3), 2), ValueError, "divisible"),
    (lambda: nn.InstanceNorm1d(3)(cltensor.ones(2, 3, 1)), ValueError, "more than 1 spatial element"),
])
def test_mistakes_are_named(call, error, words):
    with pytest.raises(error, match=words):
        call()


def test_a_whole_tensor_on_a_device_of_one_unit(device, monkeypatch):
    profile = dataclasses.replace(device.profile, style="gpu", compute_units=1, work_group=64)
    monkeypatch.setattr(device, "profile", profile)
    a = np.random.default_rng(0).standard_normal((3, 7)).astype(np.float32)
    x, weight = cltensor.tensor(a, requires_grad=True), cltensor.ones(3, 7, requires_grad=True)
    F.layer_norm(x, (3, 7), weight).sum().backward()
    assert np.allclose(weight.grad.numpy(), (a - a.mean()) / np.sqrt(a.var() + 1e-5), atol=1e-5)


@pytest.mark.parametrize("shape", [(1, 1, 0), (2, 0), (0, 0)])
def test_rows_of_no_elements(shape):
    x = cltensor.ones(shape, requires_grad=True)
    y = cltensor.nn.functional.layer_norm(x, (0,))
    y.sum().backward()
    assert y.shape == x.grad.shape == shape
