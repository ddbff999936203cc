"""Replay: a Graph as launches on kernel objects of their own, whose arguments stay set but for those that differ at each run."""

import contextlib
import functools
import itertools
import math
import struct
import threading

import numpy as np

from ..base import config
from ..base.context import context
from ..base.errors import DeviceError
from ..dispatch import faults
from ..dispatch.plans import kept
from ..ops.kinds.finished import Finished
from ..ops.optim.multi_tensor import MultiTensor
from ..runtime.absent import AbsentKernel
from ..runtime.launch import Trial
from .call import Call, Number, Tickets, call_of
from .control import ControlLaunch, control_launch
from .grouping import COPY, grouped, kinds_of, roles_of, shifted, update_of
from .ir import Origin, Scalar, Use
from .memory import assign_buffers, inner_blocks
from .single_launch import SingleLaunches
from .steady import lasting, steady_blocks, steady_of

_LONG = struct.Struct("=q").pack


class PlanMismatch(AssertionError):
    """An op plans other results than those noted for it."""


class Replay:
    """The launches of a graph.

    actions: the Actions to run before the launches; later: those that follow each launch of control flow.  fixed: {Block: buffer}
    of all memory that stays the same; given: what is known of memory from outside; spare: buffers to use, with their sizes.
    plans: what `planned` says of some nodes, by their ids.  members: storages that change seldom, see steady.py.  shares: whether
    blocks that are not needed at the same time share a buffer.
    """

    def __init__(self, graph, actions, device, given=(), spare=(), plans=(), members=(), shares=True):
        groups = list(grouped(graph.nodes))
        graph = graph.with_nodes(n for nodes in groups for n in nodes)  # the order of the launches, in which memory is free again
        self.graph, self.device = graph, device
        apart = steady_blocks(graph, members) if shares else inner_blocks(graph)
        slots, sizes = assign_buffers(graph, groups, apart)
        buffers, self.nbytes = _allocated(sizes, spare, device)
        self.own = list(zip(buffers, sizes, strict=True))
        self.fixed = {**dict(given), **{block: buffers[slot] for block, slot in slots.items()}}
        self.lasting = lasting_of(graph, members)
        self.held, self.scratch, self.plans, self.tickets = held_by(graph, device), [], dict(plans), Tickets()
        for block in graph.blocks():
            if block.origin is Origin.HELD:
                self.fixed[block] = block.source.buffer
            elif block.origin is Origin.CONSTANT:
                self.fixed[block] = device.allocate(block.nbytes)
                device.write(self.fixed[block], 0, block.source)
        for block in {v.block for node in graph.once for v in node.writes()}:
            self.fixed[block] = device.allocate(block.nbytes)
        for block in apart:
            self.fixed[block] = device.allocate(block.nbytes)
            self.nbytes += block.nbytes
        written = {v.block: v.version for node in graph.nodes for v in node.writes()}
        self.writes = [(block, count) for block, count in written.items() if block.origin is not Origin.MADE]
        self._run_once(graph.once)
        self.every = self.launches = [launch for nodes in groups for launch in self._launches(nodes)]
        self.outside = [*(buffer for _, buffer in self.held), *dict(given).values()]
        self.apart = {id(buffer) for buffer in self.outside}
        self.steady, self.single, self.plans = self._steady(written, members, apart), SingleLaunches(self), {}
        controls = [launch for launch in self.launches if isinstance(launch, ControlLaunch)]
        self.nbytes += sum(launch.nbytes for launch in controls)
        self.alone = threading.RLock() if controls else contextlib.nullcontext()
        serials = [-1, *(launch.serial for launch in controls), math.inf]
        self.actions, *later = [tuple(a for a in actions if low < a.serial < high) for low, high in itertools.pairwise(serials)]
        self.later = dict(zip(controls, later, strict=True))

    def __len__(self):
        return len(self.every)

    def _steady(self, written, members, apart):
        lasting = [self.fixed[b] for b in self.graph.blocks() if b.origin is Origin.CONSTANT]
        lasting += [self.fixed[v.block] for node in self.graph.once for v in node.writes()]
        changed = {block.source for block in written if block.origin is Origin.HELD}
        held = {id(buffer): storage for storage, buffer in self.held if storage in members and storage not in changed}
        return steady_of(self.every, lasting, held, [*self.scratch, *(self.fixed[block] for block in apart)])

    def _run_once(self, nodes):
        self.prepared = [launch for node in nodes for launch in self._launches([node])]  # kept: their kernels hold no buffer
        with self.device.lock:
            self.tickets.announce(numbers := {}, self.device)
            for launch in self.prepared:
                launch.enqueue({}, {}, numbers, self.device)

    def _launches(self, nodes):
        node = nodes[0]
        if node.regions:
            yield control_launch(node, self.fixed, self.device, Replay)
            return
        if len(nodes) > 1:
            yield _GroupLaunch(nodes, self.fixed, self.device)
            return
        plan, own, values = self.plans.get(id(node)) or planned(node, self.lasting(node))
        places = [o for o in node.operands if isinstance(o, Use) or (o is None and node.op.kind != "elementwise")]
        places += [r.use for r in node.results]
        scratch = [self.device.allocate(n) for n in plan.scratch]
        self.scratch += scratch  # a kernel does not keep its arguments alive
        for step in plan.steps:
            ticket = None if step.ticket is None else self.tickets.for_launch(node.op)
            yield _Launch(step if own else _spare(step, self.device), places, scratch, values, node, ticket, self.fixed)

    def run(self, storages, moved, numbers=()):
        """Enqueue all launches.  Returns the numbers of all Actions, {Action: tuple}.

        storages: {Block: Storage} of what differs; moved: {Block: bytes its tensor has moved by}; numbers: of Actions of another
        program.
        """
        numbers = dict(numbers)
        with self.alone:
            self.enqueue({block: storage.buffer for block, storage in storages.items()}, moved, numbers)
        for block, count in self.writes:
            storages.get(block, block.source).version += count
        if config.sync():
            faults.check(self.device)
        return numbers

    def enqueue(self, buffers, moved, numbers):
        """Enqueue all launches, with the buffers of what differs.  Adds the numbers of all Actions to `numbers`."""
        enqueue = self._enqueue
        if context.profile is not None:
            enqueue = context.profile.around(enqueue, "replay", "replay", replay=self)
        enqueue(buffers, moved, numbers)

    def _enqueue(self, buffers, moved, numbers):
        for action in self.actions:
            numbers[action] = action.compute()
        self.tickets.announce(numbers, self.device)
        self.single.settle()
        with self.device.lock:
            pending = iter(self._chosen(buffers))
        while (control := self._stretch(pending, buffers, moved, numbers)) is not None:
            control.enqueue(buffers, moved, numbers, self.device)
            numbers.update((action, action.compute()) for action in self.later[control])

    def _chosen(self, buffers):
        """The launches to enqueue for these buffers of Blocks.  The device lock must be held."""
        found = {id(b) for b in buffers.values()}
        if len(found) < len(buffers) or not found.isdisjoint(self.apart):
            if self.steady is not None:
                self.steady.forget()
            return self.every
        if self.steady is not None:
            self._refresh(self.steady)
        return self.single.instead() or self.launches

    def _refresh(self, steady):
        before = steady.kept
        steady.refresh(self.device)
        if steady.kept is not before:
            self.launches = steady.rest if steady.kept else self.every
            self.single = SingleLaunches(self)

    def _stretch(self, pending, buffers, moved, numbers):
        """Enqueue launches up to a ControlLaunch, and return that: it waits for the device, and must not hold the lock."""
        with self.device.lock:
            for launch in pending:
                if isinstance(launch, ControlLaunch):
                    return launch
                launch.enqueue(buffers, moved, numbers, self.device)
        return None


