"""Grouping: updates by one formula, as of all parameters of an optimiser, become one launch where their order does not matter."""

from ..ops.optim.multi_tensor import Roles, capacity, even_parts, source_for
from .ir import Origin, Use


def grouped(nodes):
    """The nodes as lists of those that may be launched together; each list stands where the last of its nodes stood."""
    for group in groups_of(nodes, _key):
        yield from _parts(group)


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


def shifted(nodes):
    """The positions of the operands that do not start their block in some node."""
    return tuple(i for i in range(len(nodes[0].operands)) if any(n.operands[i].offset for n in nodes))


def group_source(nodes):
    """The source of the kernel that a list of several nodes shares."""
    first = nodes[0]
    s = first.results[0].use.spec
    return source_for(first.op, s.dtype, len(nodes), Roles(writes_of(first)), shifted(nodes), s.device.profile.style)


def _parts(nodes):
    if len(nodes) < 2:
        return [nodes]
    first = nodes[0]
    most = capacity(first.op, first.results[0].use.spec.dtype, Roles(writes_of(first)), len(shifted(nodes)))
    return even_parts(nodes, most)


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
    return None if writes is None else (tuple(map(id, op.exprs)), op.inputs, op.attr_names, dtype, writes, node.numbers)


def _whole(use, dtype, shape):
    """Whether a use lies in one piece, and at the same place in each call."""
    s = use.spec
    return use.block.origin is not Origin.ARGUMENT and s.contiguous and s.dtype is dtype and s.shape == shape and s.numel
