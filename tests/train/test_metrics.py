"""train's metrics, batch by batch, against scikit-learn over all samples at once; nothing waits before compute."""

import numpy as np
import pytest
from sklearn import metrics as reference

import cltensor as ct
from cltensor import train
from cltensor.base.errors import ArgumentError, ArgumentTypeError, ShapeError

pytestmark = [pytest.mark.device, pytest.mark.any_style]


@pytest.fixture
def scores(rng):
    return rng.random((50, 6)).astype(np.float32), rng.integers(0, 6, 50)


def fed(metric, output, target, sizes=(20, 7, 23)):
    """The metric after batches of these sizes."""
    start = 0
    for n in sizes:
        metric.update(ct.tensor(output[start:start + n]), ct.tensor(target[start:start + n]))
        start += n
    return metric.compute()


def test_accuracy(scores):
    output, target = scores
    expected = reference.accuracy_score(target, output.argmax(1))
    assert fed(train.Accuracy(), output, target) == pytest.approx(expected)
    assert fed(train.Accuracy(), output.argmax(1), target) == pytest.approx(expected)
    binary = (target > 2).astype(np.float32)
    assert fed(train.Accuracy(0.5), output[:, 0], binary) == pytest.approx(reference.accuracy_score(binary, output[:, 0] > 0.5))


def test_accuracy_of_pictures(rng):
    output, target = rng.random((4, 3, 5, 6)), rng.integers(0, 3, (4, 5, 6))
    assert fed(train.Accuracy(), output, target, (1, 3)) == pytest.approx((output.argmax(1) == target).mean())


@pytest.mark.parametrize("k", [1, 3])
def test_top_k(scores, k):
    output, target = scores
    metric = train.TopKAccuracy(k)
    assert metric.name == f"top{k}"
    assert fed(metric, output, target) == pytest.approx(reference.top_k_accuracy_score(target, output, k=k))


@pytest.mark.parametrize("average", ["macro", "micro", "weighted"])
def test_f1(scores, average):
    output, target = scores
    target = np.where(target == 4, 0, target)  # a class that is never true
    expected = reference.f1_score(target, output.argmax(1), average=average)
    assert fed(train.F1(6, average), output, target) == pytest.approx(expected)


def test_f1_of_two_classes(rng):
    output, target = rng.standard_normal(30).astype(np.float32), rng.integers(0, 2, 30).astype(np.float32)
    assert fed(train.F1(2, "binary"), output, target, (10, 20)) == pytest.approx(reference.f1_score(target, output > 0))


def test_f1_leaves_out_classes_that_do_not_occur():
    assert fed(train.F1(9), np.array([0, 1, 1]), np.array([0, 1, 0]), (3,)) == pytest.approx(
        reference.f1_score([0, 1, 0], [0, 1, 1], average="macro"))


def test_errors_of_regression(rng):
    output, target = rng.standard_normal((40, 2)).astype(np.float32), rng.standard_normal((40, 2)).astype(np.float32)
    assert fed(train.MeanAbsoluteError(), output, target, (30, 10)) == pytest.approx(
        reference.mean_absolute_error(target, output), rel=1e-5)
    assert fed(train.MeanSquaredError(), output, target, (30, 10)) == pytest.approx(
        reference.mean_squared_error(target, output), rel=1e-5)


def test_means_weigh_batches_by_their_size(rng):
    output, target = rng.random(9).astype(np.float32), np.zeros(9, np.float32)
    assert fed(train.Mean(lambda o, t: o.mean()), output, target, (8, 1)) == pytest.approx(output.mean())
    assert fed(train.Mean(lambda o, t: o, "each"), output, target, (8, 1)) == pytest.approx(output.mean())
    assert np.isnan(train.Mean(lambda o, t: o).compute())


def test_nothing_waits_before_compute(scores):
    from cltensor.base.context import Recorder

    class Reads(Recorder):
        count = 0

        def read(self, tensor):
            self.count += 1

    output, target = map(ct.tensor, scores)
    made = [train.Accuracy(), train.TopKAccuracy(2), train.F1(6), train.Mean(lambda o, t: o.mean())]
    with Reads() as reads:
        for metric in made:
            metric.update(output, target)
        assert not reads.count
        made[0].compute()
        assert reads.count


def test_states(scores):
    output, target = scores
    metric, other = train.F1(6), train.F1(6)
    fed(metric, output, target, (20,))
    other.load_state_dict(metric.state_dict())
    for m in (metric, other):
        m.update(ct.tensor(output[20:]), ct.tensor(target[20:]))
    assert metric.compute() == other.compute()
    metric.reset()
    assert np.isnan(metric.compute())
    other.load_state_dict(metric.state_dict())
    assert np.isnan(other.compute())


@pytest.mark.parametrize(("call", "error", "says"), [
    (lambda: train.TopKAccuracy(0), ArgumentError, "k must be at least 1"),
    (lambda: train.TopKAccuracy(5).update(ct.zeros(2, 3), ct.zeros(2)), ShapeError, "at least 5 classes"),
    (lambda: train.F1(1), ArgumentError, "num_classes must be at least 2"),
    (lambda: train.F1(3, "none"), ArgumentError, "average must be"),
    (lambda: train.Accuracy().update(ct.zeros(2, 3, 4), ct.zeros(2)), ShapeError, "expected scores"),
    (lambda: train.MeanAbsoluteError().update(ct.zeros(2, 3), ct.zeros(2)), ShapeError, "one shape"),
    (lambda: train.Mean(3), ArgumentTypeError, "expected a function"),
    (lambda: train.Metric().update(0, 0), ArgumentTypeError, "does not define sums"),
    (lambda: train.Metric().value(), ArgumentTypeError, "does not define value"),
])
def test_errors(call, error, says):
    with pytest.raises(error, match=says):
        call()
