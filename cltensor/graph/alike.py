"""Alike: whether ops, functions and values of two captures stand for the same."""

import itertools

from ..base.context import Notes
from ..base.shapes import broadcast_shapes
from ..codegen.nodes import Expr
from ..dispatch.tensor_base import TensorBase
from .ir import Use


def shapes_by_rule(op, operands, attrs):
    """The shapes of an op's results, by its own rule; None if it has none."""
    specs = [o.spec if isinstance(o, Use) else None for o in operands]
    if op.kind == "elementwise":
        shapes = [s.shape for s in specs if s is not None]
        return [broadcast_shapes(*shapes)] * len(op.exprs) if shapes else None
    rule = getattr(op, "result_specs", None)
    return rule and [s.shape for s in rule(tuple(specs), tuple(attrs))]


def follows_rule(node):
    """Whether the shapes of a node's results are what its op's rule says."""
    return shapes_by_rule(node.op, node.operands, node.attrs) == [r.use.spec.shape for r in node.results]


def same(some, others):
    """Whether two sequences hold the same objects."""
    return len(some) == len(others) and all(a is b for a, b in zip(some, others, strict=True))


def alike(op, other):
    """Whether two ops compute the same: one declared op, or ops made by passes from the same formulas."""
    return op is other or op == other or (type(op) is type(other) and hasattr(op, "formula") and equal(op.formula, other.formula))


def alike_functions(one, other):
    """Whether two functions do the same: one function, or two closures of the same code over the same values."""
    if one is other or one == other:
        return True
    code = getattr(one, "__code__", None)
    if code is None or code is not getattr(other, "__code__", None):
        return False
    cells = itertools.zip_longest(one.__closure__ or (), other.__closure__ or ())
    return all(equal(a.cell_contents, b.cell_contents) for a, b in cells)


def equal(a, b):
    """Whether two values mean the same to a function: one object, equal plain values, or containers of such."""
    if a is b or (isinstance(a, Notes) and isinstance(b, Notes)):
        return True
    if type(a) is not type(b) or isinstance(a, (TensorBase, Expr)):  # equal expressions are one object
        return False
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(equal, a, b))
    return a == b
