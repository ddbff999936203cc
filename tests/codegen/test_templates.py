"""Rendering: equal parameters give one source, others another."""

import pytest

from cltensor.base.errors import ArgumentError
from cltensor.codegen.templates import render


def test_equal_parameters_give_one_source():
    first = render("compact", style="cpu")
    assert render("compact", style="cpu") is first
    assert render("compact", style="gpu").text != first.text


def test_numbers_of_other_types_are_other_parameters():
    sources = [render("multi_tensor", tensors=n) for n in (1, True)]
    assert "tensors = 1" in sources[0].text
    assert "tensors = True" in sources[1].text


def test_parameters_that_cannot_be_hashed():
    first, second = (render("multi_tensor", body=[]) for _ in range(2))
    assert first == second
    assert first is not second


def test_an_unknown_parameter():
    with pytest.raises(ArgumentError, match="has no parameter width"):
        render("compact", width=3)
