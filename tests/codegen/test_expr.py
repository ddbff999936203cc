"""Tracing Python functions into shared, immutable nodes, and what can be done with them without a device."""

import gc
import math
import pickle

import numpy as np
import pytest

from cltensor.base.errors import ArgumentError, ArgumentTypeError
from cltensor.codegen import expr
from cltensor.codegen.nodes import _interned

x, y = expr.Input("x"), expr.Input("y")


def test_the_same_structure_is_the_same_object():
    assert expr.exp(x) * y is expr.exp(expr.Input("x")) * y
    assert expr.Const(2) is expr.Const(2.0)
    assert expr.Const(0.0) is not expr.Const(-0.0)
    assert expr.Const(1) is not expr.Const(True)
    assert expr.Const(math.nan) is expr.Const(float("nan"))


def test_unused_nodes_are_freed():
    gc.collect()
    before = len(_interned)
    node = expr.exp(x) + expr.sin(x) * 12345.678
    assert len(_interned) > before
    del node
    gc.collect()
    assert len(_interned) == before


def test_every_operator_of_python():
    a, b = 7, 3
    for build in (lambda a, b: a + b, lambda a, b: a - b, lambda a, b: a * b, lambda a, b: a / b, lambda a, b: a // b,
                  lambda a, b: a % b, lambda a, b: a**b, lambda a, b: -a, lambda a, b: abs(a), lambda a, b: +a,
                  lambda a, b: a & b, lambda a, b: a | b, lambda a, b: a ^ b, lambda a, b: ~a, lambda a, b: a << b,
                  lambda a, b: a >> b, lambda a, b: a < b, lambda a, b: a <= b, lambda a, b: a > b, lambda a, b: a >= b,
                  lambda a, b: a == b, lambda a, b: a != b, lambda a, b: round(a), lambda a, b: math.floor(a),
                  lambda a, b: math.ceil(a), lambda a, b: math.trunc(a)):
        want = build(a, b)
        assert expr.evaluate(build(x, y), {"x": a, "y": b}) == want
        assert expr.evaluate(build(x, b), {"x": a}) == want
        assert expr.evaluate(expr.as_expr(build(a, y)), {"y": b}) == want


def test_trace_names_inputs_and_passes_attributes_as_they_are():
    def fn(a, b, scale=1.0, twice=False):
        return (a * scale, b + b) if twice else a

    outputs = expr.trace(fn, 2, {"scale": 3, "twice": True})
    assert [repr(o) for o in outputs] == ["mul(x0, 3)", "mul(x1, 2)"]
    assert expr.trace(fn, ("p", "q"))[0] is expr.Input("p")
    assert expr.trace(lambda: 4.0, 0)[0] is expr.Const(4)


def test_trace_of_a_numpy_scalar_on_the_left():
    assert expr.trace(lambda a: np.float32(2) * a, ["x"])[0] is x * 2


@pytest.mark.parametrize("fn", [lambda a, b: max(a, b), lambda a, b: a if a > b else b, lambda a, b: a and b])
def test_decisions_on_traced_values_are_refused_with_the_cure(fn):
    with pytest.raises(ArgumentTypeError, match="use where"):
        expr.trace(fn, 2)


@pytest.mark.parametrize("value", ["text", None, b"1"])
def test_only_numbers_become_constants(value):
    with pytest.raises(ArgumentTypeError, match="traced scalars and numbers"):
        expr.trace(lambda a: value, 1)


def test_scalars_cannot_be_iterated_over_or_rounded_to_digits():
    with pytest.raises(ArgumentTypeError, match="iterated"):
        list(x)
    with pytest.raises(ArgumentError, match="rounds to integers"):
        round(x, 2)
    with pytest.raises(ArgumentTypeError, match="takes 2 arguments"):
        expr.call("atan2", x)


def test_functions_of_numbers_give_numbers():
    assert expr.exp(0.0) == 1.0
    assert type(expr.exp(0)) is float
    assert expr.maximum(1, 2) == 2
    assert expr.where(True, 3, 4) == 3
    assert expr.pow(2, -1) == 0.5
    assert expr.div(1, 0) == math.inf
    assert math.isnan(expr.log(-1))
    assert expr.floor_divide(1, 0) == 0


def test_constants_fold_and_identities_apply():
    zero = expr.Const(0)
    for simplified in (x + 0, 0 + x, x - 0, x * 1, 1 * x, x / 1, x**1, expr.neg(-x), expr.where(True, x, y),
                       expr.where(y > 0, x, x)):
        assert simplified is x
    assert expr.Const(2) * 3 + 1 is expr.Const(7)
    assert x**0 is expr.Const(1)
    assert x**2 is x * x
    assert x**0.5 is expr.sqrt(x)
    assert 0 - x is -x
    assert x * -1 is -x
    assert x + -y is x - y
    assert -(x - y) is y - x
    assert x + x is x * 2
    assert (x * 0) is not zero  # NaN * 0 is NaN
    assert x - x is not zero
    assert -x * y is -(x * y)
    assert x * (1 / y) is x / y


