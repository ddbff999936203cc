"""Reductions: an elementwise node whose result only a reduction reads becomes part of that reduction's launch."""

from dataclasses import replace

from ...base.shapes import broadcast_strides
from ...codegen import expr
from ...dispatch.spec import spec
from ...ops.kinds.absorbing import Absorbing
from ..ir import Origin, Use
from .fusion import compute_dtype
from .inlining import Inlining
from .moving import passes

#: operands of one kernel, and calls in its expressions
OPERANDS, CALLS = 8, 200


def absorb_into_reductions(graph):
    """The graph with elementwise nodes merged into the reductions that alone read them."""
    nodes, wanted = list(graph.nodes), graph.wanted()
    made, readers = {}, {}
    for i, node in enumerate(nodes):
        made.update((value, i) for value in node.writes())
        for value in set(node.reads()):
            readers[value] = readers.get(value, 0) + 1
    for j, node in enumerate(nodes):
        if node.op.kind != "reduction":
            continue
        absorbed = {}
        for value in dict.fromkeys(u.value for u in node.uses):
            i = made.get(value)
            if i is not None and nodes[i] is not None and readers[value] == 1 and value not in wanted and _fits(nodes, i, j, value):
                absorbed[value] = nodes[i]
        merged = _merged(node, absorbed) if absorbed else None
        if merged is not None:
            for value in absorbed:
                nodes[made[value]] = None
            nodes[j] = merged
    return graph.with_nodes(n for n in nodes if n is not None)


def _fits(nodes, i, j, value):
    """Whether the elementwise node i may run within the reduction j, element for element."""
    first, last = nodes[i], nodes[j]
    dtype, result = compute_dtype(first), first.results[0]
    return (dtype is not None and not first.op.exempt and len(first.results) == 1 and result.old is None
            and value.block.origin is Origin.MADE and all(u.spec.dtype is dtype for u in first.uses)
            and all(u.is_at(result.use) for u in last.uses if u.value == value) and all(u.spec.dtype is dtype for u in last.uses)
            and all(isinstance(o, Use) for o in last.operands) and passes(first.read, first.written, nodes[i + 1 : j])
            and first.read.isdisjoint(last.written))


def _merged(node, absorbed):
    """The reduction of expressions; None if it is too large."""
    made, given = Inlining(), {}
    shape = node.operands[0].spec.shape
    for name, use in zip(node.op.inputs, node.operands, strict=True):
        first = absorbed.get(use.value)
        if first is None:
            given[name] = made.use(use)
        else:
            given[name], = made.exprs(first, {}, lambda operand: _expanded(operand, shape))
    calls = sum(isinstance(e, expr.Call) for e in expr.topological(tuple(given.values())))
    whole = [u for u in made.uses if all(u.spec.strides[d] for d, n in enumerate(shape) if n > 1)]
    if len(made.uses) > OPERANDS or calls > CALLS or not whole:
        return None
    order = sorted(made.uses, key=lambda u: u is not whole[0])  # its layout decides the order of the loops
    op = Absorbing(node.op, given, [made.uses[u].name for u in order], made.names,
                   f"{node.op.name}_of_{'_'.join(n.op.name for n in absorbed.values())}"[:60])
    return replace(node, op=op, operands=tuple(order), numbers=(*node.numbers, *made.numbers))


def _expanded(use, shape):
    """A use with its dimensions broadcast to shape."""
    s = use.spec
    return replace(use, spec=spec(shape, broadcast_strides(s.shape, s.strides, shape), s.dtype, s.device))
