"""The nesting of a program's inputs and outputs, as the file has it."""

import math

from ..base.errors import ArgumentError, CaptureError
from ..dispatch.tensor_base import TensorBase


class Index(int):
    """The number of an input or output among leaves."""


def encoded(value, where):
    """Plain data for nested values whose tensors are Indexes.  Raises CaptureError, naming `where`, for what a file cannot hold."""
    if isinstance(value, Index):
        return int(value)
    if value is None or type(value) in (bool, str):
        return value
    if type(value) in (int, float):
        if abs(value) < 1 << 63 and math.isfinite(value):
            return {"number": value}
    elif isinstance(value, (list, tuple)):
        return {"list" if type(value) is list else "tuple": [encoded(v, where) for v in value]}
    elif isinstance(value, dict) and all(type(k) in (str, int, float, bool, type(None)) for k in value):
        return {"dict": [[k, encoded(v, where)] for k, v in value.items()]}
    raise CaptureError(f"export.save: a file cannot hold {where} {value!r:.80}; take it from a closure, or leave it out")


def built(x, leaves):
    """The value of plain data, with these leaves."""
    if type(x) is int:
        return leaves[x]
    if isinstance(x, dict):
        [(kind, content)] = x.items()
        if kind == "number":
            return content
        if kind == "dict":
            return {k: built(v, leaves) for k, v in content}
        return (list if kind == "list" else tuple)(built(v, leaves) for v in content)
    return x


def matched(x, value, found, place="argument"):
    """Put the tensors of a value into found, {number: tensor}; raise ArgumentError where it is not nested as x says."""
    if type(x) is int:
        found[x] = value
    elif isinstance(x, dict):
        [(kind, content)] = x.items()
        if kind == "number":
            _equal(content, value, place)
        elif kind == "dict":
            if not isinstance(value, dict) or list(value) != [k for k, _ in content]:
                raise ArgumentError(f"{place} must be a dict with the keys {[k for k, _ in content]}, got {_shown(value)}")
            for k, v in content:
                matched(v, value[k], found, f"{place}[{k!r}]")
        else:
            if not isinstance(value, (list, tuple)) or len(value) != len(content):
                count, whole = len(content), place == "argument"
                there = f"the program takes {count} arguments" if whole else f"{place} must be a {kind} of {count}"
                raise ArgumentError(f"{there}, got {_shown(value)}")
            for k, (inner, v) in enumerate(zip(content, value, strict=True)):
                matched(inner, v, found, f"argument {k}" if place == "argument" else f"{place}[{k}]")
    else:
        _equal(x, value, place)


def _equal(known, value, place):
    if type(value) is not type(known) or value != known:
        raise ArgumentError(f"{place} was {known!r} when the program was exported, and is part of it; got {_shown(value)}")


def _shown(value):
    if isinstance(value, TensorBase):
        return f"a tensor of shape {list(value._spec.shape)}"
    return f"a {type(value).__name__} of {len(value)}" if isinstance(value, (list, tuple)) else f"{value!r:.60}"
