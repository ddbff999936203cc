"""Tables, wrapped fields and numbers in words."""

import json
import sys
from dataclasses import dataclass

import pytest

from cltensor.cli.output import as_json, digits, duration, fields, plural, table


def test_table_aligns():
    lines = table(("a", "n"), [("x", 1), ("longer", 22)], right=(1,))
    assert lines == ["a        n", "----------", "x        1", "longer  22"]


def test_fields_wrap_beside_their_name():
    lines = fields([("name", "word " * 30), ("x", "y")])
    assert [line[:8] for line in lines] == ["  name  ", "        ", "        ", "  x     "]
    assert max(map(len, lines)) < 80


def test_fields_keep_empty_values():
    assert fields([("name", "")]) == ["  name"]


def test_numbers():
    assert [duration(s) for s in (2.345, 0.0521, 8.14e-6, None)] == ["2.35 s", "52.1 ms", "8.14 us", "-"]
    assert [digits(x) for x in (1234.5, 12.345, 1.2345)] == ["1234", "12.3", "1.23"]
    assert [plural(n, "entry", "entries") for n in (0, 1)] == ["0 entries", "1 entry"]


def test_json_of_dataclasses_and_sets():
    @dataclass
    class Point:
        x: int

    assert json.loads(as_json({"p": Point(1), "s": frozenset("ba")})) == {"p": {"x": 1}, "s": ["a", "b"]}


@pytest.mark.parametrize(("columns", "lines"), [(None, 3), ("100", 3), ("60", 5)])
def test_a_wide_table_is_stacked_only_where_the_terminal_is_narrow(columns, lines, monkeypatch):
    if columns:
        monkeypatch.setenv("COLUMNS", columns)
    else:  # in a file
        monkeypatch.delenv("COLUMNS", raising=False)
        monkeypatch.setattr(sys, "__stdout__", None)
    assert len(table(["case", "time", "ratio"], [["x" * 30, "y" * 30, "z" * 25]], right=(1, 2))) == lines
