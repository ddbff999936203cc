"""Looping: a program that repeats a part as long as a value on the device says so, captured once."""

from ..autograd.modes import no_grad
from ..base.context import context
from ..dispatch.registry import REGISTRY
from ..dispatch.run_elementwise import run_elementwise
from ..dispatch.tensor_base import TensorBase
from .recorder import GraphRecorder
from .regions import Abandoned, ControlFlow, RegionRecorder


def loop(recorder, states, condition, body):
    """Capture a loop over tensors that it changes in place: body(*states), new values, as long as condition(*states) is true.

    condition gives a bool tensor of one element, body a flat list.  Both run to be noted only.  Returns whether the loop was
    captured; the recorder knows why not.
    """
    device = states[0]._spec.device
    regions = [RegionRecorder(recorder, dry=True) for _ in range(2)]
    try:
        (flag,), _ = regions[0].run(lambda: condition(*states), device)
        if not isinstance(flag, TensorBase):
            recorder.fail("cond_fn of while_loop returns a number of Python; return a bool tensor")
            return False
        flag, = regions[0].own([flag])
        grads = regions[1].run(lambda: _advanced(states, body(*states)), device)[0]
    except Abandoned as end:
        if end.args[0] not in regions:
            raise
        recorder.fail(end.args[0].failure)
        return False
    if any(grads) or any(s.requires_grad for s in states):
        recorder.fail("gradients flow through while_loop, whose number of rounds is not known; use scan")
        return False
    flow = ControlFlow("while_loop", recorder, regions, ())
    flow.decides = flow.result((flag._storage, None))
    return True


def _advanced(states, values):
    """Whether each value requires a gradient, after they were copied to the states."""
    grads = [t.requires_grad for t in values]
    write(states, values)
    return grads


def write(states, values):
    """Copy values to the states, in which they may lie themselves."""
    memory = {t._storage for t in states}
    with no_grad():
        moved = [v if v._storage not in memory or _same(s, v) else v.clone() for s, v in zip(states, values, strict=True)]
        for s, v in zip(states, moved, strict=True):
            if not _same(s, v):
                run_elementwise(REGISTRY["copy"], (v,), out=s)


def _same(a, b):
    return a._storage is b._storage and a._spec is b._spec and a._offset == b._offset


def listening():
    """The recorder of what control flow does now; None where it runs eagerly."""
    recorder = context.recorder
    if not isinstance(recorder, GraphRecorder) or recorder.failure or context.rules is not None:
        return None
    return recorder if recorder.captures or recorder.dry_run is not None else None


def muted(fn):
    """fn() without a recorder being told."""
    before, context.recorder = context.recorder, None
    try:
        return fn()
    finally:
        context.recorder = before
