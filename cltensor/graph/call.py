"""Call: a launch of a replay as data: its kernel, its arguments, and the memory that it reads and writes."""

import math
from dataclasses import dataclass, field

import numpy as np

from ..codegen.megakernel import constant_parameters
from ..dispatch import faults
from ..dispatch.plan import In, Out, Scratch, Ticket, Value
from .ir import Scalar


@dataclass(frozen=True)
class Number:
    """An argument that is a number of an Action, converted to a NumPy type."""

    scalar: Scalar
    type: object

    def now(self, numbers, device):
        """The argument of one replay."""
        return self.type(numbers[self.scalar.action][self.scalar.place])


class Tickets:
    """The tickets of the launches of a replay that may leave a note, see dispatch/faults.py: new ones at each run."""

    def __init__(self):
        self.ops = []

    def for_launch(self, op):
        """The LaunchNumber of one more launch, of op."""
        self.ops.append(op)
        return LaunchNumber(self, len(self.ops) - 1)

    def announce(self, numbers, device):
        """Put the first ticket of a run into `numbers`."""
        if self.ops:
            numbers[self] = faults.announced(self.ops, device)


@dataclass(frozen=True)
class LaunchNumber:
    """An argument that is a ticket."""

    tickets: Tickets
    place: int
    type = np.int64

    def now(self, numbers, device):
        """See Number."""
        return numbers[self.tickets] + self.place


@dataclass
class Call:
    """A launch: arguments are buffers, Blocks (their buffers differ at each replay), NumPy numbers, Numbers and LaunchNumbers.

    reads, writes: buffers and Blocks.  elements: how many elements there are, if the grid may be any; else 0.
    """

    source: object
    name: str
    grid: tuple
    arguments: list = field(default_factory=list)
    reads: list = field(default_factory=list)
    writes: list = field(default_factory=list)
    elements: int = 0

    def finer(self, groups, grain):
        """The grid; where it may be any, with up to `groups` work-groups of at least `grain` elements."""
        more = min(groups, self.elements // grain) // math.prod(self.grid)
        if more < 2:
            return self.grid
        across, along = self.grid
        return (across * more, along) if "get_group_id(0)" in self.text else (across, along * more)

    @property
    def text(self):
        """The text of its kernel's program."""
        return getattr(self.source, "text", self.source)


def call_of(step, places, scratch, values, ticket, fixed):
    """The Call of a Step whose tensors are the Uses `places`, then the buffers `scratch`.  See replay._Launch."""
    made = Call(step.source, step.name, step.global_size, elements=step.elements)
    for arg in step.args:
        if isinstance(arg, (In, Out)):
            use = places[step.number[type(arg)(arg.index)]]
            place = fixed.get(use.block, use.block)
            made.arguments += [place, np.int64(use.offset + arg.shift)]
            (made.writes if isinstance(arg, Out) else made.reads).append(place)
        elif isinstance(arg, Scratch):
            place = scratch[step.number[arg] - len(places)]
            only_read = len(made.arguments) in constant_parameters(made.text, step.name)
            made.arguments.append(place)
            (made.reads if only_read else made.writes).append(place)
        elif isinstance(arg, Value):
            value = values[arg.index]
            made.arguments.append(Number(value, arg.type) if isinstance(value, Scalar) else arg.type(value))
        elif isinstance(arg, Ticket):
            made.arguments.append(ticket)
        else:
            made.arguments.append(arg)
    return made
