"""Nodes of the scalar expression DAG: inputs, constants and calls.

Nodes are immutable and hash-consed: building the same structure twice gives the same object, so common subexpressions
are shared by construction and nodes may be compared with `is`.  `==` on nodes builds a call, as every operator does.
"""

import threading
import weakref

import numpy as np

from ..base.errors import ArgumentError, ArgumentTypeError
from ..base.forking import in_forked_children

FUNCTIONS = {}  # name -> Function, filled by functions.py
RULES = {}  # name -> simplification rule, filled by simplify.py

_interned = weakref.WeakValueDictionary()
_lock = threading.RLock()

_BINARY = {"add": "add", "sub": "sub", "mul": "mul", "truediv": "div", "floordiv": "floor_divide", "mod": "remainder",
           "pow": "pow", "and": "bitwise_and", "or": "bitwise_or", "xor": "bitwise_xor",
           "lshift": "bitwise_left_shift", "rshift": "bitwise_right_shift"}
_COMPARISONS = ("lt", "le", "gt", "ge", "eq", "ne")
_UNARY = {"neg": "neg", "invert": "bitwise_not", "abs": "abs", "floor": "floor", "ceil": "ceil", "trunc": "trunc"}


class Expr:
    """A symbolic scalar.  Python's operators on it build calls."""

    __slots__ = ("__weakref__",)
    __array_ufunc__ = None  # NumPy scalars on the left then call our operator

    def __pos__(self):
        return self

    def __round__(self, ndigits=None):
        if ndigits is not None:
            raise ArgumentError(f"round(x, {ndigits}): a traced scalar rounds to integers only; scale it first")
        return call("round", self)

    def __bool__(self):
        raise ArgumentTypeError(f"the value of {_short(self)} is not known while an expression is traced, so `if`, "
                                "`and`, `or`, `not`, min() and max() cannot look at it; use where(condition, a, b), "
                                "&, |, ~, minimum and maximum")

    def __iter__(self):
        raise ArgumentTypeError(f"{_short(self)} is a scalar and cannot be iterated over")


class Input(Expr):
    """A named scalar input."""

    __slots__ = ("name",)
    args = ()

    def __new__(cls, name):
        return _intern((cls, name), lambda: _build(cls, name=name))

    def __repr__(self):
        return self.name

    def __reduce__(self):
        return Input, (self.name,)


class Const(Expr):
    """A Python bool, int, float or complex.  A float with an integral value becomes that int."""

    __slots__ = ("value",)
    args = ()

    def __new__(cls, value):
        if isinstance(value, np.generic):
            value = value.item()
        if isinstance(value, float) and value.is_integer() and abs(value) < 2**53 and repr(value) != "-0.0":
            value = int(value)
        return _intern((cls, type(value), repr(value)), lambda: _build(cls, value=value))

    def __repr__(self):
        return repr(self.value)

    def __reduce__(self):
        return Const, (self.value,)


class Call(Expr):
    """A function of the table applied to nodes.  Use `call()` to make one; it folds and simplifies first."""

    __slots__ = ("args", "function")

    def __new__(cls, function, args):
        key = (cls, function.name, *map(id, args))  # ids stay valid: the node keeps its arguments alive
        return _intern(key, lambda: _build(cls, function=function, args=tuple(args)))

    def __repr__(self):
        return f"{self.function.name}({', '.join(map(repr, self.args))})"

    def __reduce__(self):
        return call, (self.function.name, *self.args)


@in_forked_children
def _renew():
    global _lock
    _lock = threading.Lock()


def _intern(key, make):
    with _lock:
        node = _interned.get(key)
        if node is None:
            node = _interned[key] = make()
        return node


def _build(cls, **fields):
    node = object.__new__(cls)
    for name, value in fields.items():
        setattr(node, name, value)
    return node


def _short(node, limit=60):
    text = repr(node)
    return text if len(text) <= limit else text[: limit - 3] + "..."


def as_expr(value):
    """value as a node: a node itself, or a Python or NumPy number.  Raises ArgumentTypeError for anything else."""
    if isinstance(value, Expr):
        return value
    if isinstance(value, (bool, int, float, complex, np.bool_, np.number)):
        return Const(value)
    kind = type(value).__name__
    raise ArgumentTypeError(f"an expression is built from traced scalars and numbers, got {kind}: {value!r}")


def call(name, *args):
    """The node for function `name` of args, with constants folded and identities such as x + 0 applied."""
    function = FUNCTIONS[name]
    if len(args) != function.arity:
        raise ArgumentTypeError(f"{name} takes {function.arity} arguments, got {len(args)}")
    args = tuple(as_expr(a) for a in args)
    if all(isinstance(a, Const) for a in args):
        return Const(function.fold([a.value for a in args]))
    rule = RULES.get(name)
    simpler = rule(*args) if rule else None
    return Call(function, args) if simpler is None else simpler


def is_const(node, value=None):
    """Whether node is a constant (equal to value, if given)."""
    return isinstance(node, Const) and (value is None or node.value == value)


def is_call(node, name):
    """Whether node is a call of function `name`."""
    return isinstance(node, Call) and node.function.name == name


def topological(roots):
    """All nodes under roots, each once, arguments before the calls that use them, in a deterministic order."""
    order, seen = [], set()
    stack = [(root, False) for root in reversed(roots)]
    while stack:
        node, expanded = stack.pop()
        if expanded:
            order.append(node)
        elif node not in seen:
            seen.add(node)
            stack.append((node, True))
            stack.extend((arg, False) for arg in reversed(node.args) if arg not in seen)
    return order


def _install_operators():
    for operator, name in _BINARY.items():
        setattr(Expr, f"__{operator}__", lambda a, b, name=name: call(name, a, b))
        setattr(Expr, f"__r{operator}__", lambda a, b, name=name: call(name, b, a))
    for name in _COMPARISONS:
        setattr(Expr, f"__{name}__", lambda a, b, name=name: call(name, a, b))
    for operator, name in _UNARY.items():
        setattr(Expr, f"__{operator}__", lambda a, name=name: call(name, a))


_install_operators()
