"""Dispatch: the one path every op takes, from arguments to enqueued kernels and a recorded gradient.

A call looks up the op's Plan by the Specs of its operands, allocates the outputs, enqueues the plan's steps and, when a
gradient may be asked for, records a Node.  Nothing waits for the device.
"""

import inspect

from ..autograd.node import leaf_at, record
from ..base import calls, dtypes
from ..base.context import context
from ..base.errors import ArgumentTypeError, AutogradError, ShapeError
from ..base.overlap import extent, meet, packed
from ..base.shapes import broadcast_shapes, normalize_dims
from ..ops import faults
from ..ops.composite import Composite
from ..ops.elementwise import Elementwise
from ..ops.joining import Joining
from ..ops.kernel import Planned
from ..ops.random import check_values
from ..ops.reduction import Reduction
from ..ops.registry import REGISTRY, Op
from ..ops.view import View
from .ready import ready_call
from .storage import Storage

_required = inspect.Parameter.empty
_PYTHON = {"bool": bool, "int": int, "float": float}

#: NumPy's names of arguments, which PyTorch takes as well
NUMPY_NAMES = {"axis": "dim", "keepdims": "keepdim"}

#: what out= does; set by out.py
deliver = fit_elementwise = None


class TensorBase:
    """What dispatch needs of a tensor; `Tensor` adds the public face."""

    _node = None
    _index = 0
    _grad = None
    _base = None
    _epoch = 0
    _hooks = None
    _post_hooks = None
    _req = False
    _retains = False
    _untracked = False  # a view made in no_grad mode of a tensor that requires grad

    @classmethod
    def _make(cls, storage, spec, offset=0):
        t = object.__new__(cls)
        t._storage, t._spec, t._offset = storage, spec, offset
        return t


tensor_class = TensorBase  # replaced by Tensor


def fresh(spec):
    """A tensor of this Spec with uninitialised memory."""
    return tensor_class._make(Storage(spec.device, _extent(spec) * spec.dtype.itemsize), spec)


def _extent(spec):
    """The number of elements a storage must hold for a tensor of this Spec at offset 0."""
    return spec.numel if spec.contiguous else extent(spec.shape, spec.strides)


# --- elementwise -----------------------------------------------------------------------------------------------------


def run_elementwise(op, inputs, attrs=(), out=None, dtype=None, inplace=False):
    """Run an elementwise op.

    inputs: tensors and numbers; attrs: numbers; out: a tensor or tuple to write to; dtype: of the result, where not the
    promoted one; inplace: out keeps its history and gets this op's on top (else writing to it is an error for autograd).
    """
    if attrs:
        attrs = numbers(op, attrs)
    if context.transform is not None:
        result = context.transform.elementwise(op, inputs, attrs, out, dtype, inplace)
        if result is not NotImplemented:
            return result
    elif out is None and not attrs and dtype is None and context.recorder is None:
        call = op.ready.get(tuple([getattr(x, "_spec", None) or x.__class__ for x in inputs]))
        if call is not None:
            result = call(*inputs)
            if result is not None:
                return _noted(op, inputs, result)
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
        if not tensors and out is None:
            raise ArgumentTypeError(f"{op.name}: at least one argument must be a Tensor, got {', '.join(map(repr, inputs))}")
        if out is not None and not inplace:
            fit_elementwise(op, tensors, out)
            key = (operands, tuple(o._spec for o in out))
            forced = key[1]
        plan = _new_plan(op, operands, forced)
        if forced is None and not attrs and not _divides_integers(op, plan, inputs):
            s = plan.outputs[0]
            op.ready = _bounded(op.ready, op.ready)
            op.ready[operands] = ready_call(plan, operands, _extent(s) * s.dtype.itemsize, tensor_class)
    if attrs:
        values.extend(attrs)
    if op.divides and plan.steps and _divides_integers(op, plan, inputs):
        check_values(inputs[-1], "divisor")
    if out is not None:
        check_writable(op.name, out, once=bool(op.inputs))
        apart = _apart(op, tensors, out)
        if apart is not tensors:
            plan, tensors = _plan_of(op, operands, forced, apart), apart
        return _write(op, plan, inputs, tensors, values, attrs, out, inplace)
    outs = tuple([fresh(s) for s in plan.outputs])
    _launch(plan, tensors, outs, values)
    finish(op, inputs, tuple(attrs), outs)
    return outs[0] if len(outs) == 1 else outs


