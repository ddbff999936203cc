"""Items: the steps of a plan over Places and Blocks, before buffers have numbers."""

import re
from dataclasses import dataclass, field

import numpy as np

from ..codegen.megakernel import constant_parameters
from ..dispatch.plan import In, Out, Scratch, Ticket, Value
from ..dispatch.tensor_base import extent_of
from ..graph.call import Number
from ..graph.control import ControlLaunch, Loop
from ..graph.ir import Block, Scalar

_TYPES = {np.dtype(t): name for t, name in ((np.int32, "i32"), (np.uint32, "u32"), (np.int64, "i64"), (np.uint64, "u64"),
                                            (np.float16, "f16"), (np.float32, "f32"), (np.float64, "f64"))}


class Ref:
    """A Place, a buffer of a tensor or a Block among the parts of an argument."""

    def __init__(self, place):
        self.place = place


@dataclass
class Launched:
    """A launch.  arguments: as in the file, with Refs for numbers of buffers; reads, writes: places."""

    source: str
    kernel: str
    grid: tuple
    local: tuple
    arguments: list
    reads: list
    writes: list
    op: str
    notes: str | None = None

    def changes(self):
        """Whether it may do something else from call to call, beside what it reads."""
        return self.notes is not None or any(isinstance(part, str) for a in self.arguments for part in a[1:])


@dataclass
class Assigned:
    """Assignments in the host, and checks: entries of the file's steps."""

    steps: list


@dataclass
class Chosen:
    """cond or while_loop: a byte of a place decides between two lists of items, or goes on with them."""

    loops: bool
    place: object
    byte: int
    parts: tuple
    outer: list = field(default_factory=list)


class Itemizing:
    """Makes items of a Replay.  number_of: gives the expression of a Scalar; actions: gives the steps of Actions."""

    def __init__(self, number_of, steps_of):
        self.number_of, self.steps_of = number_of, steps_of

    def once(self, replay):
        """The items of what a Replay runs before its first call."""
        return [self._launch(launch, {}) for launch in replay.prepared]

    def items(self, replay, known=None):
        """(items of each call, items to run once) of a Replay.  known: {Block of a region: place}."""
        known = known or {}
        found, once = self._set(replay.actions), self.once(replay)
        for launch in replay.every:
            if isinstance(launch, ControlLaunch):
                item, more = self._control(launch, known)
                once += more
                found += [item, *self._set(replay.later[launch])]
            else:
                found.append(self._launch(launch, known))
        return found, once

    def _set(self, actions):
        steps = [step for action in actions for step in self.steps_of(action)]
        return [Assigned(steps)] if steps else []

    def _control(self, control, known):
        parts, once = [], []
        for region in control.regions:
            inner = {b: known.get(o, o) for b, o in region.anew}
            items, more = self.items(region.replay, inner)
            parts.append(items)
            once += more
        use, fixed = control.decides, control.regions[0].outer
        place = fixed[use.block] if use.block in fixed else known.get(use.block, use.block)
        return Chosen(isinstance(control, Loop), place, use.offset, tuple(parts)), once

    def _launch(self, launch, known):
        if hasattr(launch, "step") and hasattr(launch, "roles"):
            return self._group(launch, known)
        step, places, scratch, values, _, fixed = launch.call.args
        arguments, reads, writes, notes, op = [], [], [], None, launch.nodes[0].op

        def where(block):
            return fixed[block] if block in fixed else known.get(block, block)

        at = 0
        for arg in step.args:
            if isinstance(arg, (In, Out)):
                use = places[step.number[type(arg)(arg.index)]]
                arguments.append(["tensor", Ref(where(use.block)), use.offset + arg.shift, use.spec.itemsize,
                                  max(extent_of(use.spec) - arg.shift, 0)])
                (writes if isinstance(arg, Out) else reads).append(where(use.block))
                at += 2
                continue
            if isinstance(arg, Scratch):
                place = scratch[step.number[arg] - len(places)]
                arguments.append(["buffer", Ref(place)])
                only_read = at in constant_parameters(getattr(step.source, "text", step.source), step.name)
                (reads if only_read else writes).append(place)
                if not only_read:
                    reads.append(place)
            elif isinstance(arg, Value):
                arguments.append(self._number(values[arg.index], arg.type))
            elif isinstance(arg, Ticket):
                arguments.append(["ticket"])
                notes = _complaint(op)
            elif isinstance(arg, np.generic):
                arguments.append(self._number(arg, type(arg)))
            else:
                arguments.append(["buffer", Ref(arg)])
                reads.append(arg)
                if at not in constant_parameters(getattr(step.source, "text", step.source), step.name):
                    writes.append(arg)
            at += 1
        return Launched(getattr(step.source, "text", step.source), step.name, step.global_size, step.local_size, arguments, reads,
                        writes, op.name, notes)

    def _group(self, launch, known):
        call, step = launch.call(), launch.step
        arguments = []
        for a in call.arguments:
            if isinstance(a, Number):
                arguments.append(self._number(a.scalar, a.type))
            elif isinstance(a, np.generic):
                arguments.append(self._number(a, type(a)))
            else:
                arguments.append(["buffer", Ref(known.get(a, a) if isinstance(a, Block) else a)])
        reads, writes = ([known.get(p, p) if isinstance(p, Block) else p for p in places] for places in (call.reads, call.writes))
        return Launched(call.text, call.name, step.global_size, step.local_size, arguments, reads, writes, launch.nodes[0].op.name)

    def _number(self, value, kind):
        if isinstance(value, Scalar):
            return [_TYPES[np.dtype(type(kind(1)))], self.number_of(value)]
        value = kind(value)
        name = _TYPES[value.dtype]
        return [name, plain(value, name)]


def plain(number, kind):
    """A number of NumPy's as the file has it: integers of 64 bits with a sign, floats that are no numbers as text."""
    if kind[0] == "f":
        value = float(number)
        return value if np.isfinite(value) else {"inf": "inf", "-inf": "-inf"}.get(str(value), "nan")
    return int(np.int64(np.uint64(number).view(np.int64))) if kind == "u64" else int(number)


def _complaint(op):
    """What a note of a launch of op means, as a text with {value} and {size}."""
    told = op.reports_faults
    if told is True:
        return "index {value} is out of bounds for dimension with size {size}"
    return re.sub(r"\{value[^}]*\}", "{float}", told if isinstance(told, str) else told[1])
