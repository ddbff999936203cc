"""Grouping: neighbouring updates by one formula, as of all parameters of an optimiser, become one launch."""

from ..ops.optim.multi_tensor import Roles, capacity, even_parts
from .ir import Use


def grouped(nodes):
    """The nodes in order, as lists of those that may be launched together."""
    run, key = [], None
    for node in nodes:
        found = _key(node)
        if run and (found is None or found != key or not _independent(node, run)):
            yield from _parts(run)
            run = []
        run.append(node)
        key = found
    yield from _parts(run)


def writes_of(node):
    """The positions of the inputs that a node's results overwrite, in order; None if a result is no input."""
    places = [next((i for i, o in enumerate(node.operands) if isinstance(o, Use) and o.is_at(r.use)), None)
              for r in node.results]
    return None if None in places else tuple(places)


def _parts(run):
    if len(run) < 2 or _key(run[0]) is None:
        return [[node] for node in run]
    return even_parts(run, capacity(run[0].op, run[0].results[0].use.spec.dtype, Roles(writes_of(run[0]))))


def _key(node):
    """What must be equal for nodes to share a launch; None for a node that runs alone."""
    op = node.op
    if op.kind != "elementwise" or not all(isinstance(o, Use) for o in node.operands):
        return None
    dtype, shape = node.results[0].use.spec.dtype, node.results[0].use.spec.shape
    uses = [*node.uses, *(r.use for r in node.results)]
    if not dtype.is_floating_point or not all(_whole(u, dtype, shape) for u in uses):
        return None
    if len({u.block for u in node.uses}) < len(node.uses):
        return None
    writes = writes_of(node)
    return None if writes is None else (op.exprs, op.inputs, op.attr_names, dtype, writes, node.numbers)


def _whole(use, dtype, shape):
    """Whether a use starts its block and lies in one piece."""
    s = use.spec
    return not use.offset and s.contiguous and s.dtype is dtype and s.shape == shape and s.numel


def _independent(node, run):
    touched = {v.block for n in run for v in n.writes()}
    read = {v.block for n in run for v in n.reads()}
    return touched.isdisjoint(v.block for v in node.reads()) and read.isdisjoint(v.block for v in node.writes())
