"""Running elementwise ops: into fresh tensors, or into existing ones."""

from ..base import dtypes
from ..base.context import context
from ..base.errors import ArgumentTypeError, AutogradError
from .binding import number, numbers
from .fast_path import fast_call
from .history import finish, record_if_needed
from .node import record
from .plans import kept, launch
from .registry import REGISTRY
from .resizing import fit_elementwise
from .tensor_base import TensorBase, extent_of
from .writable import apart, check_history, check_writable


def run_elementwise(op, inputs, attrs=(), out=None, dtype=None, inplace=False):
    """Run an elementwise op.

    Complex operands or results make it run op's form over complex numbers.  inputs: tensors and numbers; attrs: numbers; out: a
    tensor or tuple to write to; dtype: of the result, if not the promoted one; inplace: add this op to out's history (without it,
    writing to a tensor that autograd tracks is an error).
    """
    if attrs:
        attrs = numbers(op, attrs)
    if context.transform is not None:
        result = context.transform.elementwise(op, inputs, attrs, out, dtype, inplace)
        if result is not NotImplemented:
            return result
    if out is None and not attrs and dtype is None and context.recorder is None:
        call = op.fast_calls.get(tuple([getattr(x, "_spec", None) or x.__class__ for x in inputs]))
        if call is not None:
            result = call(*inputs)
            if result is not None:
                return record_if_needed(op, inputs, result)
    key, tensors, values = [], [], []
    for x in inputs:
        if isinstance(x, TensorBase):
            key.append(x._spec)
            tensors.append(x)
        else:
            x = number(op, x)
            key.append(type(x))
            values.append(x)
    if out is None:
        forced = dtype
    else:
        out = out if isinstance(out, tuple) else (out,)
        forced = tuple([getattr(o, "_spec", None) for o in out])
    operands = tuple(key)
    key = (operands, forced)
    plan = op.plans.get(key)
    if plan is None:
        form = op.form(operands, forced)
        if form is not op:
            return run_elementwise(form, inputs, attrs, out if out is None or len(out) > 1 else out[0], dtype, inplace)
        if not tensors and out is None:
            raise ArgumentTypeError(f"{op.name}: at least one argument must be a Tensor, got {', '.join(map(repr, inputs))}")
        if out is not None and not inplace:
            fit_elementwise(op, tensors, out)
            key = (operands, tuple(o._spec for o in out))
            forced = key[1]
        plan = kept(op.plans, (operands, forced), op.plan(operands, forced))
        if forced is None and not attrs and not _divides_integers(op, plan, inputs):
            s = plan.outputs[0]
            kept(op.fast_calls, operands, fast_call(plan, operands, extent_of(s) * s.dtype.itemsize, tensors[0]._plain))
    if attrs:
        values.extend(attrs)
    if op.divides and plan.steps and _divides_integers(op, plan, inputs):
        REGISTRY["check_divisor"](inputs[-1].detach().contiguous(), seed=0, offset=0, a=0.0, b=0.0)
    if out is not None:
        check_writable(op.name, out, once=bool(op.inputs))
        own = apart(op, tensors, out)
        if own is not tensors:
            plan, tensors = _plan_of(op, operands, forced, own), own
        return _write(op, plan, inputs, tensors, values, attrs, out, inplace)
    make = tensors[0]._plain._fresh
    outs = tuple([make(s) for s in plan.outputs])
    launch(plan, tensors, outs, values)
    finish(op, inputs, tuple(attrs), outs)
    return outs[0] if len(outs) == 1 else outs


def _plan_of(op, operands, forced, tensors):
    """The plan for operands whose tensors are replaced by these, of another layout."""
    rest = iter(tensors)
    operands = tuple([o if isinstance(o, type) else next(rest)._spec for o in operands])
    return op.plans.get((operands, forced)) or kept(op.plans, (operands, forced), op.plan(operands, forced))


def _divides_integers(op, plan, inputs):
    """Whether the device must check for a divisor of 0."""
    return op.divides and isinstance(inputs[-1], TensorBase) and plan.outputs[0].dtype.category == "int"


def run_pair(op, a, b):
    """run_elementwise(op, (a, b)) for two tensors, the shortest way."""
    if context.transform is None and context.recorder is None:
        call = op.fast_calls.get((a._spec, b._spec))
        if call is not None:
            result = call(a, b)
            if result is not None:
                if a._req or b._req or a._base is not None or b._base is not None or not context.grad:
                    return record_if_needed(op, (a, b), result)
                return result
    return run_elementwise(op, (a, b))


def _write(op, plan, inputs, tensors, values, attrs, outs, inplace):
    if context.grad and outs[0]._untracked and outs[0]._node is None and outs[0]._base._req:
        raise AutogradError(f"{op.name}: A view was created in no_grad mode and is being modified inplace with grad mode enabled. "
                            "Move both the view and the write into the no_grad block, or both out of it")
    graph = context.grad and outs[0]._spec.dtype.is_inexact and any(
        t._req or (t._base is not None and t._refresh()) for t in (*tensors, *outs))
    launched = context.recorder is None or context.recorder.writes(outs, graph)
    if graph:
        check_history(op, outs, inplace)
        versions = [x._storage.version if isinstance(x, TensorBase) else 0 for x in inputs]
        node = record(op, inputs, tuple(attrs), outs, versions)
        _keep_overwritten(node, outs)
        keep_outputs, node.outputs = node.outputs is not None, None
    if launched:
        launch(plan, tensors, outs, values)
    for o in outs:
        o._storage.version += 1
    if graph:
        if keep_outputs:
            node.outputs = tuple((o._alias(), o._storage.version) for o in outs)
        if context.saving is not None:
            context.saving.of_node(node)
        for i, o in enumerate(outs):
            o._rebase(node, i)
    if context.recorder is not None:
        given = iter(tensors)  # with copies in place of those that overlapped an output
        context.recorder.op(op, tuple(next(given) if isinstance(x, TensorBase) else x for x in inputs), attrs, outs)
    return outs[0] if len(outs) == 1 else outs


def _keep_overwritten(node, outs):
    """Save copies of the inputs that the gradient needs and this op will overwrite."""
    storages = [o._storage for o in outs]
    lost = [i for i, _ in node.versions if any(node.args[i]._storage is s for s in storages)]
    if not lost:
        return
    args = list(node.args)
    for i in lost:
        args[i] = run_elementwise(REGISTRY["copy"], (args[i],))
    node.args = tuple(args)
    node.versions = tuple((i, args[i]._storage.version if i in lost else v) for i, v in node.versions)


def write_into(op, target, inputs, attrs=()):
    """Run an elementwise op in place on `target`, recording its history.  Returns target."""
    run_elementwise(op, inputs, attrs, out=target, inplace=True)
    return target


def filled(cls, spec, value):
    """A dense tensor of class cls, of spec's shape and dtype full of one number."""
    t = cls._fresh(spec if spec.contiguous else spec.dense())
    value = dtypes.stored(value, spec.dtype, "full")
    if t._spec.numel:
        run_elementwise(REGISTRY["full"], (), (value,), out=t)
    t._storage.version = 0
    return t


def with_zeros(gs, specs):
    """The outputs' gradients, with zeros in place of None; None stays for a Spec of None or a dtype without gradients."""
    cls = next((g._plain for g in gs if g is not None), None)
    if cls is None:
        return tuple(gs)
    return tuple(filled(cls, s, 0) if g is None and s is not None and s.dtype.is_inexact else g
                 for g, s in zip(gs, specs, strict=True))
