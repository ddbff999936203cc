"""sdpa_kernel chooses how attention is computed; causal masks for two lengths."""

import numpy as np
import pytest

import cltensor
from cltensor.nn import functional as F
from cltensor.nn.attention import SDPBackend, sdpa_kernel
from cltensor.nn.attention.bias import CausalBias, CausalVariant, causal_lower_right, causal_upper_left

pytestmark = pytest.mark.device
FUSED = [b for b in SDPBackend if b.value > 0]


@pytest.fixture
def qkv():
    cltensor.manual_seed(0)
    return tuple(cltensor.randn(1, 2, 5, 4) for _ in range(3))


@pytest.mark.parametrize("causal", [False, True])
def test_every_way_gives_the_same(qkv, causal):
    expected = F.scaled_dot_product_attention(*qkv, is_causal=causal).numpy()
    for backends in (SDPBackend.MATH, *FUSED, FUSED, list(SDPBackend)):
        with sdpa_kernel(backends, set_priority=True):
            np.testing.assert_allclose(F.scaled_dot_product_attention(*qkv, is_causal=causal).numpy(), expected, atol=1e-5)


def test_a_choice_ends_with_its_context(qkv):
    with sdpa_kernel(SDPBackend.MATH):
        with pytest.raises(RuntimeError, match="dropout"), sdpa_kernel(SDPBackend.FLASH_ATTENTION):
            F.scaled_dot_product_attention(*qkv, dropout_p=0.5)
        F.scaled_dot_product_attention(*qkv, dropout_p=0.5)
    F.scaled_dot_product_attention(*qkv, dropout_p=0.5)


def test_no_way_left(qkv):
    for backends in ([], SDPBackend.ERROR):
        with pytest.raises(RuntimeError, match="No viable backend"), sdpa_kernel(backends):
            F.scaled_dot_product_attention(*qkv)
    with pytest.raises(RuntimeError, match="shapes, dtypes"), sdpa_kernel(SDPBackend.EFFICIENT_ATTENTION):
        F.scaled_dot_product_attention(*(x[:, :, :0] for x in qkv))
    with pytest.raises(AssertionError, match="SDPBackend"), sdpa_kernel(3):
        F.scaled_dot_product_attention(*qkv)
    assert int(SDPBackend.MATH) == 0


@pytest.mark.parametrize(("make", "beyond"), [(causal_upper_left, 0), (causal_lower_right, 2)])
def test_causal_masks(qkv, make, beyond):
    query, key, value = qkv
    mask = make(3, 5)
    assert isinstance(mask, CausalBias)
    np.testing.assert_array_equal(mask.numpy(), np.tri(3, 5, beyond, dtype=bool))
    got = F.scaled_dot_product_attention(query[:, :, :3], key, value, mask)
    expected = F.scaled_dot_product_attention(query[:, :, :3], key, value, cltensor.tensor(np.tri(3, 5, beyond, dtype=bool)))
    np.testing.assert_allclose(got.numpy(), expected.numpy(), atol=1e-6)


def test_errors_of_causal_masks(qkv):
    with pytest.raises(ValueError, match="causal=True"):
        F.scaled_dot_product_attention(*qkv, causal_upper_left(5, 5), is_causal=True)
    with pytest.raises(AssertionError, match="2D"):
        causal_lower_right(3)
    with pytest.raises(AssertionError, match="CausalVariant"):
        CausalBias(1, 2, 3)
    with pytest.warns(UserWarning, match="NaNs"):
        assert not causal_lower_right(3, 2)[0].any()
    assert [v.name for v in CausalVariant] == ["UPPER_LEFT", "LOWER_RIGHT"]


def test_queries_without_features(qkv):
    query, key, value = qkv
    got = F.scaled_dot_product_attention(query[..., :0], key[..., :0], value)  # all keys count the same
    np.testing.assert_allclose(got.numpy(), value.mean(-2, keepdim=True).expand_as(value).numpy(), atol=1e-6)
