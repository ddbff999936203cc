"""Running ops with a plan per layout and attributes: kernels, reductions, scans, views; and composites."""

from ..base.context import context
from ..base.observed_sizes import observing, plain
from . import faults
from .binding import check_tensors, numbers
from .fast_path import fast_call
from .history import attach, finish, record_if_needed
from .node import record
from .plans import kept
from .registry import REGISTRY
from .tensor_base import extent_of


def run_planned(op, inputs, attrs=(), values=()):
    """Run a kernel op or reduction.  inputs: tensors or None; attrs: a hashable tuple; values: numbers for the kernel."""
    if values:
        values = numbers(op, values)
    if context.transform is not None:
        result = context.transform.planned(op, inputs, attrs, values)
        if result is not NotImplemented:
            return result
    try:
        specs = tuple([None if t is None else t._spec for t in inputs])
    except AttributeError:
        check_tensors(op, inputs)
        raise
    if observing:
        attrs = plain(attrs)
    key = (specs, attrs)
    plan = op.plans.get(key)
    if plan is None:
        if op.on_complex is not None and any(s is not None and s.dtype.is_complex for s in specs):
            return REGISTRY[op.on_complex](*inputs, **dict(zip(op.attr_names, (*attrs, *values), strict=True)))
        plan = kept(op.plans, key, op.plan(specs, attrs))
        if not (op.reports_faults or values or None in specs):
            y = plan.outputs[0]
            plan.fast_call = fast_call(plan, specs, extent_of(y) * y.dtype.itemsize, _plain_class(inputs))
    if plan.fast_call is not None and context.recorder is None:
        result = plan.fast_call(*inputs)
        if result is not None:
            return record_if_needed(op, inputs, result, attrs)
    make = _plain_class(inputs)._fresh
    outs = tuple([make(s) for s in plan.outputs])
    if plan.steps:
        buffers, offsets = [], {}
        for slot, t in enumerate((*inputs, *outs)):
            buffers.append(None if t is None else t._storage.buffer)
            if t is not None and t._offset:
                offsets[slot] = t._offset
        if op.reports_faults:
            faults.run(op, plan, buffers, offsets, values)
        else:
            plan.run(buffers, offsets, values)
    finish(op, inputs, (*attrs, *values), outs)
    return outs[0] if len(outs) == 1 else outs


def _plain_class(inputs):
    """The class of the results for inputs, some of which may be None."""
    return next(t._plain for t in inputs if t is not None)


def run_view(op, x, attrs=()):
    """Run a view op: a tensor over x's storage."""
    if context.transform is not None:
        result = context.transform.view(op, x, attrs)
        if result is not NotImplemented:
            return result
    if observing:
        attrs = plain(attrs)
    key = (x._spec, attrs)
    found = op.plans.get(key)
    if found is None:
        found = kept(op.plans, key, op.plan(x._spec, attrs))
    spec, delta = found
    offset = x._offset if spec.dtype is x._spec.dtype else x._offset * x._spec.itemsize // spec.itemsize
    out = x._plain._make(x._storage, spec, offset + delta)
    base = out._base = x if x._base is None or (x._req and x._node is None) else x._base  # a leaf is a base of its own
    out._history_version = base._history_version
    if context.grad and (x._req or (x._base is not None and x._refresh())):
        attach(record(op, (x,), attrs, (out,)), (out,))
    elif base._req and not context.grad:
        out._untracked = True
    if context.recorder is not None:
        context.recorder.op(op, (x,), attrs, (out,))
    return out


def run_composite(op, inputs, values):
    """Run a composite op with its own gradient: record the op itself, not the ops it calls."""
    if context.transform is not None:
        result = context.transform.composite(op, inputs, values)
        if result is not NotImplemented:
            return result
    return composed(op, inputs, values)


def composed(op, inputs, values):
    """run_composite, whatever stands in the context's `transform`."""
    before = context.grad
    context.grad = False
    try:
        out = op.fn(*inputs, **dict(zip(op.attr_names, values, strict=True)))
    finally:
        context.grad = before
    finish(op, inputs, values, out if isinstance(out, tuple) else (out,))
    return out
