"""Rendering: equal parameters give one source, others another."""

import re

import pytest

from cltensor.base.errors import ArgumentError
from cltensor.cli.kernels import catalog
from cltensor.codegen.templates import names, render
from cltensor.runtime import declarations


def test_equal_parameters_give_one_source():
    first = render("compact", style="cpu")
    assert render("compact", style="cpu") is first
    assert render("compact", style="gpu").text != first.text


def test_numbers_of_other_types_are_other_parameters():
    assert "contiguous = True" in render("softmax", contiguous=True).text
    with pytest.raises(ArgumentError, match="contiguous=1 is not right"):
        render("softmax", contiguous=1)


def test_parameters_that_cannot_be_hashed():
    with pytest.raises(ArgumentError, match=r"body=\[\] is not right, it is a tuple"):
        render("multi_tensor", body=[])


def test_an_unknown_parameter():
    with pytest.raises(ArgumentError, match="has no parameter width"):
        render("compact", width=3)


#: built-ins of OpenCL C 1.2 that kernels may be tempted to call
_BUILTINS = """abs abs_diff add_sat hadd rhadd clamp clz mad_hi mad_sat max min mul_hi rotate sub_sat upsample mad24 mul24 popcount
    degrees mix radians step smoothstep sign cross dot distance length normalize select bitselect shuffle shuffle2 prefetch
    frexp modf fract sincos remquo ilogb logb nan pown rootn maxmag minmag half_exp native_exp atomic_add atomic_inc atomic_max
    atomic_min atomic_xchg atomic_cmpxchg async_work_group_copy fma mad fmin fmax floor sqrt rsqrt exp log pow barrier""".split()


@pytest.mark.parametrize("name", names())
def test_builtins_are_declared(name):
    """PoCL compiles a program with other built-ins twice, and prints errors the first time."""
    for style in catalog.entry(name).styles:
        text = re.sub(r"//[^\n]*|/\*.*?\*/", "", render(name, style=style).text, flags=re.DOTALL)
        called = set(re.findall(r"(?<![\w.])([a-z]\w*)\s*\(", text))
        assert called & set(_BUILTINS) <= set(declarations._DECLARATIONS)
