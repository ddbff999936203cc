"""cross_entropy and nll_loss against the formula in NumPy, their gradients of both orders, and their errors."""

import numpy as np
import pytest

import cltensor
from cltensor import nn, opencl
from cltensor.nn import functional as F

pytestmark = pytest.mark.device


def reference(x, target, weight=None, ignore=-100, reduction="mean", smoothing=0.0):
    """Cross entropy of x (N, C, *) by its definition, in float64; target of class numbers or probabilities."""
    x = np.moveaxis(np.float64(x), 1, -1)
    logp = x - np.log(np.exp(x - x.max(-1, keepdims=True)).sum(-1, keepdims=True)) - x.max(-1, keepdims=True)
    classes = x.shape[-1]
    w = np.ones(classes) if weight is None else np.float64(weight)
    numbers = target.ndim < x.ndim
    kept = target != ignore if numbers else np.ones(target.shape[:1] + target.shape[2:], bool)
    p = np.eye(classes)[np.where(kept, target, 0)] if numbers else np.moveaxis(np.float64(target), 1, -1)
    total = (p @ w * kept).sum() if numbers else kept.size
    p = p * (1 - smoothing) + smoothing / classes
    losses = -(p * logp * w).sum(-1) * kept
    return losses if reduction == "none" else losses.sum() / (total if reduction == "mean" else 1)


@pytest.mark.parametrize("shape", [(5, 4), (3, 4, 6), (2, 4, 3, 2), (1, 1)])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("smoothing", [0.0, 0.3])
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_class_numbers(shape, weighted, smoothing, reduction, rng):
    x = rng.standard_normal(shape).astype(np.float32) * 3
    target = rng.integers(0, shape[1], (shape[0], *shape[2:]))
    target.flat[0] = -7 if target.size > 1 else 0
    weight = (rng.random(shape[1]) + 0.5).astype(np.float32) if weighted else None
    given = [cltensor.from_numpy(a) for a in (x, target, weight) if a is not None]
    got = F.cross_entropy(*given, ignore_index=-7, reduction=reduction, label_smoothing=smoothing)
    np.testing.assert_allclose(got.numpy(), reference(x, target, weight, -7, reduction, smoothing), rtol=2e-5, atol=1e-6)


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_probabilities(reduction, smoothing, rng):
    x, weight = rng.standard_normal((3, 4, 5)).astype(np.float32), rng.random(4).astype(np.float32)
    target = rng.dirichlet(np.ones(4), (3, 5)).transpose(0, 2, 1).astype(np.float32)
    got = F.cross_entropy(*map(cltensor.from_numpy, (x, target, weight)), reduction=reduction, label_smoothing=smoothing)
    np.testing.assert_allclose(got.numpy(), reference(x, target, weight, reduction=reduction, smoothing=smoothing), rtol=1e-5)


def test_one_sample_and_nll():
    x = cltensor.tensor([1.0, 2.0, 3.0])
    target = cltensor.tensor(1)
    assert F.cross_entropy(x, target).item() == pytest.approx(1.4076059)
    assert F.cross_entropy(x, target, reduction="none").shape == ()
    assert F.nll_loss(F.log_softmax(x, 0), target).item() == pytest.approx(1.4076059)
    assert nn.NLLLoss()(x.unsqueeze(0), cltensor.tensor([2], dtype=cltensor.uint8)).item() == -3


@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
def test_infinities_of_other_classes_are_not_looked_at(reduction):
    x = cltensor.tensor([[-1.0, float("inf"), -2.0], [float("-inf"), -0.5, -1.0]], requires_grad=True)
    loss = F.nll_loss(x, cltensor.tensor([0, 1]), reduction=reduction)
    np.testing.assert_allclose(loss.detach().numpy(), {"none": [1, 0.5], "mean": 0.75, "sum": 1.5}[reduction])
    loss.sum().backward()
    np.testing.assert_array_equal(x.grad.numpy() != 0, [[True, False, False], [False, True, False]])


def test_nothing_but_ignored_targets_is_nan_and_sums_to_zero():
    x, target = cltensor.ones(2, 3), cltensor.tensor([-100, -100])
    assert np.isnan(F.cross_entropy(x, target).item())
    assert F.cross_entropy(x, target, reduction="sum").item() == 0


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_gradients_of_both_orders(reduction, rng):
    x = cltensor.from_numpy(rng.standard_normal((3, 4, 2))).requires_grad_()
    target = cltensor.tensor([[0, 3], [-100, 1], [2, 2]])
    weight = cltensor.from_numpy(rng.random(4))

    def loss(x):
        return F.cross_entropy(x, target, weight, reduction=reduction, label_smoothing=0.1)

    assert cltensor.autograd.gradcheck(loss, (x,))
    assert cltensor.autograd.gradgradcheck(loss, (x,))


@pytest.mark.parametrize(("target", "options", "error", "words"), [
    ([0, 1], {}, cltensor.ShapeError, r"Expected target size \[3\], got \[2\]"),
    ([0.0, 1.0, 2.0], {}, cltensor.DTypeError, "int64 .* as target, got float32"),
    ([0, 1, 2], {"weight": [1.0] * 3}, cltensor.ShapeError, r"all 4 classes .* shape: \[3\]"),
    ([0, 1, 2], {"reduction": "median"}, ValueError, "'median' is not a valid value"),
    ([0, 1, 2], {"label_smoothing": 2}, ValueError, "between 0.0 and 1.0"),
])
def test_mistakes_are_named_at_the_call(target, options, error, words):
    if "weight" in options:
        options = {"weight": cltensor.tensor(options["weight"])}
    with pytest.raises(error, match=words):
        F.cross_entropy(cltensor.ones(3, 4), cltensor.tensor(target), **options)


@pytest.mark.parametrize(("wrong", "words"), [(4, "cross_entropy: Target 4 is out of bounds.* less than 4"),
                                              (-1, "Target -1 is out of bounds")])
def test_a_class_that_does_not_exist_is_named_where_values_are_read(wrong, words):
    loss = F.cross_entropy(cltensor.ones(3, 4), cltensor.tensor([0, wrong, 2]))
    with pytest.raises(IndexError, match=words):
        loss.item()


@pytest.mark.parametrize(("row", "target"), [
    ([1e4, 1e4 - 5, 3.0], 1), ([-np.inf, 2.0, 1.0], 0), ([np.inf, 2.0, 1.0], 0), ([0.0, np.nan, 1.0], 0), ([1e38, -1e38, 0.0], 1)])
def test_far_apart(row, target):
    """Losses are exact where the inputs are large, and infinite or NaN where log_softmax is."""
    x = cltensor.tensor([row], requires_grad=True)
    loss = F.cross_entropy(x, cltensor.tensor([target]))
    loss.backward()
    apart = x.detach().clone().requires_grad_()
    expected = F.nll_loss(F.log_softmax(apart, 1), cltensor.tensor([target]))
    expected.backward()
    np.testing.assert_allclose(loss.detach().numpy(), expected.detach().numpy(), rtol=1e-6)
    np.testing.assert_allclose(x.grad.numpy(), apart.grad.numpy(), rtol=1e-5)


def test_keeps_nothing_of_the_inputs_size(device):
    x, target = cltensor.ones(256, 1000, requires_grad=True), cltensor.zeros(256, dtype=cltensor.int64)
    F.cross_entropy(x, target).backward()
    before = opencl.memory_allocated()
    loss = F.cross_entropy(x, target)
    assert opencl.memory_allocated() - before < 256 * 1000
    del loss
