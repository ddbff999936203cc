"""Linear layers with int8 weights: the error of a weight is bounded, a network's answers stay, checkpoints go both ways."""

import io

import numpy as np
import pytest

import cltensor as ct
from cltensor import nn, optim, quantize
from cltensor.nn import functional as F

pytestmark = pytest.mark.device


@pytest.mark.parametrize("dtype", [ct.float32, ct.float16, ct.bfloat16], ids=repr)
def test_the_error_of_a_weight_is_half_a_step(dtype, rng):
    w = ct.from_numpy((rng.standard_normal((20, 30)) * 10.0 ** rng.integers(-3, 3, (20, 1))).astype(np.float32)).to(dtype)
    q, scale = quantize.per_channel(w)
    assert (q.dtype, scale.dtype, q.abs().amax().item()) == (ct.int8, dtype, 127)
    step = scale.float().unsqueeze(1)
    assert ((q.float() * step - w.float()).abs() <= 0.5001 * step * (1 if dtype is ct.float32 else 1.02)).all().item()
    reference = np.round(w.float().numpy() / scale.float().numpy()[:, None])
    np.testing.assert_array_equal(q.numpy(), np.clip(reference, -127, 127))
    assert quantize.dequantize(q, scale).dtype is dtype


def test_rows_of_zeros_and_of_next_to_nothing():
    w = ct.tensor([[0.0, 0.0], [1e-45, 0.0], [1.0, -2.0]])
    q, scale = quantize.per_channel(w)
    assert (q.tolist()[0], q.tolist()[2], scale.tolist()[0]) == ([0, 0], [64, -127], 1)
    assert quantize.dequantize(q, scale).isfinite().all().item()
    q, scale = quantize.per_channel(ct.tensor([[6e-8, 0.0]], dtype=ct.float16))
    assert quantize.dequantize(q, scale).isfinite().all().item()
    assert [x.shape for x in quantize.per_channel(ct.empty(3, 0))] == [(3, 0), (3,)]


@pytest.mark.parametrize(("make", "error", "words"), [
    (lambda: quantize.per_channel(ct.ones(3)), ct.ShapeError, "expected a matrix"),
    (lambda: quantize.per_channel(ct.ones(3, 3, dtype=ct.int32)), ct.DTypeError, "expected a floating dtype"),
    (lambda: quantize.per_channel(ct.tensor([[float("nan")]])), ct.ArgumentError, "infinities or NaN"),
    (lambda: quantize.per_channel(ct.tensor([[float("inf")]])), ct.ArgumentError, "infinities or NaN"),
    (lambda: quantize.dequantize(ct.ones(2, 2), ct.ones(2)), ct.DTypeError, "expected an int8 weight"),
    (lambda: quantize.dequantize(ct.ones(2, 2, dtype=ct.int8), ct.ones(3)), ct.ShapeError, r"needs a scale of shape \[2\]"),
    (lambda: quantize.QuantizedLinear(2, 2)(ct.ones(2, dtype=ct.float16)), ct.DTypeError, "the input is float16, the scale float"),
    (lambda: quantize.QuantizedLinear(2, 2)(ct.ones(3)), ct.ShapeError, "linear: sizes do not fit"),
    (lambda: quantize.weight_only(3), ct.ArgumentTypeError, "expected a Module"),
    (lambda: quantize.weight_only(nn.Sequential(nn.Linear(2, 2)), skip=["1"]), ct.ArgumentError, "skip names '1'"),
    (lambda: ct.quantize_per_tensor, ct.AbsentError, "cltensor.quantize.weight_only keeps the weights"),
])
def test_errors(make, error, words):
    with pytest.raises(error, match=words):
        make()


@pytest.mark.parametrize("shape", [(8,), (3, 8), (2, 3, 8), (0, 8)])
@pytest.mark.parametrize("bias", [True, False])
def test_the_product_is_that_of_the_weight_it_stands_for(shape, bias, rng):
    layer = nn.Linear(8, 5, bias)
    q = quantize.QuantizedLinear.of(layer)
    x = ct.from_numpy(rng.standard_normal(shape).astype(np.float32))
    w = q.weight.numpy().astype(np.float64) * q.scale.numpy()[:, None].astype(np.float64)
    expected = x.numpy() @ w.T + (layer.bias.detach().numpy() if bias else 0)
    np.testing.assert_allclose(q(x).numpy(), expected, rtol=1e-5, atol=1e-6)


