"""The captured program: nodes in the order in which they ran, over versions of blocks of memory.

A **Block** is the memory of one storage.  A write to it, in whole or in part, makes a new version: a **Value** is a block at one
version, so each Value is defined once.  Views are no nodes: a **Use** says where in a value an operand lies, by a Spec and an
offset.  A **Node** is one call of an op, or control flow, which has programs inside: **Regions**.
"""

import itertools
from dataclasses import dataclass, field, replace
from enum import Enum, auto
from typing import NamedTuple

from ..base.forking import Lazy
from ..base.overlap import meet
from ..dispatch.spec import Spec
from ..dispatch.tensor_base import extent_of


class Origin(Enum):
    """Where the memory of a block comes from."""

    ARGUMENT = auto()  # of a tensor that the caller passes; in a region of a place of its node
    HELD = auto()  # of a tensor that lives outside: a parameter, a buffer, a constant
    GRADIENT = auto()  # of the .grad that a leaf has before the call
    CONSTANT = auto()  # of numbers that the program wrote down
    MADE = auto()  # made by the program


@dataclass(eq=False)
class Block:
    """The memory of one storage.

    source: the position of an argument, the Storage held, the leaf whose .grad it is or its position, or the bytes of a constant.
    """

    number: int
    device: object
    nbytes: int
    origin: Origin
    source: object = None

    def __repr__(self):
        return f"b{self.number}"


class Value(NamedTuple):
    """The contents of a block after its `version`-th write."""

    block: Block
    version: int

    def __repr__(self):
        return f"{self.block}.{self.version}"


def texts(values):
    """Operands, attributes and numbers as texts: numbers of one Action together, Specs left out."""
    found = []
    for kind, run in itertools.groupby(values, lambda x: x.action if isinstance(x, Scalar) else type(x)):
        run = list(run)
        if kind is Use:
            found += [f"{u.value}{'' if u.covers() else list(u.spec.shape)}{f' @{u.offset}' if u.offset else ''}" for u in run]
        elif isinstance(kind, Action):
            found.append(f"{kind!r}[{', '.join(str(s.place) for s in run)}]")
        else:
            found += [repr(x) for x in run if not (isinstance(x, tuple) and x and isinstance(x[0], Spec))]
    return found


def typed(spec):
    """A Spec's dtype and shape: "float32[2, 3]"."""
    return f"{spec.dtype.name}{list(spec.shape)}"


@dataclass(frozen=True)
class Use:
    """An operand: the elements of a value that a Spec shows from an offset, in elements."""

    value: Value
    spec: object
    offset: int = 0

    @property
    def block(self):
        """The memory it lies in."""
        return self.value.block

    def covers(self):
        """Whether it shows every byte of the block, each once."""
        return not self.offset and self.spec.nbytes == self.block.nbytes == extent_of(self.spec) * self.spec.dtype.itemsize

    def is_at(self, other):
        """Whether it shows the same elements of the same block as another Use, at whatever version."""
        return self.block is other.block and self.spec is other.spec and self.offset == other.offset

    def meets(self, other):
        """Whether it shares a byte with another Use."""
        if self.block is not other.block:
            return False
        s, r = self.spec, other.spec
        size, step = s.dtype.itemsize, r.dtype.itemsize
        return meet(other.offset * step - self.offset * size, s.shape, s.strides, size, r.shape, r.strides, step)


@dataclass(frozen=True)
class Result:
    """What a node writes: a Use of the new value, and the old value, parts of which stay; None if nothing stays."""

    use: Use
    old: Value | None = None


serials = itertools.count()


@dataclass(eq=False)
class Action:
    """A function that Python calls at each replay, before the launches that come after it; it returns a tuple of numbers."""

    compute: object
    serial: int = field(default_factory=serials.__next__)

    def __repr__(self):
        return getattr(self.compute, "__name__", "action")


@dataclass(frozen=True)
class Scalar:
    """A number that is computed anew at each replay: one of those that an Action returns."""

    action: Action
    place: int

    def __repr__(self):
        return f"{self.action}[{self.place}]"


@dataclass(frozen=True)
class Control:
    """What a node with regions does, in place of an op.

    reports_faults: whether it must run even if nothing reads its results: a region may leave notes, or has Actions.
    """

    name: str
    reports_faults: bool
    kind, strided, finishing = "control", False, None