def _new_plan(op, operands, forced):
    plan = op.plans[operands, forced] = _bounded(op.plans, op.plan(operands, forced))
    return plan


def _plan_of(op, operands, forced, tensors):
    """The plan for operands whose tensors are these, laid out otherwise."""
    rest = iter(tensors)
    operands = tuple([o if isinstance(o, type) else next(rest)._spec for o in operands])
    return op.plans.get((operands, forced)) or _new_plan(op, operands, forced)


def _divides_integers(op, plan, inputs):
    """Whether the device has to look for a divisor of 0."""
    return op.divides and isinstance(inputs[-1], TensorBase) and plan.outputs[0].dtype.category == "int"


def run_pair(op, a, b):
    """run_elementwise(op, (a, b)) of two tensors, the shortest way."""
    if context.transform is None and context.recorder is None:
        call = op.ready.get((a._spec, b._spec))
        if call is not None:
            result = call(a, b)
            if result is not None:
                if a._req or b._req or a._base is not None or b._base is not None or not context.grad:
                    return _noted(op, (a, b), result)
                return result
    return run_elementwise(op, (a, b))


def _noted(op, inputs, result, attrs=()):
    """result, with the history that grad mode asks for, or the mark of inference mode."""
    if context.grad:
        needs = tuple([getattr(t, "_req", False) or (getattr(t, "_base", None) is not None and t._refresh()) for t in inputs])
        if True in needs and op.differentiable:
            _attach(record(op, inputs, attrs, (result,), needs=needs), (result,))
    elif context.inference:
        result._storage.inference = True
    return result


def _launch(plan, tensors, outs, values):
    if not plan.steps:
        return
    buffers, offsets = [], None
    for slot, t in enumerate((*tensors, *outs)):
        buffers.append(t._storage.buffer)
        if t._offset:
            if offsets is None:
                offsets = {}
            offsets[slot] = t._offset
    plan.run(buffers, offsets or _NONE, values)


_NONE = {}
_MAX_PLANS = 4096


def _bounded(plans, plan):
    if len(plans) >= _MAX_PLANS:
        plans.clear()
    return plan


def _attach(node, outs):
    for i, o in enumerate(outs):
        if o._spec.dtype.is_floating_point:
            o._node, o._index, o._req = node, i, True


def number(op, x):
    """x as a Python bool, int or float.  Raises ArgumentTypeError for anything that is not a real number."""
    if type(x) in (int, float, bool):
        return x
    category = dtypes.category_of(x)
    if category is None:
        raise ArgumentTypeError(f"{op.name}: expected a Tensor or a number, got {calls.kind(x)}: {x!r}. "
                                "Make a tensor of it with cltensor.tensor(...)")
    return _PYTHON[category](x)


def numbers(op, given):
    """The attributes of a call as Python's own numbers; tensors of one element are read.

    They are set on a kernel object while the device is locked, when no tensor can be looked at.
    """
    return tuple([x if type(x) in (int, float, bool) else number(op, x.item() if isinstance(x, TensorBase) else x) for x in given])


# --- writing into existing tensors -----------------------------------------------------------------------------------