def test_bitwise_operators_of_truth_values_are_logical():
    assert (x > 0) & (y > 0) is expr.logical_and(x > 0, y > 0)
    assert ~(x > 0) is expr.logical_not(x > 0)
    assert ~(x == 0) is (x != 0)
    assert expr.where(~(x > 0), x, y) is expr.where(x > 0, y, x)


def test_nested_choices_on_one_condition_collapse():
    c = x > 0
    assert expr.where(c, expr.where(c, x, y), 1) is expr.where(c, x, 1)
    assert expr.where(c, 1, expr.where(c, x, y)) is expr.where(c, 1, y)


def test_inputs_in_order_of_first_use():
    assert expr.inputs((y * x, x + expr.Input("z"))) == ["y", "x", "z"]
    assert expr.inputs(expr.Const(1)) == []


def test_substitute_fuses_expressions():
    outer, inner = expr.exp(x) + y, y * 2
    assert expr.substitute(outer, {"x": inner}) is expr.exp(y * 2) + y
    assert expr.substitute((outer, x), {"x": 0})[0] is 1 + y
    assert expr.substitute(outer, {"x": y, "y": x}) is expr.exp(y) + x


def test_replace_puts_a_saved_output_in_place_of_its_computation():
    root = expr.tanh(x)
    assert expr.replace(1 - root * root, {root: y}) is 1 - y * y


def test_evaluate_names_the_missing_input():
    with pytest.raises(ArgumentError, match="no value for input 'y'"):
        expr.evaluate(x + y, {"x": 1.0})


def test_nodes_survive_pickling():
    node = expr.where(x > 0, expr.exp(x), -y / 3)
    assert pickle.loads(pickle.dumps(node)) is node


def test_deep_expressions_do_not_exhaust_the_stack():
    node = x
    for _ in range(5000):
        node = expr.sin(node)
    assert len(expr.topological([node])) == 5001
    assert expr.inputs(node) == ["x"]


@pytest.mark.parametrize(("composed", "reference", "values"), [
    (expr.relu, lambda v: np.maximum(v, 0), [-1.0, 0.0, 2.0]),
    (expr.frac, lambda v: np.modf(v)[0], [-1.75, 0.5, 2.25]),
    (expr.sinc, np.sinc, [-2.5, -0.06, 0.0, 1e-30, 0.0624, 0.0626, 1.0]),
    (expr.softplus, lambda v: np.logaddexp(v, 0), [-100.0, 0.0, 100.0]),
    (expr.log_sigmoid, lambda v: -np.logaddexp(-v, 0), [-100.0, 0.0, 100.0]),
    (expr.ndtr, lambda v: [0.158655253931457, 0.5, 0.841344746068543], [-1.0, 0.0, 1.0]),
    (expr.deg2rad, np.deg2rad, [90.0]), (expr.rad2deg, np.rad2deg, [1.0]),
    (expr.isfinite, np.isfinite, [1.0, math.inf, -math.inf, math.nan]),
    (expr.isposinf, np.isposinf, [1.0, math.inf, -math.inf, math.nan]),
    (expr.isneginf, np.isneginf, [1.0, math.inf, -math.inf, math.nan]),
    (lambda v: expr.nan_to_num(v, 1.0, 2.0, 3.0), lambda v: [5.0, 2.0, 3.0, 1.0], [5.0, math.inf, -math.inf, math.nan]),
    (lambda v: expr.heaviside(v, 0.5), lambda v: np.heaviside(v, 0.5), [-1.0, 0.0, 2.0]),
    (lambda v: expr.lerp(v, 5.0, 0.75), lambda v: v + 0.75 * (5 - v), [1.0, 2.0]),
    (lambda v: expr.polygamma(2, v), lambda v: [-2.404113806319188], [1.0]),
    (lambda v: expr.logaddexp2(v, 1.0), lambda v: np.logaddexp2(v, 1.0), [0.0, 3.0]),
])
def test_compositions(composed, reference, values):
    v = np.array(values)
    np.testing.assert_allclose(expr.evaluate(composed(x), {"x": v}), reference(v), rtol=1e-14, atol=1e-16)


def test_integer_compositions():
    a, b = np.array([4, 6, 0, -4]), np.array([6, 4, 5, 6])
    np.testing.assert_array_equal(expr.evaluate(expr.lcm(x, y), {"x": a, "y": b}), np.lcm(a, b))
