"""Algebra: elementwise nodes with a number that makes them simpler, such as a product with 1."""

from dataclasses import replace

from ...codegen import expr
from ...dispatch.registry import REGISTRY
from ...ops.kinds.elementwise import Derived
from ..ir import Use
from .fusion import compute_dtype

#: numbers worth looking at; with 0, identities change the sign of a zero
_TELLING = (1, -1, 2)


def simplify(graph):
    """The graph with such numbers in the expressions of their nodes, where that leaves fewer or cheaper calls."""
    return graph.with_nodes(map(_simplified, graph.nodes))


def _simplified(node):
    if compute_dtype(node) is None:
        return node
    numbers = [(name, o) for name, o in zip(node.op.inputs, node.operands, strict=True) if not isinstance(o, Use)]
    numbers += zip(node.op.attr_names, node.numbers, strict=True)
    told = {name: n for name, n in numbers if type(n) in (int, float) and n in _TELLING}
    if not told:
        return node
    exprs = expr.substitute(node.op.exprs, told)
    if _cost(exprs) >= _cost(node.op.exprs):
        return node
    uses = {name: o for name, o in zip(node.op.inputs, node.operands, strict=True) if isinstance(o, Use)}
    if isinstance(exprs[0], expr.Input) and len(exprs) == 1 and exprs[0].name in uses:
        return replace(node, op=REGISTRY["copy"], operands=(uses[exprs[0].name],), numbers=())
    left = dict(n for n in numbers if n[0] not in told)
    used = set(expr.inputs(exprs))
    kept = {name: o for name, o in uses.items() if name in used}
    if not kept:
        return node
    op = Derived(node.op.name, exprs, list(kept), list(left), exempt=node.op.exempt & set(kept))
    return replace(node, op=op, operands=tuple(kept.values()), numbers=tuple(left.values()))


def _cost(exprs):
    """The number of calls, those of powers and divisions counted as several."""
    calls = [e.function.name for e in expr.topological(exprs) if isinstance(e, expr.Call)]
    return sum({"pow": 8, "div": 3}.get(name, 1) for name in calls)
