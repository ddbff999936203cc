"""Interfaces of kernels: what a template declares, and what launch sizes, C and errors are made of it."""

import numpy as np
import pytest

from cltensor.base.errors import ArgumentError
from cltensor.codegen import lines
from cltensor.codegen.interface import Buffer, Choice, Interface, Number
from cltensor.codegen.sizes import expression
from cltensor.codegen.templates import Source
from cltensor.dispatch.plan import In, Scratch
from cltensor.ops.kinds.launch import step


def declared(*arguments, **sizes):
    found = Interface()
    text = found.declare("k", *arguments)
    found.launched(**{"local": ["1"], "global_": ["n"], **sizes})
    return found, text


def test_the_c_parameters_follow_the_declaration():
    x, y = Buffer("x", "float", "in", ("n",), "x", offset="x_o", restrict=True), Buffer("y", "int2", "out", (1,), "y")
    _, text = declared(x, [y, Number("n", "how many")], Number("a", "a factor", "float"))
    assert text.split(",\n    ") == ["__global const float *restrict x, const long x_o", "__global int2 *y", "const long n",
                                     "const float a"]


def test_a_name_is_declared_once():
    with pytest.raises(ArgumentError, match="kernel k: argument n is declared twice"):
        declared(Number("n", "one"), Buffer("x", "int", "in", (1,), "x", offset="n"))


def test_a_direction_is_one_of_four():
    with pytest.raises(ArgumentError, match="x: the direction is in, out, inout, scratch, not 'into'"):
        Buffer("x", "int", "into", (1,), "x")


def test_choices_left_out_take_their_defaults():
    found, _ = declared(Number("n", "how many"), global_=["ceil(n, g) * g"], g=Choice("any", "max(1, min(8, n))"))
    assert found.sizes({"n": 20}) == ((24,), (1,))
    assert found.sizes({"n": 20, "g": 5}) == ((20,), (1,))
    assert found.formula == "local = (1,); global = (ceil(n, g) * g,)"
    with pytest.raises(ArgumentError, match="kernel k: its launch size depends on n, which is not given"):
        found.sizes({"g": 1})


@pytest.mark.parametrize(("style", "given", "n", "wanted"), [
    ("cpu", (), 3, ((3,), (1,))), ("cpu", (), 99, ((8,), (1,))), ("gpu", (), 0, ((64,), (64,))),
    ("gpu", (128,), 129, ((256,), (128,))), ("gpu", (64, 2), 1000, ((128,), (64,))),
    ("gpu", (128, None), 1 << 30, ((1 << 30,), (128,)))])
def test_a_kernel_that_walks_takes_any_grid(style, given, n, wanted):
    found, _ = declared(Number("n", "how many"))
    found.walks(style, "n", *given)
    assert found.larger
    assert found.sizes({"n": n}) == wanted


def test_a_step_is_made_by_names():
    x, y = (Buffer(n, "float", d, ("n",), "numbers", offset=f"{n}_o") for n, d in (("x", "in"), ("y", "scratch")))
    found, _ = declared(x, y, Number("n", "how many"), Number("a", "a factor", "float"))
    source, scratch = Source("", "k", "", found, {}), Scratch(8)
    made = step(source, x=In(0), y=scratch, y_o=4, n=True, a=2, ignored=7)
    assert made.args == (In(0), scratch, 4, 1, 2)
    assert [type(a) for a in made.args[2:]] == [np.int64, np.int64, np.float32]
    with pytest.raises(ArgumentError, match="kernel k: argument a is not given"):
        step(source, x=In(0), y=scratch, n=3)


def test_lines_tell_their_offsets_unit_and_their_parts():
    buffer, unit = lines.operand("y", "float", "out", "results", 1, ("lines", "yl"), ("n", "ye"), imaginary="b if c else a")
    assert buffer.step == unit.name == "y_u"
    assert buffer.strides == ("y_b0", "yl", "ye", "b if c else a")
    parts = expression(buffer.shape[-1])
    assert [parts({"a": a, "b": b, "c": c}) for a, b, c in ((0, 1, 0), (0, 1, 1), (1, 0, 0), (1, 0, 1))] == [1, 2, 2, 1]
    assert [n.name for n in lines.outer(2)] == ["b0", "x_b0", "y_b0", "b1", "x_b1", "y_b1", "outer"]
    assert [n.name for n in lines.distances("x", "_1")] == ["xe_1", "xl_1", "xi_1"]
