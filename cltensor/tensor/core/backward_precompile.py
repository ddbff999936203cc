"""Backward precompilation: build the kernels of a program's backward pass in the background, while it compiles the forward's.

The first time an op records its gradient in a process that compiles, compute that gradient once more on a CompileOnlyDevice.
It launches nothing; another process compiles the programs.  A warm start compiles nothing, so it precompiles nothing.
"""

import atexit
import os
import threading

from ...base import config
from ...base.context import context, observers
from ...dispatch.registry import REGISTRY
from ...dispatch.spec import Spec, spec
from ...ops.kinds.elementwise import Derived
from ...runtime.compile_only import CompileOnlyDevice
from ...runtime.job_thread import JobThread
from .tensor import Tensor

LIMIT = 4096  # calls remembered, so that none is precompiled twice


class Precompiler(JobThread):
    """The thread that precompiles, its jobs, and the calls it has seen."""

    name = "cltensor-precompile"

    def __init__(self):
        super().__init__()
        self.seen, self.devices = set(), {}

    def consider(self, made):
        """Precompile a Node's gradient, unless that is done or impossible.  The thread that recorded the Node calls this."""
        op = made.op
        on = made.out_specs[0].device
        if not (self.open and not on.host and not on.meta and config.ahead() and config.cache_limit() > 0):
            return
        if threading.current_thread() is self.thread or made.deferred is not None:
            return
        if REGISTRY.get(getattr(op, "name", None)) is not op and not isinstance(op, Derived):
            return  # a user's own Function may do anything
        inputs = tuple(getattr(a, "_spec", a) if not isinstance(a, (bool, int, float)) else type(a) for a in made.args)
        kept = tuple(hasattr(a, "_spec") for a in made.args)
        outputs = made.outputs and tuple(not isinstance(o, Spec) for o in made.outputs)
        job = (op, inputs, kept, made.attrs, made.needs, made.out_specs, outputs)
        if len(self.seen) >= LIMIT or _known(job, self.seen) or context.given is not None or context.recorder is not None:
            return
        self.seen.add(job)
        self.put(job)

    def prepare(self):
        """See JobThread."""
        context.grad = False

    def run(self, job):
        """See JobThread."""
        self._compute(*job)

    def builders(self):
        """See JobThread."""
        return [at.builder for at in self.devices.values()]

    def _compute(self, op, inputs, kept, attrs, needs, out_specs, outputs):
        given = [self._stand_in(s, keep) for s, keep in zip(inputs, kept, strict=True)]
        outs = [self._stand_in(s, keep) for s, keep in zip(out_specs, outputs or (False,) * len(out_specs), strict=True)]
        gs = (self._stand_in(out_specs[0].dense(), True), *(None for _ in out_specs[1:]))
        found = op.input_gradients(gs, tuple(outs), tuple(given), attrs, needs)
        for g, x in zip(found, inputs, strict=True):
            if g is not None and isinstance(x, Spec) and g.shape != x.shape:
                g.sum_to_size(x.shape)

    def _stand_in(self, s, tensor):
        """A stand-in on the compile-only device for a Spec: a tensor or a Spec; for a number's type, a number."""
        if not isinstance(s, Spec):
            return s(1) if isinstance(s, type) else s
        at = self.devices.get(s.device)
        if at is None:
            at = self.devices[s.device] = CompileOnlyDevice(s.device)
        there = spec(tuple(s.shape), s.strides, s.dtype, at)
        return Tensor._fresh(there) if tensor else there


def _known(job, seen):
    try:
        return job in seen
    except TypeError:  # an attribute that cannot be hashed
        return True


precompiler = Precompiler()
observers.recorded.append(lambda made: precompiler.consider(made))
atexit.register(precompiler.close)


def _forget():
    """Forget the thread in a forked child, which does not inherit it."""
    global precompiler
    precompiler = Precompiler()
    precompiler.open = False


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
