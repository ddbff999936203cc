"""Elementwise fusion: chains of elementwise nodes of one shape become one kernel, by substitution of their scalar expressions."""

from dataclasses import dataclass, field, replace

from ...base import dtypes
from ...codegen import expr
from ...dispatch.spec import Spec
from ...ops.kinds.elementwise import Derived
from ..ir import Node, Use
from .inlining import Inlining
from .moving import passes

#: operands and results of one kernel: drivers promise 1,024 bytes of arguments, and each takes up to 40
TENSORS = 12
#: calls in the expressions of one kernel, so that compilers stay fast
CALLS = 200

_FLOATS = (dtypes.float32, dtypes.float64)


def fuse_elementwise(graph):
    """The graph with elementwise nodes merged into the nodes that read them, where they meet element for element."""
    fuser = _Fuser(graph)
    for i in range(len(graph.nodes)):
        fuser.visit(i)
    return graph.with_nodes(fuser.emitted())


@dataclass(eq=False)
class _Group:
    """Nodes that become one kernel, which runs where the last of them stands."""

    members: list
    shape: tuple
    compute: object
    made: dict = field(default_factory=dict)  # value -> the Result that defines it


class _Fuser:
    def __init__(self, graph):
        self.nodes, self.wanted = graph.nodes, graph.wanted()
        self.readers, self.groups, self.makers = {}, {}, {}  # makers: value -> the group that makes it
        for i, node in enumerate(self.nodes):
            for value in node.reads():
                self.readers.setdefault(value, []).append(i)

    def visit(self, i):
        """Merge node i with the groups of its operands, where that is allowed."""
        node = self.nodes[i]
        compute = compute_dtype(node)
        if compute is None:
            return
        group = _Group([i], node.results[0].use.spec.shape, compute, made={r.use.value: r for r in node.results})
        for use in node.uses:
            found = self.makers.get(use.value)
            if found is not None and found is not group and self._fits(found, group, node):
                for m in found.members:
                    self.groups[m] = group
                group.members = sorted({*found.members, *group.members})
                group.made = {**found.made, **group.made}
                self.makers.update(dict.fromkeys(found.made, group))
        self.groups[i] = group
        self.makers.update(dict.fromkeys(group.made, group))

    def _fits(self, earlier, group, node):
        """Whether a group may move to node, the last of another one, and join it."""
        members = [self.nodes[m] for m in (*earlier.members, *group.members)]
        made = {**earlier.made, **group.made}
        return (earlier.shape == group.shape and earlier.compute is group.compute
                and all(_met(u, made) for n in members for u in n.uses)
                and self._may_move(earlier, group) and _apart(members)
                and self._tensors(members, {*earlier.members, *group.members}) <= TENSORS
                and sum(_calls(n) for n in members) <= CALLS)

    def _tensors(self, members, inside):
        made = {v for n in members for v in n.writes()}
        return (len({u for n in members for u in n.uses if u.value not in made})
                + sum(self._needed(v, inside) for v in made))

    def _may_move(self, earlier, group):
        """Whether nothing between reads what the group makes, or touches memory that it reads and writes."""
        inside = {*earlier.members, *group.members}
        written = {v.block for v in earlier.made}
        read = frozenset().union(*(self.nodes[m].read for m in earlier.members))
        others = (self.nodes[i] for i in range(earlier.members[0] + 1, max(inside)) if i not in inside)
        return passes(read, written, others)

    # --- the merged nodes ------------------------------------------------------------------------------------------------

    def emitted(self):
        """All nodes, each group as one."""
        for i, node in enumerate(self.nodes):
            group = self.groups.get(i)
            if group is None or len(group.members) == 1:
                yield node
            elif i == group.members[-1]:
                yield self._merged(group)

    def _merged(self, group):
        found, inside, made = {}, set(group.members), Inlining()
        for m in group.members:
            node = self.nodes[m]
            found.update(zip((r.use.value for r in node.results), made.exprs(node, found), strict=True))
        results = [(v, r) for v, r in _last_writes(group.made).items() if self._needed(v, inside)]
        name = "_".join(dict.fromkeys(self.nodes[m].op.name for m in group.members))[:60]
        inputs = [e.name for e in made.uses.values()]
        exempt = [n for n, u in zip(inputs, made.uses, strict=True) if u.spec.dtype is dtypes.bool_]
        op = Derived(f"fused_{name}", tuple(found[v] for v, _ in results), inputs, made.names, exempt=exempt)
        return Node(op, tuple(made.uses), (), tuple(made.numbers), tuple(r for _, r in results))

    def _needed(self, value, inside):
        return value in self.wanted or any(i not in inside for i in self.readers.get(value, ()))


def compute_dtype(node):
    """The dtype that a node computes in, if it may be fused: a float, in which all its operands and results are stored, or bool."""
    op = node.op
    if op.kind != "elementwise" or not node.results[0].use.spec.numel:
        return None
    operands = tuple(o.spec if isinstance(o, Use) else type(o) for o in node.operands)
    if not any(isinstance(o, Spec) for o in operands):
        return None
    compute = op.compute_dtype(operands)
    if compute not in _FLOATS:
        return None
    for name, o in zip(op.inputs, operands, strict=True):
        if isinstance(o, Spec) and o.dtype is not (dtypes.bool_ if name in op.exempt else compute):
            return None
    fits = all(r.use.spec.dtype is d for r, d in zip(node.results, op.result_dtypes(compute), strict=True))
    return compute if fits and op.result is None else None


def _met(use, made):
    """Whether a use of a group's result reads it element for element; a use of anything else is fine."""
    result = made.get(use.value)
    return result is None or use.is_at(result.use)


def _apart(members):
    """Whether each write lies where the other operands do not, or covers one of them exactly."""
    uses = [u for n in members for u in n.uses]
    written = [r.use for n in members for r in n.results]
    return (all(u.is_at(w) or not u.meets(w) for w in written for u in uses if u.block is w.block)
            and all(v.is_at(w) for v in written for w in written if v.block is w.block))


def _last_writes(made):
    """{value: Result} with the last write to each block; it keeps what the first one keeps."""
    last = {}
    for value, result in made.items():
        before = last.get(value.block)
        last[value.block] = value, result if before is None else replace(result, old=before[1].old)
    return dict(last.values())


def _calls(node):
    return sum(isinstance(e, expr.Call) for e in expr.topological(node.op.exprs))
