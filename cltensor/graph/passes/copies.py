"""Copies: a node writes its result where a copy would have put it, or reads what a copy reads.

One that changes a part of a tensor that the copy overwrites, as `index_copy_` does, writes that part alone.

A sum of parts padded with zeros is written part by part.
"""

from dataclasses import replace
from typing import NamedTuple

from ...codegen import expr
from ...dispatch.spec import spec as spec_of
from ...ops.gemm.finishing import ProductFinishing
from ...ops.kinds.updating import Updating
from ..ir import Origin, Result, Use, Value
from ..strides import relaid
from .moving import untouched


def join_parts(graph):
    """The graph without sums of tensors that are zero but for one part each, where the parts lie apart.

    Such sums are the gradients of views, as of the pieces of `chunk`: the parts are written to one tensor instead.
    """
    state = _State(graph)
    for j, node in enumerate(state.nodes):
        if _is_sum(node):
            _join(state, j, node)
    return graph.with_nodes(n for n in state.nodes if n is not None)


def forward_copies(graph):
    """The graph without copies whose source could be written where they write to."""
    state = _State(graph)
    for j, node in enumerate(state.nodes):
        if node is not None and node.op.name == "copy":
            _forward(state, j, node)
    return graph.with_nodes(n for n in state.nodes if n is not None)


class _State:
    """The nodes, None where one was dropped; which of them make and read each value."""

    def __init__(self, graph):
        self.nodes, self.wanted = list(graph.nodes), graph.wanted()
        self.made, self.readers, self.versions = {}, {}, {}  # versions: block -> the last one
        for i, node in enumerate(self.nodes):
            self._makes(i, node)
            for value in node.reads():
                self.readers.setdefault(value, []).append(i)

    def only_reader(self, value):
        """The node that alone reads a value; None if there are more, or it outlives the program."""
        found = set(self.readers.get(value, ()))
        return found.pop() if len(found) == 1 and value not in self.wanted else None

    def last(self, value):
        """Whether nothing writes to a value's block after it."""
        return self.versions.get(value.block, 0) <= value.version

    def _makes(self, i, node):
        for value in node.writes():
            self.made[value] = i
            self.versions[value.block] = max(self.versions.get(value.block, 0), value.version)

    def put(self, i, node):
        """Put another node, or None, at position i."""
        before = self.nodes[i]
        for value in {*before.reads()}:
            self.readers[value] = [k for k in self.readers[value] if k != i]
        self.nodes[i] = node
        if node is not None:
            for value in {*node.reads()}:
                self.readers.setdefault(value, []).append(i)
            self._makes(i, node)


# --- sums of parts --------------------------------------------------------------------------------------------------------


def _is_sum(node):
    """Whether a node adds up its inputs, each once."""
    if node is None or node.op.kind != "elementwise" or node.numbers or len(node.results) != 1 or len(node.operands) < 2:
        return False
    if not all(isinstance(o, Use) for o in node.operands):
        return False
    pending, found = [node.op.exprs[0]], []
    for e in pending:  # grows in the loop
        if isinstance(e, expr.Input):
            found.append(e.name)
        elif isinstance(e, expr.Call) and e.function.name == "add":
            pending.extend(e.args)
        else:
            return False
    return sorted(found) == sorted(node.op.inputs)


def _join(state, j, node):
    """Write the parts that node j adds up to one block."""
    result, = node.results
    if result.old is not None or result.use.block.origin is not Origin.MADE or result.use.value in state.wanted:
        return
    parts = [_part(state, use, j) for use in node.operands]
    if None in parts or any(u.spec is not result.use.spec or u.offset for u in node.operands):
        return
    written = [part.result.use for part in parts]
    block = written[0].block
    moved = [replace(u, value=Value(block, 0)) for u in written]
    if any(a.meets(b) for k, a in enumerate(moved) for b in moved[:k]):
        return
    whole = sum(u.spec.nbytes for u in written) == block.nbytes
    order = sorted(range(len(parts)), key=lambda k: parts[k].writer)
    first = parts[order[0]].fill
    value = None if whole else Value(block, 1)
    for part in parts:
        if whole or part.fill != first:
            state.put(part.fill, None)
    if not whole:
        node_of = state.nodes[first]
        state.put(first, replace(node_of, results=(Result(replace(node_of.results[0].use, value=value)),)))
    for version, k in enumerate(order, 2):
        use = replace(moved[k], value=Value(block, version))
        node_of = state.nodes[parts[k].writer]
        results = tuple(Result(use, value) if r == parts[k].result else r for r in node_of.results)
        state.put(parts[k].writer, replace(node_of, results=results))
        value = use.value
    before, state.nodes[j] = result.use.value, None
    for i in state.readers.pop(before, ()):
        _read_from(state, i, before, value)


class _Part(NamedTuple):
    """The node that fills a tensor with zeros, and the one that writes a part of it, by position, with that Result."""

    fill: int
    writer: int
    result: Result


