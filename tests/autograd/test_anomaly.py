"""detect_anomaly names the forward line of what goes wrong in backward."""

import inspect

import pytest

import cltensor as ct
from cltensor.autograd import Function, detect_anomaly, set_detect_anomaly

pytestmark = pytest.mark.device


@pytest.fixture
def x():
    return ct.tensor([0.0, 1.0], requires_grad=True)


def _line(text):
    lines, _ = inspect.getsourcelines(inspect.getmodule(_line))
    return next(i for i, line in enumerate(lines, 1) if text in line)


def test_nan_is_named(x):
    with detect_anomaly():
        y = (x.sqrt() * 0).sum()  # the culprit
        with pytest.raises(RuntimeError, match="'SqrtBackward0' returned nan values in its 0th output") as caught:
            y.backward()
    assert f'test_anomaly.py", line {_line("the culprit")}' in str(caught.value)
    assert "x.sqrt()" in str(caught.value)


def test_nan_passes_unnoticed_otherwise(x):
    (x.sqrt() * 0).sum().backward()
    assert str(x.grad[0].item()) == "nan"
    with detect_anomaly(check_nan=False):
        (x.sqrt() * 0).sum().backward()


class Fails(Function):
    @staticmethod
    def forward(ctx, x):
        return x * 2

    @staticmethod
    def backward(ctx, g):
        raise ZeroDivisionError("by design")


def test_failing_node_is_named(x):
    with detect_anomaly():
        y = Fails.apply(x).sum()  # where it was called
        with pytest.raises(ZeroDivisionError, match="by design") as caught:
            y.backward()
    text = "\n".join(getattr(caught.value, "__notes__", [str(caught.value)]))
    assert f'test_anomaly.py", line {_line("where it was called")}' in text


def test_switch(x):
    set_detect_anomaly(True)
    try:
        with pytest.raises(RuntimeError, match="nan values"):
            (x.sqrt() * 0).sum().backward()
    finally:
        set_detect_anomaly(False)
    (x.sqrt() * 0).sum().backward()