def _write(op, plan, inputs, tensors, values, attrs, outs, inplace):
    if context.grad and outs[0]._untracked and outs[0]._node is None and outs[0]._base._req:
        raise AutogradError(f"{op.name}: A view was created in no_grad mode and is being modified inplace with grad mode enabled. "
                            "Move both the view and the write into the no_grad block, or both out of it")
    graph = context.grad and outs[0]._spec.dtype.is_floating_point and any(
        t._req or (t._base is not None and t._refresh()) for t in (*tensors, *outs))
    if graph:
        check_history(op, outs, inplace)
        versions = [x._storage.version if isinstance(x, TensorBase) else 0 for x in inputs]
        node = record(op, inputs, tuple(attrs), outs, versions)
        _keep_overwritten(node, outs)
        keep_outputs, node.outputs = node.outputs is not None, None
    _launch(plan, tensors, outs, values)
    for o in outs:
        o._storage.version += 1
    if graph:
        if keep_outputs:
            node.outputs = tuple((o._alias(), o._storage.version) for o in outs)
        for i, o in enumerate(outs):
            o._rebase(node, i)
    if context.recorder is not None:
        context.recorder.op(op, inputs, attrs, outs)
    return outs[0] if len(outs) == 1 else outs


def _keep_overwritten(node, outs):
    """Save copies of the inputs the gradient needs and this op is about to overwrite."""
    storages = [o._storage for o in outs]
    lost = [i for i, _ in node.versions if any(node.args[i]._storage is s for s in storages)]
    if not lost:
        return
    args = list(node.args)
    for i in lost:
        args[i] = run_elementwise(REGISTRY["copy"], (args[i],))
    node.args = tuple(args)
    node.versions = tuple((i, args[i]._storage.version if i in lost else v) for i, v in node.versions)


def check_writable(name, outs, once=True):
    """Raise ShapeError when an output is to have each element in a place of its own and does not, as an expanded tensor."""
    for o in outs:
        s = o._spec
        if once and not s.contiguous and any(st == 0 and n > 1 for n, st in zip(s.shape, s.strides, strict=True)):
            raise ShapeError(f"{name}: unsupported operation: more than one element of the written-to tensor refers to "
                             f"a single memory location (shape {list(s.shape)}, strides {list(s.strides)}). "
                             "Please clone() the tensor before performing the operation")
        if o._storage.inference and not context.inference:
            raise AutogradError(f"{name}: Inplace update to inference tensor outside InferenceMode is not allowed; "
                                "clone() it first")


def check_tensor(name, argument, position, x):
    """Raise ArgumentTypeError unless an argument of a public function is a tensor."""
    if not isinstance(x, TensorBase):
        raise ArgumentTypeError(f"{name}(): argument '{argument}' (position {position}) must be Tensor, not {calls.kind(x)}")


def check_history(op, outs, inplace):
    """Raise AutogradError when writing to outs would lose or break a recorded history."""
    if not inplace:
        raise AutogradError(f"{op.name}(): functions with out=... arguments don't support automatic differentiation, but "
                            "one of the arguments requires grad; use the result, or wrap the call in no_grad()")
    for o in outs:
        check_leaf(op.name, o)


def check_leaf(name, o):
    """Raise AutogradError when o is a leaf that requires grad, or a view of one."""
    what = leaf_at(o)
    if what:
        raise AutogradError(f"{name}: {what} that requires grad is being used in an in-place operation; "
                            "do it under cltensor.no_grad(), or on a clone()")
    base = o._base if o._base is not None else o
    if base._index in getattr(base._node, "views", ()):
        raise AutogradError(f"{name}: Output {base._index} of {base._node.name()} is a view and is being modified inplace. "
                            "It shares memory with an input of a custom Function, whose backward the write would bypass; "
                            "clone() the output first")


def _apart(op, tensors, outs):
    """tensors, or a list with copies of those that overlap an output without lying exactly on it."""
    for o in outs:
        for i, t in enumerate(tensors):
            if t._storage is o._storage and not (t._offset == o._offset and t._spec is o._spec) and overlap(t, o):
                return _apart(op, [*tensors[:i], _copied(op, t, o), *tensors[i + 1:]], outs)
    return tensors


def _copied(op, t, o):
    """A copy of t, which overlaps the output o.  Raises ShapeError where PyTorch refuses that."""
    if _packed(t._spec) and _packed(o._spec):
        raise ShapeError(f"{op.name}: unsupported operation: some elements of the input tensor and the written-to tensor refer to "
                         "a single memory location. Please clone() the tensor before performing the operation")
    return t.detach().clone()