def _allocated(sizes, spare, device):
    """(a buffer for each size, of those in `spare` where they are large enough; the bytes of the new ones)."""
    spare = sorted(spare, key=lambda pair: pair[1])
    found, new = [], 0
    for n in sizes:
        fit = next((pair for pair in spare if pair[1] >= n), None)
        if fit is None:
            new += n
            found.append(device.allocate(n))
        else:
            spare.remove(fit)
            found.append(fit[0])
    return found, new


def _spare(step, device):
    """The Step with a kernel object of its own, light if the other one is."""
    made = step.spare(device)
    made.inline = Trial() if isinstance(step.inline, Trial) else step.inline
    return made


class _Launch:
    """A Step, and what to set on it at each run: buffers by block, offsets, numbers, and its ticket, a LaunchNumber or None."""

    __slots__ = ("anew", "call", "nodes", "numbers", "step", "ticket")

    def __init__(self, step, places, scratch, values, node, ticket, fixed):
        self.step, self.nodes, self.anew, self.numbers, self.ticket = step, (node,), [], [], ticket
        self.call = functools.partial(call_of, step, places, scratch, values, ticket, fixed)
        kernel = step.kernel
        for at, slot in step.tensors:
            if slot >= len(places):
                kernel.set_arg(at, scratch[slot - len(places)])
                continue
            use = places[slot]
            if at in step.shifts:
                offset = use.offset + step.shifts[at]
                if use.offset:
                    step.set_bytes(at + 1, np.int64(offset))
            if use.block in fixed:
                kernel.set_arg(at, fixed[use.block])
            else:
                self.anew.append([at, use.block, offset, use.spec.dtype.itemsize, 0])
        for at, index, convert in step.values:
            if isinstance(values[index], Scalar):
                self.numbers.append((at, values[index].action, values[index].place, convert))
            else:
                step.set_bytes(at, convert(values[index]))

    def enqueue(self, buffers, moved, numbers, device):
        """Set what differs, and launch.  The device lock must be held."""
        kernel = self.step.kernel
        for entry in self.anew:
            at, block, offset, itemsize, before = entry
            kernel.set_arg(at, buffers[block])
            by = moved.get(block, 0)
            if by != before:
                self.step.set_bytes(at + 1, np.int64(offset + by // itemsize))
                entry[4] = by
        for at, action, place, convert in self.numbers:
            self.step.set_bytes(at, convert(numbers[action][place]))
        if self.ticket is not None:
            self.step.set_bytes(self.step.ticket, _LONG(self.ticket.now(numbers, device)))
        device.submit(self.step)


class _GroupLaunch:
    """One launch for several updates by one formula."""

    __slots__ = ("anew", "fixed", "nodes", "numbers", "roles", "step")

    def __init__(self, nodes, fixed, device):
        self.nodes, self.fixed = nodes, fixed = [update_of(node) for node in nodes], fixed
        first = nodes[0]
        sizes = [n.results[0].use.spec.numel for n in nodes]
        idle = device.allocate(64)
        self.roles = roles_of(first)
        dtype, kinds = kinds_of(first)
        self.step = step = MultiTensor(first.op, dtype, sizes, self.roles, device, idle, shifted(nodes), kinds)
        self.anew, self.numbers = [], first.numbers
        each = self.roles.each(first.op)
        for m, node in enumerate(nodes):
            for k, i in enumerate(each):
                use = node.operands[i]
                if use.offset:
                    step.shift(m, k, use.offset)
                self._bind(m * step.width + step.places[k], use.block)
        for k, i in enumerate(self.roles.shared):
            self._bind(step.first_number + k, first.operands[i].block)

    def _bind(self, at, block):
        if block in self.fixed:
            self.step.kernel.set_arg(at, self.fixed[block])
        else:
            self.anew.append((at, block))

    def enqueue(self, buffers, moved, numbers, device):
        """See _Launch."""
        set_arg = self.step.kernel.set_arg
        for at, block in self.anew:
            set_arg(at, buffers[block])
        self.step.bind(tuple([numbers[n.action][n.place] if isinstance(n, Scalar) else n for n in self.numbers]))
        device.submit(self.step)

    def call(self):
        """The launch as a Call."""
        step, made, moved = self.step, Call(self.step.source, "multi_tensor", self.step.global_size), shifted(self.nodes)
        each, shared = self.roles.each(self.nodes[0].op), self.roles.shared
        for node in self.nodes:
            places = [self.fixed.get(u.block, u.block) for u in node.operands]
            for i in each:
                made.arguments += [places[i], np.int64(node.operands[i].offset)] if i in moved else [places[i]]
            made.arguments.append(np.int64(node.results[0].use.spec.numel))
            made.reads += places[node.op is COPY:]
            made.writes += [self.fixed.get(r.use.block, r.use.block) for r in node.results]
        nothing = [np.int64(0) if isinstance(a, np.int64) else a for a in made.arguments[: step.width]]
        made.arguments += nothing * (step.tuples - len(self.nodes))
        made.arguments += [Number(n, step.convert) if isinstance(n, Scalar) else step.convert(n) for n in self.numbers]
        made.arguments += [np.int64(step.share), *(places[i] for i in shared)]
        return made


def held_by(graph, device):
    """(Storage, its buffer) of the memory from outside.  Raises DeviceError for blocks that are not on the device."""
    found = []
    for block in graph.blocks():
        if block.device is not device:
            raise DeviceError(f"compile: all tensors must be on one device, got {device} and {block.device}")
        if block.origin is Origin.HELD:
            found.append((block.source, block.source.buffer))
    return found


def lasting_of(graph, members):
    """A function of a node: see steady.lasting."""
    written = {v.block for node in graph.nodes for v in node.writes()}
    return lambda node: lasting(node, members, written)


def planned(node, lasting=False):
    """(the Plan of a node, whether its kernel objects are the node's own, its numbers in the plan's order).

    lasting: whether the operand that its op may pack stays as it is from run to run.
    """
    op, results = node.op, tuple(r.use.spec for r in node.results)
    if lasting:
        context.lasting = True
        try:
            plan = op.plan(tuple(None if o is None else o.spec for o in node.operands), node.attrs, results if op.strided else None)
        finally:
            context.lasting = False
        return plan, True, node.numbers
    if op.kind == "elementwise":
        operands = tuple(o.spec if isinstance(o, Use) else type(o) for o in node.operands)
        key, values = (operands, results), [*(o for o in node.operands if not isinstance(o, Use)), *node.numbers]
        plan = op.plans.get(key) or op.plans.get((operands, None))
        if plan is not None and plan.outputs == results:
            return plan, False, values
        return op.plan(operands, results), True, values
    key = (tuple(None if o is None else o.spec for o in node.operands), node.attrs)
    known = op.plans.get(key)
    plan = known or op.plan(*key)
    if tuple(plan.outputs) != results and op.strided:
        return op.plan(*key, results), True, node.numbers
    if tuple(plan.outputs) != results:
        raise PlanMismatch(f"{op.name}: planned for {plan.outputs}, recorded with {results}")
    if known is None and isinstance(op, Finished) and not any(step.kernel is AbsentKernel for step in plan.steps):
        kept(op.plans, key, plan)  # equal nodes take it as a pattern; eager calls have none of these ops
    return plan, known is None, node.numbers
