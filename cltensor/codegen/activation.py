"""Activations in templates: a function of one number that a kernel applies when it stores its result.

A template's parameter `activation` holds the body of that function, or "" for none.  Its argument is `acc`.
"""

from .emit import emit
from .parameters import TEXT, Parameter

PARAMETER = Parameter("", "the body of a C function of acc that is applied to what is stored", TEXT)


def body(exprs, name, ctype):
    """The body of a C function that computes the only expression in exprs, a function of input `name`, in type ctype."""
    made = emit(exprs, {name: ctype}, ctype, {name: "acc"})
    return " ".join([*made.statements, f"return {made.results[0]};"])


def definition(activation, ctype):
    """The definition of the C function, for the top of a kernel's source."""
    return f"static inline {ctype} activate(const {ctype} acc) {{ {activation} }}" if activation else ""


def applied(activation, value):
    """A C expression: the activation applied to the C expression `value`."""
    return f"activate({value})" if activation else value