def overlap(a, b):
    """Whether two tensors have a byte in common."""
    if a._storage is not b._storage:
        return False
    s, r = a._spec, b._spec
    size, other = s.dtype.itemsize, r.dtype.itemsize
    distance = b._offset * other - a._offset * size
    if distance >= _extent(s) * size or -distance >= _extent(r) * other:
        return False
    return meet(distance, s.shape, s.strides, size, r.shape, r.strides, other)


def _packed(s):
    return s.contiguous or packed(s.shape, s.strides)


# --- planned ops: reductions, kernels, composites with a gradient ----------------------------------------------------


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
        _tensors(op, inputs)
        raise
    key = (specs, attrs)
    plan = op.plans.get(key)
    if plan is None:
        plan = op.plans[key] = _bounded(op.plans, op.plan(specs, attrs))
        if not (op.checks or values or None in specs):
            plan.call = ready_call(plan, specs, _extent(plan.outputs[0]) * plan.outputs[0].dtype.itemsize, tensor_class)
    if plan.call is not None and context.recorder is None:
        result = plan.call(*inputs)
        if result is not None:
            return _noted(op, inputs, result, attrs)
    outs = tuple([fresh(s) for s in plan.outputs])
    if plan.steps:
        buffers, offsets = [], {}
        for slot, t in enumerate((*inputs, *outs)):
            buffers.append(None if t is None else t._storage.buffer)
            if t is not None and t._offset:
                offsets[slot] = t._offset
        if op.checks:
            faults.run(op, plan, buffers, offsets, values)
        else:
            plan.run(buffers, offsets, values)
    finish(op, inputs, (*attrs, *values), outs)
    return outs[0] if len(outs) == 1 else outs


def finish(op, inputs, attrs, outs):
    """Record an op that was run on inputs and gave outs."""
    if context.grad and op.differentiable:
        for t in inputs:
            if isinstance(t, TensorBase) and (t._req or (t._base is not None and t._refresh())):
                _attach(record(op, inputs, attrs, outs), outs)
                break
    if context.recorder is not None:
        context.recorder.op(op, inputs, attrs, outs)


def run_view(op, x, attrs=()):
    """Run a view op: a tensor over x's storage."""
    if context.transform is not None:
        result = context.transform.view(op, x, attrs)
        if result is not NotImplemented:
            return result
    key = (x._spec, attrs)
    found = op.plans.get(key)
    if found is None:
        found = op.plans[key] = _bounded(op.plans, op.plan(x._spec, attrs))
    spec, delta = found
    out = tensor_class._make(x._storage, spec, x._offset + delta)
    base = out._base = x if x._base is None or (x._req and x._node is None) else x._base  # a leaf is a base of its own
    out._epoch = base._epoch
    if context.grad and (x._req or (x._base is not None and x._refresh())):
        _attach(record(op, (x,), attrs, (out,)), (out,))
    elif base._req and not context.grad:
        out._untracked = True
    if context.recorder is not None:
        context.recorder.op(op, (x,), attrs, (out,))
    return out


# --- binding arguments -----------------------------------------------------------------------------------------------


def bind(op, args, given):
    """Split a call's arguments into inputs and attribute values, in declared order.  Raises ArgumentTypeError."""
    if len(args) == len(op.inputs) and tuple(given) == op.attr_names:
        return args, tuple(given.values())
    names = (*op.inputs, *op.attr_names)
    if len(args) > len(names):
        raise ArgumentTypeError(f"{op.name}() takes at most {len(names)} arguments ({', '.join(names)}), got {len(args)}")
    bound = dict(zip(names, args, strict=False))
    for given_name, value in given.items():
        name = given_name if given_name in names else NUMPY_NAMES.get(given_name)
        if name not in names:
            raise ArgumentTypeError(f"{op.name}() got an unexpected keyword argument {given_name!r}; it takes {', '.join(names)}")
        if name in bound:
            raise ArgumentTypeError(f"{op.name}() got multiple values for argument {name!r}")
        bound[name] = value
    for name, default in op.attrs.items():
        if name not in bound and default is not _required:
            bound[name] = default
    missing = [n for n in names if n not in bound]
    if missing:
        raise ArgumentTypeError(f"{op.name}() missing required argument(s): {', '.join(missing)}")
    return [bound[n] for n in op.inputs], tuple(bound[n] for n in op.attr_names)


