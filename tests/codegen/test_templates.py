"""Rendering: equal parameters give one source, others another."""

import pytest

from cltensor.base import dtypes
from cltensor.base.errors import ArgumentError
from cltensor.codegen.templates import render


def copied(**given):
    return render("elementwise", **{"operands": (("x0", dtypes.float32, "float"),), "results": (), "style": "cpu", **given})


def test_equal_parameters_give_one_source():
    first = render("full" if False else "compact", dtype=dtypes.float32)
    assert render("compact", dtype=dtypes.float32) is first
    assert render("compact", dtype=dtypes.int32).text != first.text
