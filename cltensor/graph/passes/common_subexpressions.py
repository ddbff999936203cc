"""Common subexpressions: a node that computes what an earlier one did is dropped, and its results are read from there."""

from dataclasses import replace

from ..ir import Origin, Use


def merge_common(graph):
    """The graph with equal nodes merged.

    A node may be merged if it makes all its results, and nothing writes to them, or to those of its twin, later.
    """
    last = {}
    for node in graph.nodes:
        for value in node.writes():
            last[value.block] = max(last.get(value.block, 0), value.version)
    fixed = {u.value.block for u in (*graph.outputs, *graph.grads)} | {v.block for v in graph.kept}
    seen, same, nodes = {}, {}, []
    for node in graph.nodes:
        if not same.keys().isdisjoint(node.reads()):
            node = replace(node, operands=tuple(_read_from(o, same) for o in node.operands))
        pure = all(r.old is None and r.use.block.origin is Origin.MADE and last[r.use.block] == 1 for r in node.results)
        if node.regions or not pure:
            nodes.append(node)
            continue
        key = _key(node)
        twin = seen.setdefault(key, node)
        if twin is node or any(v.block in fixed for v in node.writes()):
            nodes.append(node)
            continue
        same.update(zip(node.writes(), twin.writes(), strict=True))
    return graph.with_nodes(nodes)


def _read_from(operand, same):
    if isinstance(operand, Use) and operand.value in same:
        return replace(operand, value=same[operand.value])
    return operand


def _key(node):
    numbers = tuple((type(n), repr(n)) for n in node.numbers)  # 0.0 and -0.0, 1 and 1.0 and True differ
    operands = tuple(o if o is None or isinstance(o, Use) else (type(o), repr(o)) for o in node.operands)
    return node.op, operands, node.attrs, numbers, tuple((r.use.spec, r.use.offset) for r in node.results)
