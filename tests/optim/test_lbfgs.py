"""LBFGS: PyTorch's path step by step, a line search that meets its conditions, and its mistakes."""

import numpy as np
import pytest

import cltensor
from cltensor import nn, optim
from cltensor.optim.line_search import ENOUGH, FLAT, Point, strong_wolfe

pytestmark = pytest.mark.device


def rosenbrock(lib, settings, steps=4):
    """(losses, parameters, calls of the closure) of a fit over two parameters, one of which has no gradient in its first steps."""
    x, y = (lib.nn.Parameter(lib.tensor(np.array(v))) for v in ([-1.2, 1.0], [0.5]))
    unused = lib.nn.Parameter(lib.tensor(np.ones(2)))
    optimizer, calls = lib.optim.LBFGS([x, unused, y], **settings), []

    def closure():
        optimizer.zero_grad()
        calls.append(1)
        loss = (1 - x[0]) ** 2 + 100 * (x[1] - x[0] ** 2) ** 2 + ((y - 3) ** 4).sum()
        loss.backward()
        return loss

    losses = [optimizer.step(closure).item() for _ in range(steps)]
    return losses, [*x.tolist(), *y.tolist(), *unused.tolist()], len(calls)


@pytest.mark.parametrize("settings", [
    {}, {"line_search_fn": "strong_wolfe"}, {"lr": 0.1, "max_iter": 5, "history_size": 3},
    {"lr": 0.5, "line_search_fn": "strong_wolfe", "max_iter": 4, "history_size": 2}, {"max_eval": 3}, {"tolerance_grad": 1.0},
    {"tolerance_change": 0.1, "line_search_fn": "strong_wolfe"}])
def test_path(settings):
    torch = pytest.importorskip("torch")
    theirs, ours = rosenbrock(torch, settings), rosenbrock(cltensor, settings)
    assert ours[2] == theirs[2]
    np.testing.assert_allclose(ours[0], theirs[0], rtol=1e-4, atol=1e-9)
    np.testing.assert_allclose(ours[1], theirs[1], rtol=1e-4)


def test_the_minimum_is_found():
    losses, values, _ = rosenbrock(cltensor, {"line_search_fn": "strong_wolfe", "max_iter": 60, "max_eval": 200})
    assert losses[-1] < 1e-7
    np.testing.assert_allclose(values[:2], [1, 1], atol=1e-3)


def test_a_tensor_as_learning_rate():
    plain = rosenbrock(cltensor, {"lr": 0.25})
    assert rosenbrock(cltensor, {"lr": cltensor.tensor(0.25)}) == plain


LINES = [(lambda t: (t - 3) ** 2, lambda t: 2 * (t - 3)), (lambda t: -np.sin(t) + 0.1 * t * t, lambda t: -np.cos(t) + 0.2 * t),
         (lambda t: np.cosh(t - 0.01), lambda t: np.sinh(t - 0.01)),
         (lambda t: -t / (t * t + 2), lambda t: (t * t - 2) / (t * t + 2) ** 2)]


@pytest.mark.parametrize("line", range(len(LINES)))
@pytest.mark.parametrize("first", [1e-3, 1.0, 50.0])
def test_the_line_search_meets_its_conditions(line, first):
    f, slope = LINES[line]
    if slope(0) >= 0:
        f, slope = (lambda t, f=f: f(-t)), (lambda t, s=slope: -s(-t))
    start = Point(0.0, f(0), None, slope(0))
    found = strong_wolfe(lambda t: Point(t, f(t), None, slope(t)), start, first, 1.0, 1e-9)
    assert found.loss <= start.loss + ENOUGH * found.t * start.slope
    assert abs(found.slope) <= FLAT * abs(start.slope)


def test_a_line_that_is_nowhere_flat_gives_the_best_point():
    calls = []

    def at(t):
        calls.append(t)
        return Point(t, -t, None, -1.0)

    found = strong_wolfe(at, Point(0.0, 0.0, None, -1.0), 1.0, 1.0, 1e-9)
    assert (found.t, len(calls)) == (max(calls), 26)


@pytest.mark.parametrize(("make", "error", "words"), [
    (lambda p: optim.LBFGS([{"params": [p]}, {"params": [nn.Parameter(cltensor.ones(1))]}]), ValueError, "per-parameter options"),
    (lambda p: optim.LBFGS([p], lr=-1), ValueError, "Invalid learning rate: -1"),
    (lambda p: optim.LBFGS([p], line_search_fn="armijo").step(lambda: p.sum()), RuntimeError, "only 'strong_wolfe'.*armijo"),
    (lambda p: optim.LBFGS([p]).step(), TypeError, "closure")])
def test_mistakes_are_named(make, error, words):
    with pytest.raises(error, match=words):
        make(nn.Parameter(cltensor.ones(2)))
