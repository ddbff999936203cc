"""Work: the launches of nodes, the memory that they touch and the arithmetic that they do."""

from dataclasses import dataclass
from functools import cached_property

from ..dispatch.tensor_base import touched
from ..ops.kinds.updating import Updating
from ..runtime.absent import absent_kernels
from .grouping import group_source, grouped
from .ir import Use
from .replay import planned


@dataclass(frozen=True)
class Kernel:
    """Nodes that are launched together: one, or updates that share a launch.

    parts: the nodes as captured that it does the work of.  Control flow counts all its regions, each once.
    """

    nodes: tuple
    parts: tuple = ()

    @property
    def name(self):
        """The op's name, and how many of its calls share the launch."""
        count = f" x{len(self.nodes)}" if len(self.nodes) > 1 else ""
        return f"{self.nodes[0].op.name}{count}"

    @property
    def fused(self):
        """The names of the ops as captured, where it does the work of several."""
        return tuple(n.op.name for n in self.parts) if len(self.parts) > len(self.nodes) else ()

    @cached_property
    def inner(self):
        """The Kernels of the regions of control flow."""
        return tuple(k for region in regions(self.nodes[0]) for k in kernels(region.graph))

    @cached_property
    def sources(self):
        """{text of a kernel: how often it is launched}."""
        first, found = self.nodes[0], {}
        if regions(first):
            for text, count in ((t, n) for k in self.inner for t, n in k.sources.items()):
                found[text] = found.get(text, 0) + count
            return found
        if len(self.nodes) > 1:
            return {group_source(self.nodes).text: 1}
        with absent_kernels():
            steps = planned(first)[0].steps
        for step in steps:
            text = getattr(step.source, "text", step.source)
            found[text] = found.get(text, 0) + 1
        return found

    @property
    def launches(self):
        """The number of launches."""
        return sum(self.sources.values())

    @property
    def nbytes(self):
        """The bytes that it touches."""
        return sum(k.nbytes for k in self.inner) if regions(self.nodes[0]) else sum(map(bytes_moved, self.nodes))

    @property
    def flops(self):
        """Its floating-point operations; None if an op does not say."""
        found = [k.flops for k in self.inner] if regions(self.nodes[0]) else [flops(n) for n in self.nodes]
        return None if None in found else sum(found)


def regions(node):
    """The programs inside a node of control flow; () of any other."""
    return getattr(node, "regions", ())


def kernels(graph, parts_of=lambda node: (node,), copies=True):
    """The Kernels of a graph in order.  parts_of: a node -> the nodes as captured that it does the work of; copies: see grouped."""
    return tuple(Kernel(tuple(nodes), tuple(p for n in nodes for p in parts_of(n))) for nodes in grouped(graph.nodes, copies))


def bytes_moved(node):
    """The distinct bytes of a node's operands, and those of its results: what a broadcast repeats counts once.

    Of an operand that is changed in part those that are written count: as many as its last operand has.
    """
    if isinstance(node.op, Updating):
        return sum(map(_touched, dict.fromkeys(node.uses[1:]))) + _touched(node.uses[-1])
    return sum(sum(map(_touched, dict.fromkeys(uses))) for uses in (node.uses, [r.use for r in node.results]))


def flops(node):
    """A node's floating-point operations; None if its op does not say."""
    specs = [o.spec if isinstance(o, Use) else None for o in node.operands]
    return node.op.flops(specs, [r.use.spec for r in node.results], node.attrs)


def _touched(use):
    return touched(use.spec)
