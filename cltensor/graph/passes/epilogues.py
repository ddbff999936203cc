"""Epilogues: an elementwise node that reads the result of a product or a normalisation becomes part of its launch."""

from ...codegen import expr
from ...ops.kinds.finished import TOTAL, Finished, attributes
from ..ir import Node, Origin
from .fusion import compute_dtype
from .inlining import Inlining
from .moving import passes

#: further operands and results of one kernel
OPERANDS = 6


def fuse_epilogues(graph):
    """The graph with elementwise nodes merged into the kernel nodes they read, where those may run as late."""
    nodes, wanted = list(graph.nodes), graph.wanted()
    made, readers = {}, {}
    for i, node in enumerate(nodes):
        for value in node.reads():
            readers.setdefault(value, []).append(i)
        made.update((value, i) for value in node.writes())
    for j, node in enumerate(nodes):
        dtype = compute_dtype(node)
        if dtype is None or node.op.exempt or any(u.spec.dtype is not dtype for u in node.uses):
            continue
        for i in sorted({made[u.value] for u in node.uses if u.value in made}, reverse=True):
            merged = _merged(nodes, i, j, wanted, readers)
            if merged is not None:
                merged, at = merged
                nodes[i] = nodes[j] = None
                nodes[at] = merged
                for value in merged.reads():
                    readers[value] = [at if r in (i, j) else r for r in readers[value]]
                made.update((value, at) for value in merged.writes())
                break
    return graph.with_nodes(n for n in nodes if n is not None)


def _merged(nodes, i, j, wanted, readers):
    """(the Node that does what nodes i, a kernel op that can be finished, and j, elementwise, do; the place where it may run).

    None if there is none.
    """
    first, last = nodes[i], nodes[j]
    if first is None or first.op.finishing is None:
        return None
    result = first.results[0]
    value, spec = result.use.value, result.use.spec
    if result.old is not None or value.block.origin is not Origin.MADE or spec.dtype is not last.results[0].use.spec.dtype:
        return None
    if not spec.contiguous or not all(u.is_at(result.use) for u in last.uses if u.value == value) or value not in (
            u.value for u in last.uses) or not first.read.isdisjoint(last.written):
        return None
    between = nodes[i + 1 : j]
    at = j if passes(first.read, first.written, between) else i if passes(last.read, last.written, between) else None
    kept = value in wanted or any(r != j for r in readers[value])
    made = None if at is None else _node(first, last, result, kept)
    return made and (made, at)


def _node(first, last, result, kept):
    made, total = Inlining(), expr.Input(TOTAL)
    stored = list(zip(made.exprs(last, {result.use.value: total}), last.results, strict=True))
    if kept:
        stored.append((total, result))
    stored.sort(key=lambda pair: not pair[1].use.spec.contiguous)
    results = (stored[0][1], *first.results[1:], *(r for _, r in stored[1:]))
    if len(made.uses) + len(stored) > OPERANDS or not _fits(first, last, result, made.uses, [r for _, r in stored]):
        return None
    op = Finished.of(first.op, tuple(e for e, _ in stored), tuple(e.name for e in made.uses.values()), tuple(made.names),
                     f"{first.op.name}_{last.op.name}")
    outs = tuple(r.use.spec for r in results)
    return Node(op, (*first.operands, *made.uses), (*first.attrs, outs), (*first.numbers, *made.numbers), results)


def _fits(first, last, result, others, stored):
    """Whether the kernel takes these operands and results, and all lies apart from what is written."""
    spec = result.use.spec
    if not stored[0].use.spec.contiguous or any(r.use.spec.shape != spec.shape for r in stored):
        return False
    if any(r.old is not None and not r.use.is_at(result.use) for r in last.results):
        return False
    if any(u.meets(r.use) and not u.is_at(r.use) for u in others for r in stored):
        return False
    return first.op.finishing.admits(
        tuple(None if o is None else o.spec for o in first.operands), tuple(r.use.spec for r in first.results),
        [*(u.spec for u in others), *(r.use.spec for r in stored)], **attributes(first.op, first.attrs))
