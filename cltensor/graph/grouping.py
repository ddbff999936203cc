"""Grouping: updates by one formula, as of all parameters of an optimiser, become one launch where their order does not matter."""

from dataclasses import replace

from ..base.dtypes import float32
from ..codegen import expr
from ..ops.kinds.elementwise import Derived
from ..ops.optim.multi_tensor import Roles, capacity, even_parts, source_for
from .ir import Origin, Use

#: a copy as an update of its target
COPY = Derived("copy", (expr.Input("source"),), ("target", "source"))


def grouped(nodes, copies=True):
    """The nodes as lists of those that may be launched together; each list stands where the last of its nodes stood.

    copies: whether copies may; updates do in eager mode as well.
    """
    for group in groups_of(nodes, lambda node: _key(node) if copies or node.op.name != "copy" else None):
        yield from _parts(group)


def update_of(node):
    """A node of several that are launched together as an update: its results lie where operands do."""
    return replace(node, op=COPY, operands=(node.results[0].use, *node.operands)) if node.op.name == "copy" else node


def groups_of(nodes, key_of, most=None):
    """The nodes as lists of neighbours with one key, other than None, whose order does not matter.

    A list stands where the last of its nodes stood.  most: of a list, if there is a limit.
    """
    open_, groups = {}, []
    for node in nodes:
        for key, group in list(open_.items()):
            if group.meets(node.read, node.written):
                del open_[key]
        key = key_of(node)
        group = open_.get(key)
        if group is None or len(group.nodes) == most:
            group = _Group()
            if key is not None:
                open_[key] = group
        else:
            groups.remove(group)
        group.add(node)
        groups.append(group)
    return [group.nodes for group in groups]


class _Group:
    """Nodes whose order does not matter, and the blocks that they read and write."""

    def __init__(self):
        self.nodes, self.read, self.written = [], set(), set()

    def add(self, node):
        self.nodes.append(node)
        self.read |= node.read
        self.written |= node.written

    def meets(self, read, written):
        """Whether a node that reads and writes these blocks must run after the group."""
        return not (self.written.isdisjoint(read) and self.written.isdisjoint(written) and self.read.isdisjoint(written))


def writes_of(node):
    """The positions of the inputs that a node's results overwrite, in order; None if a result is no input."""
    places = [next((i for i, o in enumerate(node.operands) if isinstance(o, Use) and o.is_at(r.use)), None)
              for r in node.results]
    return None if None in places else tuple(places)


def roles_of(node):
    """The Roles of a node's operands in a launch for several: those that are one number in memory are shared."""
    spec = node.results[0].use.spec
    return Roles(writes_of(node), tuple(i for i, use in enumerate(node.operands) if _is_number(use, spec)))


def kinds_of(node):
    """(the dtype that an update computes in, those of the operands that each node of its launch has its own of)."""
    kinds = tuple(node.operands[i].spec.dtype for i in roles_of(node).each(node.op))
    return max(kinds, key=lambda d: d.itemsize), kinds


def shifted(nodes):
    """The positions of the operands that do not start their block in some node."""
    return tuple(i for i in range(len(nodes[0].operands)) if any(n.operands[i].offset for n in nodes))


def group_source(nodes):
    """The source of the kernel that a list of several nodes shares."""
    updates = list(map(update_of, nodes))
    first, style = updates[0], updates[0].results[0].use.spec.device.profile.style
    dtype, kinds = kinds_of(first)
    return source_for(first.op, dtype, len(updates), roles_of(first), shifted(updates), style, kinds)


def _parts(nodes):
    if len(nodes) < 2:
        return [nodes]
    updates = list(map(update_of, nodes))
    first = updates[0]
    return even_parts(nodes, capacity(first.op, kinds_of(first)[0], roles_of(first), len(shifted(updates))))


def _key(node):
    """What must be equal for nodes to share a launch; None for a node that runs alone."""
    op = node.op
    if op.kind != "elementwise" or not all(isinstance(o, Use) for o in node.operands):
        return None
    spec = node.results[0].use.spec
    if op.name == "copy":
        return _copy_key(node)
    dtype, shape, shared = spec.dtype, spec.shape, tuple(u for u in node.operands if _is_number(u, spec))
    uses = [*(u for u in node.operands if u not in shared), *(r.use for r in node.results)]
    if not dtype.is_floating_point or not all(_whole(u, dtype, shape) for u in uses):
        return None
    if len({u.block for u in node.uses}) < len(node.uses):
        return None
    writes = writes_of(node)
    if writes is None:
        return None
    return tuple(map(id, op.exprs)), op.inputs, op.attr_names, dtype, writes, roles_of(node).shared, shared, node.numbers


def _copy_key(node):
    """Of copies between floats in one piece."""
    (source,), target = node.operands, node.results[0].use
    kinds = source.spec.dtype, target.spec.dtype
    if source.block is target.block or not all(d.is_floating_point for d in kinds):
        return None
    return ("copy", *kinds) if all(_whole(u, u.spec.dtype, target.spec.shape) for u in (source, target)) else None


def _is_number(use, spec):
    """Whether an operand of a node whose results are laid out by spec is a float32 in memory, at the start of its block."""
    s = use.spec
    return s.numel == 1 != spec.numel and s.dtype is float32 and not use.offset and use.block.origin is not Origin.ARGUMENT


def _whole(use, dtype, shape):
    """Whether a use lies in one piece, and at the same place in each call."""
    s = use.spec
    return use.block.origin is not Origin.ARGUMENT and s.contiguous and s.dtype is dtype and s.shape == shape and s.numel
