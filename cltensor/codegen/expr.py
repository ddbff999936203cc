"""The scalar expression language: trace a Python function once to get a DAG that can be derived, fused and emitted.

    e = expr.trace(lambda x, y: expr.exp(x) * y, ("x", "y"))

Inside a traced function use Python's operators and the functions of this module (exp, where, maximum, ...).  Applied
to plain numbers they return plain numbers.
"""

import functools

import numpy as np

from ..base.errors import ArgumentError
from . import simplify  # noqa: F401  (registers its rules)
from .compositions import *  # noqa: F403
from .functions import *  # noqa: F403
from .nodes import FUNCTIONS, Call, Const, Expr, Input, as_expr, call, topological

__all__ = ["FUNCTIONS", "Call", "Const", "Expr", "Input", "as_expr", "call", "evaluate", "inputs", "replace",
           "substitute", "topological", "trace"]


def trace(fn, names, attrs=None):
    """Run fn once on symbolic scalars; return its results as a tuple of nodes.

    names: the input names, or the number of inputs (then x0, x1, ...).  attrs: keyword arguments for fn, passed
    unchanged: Python numbers become constants, nodes stay symbolic.
    """
    names = [f"x{i}" for i in range(names)] if isinstance(names, int) else list(names)
    result = fn(*(Input(n) for n in names), **(attrs or {}))
    return tuple(as_expr(r) for r in (result if isinstance(result, (tuple, list)) else (result,)))


def _each(e, function):
    return tuple(function(x) for x in e) if isinstance(e, (tuple, list)) else function(e)


def replace(e, mapping):
    """e (a node or a tuple of nodes) with every node in mapping {node: node} replaced; outermost matches win."""
    roots = e if isinstance(e, (tuple, list)) else (e,)
    done = {node: as_expr(new) for node, new in mapping.items()}
    for node in topological(roots):
        if node not in done:
            fresh = isinstance(node, Call) and any(done[a] is not a for a in node.args)
            done[node] = call(node.function.name, *(done[a] for a in node.args)) if fresh else node
    return _each(e, done.__getitem__)


def substitute(e, mapping):
    """e (a node or a tuple of nodes) with inputs replaced: mapping {input name: node or number}."""
    return _substituted(tuple(e) if isinstance(e, list) else e, tuple([(name, as_expr(new)) for name, new in mapping.items()]))


@functools.lru_cache(1024)  # nodes are interned, and the layers of a model have the same expressions
def _substituted(e, pairs):
    return replace(e, {Input(name): new for name, new in pairs})


def inputs(e):
    """Names of the inputs that e (a node or a tuple of nodes) uses, in order of first use."""
    roots = e if isinstance(e, (tuple, list)) else (e,)
    return [node.name for node in topological(roots) if isinstance(node, Input)]


def evaluate(e, env):
    """The value of e (a node or a tuple of nodes) for NumPy inputs: env {input name: number or array}.

    Uses the table's reference functions, so it checks kernels and derivatives independently of any device.
    Raises ArgumentError when env lacks an input.
    """
    values = {}
    with np.errstate(all="ignore"):
        for node in _ordered(tuple(e) if isinstance(e, (tuple, list)) else (e,)):
            values[node] = _value(node, values, env)
    return _each(e, values.__getitem__)


@functools.lru_cache(1024)  # workers of a DataLoader evaluate the same expressions for every sample
def _ordered(roots):
    return topological(roots)


def _value(node, values, env):
    if isinstance(node, Const):
        return node.value
    if isinstance(node, Input):
        if node.name not in env:
            raise ArgumentError(f"evaluate: no value for input {node.name!r}; given: {', '.join(env)}")
        return env[node.name]
    args = [values[a] for a in node.args]
    keep = node.function.result == "a" and all(_is_truth(a) for a in args)
    kinds = "b" * len(args) if keep else node.function.kinds.replace("a", "T")
    return node.function.numpy(*(_as_kind(a, k) for a, k in zip(args, kinds, strict=True)))


def _is_truth(value):
    kind = getattr(value, "dtype", None)
    return isinstance(value, bool) if kind is None else kind.kind == "b"


def _as_kind(value, kind):
    if kind == "b":
        return np.asarray(value) != 0
    return np.asarray(value, np.int64) if _is_truth(value) else value
