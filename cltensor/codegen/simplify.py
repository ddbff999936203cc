"""Identities applied while an expression is built, so that derivatives look as if written by hand.

Uses only identities that hold for NaN and infinity, up to the sign of a zero; so x * 0 stays.
"""

from .nodes import RULES, Call, Const, call, is_call, is_const


def rule(name):
    """Register the decorated function as the simplification of calls to `name`; it returns None to keep a call."""

    def register(function):
        RULES[name] = function
        return function

    return register


@rule("add")
def _add(a, b):
    if is_const(a):
        return call("add", b, a)
    if is_const(b, 0):
        return a
    if is_call(b, "neg"):
        return call("sub", a, b.args[0])
    if is_call(a, "neg"):
        return call("sub", b, a.args[0])
    if a is b:
        return call("mul", a, 2)
    return None


@rule("sub")
def _sub(a, b):
    if is_const(b, 0):
        return a
    if is_const(a, 0):
        return call("neg", b)
    if is_call(b, "neg"):
        return call("add", a, b.args[0])
    return None


@rule("neg")
def _neg(a):
    if is_call(a, "neg"):
        return a.args[0]
    if is_call(a, "sub"):
        return call("sub", a.args[1], a.args[0])
    if is_call(a, "mul") and is_const(a.args[1]):
        return call("mul", a.args[0], -a.args[1].value)
    return None


@rule("mul")
def _mul(a, b):
    if is_const(a):
        return call("mul", b, a)
    if is_const(b, 1):
        return a
    if is_const(b, -1):
        return call("neg", a)
    if is_call(a, "neg"):
        return call("mul", a.args[0], -b.value) if is_const(b) else call("neg", call("mul", a.args[0], b))
    if is_call(b, "neg"):
        return call("neg", call("mul", a, b.args[0]))
    if is_call(b, "div") and is_const(b.args[0], 1):
        return call("div", a, b.args[1])
    return None


@rule("div")
def _div(a, b):
    if is_const(b, 1):
        return a
    if is_const(b, -1):
        return call("neg", a)
    if is_call(a, "neg"):
        return call("neg", call("div", a.args[0], b))
    return None


_POWERS = {
    0: lambda a: Const(1),
    1: lambda a: a,
    2: lambda a: call("mul", a, a),
    3: lambda a: call("mul", call("mul", a, a), a),
    0.5: lambda a: call("sqrt", a),
    -0.5: lambda a: call("rsqrt", a),
    -1: lambda a: call("div", 1, a),
    -2: lambda a: call("div", 1, call("mul", a, a)),
}


@rule("pow")
def _pow(a, b):
    if not is_const(b):
        return None
    return _POWERS[b.value](a) if b.value in _POWERS else None


@rule("where")
def _where(c, a, b):
    if is_const(c):
        return a if c.value else b
    if a is b:
        return a
    if is_call(c, "logical_not"):
        return call("where", c.args[0], b, a)
    if is_call(a, "where") and a.args[0] is c:
        return call("where", c, a.args[1], b)
    if is_call(b, "where") and b.args[0] is c:
        return call("where", c, a, b.args[2])
    return None


@rule("logical_not")
def _not(a):
    if is_call(a, "eq"):
        return call("ne", *a.args)
    if is_call(a, "ne"):
        return call("eq", *a.args)
    if is_call(a, "logical_not") and _is_bool(a.args[0]):
        return a.args[0]
    return None


def _logical(name):
    """Replace a bitwise function of truth values by the logical one."""

    def simplify(*args):
        return call(f"logical_{name}", *args) if all(map(_is_bool, args)) else None

    RULES[f"bitwise_{name}"] = simplify


for _name in ("and", "or", "xor", "not"):
    _logical(_name)


@rule("abs")
def _abs(a):
    return a if is_call(a, "abs") else call("abs", a.args[0]) if is_call(a, "neg") else None


@rule("conj")
def _conj(a):
    """Inside what the derivatives look for: a choice, a quotient."""
    if is_call(a, "conj"):
        return a.args[0]
    if is_call(a, "where"):
        return call("where", a.args[0], *(call("conj", branch) for branch in a.args[1:]))
    if is_call(a, "div") or is_call(a, "neg"):
        return call(a.function.name, *(call("conj", x) for x in a.args))
    return a if is_call(a, "real") or is_call(a, "abs") else None


@rule("real")
def _real(a):
    return a if is_call(a, "real") or is_call(a, "abs") else None


def _is_bool(node):
    return isinstance(node, Call) and node.function.result == "bool"
