"""What stands for a scalar function in ONNX gives the function's values."""

import numpy as np
import pytest

from cltensor.codegen import expr
from cltensor.codegen.functions import FUNCTIONS

GRID = np.array([-40.0, -9.5, -3.2, -2.0, -1.0, -0.75, -0.5, -1e-3, 0.0, 1e-3, 0.3, 0.5, 0.99, 1.0, 1.5, 2.0, 2.5, 3.75, 8.0, 30.0])
INTEGERS = np.array([-100, -7, -3, -1, 0, 1, 2, 5, 30, 100])
SPECIAL = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0, -2.5])
FORMS = [f for f in FUNCTIONS.values() if any(map(callable, f.onnx.values()))]
#: functions that float64 tells from their forms, which are as exact as float32, by more than 1e-6: within how much
EXACT = {"erfinv": 1e-5}
#: functions whose forms are not held to NaN and infinity
NOT_SPECIAL = ("lgamma", "digamma", "i0", "i0e", "i1", "i1e", "angle", "erfcx", "log_ndtr", "ndtr_tail", "ldexp", "imag")


def values(function, kind, *arrays):
    """(what the form gives, what the function gives) for every combination of numbers."""
    grid = [a.ravel() for a in np.meshgrid(*arrays)]
    inputs = [expr.Input(f"x{i}") for i in range(function.arity)]
    made = expr.as_expr(function.onnx[kind](*inputs))
    found = expr.evaluate(made, {x.name: a for x, a in zip(inputs, grid, strict=True)})
    with np.errstate(all="ignore"):
        return np.broadcast_to(found, grid[0].shape), function.numpy(*grid)


@pytest.mark.parametrize("function", [f for f in FORMS if callable(f.onnx["float"])], ids=lambda f: f.name)
def test_floats(function):
    found, wanted = values(function, "float", *[GRID] * function.arity)
    np.testing.assert_allclose(found, wanted, rtol=EXACT.get(function.name, 1e-6), atol=1e-6)


@pytest.mark.parametrize("function", [f for f in FORMS if callable(f.onnx["float"]) and f.name not in NOT_SPECIAL],
                         ids=lambda f: f.name)
def test_special_numbers(function):
    found, wanted = values(function, "float", *[SPECIAL] * function.arity)
    np.testing.assert_allclose(found, wanted, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("function", [f for f in FORMS if callable(f.onnx["int"]) and f.spellings.get("long")],
                         ids=lambda f: f.name)
def test_integers(function):
    second = INTEGERS[INTEGERS != 0] if "divide" in function.name or function.name == "remainder" else INTEGERS
    if "shift" in function.name:
        second = np.array([0, 1, 5, 30])
    found, wanted = values(function, "int", *[INTEGERS, second, INTEGERS][: function.arity])
    np.testing.assert_array_equal(found, wanted)


def test_every_function_that_has_a_form_has_it_for_all_numbers_it_takes():
    for function in FUNCTIONS.values():
        if any(function.onnx.values()) and function.spellings.get("float"):
            assert function.onnx["float"], function.name
        if any(function.onnx.values()) and function.spellings.get("long"):
            assert function.onnx["int"], function.name