def _apply_elementwise(op, args, attrs):
    out, inplace = attrs.pop("out", None), attrs.pop("inplace", False)
    if len(args) == len(op.inputs) and not attrs and not op.attr_names:
        inputs, values = args, ()
    else:
        inputs, values = bind(op, args, attrs)
    for i in op.tensor_only:
        if not isinstance(inputs[i], TensorBase):
            raise ArgumentTypeError(f"{op.name}(): argument '{op.inputs[i]}' (position {i + 1}) must be Tensor, not "
                                    f"{calls.kind(inputs[i])}")
    return run_elementwise(op, inputs, values, out, None, inplace)


def _tensors(op, inputs):
    for x in inputs:
        if x is not None and not isinstance(x, TensorBase):
            raise ArgumentTypeError(f"{op.name}: expected a Tensor, got {calls.kind(x)}: {x!r}")
    return tuple(inputs)


def _apply_planned(op, args, attrs):
    if not attrs and not op.attr_names and len(args) == len(op.inputs):
        return run_planned(op, _tensors(op, args))
    out = attrs.pop("out", None)
    inputs, values = bind(op, args, attrs)
    return _into(op, run_planned(op, _tensors(op, inputs), *op.split(values)), out)


def _into(op, result, out):
    if out is None:
        return result
    return deliver(op.name, result, out)


def _apply_view(op, args, attrs):
    inputs, values = bind(op, args, attrs)
    return run_view(op, *_tensors(op, inputs), values)


def _apply_composite(op, args, attrs):
    target = attrs.pop("out", None)
    if op.vjp is None:
        return _into(op, op.fn(*args, **attrs), target)
    inputs, values = bind(op, args, attrs)
    if context.transform is not None:
        result = context.transform.composite(op, inputs, values)
        if result is not NotImplemented:
            return _into(op, result, target)
    before = context.grad
    context.grad = False
    try:
        out = op.fn(*inputs, **dict(zip(op.attr_names, values, strict=True)))
    finally:
        context.grad = before
    outs = out if isinstance(out, tuple) else (out,)
    finish(op, inputs, values, outs)
    return _into(op, out, target)


def _apply_reduction(op, args, attrs):
    out = attrs.pop("out", None)
    inputs, (dim, keepdim, *values) = bind(op, args, attrs)
    inputs = _tensors(op, inputs)
    if len(inputs) > 1:
        shape = broadcast_shapes(*(x._spec.shape for x in inputs), op=op.name)
        inputs = tuple(x if x._spec.shape == shape else x.expand(shape) for x in inputs)
    dims = normalize_dims(dim, inputs[0]._spec.ndim, op.name)
    return _into(op, run_planned(op, inputs, (dims, bool(keepdim)), tuple(values)), out)


def filled(spec, value):
    """A dense tensor of spec's shape and dtype full of one number."""
    t = fresh(spec if spec.contiguous else spec.dense())
    value = dtypes.stored(value, spec.dtype, "full")
    if t._spec.numel:
        run_elementwise(REGISTRY["full"], (), (value,), out=t)
    t._storage.version = 0
    return t


Op.filled = staticmethod(filled)
Reduction.apply = staticmethod(_apply_reduction)
Planned.apply = staticmethod(_apply_planned)
Elementwise.apply = staticmethod(_apply_elementwise)
Elementwise.run = staticmethod(run_elementwise)
View.apply = staticmethod(_apply_view)
Composite.apply = staticmethod(_apply_composite)
Joining.apply = staticmethod(lambda op, args, attrs: run_planned(op, _tensors(op, args), (attrs["dim"],)))
