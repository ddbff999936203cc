"""embedding_bag against loops over the bags, its gradients, and its errors."""

import numpy as np
import pytest

import cltensor
from cltensor import nn
from cltensor.nn import functional as F

pytestmark = pytest.mark.device
INDEX = np.array([1, 5, 2, 2, 0, 4, 1])
OFFSETS = np.array([0, 2, 2, 6])
COMBINE = {"sum": lambda rows: rows.sum(0), "mean": lambda rows: rows.mean(0), "max": lambda rows: rows.max(0)}


def reference(weight, bags, mode, padding=None):
    """The combined rows of each bag, a list of row numbers; 0 for a bag of nothing."""
    kept = [[k for k in bag if k != padding] for bag in bags]
    return np.array([COMBINE[mode](weight[bag]) if bag else np.zeros(weight.shape[1]) for bag in kept])


def bags(last=False):
    ends = [*OFFSETS[1:], *([] if last else [len(INDEX)])]
    return [INDEX[a:b].tolist() for a, b in zip(OFFSETS, ends, strict=False)]


@pytest.mark.parametrize("mode", COMBINE)
@pytest.mark.parametrize("settings", [{}, {"padding_idx": 2}, {"padding_idx": -1}, {"include_last_offset": True}], ids=str)
def test_bags(mode, settings, rng):
    weight = rng.standard_normal((6, 3))
    padding = settings.get("padding_idx")
    expected = reference(weight, bags("include_last_offset" in settings), mode, None if padding is None else padding % 6)
    got = F.embedding_bag(cltensor.tensor(INDEX), cltensor.tensor(weight), cltensor.tensor(OFFSETS), mode=mode, **settings)
    np.testing.assert_allclose(got.numpy(), expected, rtol=1e-12)


@pytest.mark.parametrize("mode", COMBINE)
def test_rows_of_one_length(mode, rng):
    weight, index = rng.standard_normal((6, 3)), rng.integers(0, 6, (4, 5))
    got = F.embedding_bag(cltensor.tensor(index, dtype=cltensor.int32), cltensor.tensor(weight), mode=mode, padding_idx=1)
    np.testing.assert_allclose(got.numpy(), reference(weight, index.tolist(), mode, 1), rtol=1e-12)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_floats_add_up_in_float32(dtype):
    weight = cltensor.ones(1, 1, dtype=getattr(cltensor, dtype))
    total = F.embedding_bag(cltensor.zeros(4096, dtype=cltensor.int64), weight, cltensor.tensor([0]), mode="sum")
    assert total.dtype is weight.dtype
    assert total.item() == 4096


def test_the_first_largest_row_gets_the_gradient():
    weight = cltensor.tensor([[1.0, 3.0], [1.0, 2.0], [0.0, 3.0]], requires_grad=True)
    F.embedding_bag(cltensor.tensor([[2, 1, 0]]), weight, mode="max").backward(cltensor.tensor([[1.0, 2.0]]))
    np.testing.assert_array_equal(weight.grad.numpy(), [[0, 0], [1, 0], [0, 2]])


def test_gradients_by_frequency_and_of_sample_weights(rng):
    weight = rng.standard_normal((6, 3))
    leaf, factors = cltensor.tensor(weight, requires_grad=True), cltensor.tensor(rng.random(7), requires_grad=True)
    g = rng.standard_normal((4, 3))
    F.embedding_bag(cltensor.tensor(INDEX), leaf, cltensor.tensor(OFFSETS), mode="sum", scale_grad_by_freq=True,
                    per_sample_weights=factors).backward(cltensor.tensor(g))
    counts, expected = np.bincount(INDEX, minlength=6), np.zeros((6, 3))
    owners = [n for n, bag in enumerate(bags()) for _ in bag]
    for k, n, f in zip(INDEX, owners, factors.detach().numpy(), strict=True):
        expected[k] += f * g[n] / counts[k]
    np.testing.assert_allclose(leaf.grad.numpy(), expected, rtol=1e-12)
    np.testing.assert_allclose(factors.grad.numpy(), [weight[k] @ g[n] for k, n in zip(INDEX, owners, strict=True)], rtol=1e-12)


def test_second_gradient():
    weight = cltensor.tensor([[1.0], [2.0]], dtype=cltensor.float64, requires_grad=True)
    total = F.embedding_bag(cltensor.tensor([0, 1, 1]), weight, cltensor.tensor([0]), mode="sum")
    g, = cltensor.autograd.grad(total.pow(3).sum(), weight, create_graph=True)  # (a + 2 b) ** 3
    g[0].sum().backward()
    np.testing.assert_allclose(weight.grad.numpy(), [[30], [60]])


@pytest.mark.parametrize(("index", "changed", "error"), [
    (INDEX, {"offsets": None}, ValueError), (INDEX[None], {}, ValueError), (INDEX, {"mode": "prod"}, ValueError),
    (INDEX, {"padding_idx": 6}, RuntimeError), (INDEX, {"mode": "max", "sparse": True}, ValueError),
    (INDEX, {"mode": "max", "scale_grad_by_freq": True}, ValueError), (INDEX * 0.5, {}, TypeError),
    (INDEX, {"per_sample_weights": np.ones(3)}, ValueError), (INDEX, {"per_sample_weights": np.ones(7)}, RuntimeError),
    (INDEX, {"offsets": OFFSETS[:0], "include_last_offset": True}, RuntimeError),
])
def test_errors(index, changed, error):
    given = {"offsets": OFFSETS, **changed}
    given = {k: cltensor.tensor(v) if isinstance(v, np.ndarray) else v for k, v in given.items()}
    with pytest.raises(error, match="embedding_bag"):
        F.embedding_bag(cltensor.tensor(index), cltensor.ones(6, 3), **given)


@pytest.mark.parametrize(("index", "offsets"), [([6, 0], [0]), ([-1, 0], [0]), ([0, 1], [1])])
def test_rows_and_starts_out_of_range_are_noticed_where_values_are_read(index, offsets):
    with pytest.raises(IndexError):
        F.embedding_bag(cltensor.tensor(index), cltensor.ones(6, 3), cltensor.tensor(offsets)).numpy()


def test_a_given_table():
    layer = nn.EmbeddingBag.from_pretrained(cltensor.tensor([[1.0], [2.0], [3.0]]), mode="sum")
    assert not layer.weight.requires_grad
    assert layer(cltensor.tensor([[0, 2]])).item() == 4
    with pytest.raises(AssertionError, match="does not match"):
        nn.EmbeddingBag(2, 3, _weight=cltensor.ones(3, 2))
