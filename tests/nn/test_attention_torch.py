"""scaled_dot_product_attention against PyTorch's: shapes, broadcast masks, and the choice of the kernel."""

import numpy as np
import pytest

import cltensor as ct
from cltensor.nn import functional as F
from cltensor.nn.functional import attention

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.device

ROWS, KEYS = 3, 5
BLOCKED = np.array([[1, 1, 0, 1, 0], [0, 0, 0, 0, 0], [1, 0, 1, 0, 1]], bool)
ADDED = np.where(BLOCKED, 0.25, -np.inf).astype(np.float32)
CASES = [
    ((2, 4), None, {}), ((2, 2, 4), BLOCKED, {}), ((2, 2, 4), np.stack([BLOCKED, ~BLOCKED]), {"scale": 0.3}),
    ((2, 2, 3, 4), ADDED, {}), ((2, 2, 3, 4), ADDED[None, :1, :], {"scale": 2.0}), ((2, 1, 2, 3, 4), None, {"is_causal": True}),
    ((2, 1, 2, 3, 4), np.broadcast_to(BLOCKED, (2, 1, 2, 3, 5)).copy(), {}),
]


def both(*shape, seed=0):
    x = np.random.default_rng(seed).standard_normal(shape).astype(np.float32)
    return ct.tensor(x).requires_grad_(), torch.tensor(x, requires_grad=True)


@pytest.mark.parametrize(("shape", "mask", "settings"), CASES)
def test_like_torch(shape, mask, settings):
    batch = shape[:-2] if len(shape) > 2 else ()
    parts = [both(*batch, n, 4, seed=n + i) for i, n in enumerate((ROWS, KEYS, KEYS))]
    ours, theirs = zip(*parts, strict=True)
    if mask is not None:
        settings = {**settings, "attn_mask": mask}
    a = F.scaled_dot_product_attention(*ours, **{k: ct.tensor(v) if k == "attn_mask" else v for k, v in settings.items()})
    b = torch.nn.functional.scaled_dot_product_attention(
        *theirs, **{k: torch.tensor(v) if k == "attn_mask" else v for k, v in settings.items()})
    np.testing.assert_allclose(a.detach().numpy(), b.detach().numpy(), rtol=1e-5, atol=1e-5)
    a.sin().sum().backward()
    b.sin().sum().backward()
    for x, y in parts:
        np.testing.assert_allclose(x.grad.numpy(), y.grad.numpy(), rtol=1e-4, atol=1e-5)


@pytest.fixture
def fused(monkeypatch):
    """What was computed by the kernel: a list that grows."""
    calls = []
    kernel = attention._fused
    monkeypatch.setattr(attention, "_fused", lambda *args: calls.append(args) or kernel(*args))
    return calls


def test_the_kernel_is_used_and_agrees(fused):
    q, k, v = (ct.randn(4, 8, n, 4) for n in (ROWS, KEYS, KEYS))
    y = F.scaled_dot_product_attention(q, k, v)
    assert len(fused) == 1
    np.testing.assert_allclose(y.numpy(), attention._composed(q, k, v, None, 0.0, False, 0.5).numpy(), rtol=1e-5, atol=1e-6)


def test_masks_with_gradients_and_dropout_take_the_other_way(fused):
    q, k, v = (ct.randn(4, 8, n, 4) for n in (ROWS, KEYS, KEYS))
    mask = ct.zeros(ROWS, KEYS).requires_grad_()
    F.scaled_dot_product_attention(q, k, v, mask).square().sum().backward()
    assert float(mask.grad.abs().sum()) > 0
    F.scaled_dot_product_attention(q, k, v, dropout_p=0.5)
    assert fused == []
