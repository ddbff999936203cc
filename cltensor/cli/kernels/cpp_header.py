"""The C++ declarations of elementwise ops, made from the registry's: a function each."""

import inspect
import math

_HEAD = """// Elementwise ops: a function for each in cltensor's registry.  Made by `cltensor kernels pack --header`; do not edit.
//
// Operands are tensors or numbers, and broadcast; results are differentiable where the registry's declaration is.
#pragma once

#include "elementwise.hpp"

namespace ct {
"""
#: made by hand: creation and copying
_BY_HAND = ("copy", "full")


def header(ops):
    """The text of the header for {name: op}."""
    made = [_function(op) for op in ops.values() if op.kind == "elementwise" and op.name not in _BY_HAND]
    return "\n".join([_HEAD, *made, "}  // namespace ct", ""])


def _function(op):
    several = len(op.exprs) > 1
    parameters = [f"const Operand& {n}" for n in _names(op.inputs)] + [_attribute(n, v) for n, v in op.attrs.items()]
    numbers = ", ".join(_names(op.attrs))
    body = f'elementwise("{op.name}", {{{", ".join(_names(op.inputs))}}}, {{{numbers}}})'
    lines = [f"/// {line}" for line in _summary(op)]
    return "\n".join([*lines, f"inline {'std::vector<Tensor>' if several else 'Tensor'} {op.name}({', '.join(parameters)}) {{",
                      f"    return {body}{'' if several else '[0]'};", "}", ""])


def _names(names):
    return [f"{n}_" if n in ("number", "size", "final", "operator") else n for n in names]


def _attribute(name, default):
    text = f"double {_names([name])[0]}"
    if default is inspect.Parameter.empty or default is None:
        return text
    value = float(default)
    return f"{text} = {value!r}" if math.isfinite(value) else text


def _summary(op):
    """The first paragraph of its documentation, as lines."""
    text = inspect.cleandoc(op.__doc__ or op.name)
    return text.split("\n\n")[0].splitlines()
