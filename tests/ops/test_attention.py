"""The attention kernels in both launch styles, forward and backward, against NumPy in float64."""

import numpy as np
import pytest

from cltensor.ops.nn.attention import attention_backward, attention_forward, reference
from ops.styled import run

pytestmark = [pytest.mark.device, pytest.mark.oclgrind]

SCALE = 0.6
CASES = {
    "inside one block": ((1, 2, 3, 3), (5, 3, 2), False, None, "float32"),
    "rows and keys beyond a block, causal": ((1, 1, 34, 3), (37, 3, 17), True, None, "float32"),
    "rows that attend to nothing": ((2, 2, 4, 2), (6, 2, 3), False, "bool", "float32"),
    "added mask, in 16 bits": ((1, 2, 3, 4), (4, 4, 2), True, "added", "float16"),
    "double": ((1, 1, 3, 9), (2, 9, 5), False, None, "float64"),
    "a row of a long vector": ((1, 2, 1, 32), (131, 32, 32), False, "bool", "float32"),
    "few rows, causal": ((2, 1, 5, 16), (70, 16, 16), True, "added", "float32"),
    "a row in doubles": ((1, 1, 1, 16), (67, 16, 8), True, None, "float64"),
    "a part of a block, masked": ((1, 2, 11, 3), (6, 3, 2), False, "bool", "float32"),
    "a part of a block in 16 bits": ((1, 2, 10, 4), (4, 4, 2), True, "added", "float16"),
    "a part of a block in doubles": ((1, 1, 9, 9), (2, 9, 5), False, None, "float64"),
}


def operands(shape, other, mask, dtype):
    """(q, k, v, mask): heads laid out as a projection leaves them, rows of all heads side by side."""
    rng = np.random.default_rng(3)
    (N, H, L, E), (S, _, EV) = shape, other
    heads = [rng.uniform(-1, 1, (N, n, H, w)).astype(dtype).transpose(0, 2, 1, 3) for n, w in ((L, E), (S, E), (S, EV))]
    if mask == "bool":
        taken = rng.random((N, 1, L, S)) < 0.6
        taken[:, :, L // 2 : L // 2 + (L > 1)] = False
        return (*heads, taken)
    return (*heads, None if mask is None else rng.uniform(-1, 1, (L, S)).astype(dtype))


def slopes(g, g_lse, q, k, v, mask, y, lse, causal):
    """NumPy: gradients of q, k and v."""
    scores = np.einsum("nhle,nhse->nhls", q, k) * SCALE
    if mask is not None:
        scores = np.where(mask, scores, -np.inf) if mask.dtype == bool else scores + mask
    if causal:
        scores = np.where(np.tri(*scores.shape[2:], dtype=bool), scores, -np.inf)
    weights = np.where(np.isneginf(scores), 0, np.exp(scores - np.where(np.isneginf(lse), 0, lse)[..., None]))
    gs = weights * (g @ v.swapaxes(2, 3) - ((g * y).sum(-1) - g_lse)[..., None]) * SCALE
    return gs @ k, gs.swapaxes(2, 3) @ q, weights.swapaxes(2, 3) @ g


def wide(arrays):
    return [None if a is None else a if a.dtype == bool else a.astype(np.float64) for a in arrays]


@pytest.mark.parametrize("style", ["cpu", "gpu"])
@pytest.mark.parametrize("case", CASES)
def test_attention(case, style):
    shape, other, causal, mask, dtype = CASES[case]
    given = operands(shape, other, mask, dtype)
    close = {"float16": 3e-3, "float32": 2e-5, "float64": 1e-12}[dtype]
    y, lse, rest = run(attention_forward, style, *given, scale=SCALE, causal=causal)
    *wanted, _ = reference(*wide(given), scale=SCALE, causal=causal)
    assert (np.abs(rest) <= np.spacing(np.abs(np.where(np.isneginf(lse), 0, lse)))).all()
    for a, b in zip((y, lse), wanted, strict=True):
        np.testing.assert_allclose(a, b, rtol=close, atol=close)

    rng = np.random.default_rng(4)
    g, g_lse = rng.uniform(-1, 1, y.shape).astype(dtype), rng.uniform(-1, 1, lse.shape).astype(lse.dtype)
    second = g_lse if style == "cpu" else ((g.astype(lse.dtype) * y).sum(-1, dtype=lse.dtype) - g_lse).astype(lse.dtype)
    found = run(attention_backward, style, g, second, *given, y, lse, rest, scale=SCALE, causal=causal)
    for a, b in zip(found, slopes(*wide((g, g_lse, *given)), *wanted, causal), strict=True):
        np.testing.assert_allclose(a, b, rtol=5 * close, atol=5 * close)
