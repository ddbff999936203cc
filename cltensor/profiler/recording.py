"""Recording: what the process does between the start and the stop of a profile, as Frames and the commands of its devices."""

import os
import sys
import weakref
from threading import get_ident
from time import perf_counter_ns

from ..base.context import Observer, context, observers
from ..base.errors import CLTensorError
from ..base.forking import in_forked_children
from ..dispatch import faults
from ..dispatch.run_elementwise import run_elementwise
from ..dispatch.run_planned import composed, run_composite, run_planned, run_view
from ..nn.modules.module import observe_calls
from ..runtime import device as devices
from ..runtime.watch import Watch
from .memory import category_of

_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
in_forked_children(lambda: context.observe(None))


class Frame:
    """A piece of work of one thread, around those that it calls; times in nanoseconds of time.perf_counter_ns.

    kind: "op", "user" (record_function), "step" (of the profile), "module", "backward", "node" (the gradient of one op),
    "optimizer", "update" (of several parameters), "data" (a batch of a DataLoader), "replay" (of a captured program), "wait" (for
    the device).
    inputs, outs: Specs; sequence: of the node that an op has recorded, or whose gradient it is; memory: bytes more in use at the
    end; stack: (code, line) of the user's frames, the innermost first.  What is not set is empty: setting takes time at each op.
    """

    __slots__ = ("attrs", "end", "inputs", "kind", "memory", "name", "op", "outs", "parent", "passing", "sequence", "stack",
                 "start", "thread")

    def __init__(self, kind, name, op, parent, thread):
        self.kind, self.name, self.op, self.parent, self.thread, self.end = kind, name, op, parent, thread, 0

    def __getattr__(self, name):
        try:
            return _EMPTY[name]
        except KeyError:
            raise AttributeError(name) from None


_EMPTY = {"inputs": (), "outs": (), "attrs": (), "stack": (), "sequence": -1, "memory": 0, "passing": False}


class _Living(weakref.ref):
    """The Storage of a result, as long as it lives."""

    __slots__ = ("category", "key", "nbytes")

    def __init__(self, storage, freed):
        super().__init__(storage, freed)
        self.key, self.nbytes = id(storage), storage.extent


