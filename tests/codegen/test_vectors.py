"""Statements on numbers made statements on vectors."""

import pytest

from cltensor.codegen import vectors


@pytest.mark.parametrize("statements", [
    (),
    ("const float c0_0 = a0 + b0;",),
    ("const float m0_0 = x0 - x1;", "const float m0_1 = m0_0 * 2.0f;"),
    ("const float c0_0 = (a0 > b0 | a0 != a0) ? a0 : b0;",),
])
def test_operators_are_lifted(statements):
    assert vectors.lifted(statements, ("c0_0",), "float") == [s.replace("const float", "const vec") for s in statements]


@pytest.mark.parametrize("statement", [
    "const float m0_0 = ct_exp_float(x0);", "const float m0_0 = (x0 > 0.0f) ? x0 : 0.0f;", "const float m0_0 = ((float)n) * x0;",
    "const int c0_0 = a0 != a0;", "const double m0_0 = x0 * x0;", "const float m0_0 = x0 * index;",
])
def test_all_else_is_not(statement):
    assert vectors.lifted((statement,), ("m0_0",), "float") is None


def test_results_are_names():
    assert vectors.lifted((), ("x0 != 0",), "float") is None


@pytest.mark.parametrize(("ctypes", "made"), [(("float", "int"), True), (("double",), False), (("float", "double"), False)])
def test_loops_of_double_are_left_to_compilers_that_name_no_processor(ctypes, made):
    elsewhere = vectors.loop(*ctypes).split("#else  //")[1].split("#endif")[0]
    assert ("vectorize(assume_safety)" in elsewhere) == made
