"""Retargeting: a captured graph as it would be on another device."""

from dataclasses import replace

from ..dispatch.spec import Spec, spec
from ..graph.ir import Block, Graph, Node, Region, Result, Use, Value


class Retargeting:
    """Makes the parts of a graph anew, with a device in place of theirs.  blocks: {Block: its counterpart}."""

    def __init__(self, device):
        self.device, self.blocks = device, {}

    def graph(self, graph):
        """A Graph."""
        return Graph(*(tuple(map(self.part, getattr(graph, name))) for name in ("nodes", "outputs", "grads", "kept", "once")))

    def part(self, x):
        """A part of a graph; numbers, ops and other values stay what they are."""
        if type(x) is tuple:
            return tuple(map(self.part, x))
        change = _CHANGES.get(type(x))
        return x if change is None else change(self, x)

    def spec(self, s):
        """A Spec."""
        return spec(tuple(s.shape), tuple(s.strides), s.dtype, self.device)

    def block(self, b):
        """A Block; one each."""
        if b not in self.blocks:
            self.blocks[b] = Block(b.number, self.device, b.nbytes, b.origin, b.source)
        return self.blocks[b]

    def value(self, v):
        """A Value."""
        return Value(self.block(v.block), v.version)

    def use(self, u):
        """A Use."""
        return Use(self.value(u.value), self.spec(u.spec), u.offset)

    def result(self, r):
        """A Result."""
        return Result(self.use(r.use), None if r.old is None else self.value(r.old))

    def node(self, n):
        """A Node."""
        return replace(n, **{name: self.part(getattr(n, name)) for name in ("operands", "attrs", "results", "regions")})

    def region(self, r):
        """A Region."""
        return Region(self.graph(r.graph), r.actions, {self.block(b): at for b, at in r.parameters.items()})


_CHANGES = {Spec: Retargeting.spec, Block: Retargeting.block, Value: Retargeting.value, Use: Retargeting.use,
            Result: Retargeting.result, Node: Retargeting.node, Region: Retargeting.region}
