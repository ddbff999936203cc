"""Results stored past the caches: the same values wherever they begin and end, in every dtype."""

import numpy as np
import pytest

import cltensor as ct
from cltensor.base import dtypes
from cltensor.ops.kinds import elementwise


@pytest.fixture(autouse=True)
def always(device, monkeypatch):
    if device.profile.style == "gpu":
        pytest.skip("the cpu style's")
    monkeypatch.setattr(elementwise, "STREAMED", 1)


@pytest.mark.parametrize("dtype", dtypes.REAL, ids=lambda d: d.name)
@pytest.mark.parametrize("first", [0, 1, 5])
def test_pointwise(dtype, first):
    a = np.arange(1009) % 2 if dtype is dtypes.bool_ else np.arange(1009) % 101
    x, place = ct.tensor(a, dtype=dtype), ct.full((1100,), 1, dtype=dtype)
    ct.maximum(x, x.flip(0), out=place[first : first + 1009])
    wanted = np.ones(1100)
    wanted[first : first + 1009] = np.maximum(a, a[::-1])
    assert np.array_equal(place.double().numpy(), wanted)


def test_rows_and_several_results():
    a, b = np.arange(7 * 83.0, dtype=np.float32).reshape(7, 83), np.arange(83, dtype=np.float32)
    x, y = ct.tensor(a, requires_grad=True), ct.tensor(b, requires_grad=True).expand(7, 83)
    y.retain_grad()
    (x * y).backward(ct.full((7, 83), 2.0))
    assert np.array_equal(x.grad.numpy(), np.broadcast_to(2 * b, a.shape))
    assert np.array_equal(y.grad.numpy(), 2 * a)


@pytest.mark.parametrize("n", [3, 85, 5003])
@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
def test_softmax(n, name):
    a = np.random.default_rng(0).standard_normal((3, n)).astype(np.float32)
    e = np.exp(a - a.max(1, keepdims=True).astype(float))
    y, g = e / e.sum(1, keepdims=True), a[::-1]
    x = ct.tensor(a, requires_grad=True)
    out = getattr(x, name)(1)
    out.backward(ct.tensor(g.copy()))
    slope = y * (g - (g * y).sum(1, keepdims=True)) if name == "softmax" else g - y * g.sum(1, keepdims=True)
    assert np.allclose(out.detach().numpy(), y if name == "softmax" else np.log(y), atol=2e-6)
    assert np.allclose(x.grad.numpy(), slope, atol=1e-4)


@pytest.mark.parametrize("n", [3, 87])
def test_norm(n):
    a = np.random.default_rng(0).standard_normal((5, n)).astype(np.float32)
    normal = (a - a.mean(1, keepdims=True)) / np.sqrt(a.var(1, keepdims=True) + 1e-5)
    x = ct.tensor(a, requires_grad=True)
    y = ct.nn.functional.layer_norm(x, (n,))
    y.backward(ct.tensor(a))
    slope = (a - a.mean(1, keepdims=True) - normal * (a * normal).mean(1, keepdims=True)) / np.sqrt(a.var(1, keepdims=True) + 1e-5)
    assert np.allclose(y.detach().numpy(), normal, atol=1e-5)
    assert np.allclose(x.grad.numpy(), slope, atol=1e-4)
