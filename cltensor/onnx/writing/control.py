"""Choices and loops: nodes with regions as If and Loop, whose subgraphs read the wires around them."""

from ...base import dtypes
from ...dispatch.spec import dense
from ...graph.ir import Use, Value
from . import layouts
from .builder import Unmapped


def written(lowering, node):
    """Write a node with regions, and note what it leaves in memory."""
    {"cond": _choice, "while_loop": _loop}[node.op.name](lowering, node)


def _choice(lowering, node):
    builder = lowering.builder
    decides = builder.reshape(lowering.read(node.places[node.attrs[0]]), ())
    branches = [_Region(lowering, node, region) for region in node.regions]
    for branch in branches:
        branch.run()
    wires, specs = [], []
    for result in node.results:
        made = [branch.last(result) for branch in branches]
        spec = next(found[1] for found in made if found is not None)
        spec = dense(spec.shape, spec.dtype, spec.device)
        specs.append(spec)
        wires.append([branch.as_laid(found, spec) for branch, found in zip(branches, made, strict=True)])
    for k, branch in enumerate(branches):
        branch.builder.returned = tuple([branch.builder("Identity", each[k]) for each in wires])
    outputs = builder("If", decides, outputs=[(s.shape, s.dtype) for s in specs], then_branch=branches[0].builder,
                      else_branch=branches[1].builder)
    for result, wire, spec in zip(node.results, outputs, specs, strict=True):
        lowering.held[result.use.value] = wire, spec


def _loop(lowering, node):
    builder, (condition, body) = lowering.builder, node.regions
    flag = node.places[node.attrs[0]]
    states = [r for r in node.results if r.use.block is not flag.block]
    first = _Region(lowering, node, condition, builder)
    first.run()
    start = [_laid(lowering, lowering.held_by(Use(r.old, r.use.spec))) for r in states]
    turn = _Region(lowering, node, body, builder.subgraph())
    inner = turn.builder
    given = [inner.wire(x.dtype, x.shape) for x, _ in start]
    for result, wire, (_, spec) in zip(states, given, start, strict=True):
        turn.give(result.use.block, wire, spec)
    turn.run()
    after = _Region(lowering, node, condition, inner)
    ends = []
    for result, wire, (_, spec) in zip(states, given, start, strict=True):
        found = turn.last(result)
        ends.append(wire if found is None else turn.as_laid(found, spec))
        after.give(result.use.block, ends[-1], spec)
    after.run()
    again = inner("Identity", inner.reshape(after.flag(flag), ()))
    inner.arguments = (inner.wire(dtypes.int64, ()), inner.wire(dtypes.bool_, ()), *given)
    inner.returned = (again, *(inner("Identity", x) for x in ends))
    outputs = builder("Loop", None, builder.reshape(first.flag(flag), ()), *(x for x, _ in start),
                      outputs=[(x.shape, x.dtype) for x, _ in start], body=inner)
    for result, wire, (_, spec) in zip(states, outputs, start, strict=True):
        lowering.held[result.use.value] = wire, spec


def _laid(lowering, held):
    """Memory as (a wire with its dimensions in the order of memory, its Spec)."""
    wire, spec = held
    wire, sizes = layouts.in_memory_order(lowering.builder, wire, spec)
    return wire, dense(sizes, spec.dtype, spec.device)


class _Region:
    """A region that is written by a Lowering of its own; without a builder into a subgraph."""

    def __init__(self, outer, node, region, builder=None):
        self.graph, places = region.graph, node.places
        self.builder = builder or outer.builder.subgraph()
        self.inside = outer.within(self.builder)
        self.blocks = {places[at].block: block for block, at in region.parameters.items()}  # outside -> inside
        for operand in node.operands:
            if operand.block in self.blocks:
                self.inside.aliases[Value(self.blocks[operand.block], 0)] = outer.aliases.get(operand.value, operand.value)

    def give(self, block, wire, spec):
        """Let a block from outside be a wire."""
        if block in self.blocks:
            self.inside.held[Value(self.blocks[block], 0)] = wire, spec
            self.inside.aliases.pop(Value(self.blocks[block], 0), None)

    def run(self):
        """Write its nodes."""
        self.inside.run(self.graph.nodes, self.graph.kept)

    def last(self, result):
        """What it leaves in the memory of a result: (wire, Spec); None where it leaves it as it was."""
        block = self.blocks.get(result.use.block)
        value = next((v for v in self.graph.kept if v.block is block), None)
        if value is not None:
            return self.inside.held_by(Use(value, result.use.spec))
        return None if result.old is None else self.inside.held_by(Use(result.old, result.use.spec))

    def flag(self, use):
        """The truth value that it writes where a Use shows it."""
        found, _ = _laid(self.inside, self.last_of(use.block))
        return found

    def last_of(self, block):
        """What it leaves in a block from outside."""
        inside = self.blocks[block]
        value = next(v for v in self.graph.kept if v.block is inside)
        return self.inside.held[value]

    def as_laid(self, found, spec):
        """A wire laid out as a dense Spec, from (wire, Spec); zeros for None, which nothing reads."""
        if found is None:
            return self.builder.expand(self.builder.constant(0, spec.dtype), spec.shape)
        wire, given = found
        if wire.dtype is not spec.dtype:
            raise Unmapped(f"its ways give {wire.dtype.name} and {spec.dtype.name}")
        return self.builder.reshape(_laid(self.inside, (wire, given))[0], spec.shape)
