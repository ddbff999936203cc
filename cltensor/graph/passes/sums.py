"""Sums: sums over the rows of several matrices, as of the gradients of biases, share a launch."""

from dataclasses import replace

from ...dispatch.spec import dense, spec
from ...ops.reduce.column_sums import COLUMN_SUMS, MOST, rows_of
from ..grouping import groups_of
from ..ir import Node, Origin, Use
from .moving import untouched


def split_sums(graph):
    """The graph with each sum whose results' rows are only copied as one sum for each row, which writes where the copy does."""
    nodes, wanted = list(graph.nodes), graph.wanted()
    readers = {}
    for j, node in enumerate(nodes):
        for value in node.reads():
            readers.setdefault(value, []).append(j)
    for i, node in enumerate(nodes):
        if node is not None and _is_sum(node) and node.attrs[0][:1] == (1,):
            _split(nodes, i, readers.get(node.results[0].use.value, []), wanted)
    return graph.with_nodes(n for n in _parts(nodes) if n is not None)


def _is_sum(node):
    if node.op.name != "sum_reduce" or not isinstance(node.operands[0], Use) or node.results[0].old is not None:
        return False
    return node.operands[0].spec.dtype is node.results[0].use.spec.dtype


def _split(nodes, i, readers, wanted):
    node = nodes[i]
    use, result = node.operands[0], node.results[0].use
    s = use.spec
    rows, each = s.shape[0], result.spec.numel // max(s.shape[0], 1)
    if result.value in wanted or result.block.origin is not Origin.MADE or node.attrs[1] or len(readers) != rows or not s.numel:
        return
    copies = {}
    for j in readers:
        copy = nodes[j]
        if copy is None or isinstance(copy, list) or copy.op.name != "copy" or copy.results[0].old is not None:
            return
        source, target = copy.operands[0], copy.results[0].use
        if (source.offset % each or source.spec.numel != each or not source.spec.contiguous or not target.spec.contiguous
                or target.spec.dtype is not source.spec.dtype or not untouched(target.block, _parts(nodes[i + 1 : j]))):
            return
        copies[source.offset // each] = copy.results[0]
    if sorted(copies) != list(range(rows)):
        return
    dims = tuple(d - 1 for d in node.attrs[0])
    part = spec(s.shape[1:], s.strides[1:], s.dtype, s.device)
    for j in readers:
        nodes[j] = None
    nodes[i] = [replace(node, operands=(Use(use.value, part, use.offset + k * s.strides[0]),), attrs=(dims, False), results=(
        replace(copies[k], use=replace(copies[k].use, spec=dense(result.spec.shape[1:], result.spec.dtype, result.spec.device))),))
        for k in range(rows)]


def _parts(nodes):
    """The nodes, those that were split one after another."""
    return (part for n in nodes for part in (n if isinstance(n, list) else [n]))


def merge_sums(graph):
    """The graph with independent sums over rows as one node for each few of them."""
    return graph.with_nodes(group[0] if len(group) == 1 else _merged(group) for group in groups_of(graph.nodes, _key, MOST))


def _key(node):
    """What must be equal for sums to share a launch; None for other nodes."""
    if not _is_sum(node) or not node.operands[0].spec.dtype.is_floating_point or not node.results[0].use.spec.contiguous:
        return None
    return None if rows_of(node.operands[0].spec, node.attrs[0]) is None else ("column_sums", node.operands[0].spec.dtype)


def _merged(nodes):
    geometries = tuple(rows_of(n.operands[0].spec, n.attrs[0]) for n in nodes)
    results = tuple(n.results[0] for n in nodes)
    return Node(COLUMN_SUMS, tuple(n.operands[0] for n in nodes), (geometries, tuple(r.use.spec for r in results)), (), results)