def _part(state, use, j):
    """The _Part that a sum's operand is, where only node j reads the tensor; or None."""
    writer = state.made.get(use.value)
    if writer is None or use.block.origin is not Origin.MADE or state.only_reader(use.value) != j:
        return None
    node = state.nodes[writer]
    result = next(r for r in node.results if r.use.value == use.value)
    fill = state.made.get(result.old)
    if fill is None or node.op.kind != "elementwise" or any(u.block is use.block for u in node.uses):
        return None
    made = state.nodes[fill]
    if state.only_reader(result.old) != writer or made.op.name != "full" or made.uses or made.results[0].old is not None:
        return None
    return _Part(fill, writer, result) if [*made.operands, *made.numbers] == [0] else None


def _read_from(state, i, before, value):
    """Let node i read another value of the same layout."""
    node = state.nodes[i]
    if node is None:
        return
    operands = tuple(replace(o, value=value) if isinstance(o, Use) and o.value == before else o for o in node.operands)
    results = tuple(replace(r, old=value) if r.old == before else r for r in node.results)
    state.nodes[i] = replace(node, operands=operands, results=results)
    state.readers.setdefault(value, []).append(i)


# --- copies ---------------------------------------------------------------------------------------------------------------


def _forward(state, j, copy):
    """Let the node that makes what node j copies write to where the copy does."""
    use, = copy.operands if len(copy.operands) == 1 and isinstance(copy.operands[0], Use) else (None,)
    result, = copy.results
    if use is None or use.block is result.use.block or use.spec.dtype is not result.use.spec.dtype:
        return
    i = state.made.get(use.value)
    if i is None or use.block.origin is not Origin.MADE or use.value in state.wanted:
        return
    node = state.nodes[i]
    k, own = next((k, r) for k, r in enumerate(node.results) if r.use.value == use.value)
    if own.old is not None or use.value.version != 1:
        return
    strides = relaid(own.use.spec, use, result.use.spec.strides)
    if strides is None or not untouched(result.use.block, state.nodes[i + 1 : j]):
        return
    spec = own.use.spec
    alike = all(n < 2 or a == b for n, a, b in zip(spec.shape, strides, spec.strides, strict=True))
    made = spec if alike else spec_of(spec.shape, strides, spec.dtype, spec.device)
    there = Use(result.use.value, made, result.use.offset)
    node = _writing(node, own, there)
    if node is None:
        return
    others = [r for r in set(state.readers[use.value]) if r != j]
    if others and not (state.last(result.use.value) and all(_follows(state.nodes[r], own.use) for r in others)):
        return
    results = list(node.results)
    results[k] = Result(there, result.old)
    state.put(j, None)
    state.put(i, replace(node, results=tuple(results)))
    for r in others:
        reader = state.nodes[r]
        state.put(r, replace(reader, operands=tuple(there if o == own.use else o for o in reader.operands)))


def _writing(node, own, there):
    """A node that can write its result, a Result, to another Use; None if it cannot."""
    if any(u.block is there.block for u in node.uses):
        first = node.operands[0]
        updates = getattr(node.op, "updates", None) is not None and there.spec is own.use.spec and isinstance(first, Use)
        if not updates or not first.is_at(there) or any(u.block is there.block for u in node.operands[1:] if isinstance(u, Use)):
            return None
        return replace(node, op=Updating.of(node.op))
    spec = there.spec
    return node if node.op.kind == "elementwise" or (node.op.strided and (spec.shape[-1] < 2 or spec.strides[-1] == 1)) else None


def _follows(node, use):
    """Whether a node that reads a use may read the same elements in another layout."""
    return ((node.op.kind == "elementwise" or node.op.strided)
            and all(o == use for o in node.uses if o.value == use.value) and all(r.old != use.value for r in node.results))


def read_originals(graph):
    """The graph without copies whose only reader can read what they copy, in the layout that it has."""
    state = _State(graph)
    for i, node in enumerate(state.nodes):
        if node is not None and node.op.name == "copy":
            _read_through(state, i, node)
    return graph.with_nodes(n for n in state.nodes if n is not None)


def _read_through(state, i, copy):
    """Let the node that reads the result of node i, a copy, read its source."""
    source, result = copy.operands[0], copy.results[0]
    if not isinstance(source, Use) or result.old is not None or result.use.block.origin is not Origin.MADE:
        return
    j = state.only_reader(result.use.value)
    if j is None or source.spec.dtype is not result.use.spec.dtype or not state.last(result.use.value):
        return
    reader = state.nodes[j]
    if not _reads_any_layout(reader) or any(n is not None and source.block in n.written for n in state.nodes[i + 1 : j + 1]):
        return
    operands = []
    for o in reader.operands:
        if isinstance(o, Use) and o.value == result.use.value:
            strides = None if o.offset else relaid(o.spec, result.use, source.spec.strides)
            if strides is None or (reader.op.strided and strides[-1] != 1):
                return
            o = replace(source, spec=spec_of(o.spec.shape, strides, o.spec.dtype, o.spec.device))
        operands.append(o)
    state.put(i, None)
    state.put(j, replace(reader, operands=tuple(operands)))


def _reads_any_layout(node):
    """Whether a node's kernels take operands of any strides; `strided` ones need contiguous rows."""
    return node.op.kind in ("elementwise", "reduction") or node.op.strided or isinstance(node.op.finishing, ProductFinishing)