def test_large_weights_are_taken_in_blocks(monkeypatch, rng):
    layer = quantize.QuantizedLinear.of(nn.Linear(16, 37))
    x = ct.from_numpy(rng.standard_normal((3, 16)).astype(np.float32))
    whole = layer(x)
    monkeypatch.setattr(quantize, "_TOGETHER", 16 * 10)
    np.testing.assert_allclose(layer(x).numpy(), whole.numpy(), rtol=1e-6, atol=1e-6)


def test_gradients_reach_the_input_only():
    layer = quantize.QuantizedLinear.of(nn.Linear(4, 3))
    x = ct.randn(2, 4, requires_grad=True)
    layer(x).sum().backward()
    np.testing.assert_allclose(x.grad.numpy()[0], quantize.dequantize(layer.weight, layer.scale).sum(0).numpy(), rtol=1e-5)
    assert not list(layer.parameters())


class Twice(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = self.again = nn.Linear(4, 4)
        self.head = nn.Sequential(nn.ReLU(), nn.Linear(4, 2))

    def forward(self, x):
        return self.head(self.again(self.first(x)))


def test_layers_are_replaced_in_place():
    net = Twice().eval()
    assert quantize.weight_only(net) is net
    assert type(net.first) is quantize.QuantizedLinear
    assert net.again is net.first
    assert type(net.head[1]) is quantize.QuantizedLinear
    assert not net.first.training
    assert "in_features=4, out_features=2, bias=True, weight=int8" in repr(net.head[1])
    assert net(ct.ones(1, 4)).shape == (1, 2)
    skipped = quantize.weight_only(Twice(), skip=["head.1"])
    assert type(skipped.head[1]) is nn.Linear
    assert type(skipped.first) is quantize.QuantizedLinear
    assert type(quantize.weight_only(Twice(), skip=lambda name, layer: layer.out_features == 4).first) is nn.Linear
    assert type(quantize.weight_only(nn.Linear(2, 2))) is quantize.QuantizedLinear


def test_conversion_keeps_the_weight():
    layer = quantize.QuantizedLinear.of(nn.Linear(4, 3)).half()
    assert (layer.weight.dtype, layer.scale.dtype, layer.bias.dtype) == (ct.int8, ct.float16, ct.float16)
    assert layer(ct.ones(2, 4, dtype=ct.float16)).dtype is ct.float16


@pytest.mark.parametrize("form", ["safetensors", "torch"])
def test_checkpoints_of_both_kinds(form):
    net = Twice()
    floating, quantized = net.state_dict(), quantize.weight_only(net).state_dict()
    x = ct.randn(3, 4)
    for state in (floating, quantized):
        out = io.BytesIO()
        ct.save(state, out, format=form)
        found = ct.load(io.BytesIO(out.getvalue()))
        other = quantize.weight_only(Twice())
        before = list(found)
        assert not any(other.load_state_dict(found))
        assert list(found) == before
        assert other(x).tolist() == net(x).tolist()


def test_a_trained_network_gives_the_same_answers(rng):
    centres = rng.standard_normal((10, 16)) * 2
    labels = rng.integers(0, 10, 600)
    points = (centres[labels] + rng.standard_normal((600, 16))).astype(np.float32)
    x, y = ct.from_numpy(points), ct.from_numpy(labels)
    ct.manual_seed(0)
    net = nn.Sequential(nn.Linear(16, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
    step = optim.Adam(net.parameters(), lr=0.01)
    for _ in range(30):
        step.zero_grad()
        F.cross_entropy(net(x), y).backward()
        step.step()
    net.eval()
    with ct.no_grad():
        before = net(x)
        size = sum(t.nbytes for t in net.state_dict().values())
        after = quantize.weight_only(net)(x)
    accuracy = (before.argmax(1) == y).float().mean().item()
    assert accuracy > 0.9
    assert (after.argmax(1) == y).float().mean().item() > accuracy - 0.01
    assert (after.argmax(1) == before.argmax(1)).float().mean().item() > 0.99
    assert ((after - before).norm() / before.norm()).item() < 0.02
    assert sum(t.nbytes for t in net.state_dict().values()) < 0.32 * size
