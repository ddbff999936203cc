"""Rehearsal: while a program's kernels are being compiled, those of its backward pass are built in the background.

When an op that records its gradient is met for the first time in a process that has to compile, its gradient is worked out
once more on an Understudy of the device, which has another process compile the programs that are launched, and runs nothing.  A
warm start compiles nothing, so it rehearses nothing.
"""

import atexit
import contextlib
import os
import queue
import threading

from ...base import config
from ...base.context import context, observers
from ...dispatch.registry import REGISTRY
from ...dispatch.spec import Spec, spec
from ...ops.kinds.elementwise import Derived
from ...runtime.understudy import Understudy
from .tensor import Tensor

LIMIT = 4096  # calls remembered, so that none is rehearsed twice


class _Stage:
    """The thread that rehearses, its jobs, and what it has seen."""

    def __init__(self):
        self.jobs, self.seen, self.understudies, self.thread = queue.SimpleQueue(), set(), {}, None
        self.open = True

    def consider(self, made):
        """Rehearse the gradient of a Node, unless it was or cannot be.  Called by the thread that recorded it."""
        op = made.op
        if not (self.open and not made.out_specs[0].device.host and config.ahead() and config.cache_limit() > 0):
            return
        if threading.current_thread() is self.thread or made.deferred is not None:
            return
        if REGISTRY.get(getattr(op, "name", None)) is not op and not isinstance(op, Derived):
            return  # a user's own Function may do anything
        inputs = tuple(getattr(a, "_spec", a) if not isinstance(a, (bool, int, float)) else type(a) for a in made.args)
        kept = tuple(hasattr(a, "_spec") for a in made.args)
        outputs = made.outputs and tuple(not isinstance(o, Spec) for o in made.outputs)
        job = (op, inputs, kept, made.attrs, made.needs, made.out_specs, outputs)
        if len(self.seen) >= LIMIT or _known(job, self.seen) or context.transform is not None or context.recorder is not None:
            return
        self.seen.add(job)
        self.jobs.put(job)
        if self.thread is None:
            self.thread = threading.Thread(target=self._run, name="cltensor-rehearsal", daemon=True)
            self.thread.start()

    def _run(self):
        context.grad = False
        while (job := self.jobs.get()) is not None:
            if isinstance(job, threading.Event):
                job.set()
                continue
            # what cannot be rehearsed is built when it is needed, where errors are seen
            with contextlib.suppress(Exception):
                if self.open:
                    self._play(*job)

    def _play(self, op, inputs, kept, attrs, needs, out_specs, outputs):
        given = [self._stand_in(s, keep) for s, keep in zip(inputs, kept, strict=True)]
        outs = [self._stand_in(s, keep) for s, keep in zip(out_specs, outputs or (False,) * len(out_specs), strict=True)]
        gs = (self._stand_in(out_specs[0].dense(), True), *(None for _ in out_specs[1:]))
        found = op.input_gradients(gs, tuple(outs), tuple(given), attrs, needs)
        for g, x in zip(found, inputs, strict=True):
            if g is not None and isinstance(x, Spec) and g.shape != x.shape:
                g.sum_to_size(x.shape)

    def _stand_in(self, s, tensor):
        """A tensor, or the Spec, on the understudy; a number for the type of one."""
        if not isinstance(s, Spec):
            return s(1) if isinstance(s, type) else s
        at = self.understudies.get(s.device)
        if at is None:
            at = self.understudies[s.device] = Understudy(s.device)
        there = spec(tuple(s.shape), s.strides, s.dtype, at)
        return Tensor._fresh(there) if tensor else there

    def wait(self):
        """Wait until what was asked for so far has been rehearsed."""
        done = threading.Event()
        self.jobs.put(done)
        if self.thread is not None:
            done.wait()

    def close(self):
        """Rehearse no more, and end what is under way: nothing of it may outlive the process."""
        self.open = False
        self.jobs.put(None)
        for at in self.understudies.values():
            at.builder.close()
        if self.thread is not None:
            self.thread.join()


def _known(job, seen):
    try:
        return job in seen
    except TypeError:  # an attribute that cannot be hashed
        return True


stage = _Stage()
observers.recorded.append(lambda made: stage.consider(made))
atexit.register(stage.close)


def _forget():
    """In a forked child: the thread did not come along."""
    global stage
    stage = _Stage()
    stage.open = False


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
