"""The C++ declarations of elementwise ops, made from the registry's: a function each, and a method for those of Python."""

import inspect
import math

_HEAD = """// Elementwise ops: a function for each in cltensor's registry, and methods.  Made by `cltensor kernels pack --header`.
//
// Operands are tensors or numbers, and broadcast; results are differentiable where the registry's declaration is.
#pragma once

#include "elementwise.hpp"

namespace ct {
"""
_METHODS = """// Methods of Tensor for elementwise ops.  Made by `cltensor kernels pack --header`; this file is a part of its class.
"""
#: made by hand: creation and copying
_BY_HAND = ("copy", "full")
#: names that mean something else in C++, by an underscore
_TAKEN = frozenset(("final", "operator", "and", "or", "xor", "not"))


def header(ops):
    """The text of the header for {name: op}."""
    made = [_function(op) for op in _elementwise(ops)] + [_definition(op) for op in _elementwise(ops) if op.public]
    return "\n".join([_HEAD, *made, "}  // namespace ct", ""])


def methods(ops):
    """The text of the declarations in the class for {name: op}."""
    return "\n".join([_METHODS, *(f"Tensor {op.name}({_parameters(op, first=1, defaults=True)}) const;"
                                  for op in _elementwise(ops) if op.public), ""])


def _elementwise(ops):
    return [op for op in ops.values() if op.kind == "elementwise" and op.name not in _BY_HAND]


def _function(op):
    several = len(op.exprs) > 1
    numbers = ", ".join(map(_name, op.attrs))
    body = f'elementwise("{op.name}", {{{", ".join(map(_name, op.inputs))}}}, {{{numbers}}})'
    return "\n".join([*(f"/// {line}" for line in _summary(op)),
                      f"inline {'std::vector<Tensor>' if several else 'Tensor'} {op.name}({_parameters(op, defaults=True)}) {{",
                      f"    return {body}{'' if several else '[0]'};", "}", ""])


def _definition(op):
    given = ", ".join(["*this", *map(_name, op.inputs[1:]), *map(_name, op.attrs)])
    return f"inline Tensor Tensor::{op.name}({_parameters(op, first=1)}) const {{ return ct::{op.name}({given}); }}\n"


def _parameters(op, first=0, defaults=False):
    """The parameters in C++, of a function or, from the second input on, of a method."""
    attributes = [f"double {_name(n)}{_default(v) if defaults else ''}" for n, v in op.attrs.items()]
    return ", ".join([*(f"const Operand& {_name(n)}" for n in op.inputs[first:]), *attributes])


def _name(name):
    return f"{name}_" if name in _TAKEN else name


def _default(value):
    if value is inspect.Parameter.empty or value is None or not math.isfinite(value):
        return ""
    return f" = {float(value)!r}"


def _summary(op):
    """The first paragraph of its documentation, as lines."""
    return inspect.cleandoc(op.__doc__ or op.name).split("\n\n")[0].splitlines()
