"""Activations of templates: a function of one number, applied where a kernel stores its result.

A template's parameter `activation` holds the body of that function, whose argument is `acc`, or "" for none.
"""

from .emit import emit


def body(exprs, name, ctype):
    """The body of a function with the values of the expressions' only one, of the input called `name`, in a compute type."""
    made = emit(exprs, {name: ctype}, ctype, {name: "acc"})
    return " ".join([*made.statements, f"return {made.results[0]};"])


def definition(activation, ctype):
    """The C function, for the head of a kernel's source."""
    return f"static inline {ctype} activate(const {ctype} acc) {{ {activation} }}" if activation else ""


def applied(activation, value):
    """A C expression: the activation of another one."""
    return f"activate({value})" if activation else value
