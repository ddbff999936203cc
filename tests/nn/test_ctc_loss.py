"""ctc_loss against the sum over every path there is, its gradient against finite differences of that, and its errors."""

import itertools

import numpy as np
import pytest

import cltensor
from cltensor.nn import functional as F

pytestmark = pytest.mark.device
STEPS, CLASSES, BLANK = 4, 3, 1
TARGETS, LENGTHS = [[0, 2], [2, 2], [0, 0]], [2, 2, 0]  # what is behind a target's length does not count
INPUTS = [4, 3, 2]


def collapsed(path):
    """The labels of a path: repetitions joined, then blanks left out."""
    return [k for k, _ in itertools.groupby(path) if k != BLANK]


def losses(x):
    """Minus the log of the probability of all paths that collapse to each target, for unnormalised x (T, N, C)."""
    p = np.exp(x) / np.exp(x).sum(-1, keepdims=True)
    found = []
    for n, (steps, length) in enumerate(zip(INPUTS, LENGTHS, strict=True)):
        paths = [path for path in itertools.product(range(CLASSES), repeat=steps) if collapsed(path) == TARGETS[n][:length]]
        found.append(-np.log(sum(np.prod([p[t, n, k] for t, k in enumerate(path)]) for path in paths)))
    return np.array(found)


def logits(rng):
    return rng.standard_normal((STEPS, len(INPUTS), CLASSES))


def test_values_and_gradient_are_those_of_all_paths(rng):
    x, g = logits(rng), np.array([1.0, -0.5, 2.0])
    leaf = cltensor.tensor(x, requires_grad=True)
    got = F.ctc_loss(leaf.log_softmax(2), cltensor.tensor(TARGETS), INPUTS, LENGTHS, BLANK, "none")
    np.testing.assert_allclose(got.detach().numpy(), losses(x), rtol=1e-10)
    got.backward(cltensor.tensor(g))
    slopes = np.zeros_like(x)
    for at in np.ndindex(x.shape):
        step = np.zeros_like(x)
        step[at] = 1e-5
        slopes[at] = (losses(x + step) - losses(x - step)) @ g / 2e-5
    np.testing.assert_allclose(leaf.grad.numpy(), slopes, atol=1e-8)


def test_reductions_and_forms_of_targets_and_lengths(rng):
    x = logits(rng)
    log_probs, expected = cltensor.tensor(x).log_softmax(2), losses(x)
    padded, joined = cltensor.tensor(TARGETS), cltensor.tensor([0, 2, 2, 2], dtype=cltensor.int32)
    for targets in (padded, joined):
        for make in (tuple, cltensor.tensor):
            given = (log_probs, targets, make(INPUTS), make(LENGTHS), BLANK)
            np.testing.assert_allclose(F.ctc_loss(*given).item(), (expected / [2, 2, 1]).mean(), rtol=1e-10)
            np.testing.assert_allclose(F.ctc_loss(*given, "sum").item(), expected.sum(), rtol=1e-10)
    single = F.ctc_loss(log_probs[:, 0], padded[0], cltensor.tensor(4), cltensor.tensor(2), BLANK, "none")
    assert single.shape == ()
    np.testing.assert_allclose(single.item(), expected[0], rtol=1e-10)


@pytest.mark.parametrize("zero", [False, True])
def test_a_target_that_does_not_fit(zero, rng):
    x = cltensor.tensor(logits(rng)[:, :2], requires_grad=True)
    loss = F.ctc_loss(x.log_softmax(2), cltensor.tensor([[2, 2], [0, 2]]), (2, 3), (2, 2), BLANK, "none", zero)
    assert loss[0].item() == (0 if zero else np.inf)
    loss.sum().backward()
    lost, kept = x.grad[:2, 0].numpy(), x.grad[:, 1].numpy()
    assert (lost == 0).all() if zero else np.isnan(lost).all()
    assert not x.grad[2:, 0].any()
    assert np.isfinite(kept).all()
    assert kept.any()


def test_second_gradient_is_refused(rng):
    x = cltensor.tensor(logits(rng), requires_grad=True)
    loss = F.ctc_loss(x.log_softmax(2), cltensor.tensor(TARGETS), INPUTS, LENGTHS, BLANK)
    g, = cltensor.autograd.grad(loss, x, create_graph=True)
    with pytest.raises(RuntimeError, match="not implemented"):
        g.sum().backward()


@pytest.mark.parametrize(("changed", "error", "text"), [
    ({"blank": 3}, RuntimeError, "blank must be in label range"), ({"reduction": "all"}, ValueError, "not a valid value"),
    ({"input_lengths": (4, 5, 2)}, RuntimeError, "input_lengths to have value"),
    ({"input_lengths": (4, 3)}, RuntimeError, "of size batch_size"), ({"input_lengths": 4}, TypeError, "tuple of ints"),
    ({"target_lengths": (2, -1, 0)}, RuntimeError, "target_lengths to have value at least 0"),
    ({"target_lengths": (3, 2, 0)}, RuntimeError, "at least 3"), ({"targets": [0, 2, 2]}, RuntimeError, "size 4 at dimension 0"),
])
def test_errors(changed, error, text, rng):
    given = {"targets": TARGETS, "input_lengths": INPUTS, "target_lengths": LENGTHS, "blank": BLANK, **changed}
    given["targets"] = cltensor.tensor(given["targets"])
    with pytest.raises(error, match=text):
        F.ctc_loss(cltensor.tensor(logits(rng)), **given)


def test_a_label_out_of_range_is_noticed_where_values_are_read(rng):
    with pytest.raises(IndexError):
        F.ctc_loss(cltensor.tensor(logits(rng)), cltensor.tensor([[0, 2], [2, 3], [0, 0]]), INPUTS, LENGTHS, BLANK).item()
