"""Plans: an op's launches for one set of layouts, computed once and replayed.

A plan is a list of kernel launches over numbered buffers.  It lists a kernel's arguments in order:

    In(i)        input i:  a `__global` pointer followed by a `long` offset in elements
    Out(i)       output i: the same two parameters
    Value(i, t)  the i-th scalar value of the call, converted to NumPy type t (one parameter)
    Ticket()     the number of the launch, for the note its kernel may leave (see faults.py; one parameter)
    Scratch(n)   a temporary buffer of n bytes, one object per buffer (a pointer, no offset)
    np.int64(n)  a number fixed by the plan (one parameter)

Everything but buffers, offsets, values and tickets is set on the kernel object when the plan is made.
"""

import struct
from dataclasses import dataclass

import numpy as np

from ..runtime.channel import ARENA
from ..runtime.launch import Launch, number_setter

_LONG = struct.Struct("=q").pack


@dataclass(frozen=True)
class In:
    """Input tensor i of the op, from `shift` elements after its first."""

    index: int
    shift: int = 0


@dataclass(frozen=True)
class Out:
    """Output tensor i of the op, from `shift` elements after its first."""

    index: int
    shift: int = 0


@dataclass(frozen=True)
class Value:
    """Scalar value i of the call, passed as this NumPy type."""

    index: int
    type: type


@dataclass(frozen=True)
class Ticket:
    """The number of the launch; 0 (leave no note) if the caller gives none."""


class Scratch:
    """A temporary device buffer of nbytes; use the same object in every step that shares it."""

    __slots__ = ("nbytes",)

    def __init__(self, nbytes):
        self.nbytes = max(int(nbytes), 1)


class Step(Launch):
    """One kernel launch: source, kernel name, arguments, global and local size.

    elements: how many there are, where any number of work-groups may share them; else 0.
    """

    __slots__ = ("arena", "args", "elements", "held", "name", "number", "offsets", "reusable", "set_bytes", "shifts", "source",
                 "tensors", "ticket", "values")

    def __init__(self, source, name, args, global_size, local_size, elements=0):
        self.source, self.name, self.args, self.elements = source, name, tuple(args), elements
        self.global_size, self.local_size = tuple(map(int, global_size)), tuple(map(int, local_size))

    def prepare(self, device, number):
        """Make the kernel object and preset its fixed arguments; `number` maps In, Out and Scratch to buffer slots."""
        self.kernel = kernel = device.kernel(self.source, self.name)
        self.number, self.set_bytes = number, number_setter(kernel)
        self.tensors, self.values, self.shifts, self.ticket = [], [], {}, None
        at = 0
        for arg in self.args:
            if isinstance(arg, (In, Out)):
                self.set_bytes(at + 1, np.int64(arg.shift))
                self.tensors.append((at, number[type(arg)(arg.index)]))
                self.shifts[at] = arg.shift
                at += 2
            elif isinstance(arg, Scratch):
                self.tensors.append((at, number[arg]))
                at += 1
            elif isinstance(arg, Value):
                self.values.append((at, arg.index, arg.type))
                at += 1
            elif isinstance(arg, Ticket):
                self.set_bytes(at, np.int64(0))
                self.ticket = at
                at += 1
            else:
                (self.set_bytes if isinstance(arg, np.generic) else kernel.set_arg)(at, arg)
                at += 1
        self.offsets = dict(self.shifts)  # the offsets set on the kernel object now, by argument position
        self.reusable = True  # False while arguments are being set, or if other offsets are set
        self.held = [None] * len(self.values)  # the numbers set on it
        self.arena = None  # the channel's arena, if that is set on it

    def bind(self, buffers, offsets, values, ticket=0):
        """Set buffers (with their offsets in elements), scalar values and the ticket.  The device lock must be held."""
        set_arg, moved = self.kernel.set_arg, not self.reusable
        self.reusable = False
        for at, slot in self.tensors:
            set_arg(at, buffers[slot])
        for i, (at, index, convert) in enumerate(self.values):
            value = values[index]
            if value is not self.held[i]:  # compare identity: 0.0 == -0.0
                set_arg(at, convert(value))
                self.held[i] = value
        if ticket and self.ticket is not None:
            self.set_bytes(self.ticket, _LONG(ticket))
        if offsets or moved:
            self._move(offsets)

    def _move(self, offsets):
        for at, slot in self.tensors:
            if at in self.shifts:
                wanted = offsets.get(slot, 0) + self.shifts[at]
                if wanted != self.offsets[at]:
                    self.kernel.set_arg(at + 1, np.int64(wanted))
                    self.offsets[at] = wanted

    def of(self, args):
        """The same step with other arguments."""
        return Step(self.source, self.name, args, self.global_size, self.local_size, self.elements)

    def spare(self, device):
        """The same step with its own kernel object."""
        step = self.of(self.args)
        step.prepare(device, self.number)
        step.inline = False
        return step


class Plan:
    """An op's work for one set of layouts: the Specs of its outputs and the prepared steps.

    inputs: their Specs, None for one left out.  fast_call: see fast_path.py; None if the plan needs the general path.
    """

    __slots__ = ("device", "fast_call", "fits", "outputs", "scratch", "steps")

    def __init__(self, device, inputs, outputs, steps):
        self.device, self.outputs, self.steps, self.fast_call = device, outputs, tuple(steps), None
        n_inputs = len(inputs)
        number = {In(i): i for i in range(n_inputs)}
        number.update({Out(i): n_inputs + i for i in range(len(outputs))})
        self.scratch = []
        for step in self.steps:
            for arg in step.args:
                if isinstance(arg, Scratch) and arg not in number:
                    number[arg] = n_inputs + len(outputs) + len(self.scratch)
                    self.scratch.append(arg.nbytes)
        self.fits = len(self.scratch) == 1 and self.scratch[0] <= ARENA  # whether the channel's arena is enough
        nbytes = sum(s.nbytes for s in (*inputs, *outputs) if s is not None)
        for step in self.steps:
            step.prepare(device, number)
            step.estimate(nbytes // len(self.steps))
        if device.silent:
            self.steps, self.scratch = (), []

    def run(self, buffers, offsets, values=(), ticket=0):
        """Enqueue all steps.  buffers: inputs then outputs; offsets: {slot: elements}, only where not 0; ticket: see faults.py."""
        device, arena, lock = self.device, None, self.device.lock
        if lock._is_owned():  # see device.lock
            self._run_between(buffers, offsets, values, ticket)
            return
        if self.scratch:
            arena = (device.channel.arena if device.streaming else device.arena) if self.fits else None
            buffers = [*buffers, *map(device.allocate, self.scratch)] if arena is None else [*buffers, arena]
        with lock:
            for step in self.steps:
                step.bind(buffers, offsets, values, ticket)
                step.arena = arena
                device.submit(step)
                step.reusable = not offsets

    def _run_between(self, buffers, offsets, values, ticket):
        """run, inside a handler that interrupted this thread while it set kernel arguments: use new kernel objects, no arena."""
        buffers = [*buffers, *map(self.device.allocate, self.scratch)]
        for step in self.steps:
            step = step.spare(self.device)
            step.bind(buffers, offsets, values, ticket)
            self.device.submit(step)