@dataclass(frozen=True)
class Region:
    """A program inside a node.  It touches no memory but its own and that of the node's places: its ARGUMENT blocks.

    actions: those that run each time it does; parameters: {Block: position among the node's operands, then its results}.
    """

    graph: "Graph"
    actions: tuple
    parameters: dict


@dataclass(frozen=True)
class Node:
    """One call of an op, or control flow.

    operands  per input: a Use, a number, a Scalar, or None for an input left out
    attrs     hashable attributes, on which the launch depends
    numbers   numbers and Scalars passed to the kernels
    results   what is written, in order
    regions   of control flow: the programs of which it runs some
    """

    op: object
    operands: tuple
    attrs: tuple
    numbers: tuple
    results: tuple
    serial: int = field(default_factory=serials.__next__, compare=False)
    regions: tuple = ()

    @property
    def places(self):
        """Where the operands and results of control flow lie: those that are in memory."""
        return (*self.operands, *(r.use for r in self.results))

    @Lazy
    def uses(self):
        """The operands that are in memory."""
        return tuple(o for o in self.operands if isinstance(o, Use))

    def reads(self):
        """The values it needs, the old ones of results written in part included."""
        return self._reads

    def writes(self):
        """The values it defines."""
        return self._writes

    @Lazy
    def read(self):
        """The blocks that it reads."""
        return frozenset([v.block for v in self._reads])

    @Lazy
    def written(self):
        """The blocks that it writes to."""
        return frozenset([v.block for v in self._writes])

    @Lazy
    def touched(self):
        """The blocks that it reads or writes to."""
        return self.read | self.written

    @Lazy
    def _reads(self):
        own = self._writes  # it may write several parts of one block
        return (*(u.value for u in self.uses), *(r.old for r in self.results if r.old is not None and r.old not in own))

    @Lazy
    def _writes(self):
        return tuple([r.use.value for r in self.results])

    def __repr__(self):
        shown = ", ".join(texts((*self.operands, *self.attrs, *self.numbers)))
        results = ", ".join(f"{r.use.value}: {typed(r.use.spec)}" for r in self.results)
        return f"{results} = {self.op.name}({shown})"

    def lines(self):
        """The node as lines of text, regions indented."""
        found = [repr(self)]
        for region in self.regions:
            given = ", ".join(f"{b} = {self.places[at].block}" for b, at in region.parameters.items())
            found += [f"  ({given}):", *(f"    {line}" for line in region.graph.lines())]
        return found


@dataclass(frozen=True)
class Graph:
    """Nodes in order, and what outlives the call.

    outputs: Uses that are returned; grads: those that become a .grad; kept: last values of blocks from outside; once: nodes that
    run before the first call only.
    """

    nodes: tuple
    outputs: tuple
    grads: tuple
    kept: tuple
    once: tuple = ()

    def with_nodes(self, nodes):
        """The graph with other nodes."""
        return replace(self, nodes=tuple(nodes))

    def wanted(self):
        """The values that must be right at the end."""
        return {*(u.value for u in (*self.outputs, *self.grads)), *self.kept}

    def blocks(self):
        """All blocks, in the order of their first mention."""
        seen = dict.fromkeys(v.block for n in (*self.once, *self.nodes) for v in (*n.reads(), *n.writes()))
        seen.update(dict.fromkeys(v.block for v in self.wanted()))
        return list(seen)

    def widest(self):
        """{Block: bytes of the widest element that a Use shows of it}."""
        found = {}
        for use in (u for n in self.nodes for u in (*n.uses, *(r.use for r in n.results))):
            found[use.block] = max(found.get(use.block, 0), use.spec.dtype.itemsize)
        for node, region in ((n, r) for n in self.nodes for r in n.regions):
            for block, size in region.graph.widest().items():
                if block in region.parameters:
                    outer = node.places[region.parameters[block]].block
                    found[outer] = max(found.get(outer, 0), size)
        return found

    def __str__(self):
        last = f"return {', '.join(repr(u.value) for u in self.outputs)}"
        return "\n".join([*self.lines(), last])

    def lines(self):
        """The nodes as lines of text."""
        return [*(f"once: {n!r}" for n in self.once), *(line for n in self.nodes for line in n.lines())]
