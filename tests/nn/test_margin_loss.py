"""multi_margin_loss and multilabel_margin_loss against loops over the classes, and their errors."""

import numpy as np
import pytest

import cltensor
from cltensor.nn import functional as F

pytestmark = pytest.mark.device
LISTS = [[1, 0, -1, 2], [2, 3, 1, 0], [-1, 0, 0, 0], [3, 3, -1, 0]]


def multi_margin(x, target, p, margin, weight):
    return np.array([sum(max(0, margin - row[t] + row[c]) ** p for c in range(len(row)) if c != t) * weight[t] / len(row)
                     for row, t in zip(x, target, strict=True)])


def multilabel_margin(x, lists):
    found = []
    for row, numbers in zip(x, lists, strict=True):
        own = numbers[:numbers.index(-1)] if -1 in numbers else numbers
        others = set(range(len(row))) - set(own)
        found.append(sum(max(0, 1 - row[t] + row[c]) for t in own for c in others) / len(row))
    return np.array(found)


@pytest.mark.parametrize(("p", "margin"), [(1, 1.0), (2, 0.3), (1, -0.5)])
def test_multi_margin(p, margin, rng):
    x, target, weight = rng.standard_normal((5, 4)), rng.integers(0, 4, 5), rng.random(4)
    given = (cltensor.tensor(x), cltensor.tensor(target), p, margin, cltensor.tensor(weight))
    expected = multi_margin(x, target, p, margin, weight)
    np.testing.assert_allclose(F.multi_margin_loss(*given, reduction="none").numpy(), expected, rtol=1e-12)
    np.testing.assert_allclose(F.multi_margin_loss(*given).item(), expected.mean(), rtol=1e-12)


def test_multilabel_margin(rng):
    x = rng.standard_normal((4, 4))
    expected = multilabel_margin(x, LISTS)
    got = F.multilabel_margin_loss(cltensor.tensor(x), cltensor.tensor(LISTS), reduction="none")
    np.testing.assert_allclose(got.numpy(), expected, rtol=1e-12)
    alone = F.multilabel_margin_loss(cltensor.tensor(x[0]), cltensor.tensor(LISTS[0]))
    np.testing.assert_allclose(alone.item(), expected[0], rtol=1e-12)


def test_a_margin_just_met_has_no_slope():
    x = cltensor.tensor([[1.0, 0.0, 0.5]], requires_grad=True)
    F.multi_margin_loss(x, cltensor.tensor([0])).backward()
    np.testing.assert_allclose(x.grad.numpy(), [[-1 / 3, 0, 1 / 3]], rtol=1e-6)


@pytest.mark.parametrize(("target", "settings", "error"), [
    ([0, 1], {}, RuntimeError), ([0.0, 1.0, 2.0], {}, RuntimeError), ([0, 1, 2], {"p": 3}, ValueError),
    ([0, 1, 2], {"reduction": "all"}, ValueError), ([0, 1, 2], {"weight": [1.0]}, RuntimeError),
    ([0, 1, 2], {"weight": [[1.0] * 4]}, ValueError),
])
def test_multi_margin_errors(target, settings, error):
    settings = {k: cltensor.tensor(v) if k == "weight" else v for k, v in settings.items()}
    with pytest.raises(error):
        F.multi_margin_loss(cltensor.ones(3, 4), cltensor.tensor(target), **settings)
    if not settings:
        with pytest.raises(error):
            F.multilabel_margin_loss(cltensor.ones(3, 4), cltensor.tensor(target))


@pytest.mark.parametrize("wrong", [4, -2])
def test_a_class_out_of_range_is_noticed_where_values_are_read(wrong):
    with pytest.raises(IndexError):
        F.multi_margin_loss(cltensor.ones(1, 4), cltensor.tensor([wrong])).item()
    with pytest.raises(IndexError):
        F.multilabel_margin_loss(cltensor.ones(1, 4), cltensor.tensor([[wrong, -1, 0, 0]])).item()
