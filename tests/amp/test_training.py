"""Training under autocast: PyTorch's losses within its own spread, and float32's accuracy in 16 bits."""

import math

import numpy as np
import pytest

import cltensor as ct
from cltensor import amp

pytestmark = pytest.mark.device
STEPS = 30


def cnn(lib):
    nn = lib.nn
    return nn.Sequential(nn.Conv2d(1, 6, 3, padding=1), nn.BatchNorm2d(6), nn.ReLU(), nn.MaxPool2d(2),
                         nn.Conv2d(6, 8, 3, padding=1), nn.GroupNorm(2, 8), nn.GELU(), nn.AdaptiveAvgPool2d(2), nn.Flatten(),
                         nn.Linear(32, 4))


def gpt(lib):
    """A transformer of one layer over 11 tokens."""
    nn, F = lib.nn, lib.nn.functional

    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.tokens, self.places = nn.Embedding(11, 16), nn.Embedding(8, 16)
            self.before, self.between, self.after = nn.LayerNorm(16), nn.LayerNorm(16), nn.LayerNorm(16)
            self.qkv, self.out, self.up, self.down = nn.Linear(16, 48), nn.Linear(16, 16), nn.Linear(16, 64), nn.Linear(64, 16)
            self.head = nn.Linear(16, 11, bias=False)

        def forward(self, x):
            n, length = x.shape
            h = self.tokens(x) + self.places(lib.arange(length))
            q, k, v = self.qkv(self.before(h)).reshape(n, length, 3, 2, 8).permute(2, 0, 3, 1, 4).unbind(0)
            mixed = F.scaled_dot_product_attention(q, k, v, is_causal=True)
            h = h + self.out(mixed.transpose(1, 2).reshape(n, length, 16))
            return self.head(self.after(h + self.down(F.gelu(self.up(self.between(h))))))

    return Model()


def weights(model):
    """The same starting point in every library."""
    rng = np.random.default_rng(8)
    made = {}
    for name, value in model.state_dict().items():
        shape = tuple(value.shape)
        if len(shape) > 1:
            made[name] = (rng.standard_normal(shape) / math.sqrt(math.prod(shape[1:]))).astype(np.float32)
        elif shape:
            made[name] = np.full(shape, 0.0 if name.endswith(("bias", "mean")) else 1.0, np.float32)
    return made


def batches(kind):
    rng = np.random.default_rng(9)
    for _ in range(STEPS):
        if kind is cnn:
            y = rng.integers(0, 4, 16)
            x = rng.standard_normal((16, 1, 8, 8)).astype(np.float32) * 0.5
            x[np.arange(16), 0, 2 * y, :] += 2
            yield x, y
        else:
            start = rng.integers(0, 11, (8, 1))
            x = (start + 3 * np.arange(9)) % 11
            yield x[:, :-1], x[:, 1:].reshape(-1)


def losses(lib, kind, device_type=None, dtype=None, scaler=None):
    """The losses of a run; device_type: of the autocast region, None for float32 alone."""
    model = kind(lib)
    model.load_state_dict({k: lib.tensor(v) for k, v in weights(model).items()}, strict=False)
    optimizer = lib.optim.AdamW(model.parameters(), lr=0.01)
    found = []
    for x, y in batches(kind):
        optimizer.zero_grad()
        with lib.autocast(device_type or "cpu", dtype=dtype or lib.bfloat16, enabled=device_type is not None):
            output = model(lib.tensor(x))
            loss = lib.nn.functional.cross_entropy(output.reshape(-1, output.shape[-1]), lib.tensor(y))
        if scaler is None:
            loss.backward()
            lib.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
        else:
            scaler.scale(loss).backward()
            scaler.unscale_(optimizer)
            lib.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            scaler.step(optimizer)
            scaler.update()
        found.append(loss.detach())
    return np.array([loss.item() for loss in found])


@pytest.mark.parametrize("kind", [cnn, gpt])
def test_losses_are_pytorchs_within_its_spread(kind):
    """Its spread: what autocast changes in its own losses."""
    torch = pytest.importorskip("torch")
    plain, theirs, ours = losses(torch, kind), losses(torch, kind, "cpu"), losses(ct, kind, "cpu")
    np.testing.assert_allclose(losses(ct, kind), plain, rtol=2e-3, atol=2e-4)
    spread = np.abs(theirs - plain)
    assert theirs[-1] < theirs[0] / 2
    assert np.abs(ours - theirs).mean() <= spread.mean() * 1.5
    assert np.abs(ours - theirs).max() <= spread.max() * 2


@pytest.mark.parametrize(("device_type", "dtype", "scaled"), [("gpu", ct.float16, True), ("gpu", ct.bfloat16, False),
                                                              ("cpu", ct.bfloat16, False), ("cpu", ct.float16, True)])
@pytest.mark.parametrize("kind", [cnn, gpt])
def test_as_accurate_as_float32(kind, device_type, dtype, scaled):
    plain = losses(ct, kind)
    found = losses(ct, kind, device_type, dtype, amp.GradScaler(init_scale=2.0**10) if scaled else None)
    assert plain[-5:].mean() < plain[0] / 2
    assert found[-5:].mean() == pytest.approx(plain[-5:].mean(), rel=0.1, abs=0.02)
