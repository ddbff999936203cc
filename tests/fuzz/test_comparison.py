"""Judging two runs: equal values, values right in float64, matching errors."""

import numpy as np
import pytest

from fuzzing.comparison import close, judge, right_in_double
from fuzzing.differences import INTENDED, Intended
from fuzzing.execution import Outcome, Seen
from fuzzing.program import Program, Statement

PROGRAM = Program((Statement("x = ct.ones(2).view(ct.int32)", "f"),))  # a view by dtype: no wider program to ask


def outcome(error=None, **live):
    return Outcome(error, {name: Seen(np.shape(v), str(np.asarray(v).dtype), np.asarray(v)) for name, v in live.items()})


def test_equal_runs_have_no_mismatch():
    assert judge(PROGRAM, [outcome(x=[1, 2])], [outcome(x=[1, 2])]) == (None, 1)


@pytest.mark.parametrize(("ours", "theirs", "kind"), [
    (outcome(x=[1, 2]), outcome(x=[1, 3]), "values"),
    (outcome(x=[1.0, np.nan]), outcome(x=[1.0, 2.0]), "values"),
    (outcome(x=[1, 2]), outcome(x=[[1, 2]]), "shape"),
    (outcome(x=[1, 2]), outcome(x=[1.0, 2.0]), "dtype"),
    (outcome(y=[1]), outcome(x=[1]), "missing"),
    (outcome(ValueError("no")), outcome(x=[1]), "refused"),
    (outcome(x=[1]), outcome(RuntimeError("no")), "accepted"),
    (outcome(RuntimeError("no")), outcome(IndexError("no")), "error class"),
])
def test_kinds_of_mismatch(ours, theirs, kind):
    found = judge(PROGRAM, [ours], [theirs])[0]
    assert found.kind == kind


@pytest.mark.parametrize(("mine", "other"), [
    (IndexError, IndexError), (ValueError, RuntimeError), (TypeError, NotImplementedError),
])
def test_errors_that_fit(mine, other):
    assert judge(PROGRAM, [outcome(mine("no"))], [outcome(other("no"))])[0] is None


def test_a_dtype_that_pytorch_lacks_is_no_mismatch():
    assert judge(PROGRAM, [outcome(x=[1])], [outcome(NotImplementedError("'Half'"))])[0] is None


def test_tolerance_is_that_of_the_dtype():
    assert close(np.float32([1.00005]), np.float32([1]), "float32")
    assert not close(np.float64([1.00005]), np.float64([1]), "float64")
    assert not close(np.int64([2]), np.int64([1]), "int64")


def test_a_result_nearer_to_float64_than_pytorchs_is_right():
    wide = np.array([300.0])
    assert right_in_double(np.array([300.2]), np.array([296.0]), wide, "float16")
    assert not right_in_double(np.array([np.inf]), np.array([300.0]), wide, "float16")


def test_intended_differences_give_their_reason():
    assert all(isinstance(entry, Intended) and len(entry.reason) > 20 for entry in INTENDED)
