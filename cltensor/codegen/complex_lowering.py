"""Lowering: an expression over complex numbers becomes expressions of real and imaginary parts, which `emit` writes as usual."""

from ..base.errors import UnsupportedDTypeError
from .complex_forms import FORMS, truth
from .nodes import Call, Const, Input, call, topological


def parts_of(name):
    """The inputs that stand for the parts of complex input `name`."""
    return Input(f"{name}.re"), Input(f"{name}.im")


def lower(outputs, pairs):
    """Per output a pair (re, im) of real nodes, or one real node where its value is real.

    outputs: a tuple of nodes.  pairs: {input name: (re, im)}; all other inputs are real.  Raises UnsupportedDTypeError for a
    function without a complex form.
    """
    values = {}
    for node in topological(outputs):
        values[node] = _value(node, values, pairs)
    return tuple(values[o] for o in outputs)


def _value(node, values, pairs):
    if isinstance(node, Input):
        return pairs.get(node.name, node)
    if isinstance(node, Const):
        return (Const(node.value.real), Const(node.value.imag)) if isinstance(node.value, complex) else node
    return _called(node, [values[a] for a in node.args])


def _called(node, args):
    name = node.function.name
    if not any(isinstance(a, tuple) for a in args):
        return _of_reals(name, node, args)
    if name not in FORMS:
        if set(node.function.kinds) <= {"b", "a"}:
            return call(name, *map(truth, args))
        raise UnsupportedDTypeError(f"{name} is not defined for complex numbers")
    return FORMS[name](*(truth(a) if kind == "b" else _lifted(a) for a, kind in zip(args, node.function.kinds, strict=True)))


def _of_reals(name, node, args):
    if name == "complex":
        return tuple(args)
    if name in _PLAIN:
        return _PLAIN[name](args[0])
    return node if all(a is b for a, b in zip(args, node.args, strict=True)) else call(name, *args)


def _lifted(a):
    return a if isinstance(a, tuple) else (a, Const(0))


#: what the parts of a real number are
_PLAIN = {"conj": lambda a: a, "real": lambda a: a, "imag": lambda a: Const(0)}


def on_reals(outputs):
    """outputs (a tuple of nodes) for real inputs: a real number is its own conjugate and its own real part."""
    if not any(isinstance(n, Call) and n.function.name in _PLAIN for n in topological(outputs)):
        return outputs
    return lower(outputs, {})
