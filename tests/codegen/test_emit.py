"""The OpenCL C text made of expressions: statements, types, constants, headers.  Compiling it is test_spellings.py's part."""

import math

import pytest

from cltensor.base.errors import ArgumentError, DTypeError
from cltensor.codegen import expr, headers, sources, types
from cltensor.codegen.complex_forms import FORMS
from cltensor.codegen.emit import emit, flops

x, y = expr.Input("x"), expr.Input("y")
NAMES = {"x": "a", "y": "b"}
FLOATS = {"x": "float", "y": "float"}


def test_shared_subexpressions_are_computed_once():
    e = expr.sqrt(x + y)
    made = emit((e * e, e), FLOATS, "float", NAMES)
    assert made.statements == ["const float t0 = a + b;", "const float t1 = ct_sqrt_float(t0);", "const float t2 = t1 * t1;"]
    assert made.results == ["t2", "t1"]
    assert made.types == ["float", "float"]
    assert made.headers == ["basic.clh"]


def test_inputs_and_constants_need_no_statement():
    made = emit((x, expr.Const(2)), FLOATS, "float", NAMES)
    assert (made.statements, made.results) == ([], ["a", "2.0f"])


def test_comparisons_are_ints_and_become_numbers_where_numbers_are_wanted():
    made = emit((x > 1) * y, FLOATS, "float", NAMES)
    assert made.statements == ["const int t0 = a > 1.0f;", "const float t1 = ((float)t0) * b;"]
    assert emit(x > y, FLOATS, "float", NAMES).types == ["bool"]


def test_conditions_of_any_type():
    chosen = expr.where(x, y, 0)
    assert emit(chosen, {"x": "bool", "y": "float"}, "float", NAMES).statements == ["const float t0 = a ? b : 0.0f;"]
    assert emit(chosen, {"x": "long", "y": "float"}, "float", NAMES).statements == ["const float t0 = (a != 0) ? b : 0.0f;"]


def test_inputs_of_another_type_are_converted():
    assert emit(x + y, {"x": "long", "y": "float"}, "float", NAMES).statements == ["const float t0 = ((float)a) + b;"]


def test_each_step_in_its_own_type_when_mixed():
    index = expr.Input("i")
    made = emit(expr.where(x < y, index, index + 1), {**FLOATS, "i": "long"}, "float", {**NAMES, "i": "i"}, mixed=True)
    assert made.statements == ["const int t0 = a < b;", "const long t1 = (long)((ulong)i + (ulong)1L);",
                               "const long t2 = t0 ? i : t1;"]


def test_bits_of_truth_values_are_logic():
    made = emit(~x, {"x": "bool"}, "int", NAMES)
    assert (made.statements, made.types) == (["const int t0 = !a;"], ["bool"])
    assert emit(~x, {"x": "int"}, "int", NAMES).statements == ["const int t0 = ~a;"]


def test_integers_wrap_and_never_trap():
    assert emit(x * y, {"x": "int", "y": "int"}, "int", NAMES).statements == ["const int t0 = (int)((uint)a * (uint)b);"]
    assert "ct_floor_divide_long" in emit(x // y, {"x": "long", "y": "long"}, "long", NAMES).statements[0]


def test_a_prefix_keeps_two_bodies_apart():
    assert emit(x + y, FLOATS, "float", NAMES, prefix="u").results == ["u0"]


def test_functions_without_an_integer_form_say_so():
    with pytest.raises(DTypeError, match="exp has no form for int values; convert"):
        emit(expr.exp(x), {"x": "int"}, "int", NAMES)
    with pytest.raises(DTypeError, match="gcd has no form for float"):
        emit(expr.gcd(x, y), FLOATS, "float", NAMES)


def test_an_input_without_a_name_is_reported():
    with pytest.raises(ArgumentError, match="input 'y'; given: x"):
        emit(x + y, FLOATS, "float", {"x": "a"})


def test_the_same_expression_gives_the_same_text():
    def build():
        return emit(expr.trace(lambda a, b: (expr.exp(a) * b, a % b), ("x", "y")), FLOATS, "float", NAMES)

    assert build() == build()


@pytest.mark.parametrize(("value", "ctype", "text"), [
    (1, "float", "1.0f"), (0.1, "float", "0.1f"), (-2.5, "double", "(-2.5)"), (math.inf, "float", "((float)INFINITY)"),
    (-math.inf, "double", "((double)-INFINITY)"), (math.nan, "float", "((float)NAN)"), (3, "long", "3L"),
    (-(2**31), "int", "(-2147483647 - 1)"), (-(2**63), "long", "(-9223372036854775807L - 1)"), (1e-45, "float", "1e-45f"),
    (True, "int", "1"), (1e20, "float", "1e+20f"), (-1e300, "float", "((float)-INFINITY)"), (1e300, "double", "1e+300"),
])
def test_literals(value, ctype, text):
    assert types.literal(value, ctype) == text


def test_cost_counts_shared_work_once():
    e = x + y
    assert flops((e * e, e)) == 2
    assert flops(expr.exp(x)) > 10


def test_headers_come_with_those_they_need_before_them():
    order = headers.needed("y = ct_tanh_float(x);")
    assert order[-1] == "hyperbolic.clh"
    assert set(order) == {"basic.clh", "exp.clh", "log.clh", "hyperbolic.clh"}
    assert order.index("basic.clh") < order.index("exp.clh")
    assert headers.needed("y = sqrt(x);") == []


@pytest.mark.parametrize("name", sorted({*headers.index().values()}))
def test_every_header_explains_itself_and_stands_in_no_cycle(name):
    text = sources.header_text(name)
    assert text.startswith("//")
    needed = headers.needed(text)
    before = needed[: needed.index(name)]
    assert all(name not in headers.needed(sources.header_text(other)) for other in before)


@pytest.mark.parametrize("name", sorted(expr.FUNCTIONS))
def test_every_row_of_the_table_is_complete(name):
    row = expr.FUNCTIONS[name]
    for ctype, text in row.spellings.items():
        called = [w for w in text.replace("{T}", ctype).replace("(", " ").split() if w.startswith("ct_")]
        assert all(w in headers.index() for w in called), called
    assert row.spellings or name in FORMS
    assert callable(row.numpy)
    assert row.flops > 0
    assert getattr(expr, name).__name__ == name
