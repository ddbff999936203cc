"""What the device finds wrong: the message names the public call, the argument, the value and the line that called."""

import inspect
import subprocess
import sys

import pytest

import cltensor as ct
from cltensor.nn import functional as F

pytestmark = pytest.mark.device

t = ct.tensor

#: name -> (a call with one bad value, the class to catch, how the message begins)
FAULTS = {
    "cross_entropy": (lambda: F.cross_entropy(ct.zeros(2, 3), t([0, 3])), IndexError, "cross_entropy: Target 3 is out of bounds"),
    "CrossEntropyLoss": (lambda: ct.nn.CrossEntropyLoss()(ct.zeros(2, 3), t([0, -1])), IndexError,
                         "cross_entropy: Target -1 is out of bounds"),
    "nll_loss": (lambda: F.nll_loss(ct.zeros(1, 3), t([4])), IndexError, "nll_loss: Target 4 is out of bounds"),
    "embedding": (lambda: F.embedding(t([5]), ct.ones(3, 2)), IndexError, "embedding: input: index 5 is out of bounds"),
    "Embedding": (lambda: ct.nn.Embedding(3, 2)(t([5])), IndexError, "embedding: input: index 5 is out of bounds"),
    "one_hot": (lambda: F.one_hot(t([3]), 3), IndexError, "one_hot: "),
    "gather": (lambda: ct.gather(ct.ones(3), 0, t([3])), IndexError, "gather: index 3 is out of bounds for dimension with size 3"),
    "x.gather": (lambda: ct.ones(3).gather(0, t([-1])), IndexError, "gather: index -1 is out of bounds"),
    "x[index]": (lambda: ct.ones(3)[t([3])], IndexError, r"x\[index\]: index 3 is out of bounds"),
    "x[index, index]": (lambda: ct.ones(3, 3)[t([0]), t([-4])], IndexError, r"x\[index\]: index -4 is out of bounds"),
    "x[index] = value": (lambda: ct.ones(3).__setitem__(t([3]), 1.0), IndexError, r"x\[index\] = value: index 3 is out of bounds"),
    "take": (lambda: ct.ones(3).take(t([7])), IndexError, "take: index 7 is out of bounds"),
    "index_select": (lambda: ct.index_select(ct.ones(3), 0, t([3])), IndexError, "index_select: index 3 is out of bounds"),
    "index_add_": (lambda: ct.ones(3).index_add_(0, t([3]), ct.ones(1)), IndexError, "index_add_: index 3 is out of bounds"),
    "scatter": (lambda: ct.ones(3).scatter(0, t([3]), 1.0), IndexError, "scatter: index 3 is out of bounds"),
    "multi_margin_loss": (lambda: F.multi_margin_loss(ct.ones(1, 3), t([4])), IndexError, "multi_margin_loss: Target 4 is out of"),
    "bernoulli": (lambda: ct.bernoulli(t([1.5])), RuntimeError, r"bernoulli: .*\[0, 1\], but input holds 1.5"),
    "poisson": (lambda: ct.poisson(t([-1.0])), RuntimeError, "poisson: .*non-negative, but input holds -1"),
    "binary_cross_entropy": (lambda: F.binary_cross_entropy(t([1.5]), t([1.0])), RuntimeError,
                             "binary_cross_entropy: all elements of input should be between 0 and 1, but one is 1.5"),
    "BCELoss": (lambda: ct.nn.BCELoss()(t([0.5]), t([-2.0])), RuntimeError, "binary_cross_entropy: all elements of target.* -2"),
    "gaussian_nll_loss": (lambda: F.gaussian_nll_loss(t([0.5]), t([0.5]), t([-3.0])), ValueError, "gaussian_nll_loss: var has neg"),
    "normal": (lambda: ct.normal(t([0.5]), t([-3.0])), RuntimeError, "normal.* std >= 0.0, but one is -3"),
    "//": (lambda: t([1, 2]) // t([1, 0]), RuntimeError, "floor_divide: ZeroDivisionError"),
    "remainder": (lambda: ct.remainder(t([1, 2]), t([1, 0])), ZeroDivisionError, "remainder: ZeroDivisionError"),
}



@pytest.mark.parametrize("name", FAULTS)
def test_a_later_read_tells(name, monkeypatch):
    call, error, words = FAULTS[name]
    monkeypatch.delenv("CLTENSOR_SYNC", raising=False)
    call()
    with pytest.raises(error, match=words) as caught:
        ct.ones(1).tolist()
    assert "CLTENSOR_SYNC=1" in str(caught.value)
    assert __file__ in str(caught.value)
    assert ct.ones(1).tolist() == [1]  # it is told once


@pytest.mark.parametrize("name", FAULTS)
def test_the_call_tells_when_asked_to(name, monkeypatch):
    call, error, words = FAULTS[name]
    monkeypatch.setenv("CLTENSOR_SYNC", "1")
    with pytest.raises(error, match=words) as caught:
        call()
    assert "CLTENSOR_SYNC" not in str(caught.value)
    assert ct.ones(1).tolist() == [1]


def test_the_first_of_many_calls_is_named_with_its_line():
    x = ct.ones(3)

    def bad():
        return x.gather(0, t([4]))

    for _ in range(3):
        x.gather(0, t([2]))
    bad()
    x.gather(0, t([9]))
    with pytest.raises(IndexError, match="index 4 ") as caught:
        x.tolist()
    source, first = inspect.getsourcelines(bad)
    assert any(f"{__file__}:{first + i}" in str(caught.value) for i in range(len(source)))


def test_in_a_backward_pass():
    x = ct.ones(3, requires_grad=True)
    y = x.gather(0, t([3]))
    with pytest.raises(IndexError, match="gather: index 3"):
        y.tolist()


def test_an_integer_divided_by_a_number_that_is_0():
    x = t([4, 6])
    for divide in (lambda: x // 0, lambda: x % 0, lambda: x.floor_divide_(0), lambda: ct.fmod(x, 0),
                   lambda: ct.div(x, 0, rounding_mode="trunc")):
        with pytest.raises(ZeroDivisionError, match="divided by 0"):
            divide()
        with pytest.raises(RuntimeError):
            divide()
    assert (x.tolist(), (x // 2).tolist(), (x % 4).tolist()) == ([4, 6], [2, 3], [0, 2])
    assert (ct.tensor([1.0]) // 0).tolist() == [float("inf")]


def test_what_is_in_bounds_leaves_nothing_to_tell(monkeypatch):
    monkeypatch.setenv("CLTENSOR_SYNC", "1")
    assert F.cross_entropy(ct.zeros(2, 3), t([0, 2])).item() == pytest.approx(1.0986123)
    assert F.binary_cross_entropy(t([0.0, 1.0]), t([0.0, 1.0])).item() == 0
    assert (t([7, -7]) // t([2, 2])).tolist() == [3, -4]


def test_a_program_of_its_own(tmp_path):
    program = tmp_path / "train.py"
    program.write_text("import cltensor as ct\nx = ct.zeros(2, 3)\nloss = ct.nn.functional.cross_entropy(x, ct.tensor([0, 3]))\n"
                       "print(loss.item())\n")
    ran = subprocess.run([sys.executable, "-c", "import runpy, sys; runpy.run_path(sys.argv[1])", str(program)],
                         capture_output=True, text=True, check=False)
    assert ran.returncode == 1
    assert "Target 3 is out of bounds" in ran.stderr
    assert f"{program}:3" in ran.stderr