class Recording(Observer):
    """What a profile hears.  Ops run through it: it notes their beginning, lets them run as they do without it, and their end.

    timed: whether devices record timestamps; shapes is always noted.  memory: note what pools hold; stacks: and where the user's
    program is; modules: and which modules run.
    """

    def __init__(self, timed=True, memory=False, stacks=False, modules=False):
        self.timed, self.memory, self.stacks, self.modules = timed, memory, stacks, modules
        self.frames, self.builds, self.replays, self.watches, self.names = [], [], {}, [], {}
        self.start = self.stop = 0
        self.main = get_ident()
        self.in_use = {}  # {device: bytes in use at the start}
        self.samples, self.changes, self._living = [], [], {}  # see memory.py
        self.pauses = []  # (time, whether launches are recorded from then on)

    # --- from start to stop ------------------------------------------------------------------------------------------------

    def begin(self):
        """Start.  Raises CLTensorError while another Recording runs."""
        if context.profile is not None:
            raise CLTensorError("profile: Profiler is already enabled on this thread; one profile at a time can run in a process. "
                                "Stop the other one first, or use record_function to mark a part")
        context.observe(self)
        try:
            for d in devices.opened():
                self.opened(d)
            observers.built.append(self._built)
            if self.modules:
                observe_calls(self)
        except BaseException:
            self.finish()
            raise
        self._mark()

    def _mark(self):
        self.start = perf_counter_ns()
        self.in_use = {w.device: w.in_use() for w in self.watches}

    def toggle(self, on, host, device):
        """Stop to record calls of the host, or launches on the device, or go on."""
        if host and context.profile in (None, self):
            context.observe(self if on else None)
        if device:
            self.pauses.append((perf_counter_ns(), on))

    def paused(self, t):
        """Whether launches at that time are not recorded."""
        return not next((on for at, on in reversed(self.pauses) if at <= t), True)

    def clear(self):
        """Forget what was recorded so far; work that is under way goes on."""
        for noted in (self.frames, self.builds, self.samples, self.changes, self._living):
            noted.clear()
        for watch in self.watches:
            watch.forget()
        self._mark()

    def finish(self):
        """Stop, and wait for the devices."""
        for watch in self.watches:
            if watch.used:
                watch.device.synchronize()
        self.stop = perf_counter_ns()
        if self._built in observers.built:
            observers.built.remove(self._built)
        if self.modules:
            observe_calls(None)
        context.observe(None)
        for watch in self.watches:
            watch.stop()
        for frame in self.frames:
            frame.end = frame.end or self.stop
        context.frame = None

    def opened(self, device):
        """See Observer."""
        if not (device.host or device.silent):
            watch = Watch(device, self._waiting, self.timed, self.memory)
            self.watches.append(watch)
            watch.start()

    def _waiting(self, fn, name):
        if name != "read":
            return self.around(fn, "wait", {"write": "write values"}.get(name, name))
        values, note = self.around(fn, "wait", "wait for values"), self.around(fn, "wait", "check for faults")
        return lambda buffer, offset, array: (note if faults.owns(buffer) else values)(buffer, offset, array)

    def _built(self, names, origin, seconds):
        self.builds.append((perf_counter_ns(), names, origin, seconds))

    def allocations(self):
        """What was allocated, on all devices; see Watch."""
        return [a for w in self.watches for a in w.allocations]

    # --- frames ------------------------------------------------------------------------------------------------------------

    def enter(self, kind, name, op=None):
        """Begin a Frame inside the current one of this thread."""
        parent = context.frame
        if parent is not None and parent.end:  # of an earlier profile, or of a generator that was left
            parent = None
        frame = Frame(kind, name, op, parent, get_ident())
        if self.stacks:
            frame.stack = _stack()
        if self.memory:
            frame.memory = -self._in_use()
        context.frame = frame
        self.frames.append(frame)
        frame.start = perf_counter_ns()
        return frame

    def leave(self, frame):
        """End a Frame, and those inside that were not ended."""
        end, inner = perf_counter_ns(), context.frame
        if inner is not frame:
            while inner is not None and inner is not frame:
                inner.end = inner.end or end
                inner = inner.parent
        if inner is frame:
            context.frame = frame.parent
        if not frame.end:
            frame.end = end
            if self.memory:
                now = self._in_use()
                frame.memory += now
                self.samples.append((end, now))

    def _in_use(self):
        watches = self.watches
        return watches[0].in_use() if len(watches) == 1 else sum([w.in_use() for w in watches])

    def around(self, fn, kind, name, node=None, op=None, rows=(), replay=None):
        """See Observer.  node: of a gradient; op, rows: of an update; replay: a Replay."""

        def observed(*args, **kwargs):
            if context.profile is not self:
                return fn(*args, **kwargs)
            frame = self.enter(kind, name, op)
            if node is not None:
                frame.sequence = node.sequence
            if rows:
                frame.inputs = tuple([t._spec for row in rows for t in row])
                frame.outs = tuple([row[0]._spec for row in rows])
            if replay is not None:
                self.replays[id(replay)] = replay
            try:
                return fn(*args, **kwargs)
            finally:
                self.leave(frame)

        return observed

    def module(self, module):
        """Begin the Frame of a module's call."""
        name = self.names.get(id(module))
        if name is None:
            for path, m in module.named_modules():
                self.names.setdefault(id(m), (m, f"{path}: {m._get_name()}" if path else m._get_name()))
            name = self.names[id(module)]
        return self.enter("module", name[1])

    # --- what ops pass through -------------------------------------------------------------------------------------------

    def _op(self, op, inputs):
        """Begin the Frame of an op, while it and what it calls run as without a profile; None if it has one, or nobody listens."""
        given, current = context.given, context.frame
        if context.profile is not self:  # over, and this thread learns of it now
            context.arrange()
            return None
        context.transform = given
        if current is not None and current.passing and current.op is op:
            current.passing = False  # autocast or vmap have changed its operands
            return None
        frame = self.enter("op", op.name, op)
        if given is not None:
            frame.passing = True
        frame.inputs = tuple([getattr(x, "_spec", None) for x in inputs])
        return frame

    def _over(self, frame, result=None):
        context.transform = self
        if frame is None:
            return
        self.leave(frame)
        if result is not None:
            outs = result if isinstance(result, tuple) else (result,)
            frame.outs = tuple([getattr(o, "_spec", None) for o in outs])
            node = outs[0]._node
            if node is not None:
                frame.sequence = node.sequence
            if self.memory and frame.op.kind != "view":
                self._track(frame, outs)

    def _track(self, frame, outs):
        """Note the memory of new results, until it is freed."""
        for o in outs:
            storage = o._storage
            if storage.extent and id(storage) not in self._living:
                living = self._living[id(storage)] = _Living(storage, self._freed)
                living.category = category_of(frame)
                self.changes.append((frame.end, living.nbytes, living.category))

    def _freed(self, living):
        if self._living.pop(living.key, None) is not None and not self.stop:
            self.changes.append((perf_counter_ns(), -living.nbytes, living.category))

    def elementwise(self, op, inputs, attrs, out, dtype, inplace):
        """See Observer."""
        frame, result = self._op(op, inputs), None
        try:
            result = run_elementwise(op, inputs, attrs, out, dtype, inplace)
            return result
        finally:
            self._over(frame, result)

    def planned(self, op, inputs, attrs, values):
        """See Observer."""
        frame, result = self._op(op, inputs), None
        if frame is not None:
            frame.attrs = attrs
        try:
            result = run_planned(op, inputs, attrs, values)
            return result
        finally:
            self._over(frame, result)

    def view(self, op, x, attrs):
        """See Observer."""
        frame, result = self._op(op, (x,)), None
        try:
            result = run_view(op, x, attrs)
            return result
        finally:
            self._over(frame, result)

    def composite(self, op, inputs, values):
        """See Observer.  The ops inside are seen too, unless vmap has a rule for them."""
        frame, result = self._op(op, inputs), None
        try:
            if context.given is None and context.profile is self:
                context.transform = self
                result = composed(op, inputs, values)
            else:
                result = run_composite(op, inputs, values)
            return result
        finally:
            self._over(frame, result)


def _stack():
    """(code, line) of the user's frames, the innermost first."""
    found, frame = [], sys._getframe(2)
    while frame is not None:
        code = frame.f_code
        if not code.co_filename.startswith((_PACKAGE, "<fast path", "<a public function")):
            found.append((code, frame.f_lineno))
        frame = frame.f_back
    return tuple(found)
