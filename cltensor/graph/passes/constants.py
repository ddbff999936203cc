"""Constants: what depends on nothing that changes from call to call is computed once."""

from dataclasses import replace

from ..ir import Origin, Scalar

#: bytes of such results, which stay in memory between calls
MOST = 1 << 26


def fold_constants(graph):
    """The graph with nodes that read only constants, and whose results nothing writes to, among those that run once."""
    last = {}
    for node in graph.nodes:
        for value in node.writes():
            last[value.block] = max(last.get(value.block, 0), value.version)
    outside = {v.block for v in graph.wanted()}
    fixed, once, nodes, room = set(), [], [], MOST
    for node in graph.nodes:
        size = sum(v.block.nbytes for v in node.writes())
        if size <= room and _is_constant(node, fixed) and all(
                r.old is None and r.use.block.origin is Origin.MADE and last[r.use.block] == 1 and r.use.block not in outside
                for r in node.results):
            once.append(node)
            fixed.update(node.writes())
            room -= size
        else:
            nodes.append(node)
    read = {v for n in nodes for v in n.reads()}
    return replace(graph, nodes=tuple(nodes), once=tuple(n for n in once if _needed(n, once, read)))


def _is_constant(node, fixed):
    if node.op.reports_faults or node.regions:
        return False
    return (not any(isinstance(n, Scalar) for n in (*node.operands, *node.numbers))
            and all(u.value in fixed or u.block.origin is Origin.CONSTANT for u in node.uses))


def _needed(node, once, read):
    """Whether another node reads what a node that runs once makes."""
    later = {v for n in once if n is not node for v in n.reads()}
    return not (read | later).isdisjoint(node.writes())
