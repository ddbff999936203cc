"""History: record an op after it ran, if grad mode or a recorder asks for it."""

from ..base.context import context
from .node import needs_of, record


def record_if_needed(op, inputs, result, attrs=()):
    """Give an op's one result the history that grad mode asks for, or the mark of inference mode.  Returns the result."""
    if context.grad:
        needs = needs_of(inputs)
        if True in needs and op.differentiable:
            attach(record(op, inputs, attrs, (result,), needs=needs), (result,))
    elif context.inference:
        result._storage.inference = True
    return result


def finish(op, inputs, attrs, outs):
    """Record an op that computed outs from inputs."""
    if context.grad and op.differentiable:
        needs = needs_of(inputs)
        if True in needs:
            attach(record(op, inputs, attrs, outs, needs=needs), outs)
    if context.recorder is not None:
        context.recorder.op(op, inputs, attrs, outs)


def attach(node, outs):
    """Make node the history of its outputs."""
    for i, o in enumerate(outs):
        if o._spec.dtype.is_inexact:
            o._node, o._index, o._req = node, i, True
