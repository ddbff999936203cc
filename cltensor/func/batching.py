"""Batched tensors, the heart of vmap: tensors that hide a leading batch dimension, and how each kind of op runs on them.

One rule covers all elementwise ops, one all views, one all reductions.  A kernel op declares by `batch` how it takes a leading
dimension; without that, it runs once for each element of the batch.
"""

import contextlib

from ..autograd.modes import no_grad
from ..base.context import context
from ..base.errors import ArgumentError, AutogradError, ShapeError
from ..base.overriding import disabled
from ..dispatch.history import attach, finish
from ..dispatch.node import record
from ..dispatch.run_elementwise import run_elementwise
from ..dispatch.run_planned import run_planned, run_view
from ..dispatch.spec import spec
from ..dispatch.tensor_base import TensorBase
from ..ops.index import parts, strided
from ..ops.kinds.reduction import Reduction
from ..ops.kinds.scan import Scan
from ..tensor.core.tensor import Tensor
from .custom import Call, Space


class Level:
    """One running vmap: its batch size, and how it treats random numbers."""

    def __init__(self, size, randomness):
        self.size, self.randomness = size, randomness


class Batched(Tensor):
    """A tensor without its leading dimension, over which `level` maps."""

    __torch_function__ = disabled

    def __repr__(self):
        return f"Batched({list(self.shape)} of a batch of {self._level.size}, {self.dtype})"

    def _read(self):
        raise AutogradError("vmap: values cannot be read inside the mapped function (.item(), .numpy(), printing, `if tensor`): "
                            "they differ along the batch. Use where() to choose, or read after vmap")

    def detach(self):
        return _same_memory(self)

    _alias = detach

    def _with_history(self, node, index):
        t = _same_memory(self)
        if context.grad:
            t._node, t._index, t._req = node, index, True
        return t

    def new_empty(self, *size, dtype=None, device=None, requires_grad=False):
        shape = size[0] if len(size) == 1 and not hasattr(size[0], "__index__") else size
        return wrap(self._physical.new_empty((self._level.size, *shape), dtype=dtype, device=device), self._level)

    def new_full(self, size, fill_value, *, dtype=None, device=None, requires_grad=False):
        size = (size,) if hasattr(size, "__index__") else tuple(size)
        return wrap(self._physical.new_full((self._level.size, *size), fill_value, dtype=dtype, device=device), self._level)

    def new_zeros(self, *size, dtype=None, device=None, requires_grad=False):
        shape = size[0] if len(size) == 1 and not hasattr(size[0], "__index__") else size
        return self.new_full(shape, 0, dtype=dtype, device=device)

    def new_empty_strided(self, size, stride, dtype=None, device=None, requires_grad=False):
        extent = 1 + sum((n - 1) * s for n, s in zip(size, stride, strict=True))
        flat = self._physical.new_empty((self._level.size, extent), dtype=dtype, device=device)
        return wrap(flat.as_strided((self._level.size, *size), (extent, *stride)), self._level)


def _same_memory(t):
    return wrap(t._physical, t._level)


def wrap(physical, level):
    """physical without its first dimension."""
    s = physical._spec
    t = object.__new__(Batched)
    t._storage, t._offset, t._physical, t._level = physical._storage, physical._offset, physical, level
    t._spec = spec(tuple(s.shape[1:]), tuple(s.strides[1:]), s.dtype, s.device)
    return t


def unwrap(t, level):
    """The tensor with the batch of `level` as first dimension; expand one that is not batched there."""
    if isinstance(t, Batched) and t._level is level:
        return t._physical
    return t.unsqueeze(0).expand(level.size, *t.shape)


def debug_unwrap(tensor: Tensor, *, recurse: bool = True) -> Tensor:
    """The tensor with its batch dimensions, inside a function that vmap maps: to print and to look at, not to compute with.

    tensor: of any shape and dtype; one that is not batched comes back as it is.  recurse: undo all vmaps around, not only the
    innermost one that batches it.

    Never raises.  Source: names of torch.func.

        >>> def shown(x):
        ...     print(ct.func.debug_unwrap(x))
        ...     return x * 2
        >>> ct.func.vmap(shown)(ct.tensor([1.0, 2.0]))
        tensor([1., 2.])
        tensor([2., 4.])
    """
    while isinstance(tensor, Batched):
        tensor = tensor._physical
        if not recurse:
            break
    return tensor


def _level_of(inputs):
    """The innermost level at which any input is batched, or None."""
    found = [x._level for x in inputs if isinstance(x, Batched)]
    return max(found, key=context.levels.index) if found else None


def _is_at(x, level):
    return isinstance(x, Batched) and x._level is level


def _aligned(x, level, ndim):
    """x's physical tensor with its logical dimensions padded to ndim; numbers and unbatched tensors stay as they are."""
    if not _is_at(x, level):
        return x
    pad = ndim - x.ndim
    return x._physical[(slice(None),) + (None,) * pad] if pad else x._physical


class Rules:
    """The rules that dispatch uses while a vmap runs; each returns NotImplemented if no input is batched."""

    def elementwise(self, op, inputs, attrs, out, dtype, inplace):
        """One rule for all elementwise ops: batch dimension first, logical dimensions aligned after it."""
        outs = () if out is None else out if isinstance(out, tuple) else (out,)
        level = _level_of([*inputs, *outs])
        if level is None:
            return NotImplemented
        tensors = [x for x in (*inputs, *outs) if isinstance(x, TensorBase)]
        ndim = max(x.ndim for x in tensors)
        if any(not _is_at(o, level) for o in outs):
            raise ShapeError(f"vmap: {op.name} cannot write a batched result into a tensor that is not batched; make the tensor "
                             "inside the mapped function from a batched one, for instance with x.new_zeros")
        operands = [x._spec if isinstance(x, TensorBase) else type(x) for x in inputs]
        op = op.form(operands, tuple(o._spec for o in outs) or dtype)
        if out is None and dtype is None and operands:
            kinds = set(op.result_dtypes(op.compute_dtype(operands)))
            dtype = kinds.pop() if len(kinds) == 1 else None
        physical = [_aligned(x, level, ndim) for x in inputs]
        written = tuple(_aligned(o, level, ndim) for o in outs)
        target = None if not outs else written if len(written) > 1 else written[0]
        result = run_elementwise(op, physical, attrs, target, dtype, inplace)
        if outs:
            return out
        return self._record(op, inputs, tuple(attrs), result, level)

    def planned(self, op, inputs, attrs, values):
        """Shift the dimensions of reductions and scans; follow the `batch` rule of kernel ops."""
        level = _level_of(inputs)
        if "seed" in getattr(op, "values", ()):
            return self._random(op, inputs, attrs, values, level or context.levels[-1])
        if level is None:
            return NotImplemented
        if isinstance(op, Reduction):
            result = run_planned(op, self._leading(inputs, level), (tuple(d + 1 for d in attrs[0]), attrs[1]), values)
        elif isinstance(op, Scan) or op.batch == "dim":
            shifted = tuple(a + 1 if n == "dim" else a for n, a in zip(op.attr_names, attrs, strict=False))
            result = run_planned(op, self._leading(inputs, level), shifted, values)
        elif op.batch == "leading":
            result = run_planned(op, self._leading(inputs, level), attrs, values)
        elif op.kind == "concat":
            result = run_planned(op, self._leading(inputs, level), (attrs[0] + 1,), values)
        elif op.name == "matmul":
            result = _matmul(op, *inputs, level)
        elif op.name == "linear":
            result = _linear(op, *inputs, level)
        else:
            result = _looped(lambda *each: run_planned(op, each, attrs, values), inputs, level)
        return self._record(op, inputs, (*attrs, *values), result, level)

    def _leading(self, inputs, level):
        return tuple(None if x is None else unwrap(x, level) for x in inputs)

    def _random(self, op, inputs, attrs, values, level):
        if level.randomness == "error":
            raise ArgumentError("vmap: called random operation while in randomness error mode; pass randomness='same' or "
                                "'different'")
        if level.randomness == "same":
            if _level_of(inputs) is None:
                return NotImplemented
            first = tuple(x._physical[0] if _is_at(x, level) else x for x in inputs)
            if op.differentiable:
                raise ArgumentError(f"vmap: {op.name} is not supported with randomness='same'; use 'different'")
            with _below(level):
                return run_planned(op, first, attrs, values)
        with _below(level):
            drawn = run_planned(op, tuple(unwrap(x, level).contiguous() for x in inputs), attrs, values)
        return wrap(drawn, level)

    def view(self, op, x, attrs):
        """One rule for all view ops: put the batch's shape and strides in front."""
        if not isinstance(x, Batched):
            return NotImplemented
        s, delta = op.plan(x._spec, attrs)
        level, physical = x._level, x._physical
        step, shown = physical.stride(0), strided.as_strided
        if s.dtype is not x.dtype:  # complex numbers seen in parts, or parts as complex numbers
            step, shown = step * x.itemsize // s.itemsize, parts.recast
        result = wrap(run_view(shown, physical, ((level.size, *s.shape), (step, *s.strides), delta)), level)
        result._base = x if x._base is None else x._base
        result._history_version = result._base._history_version
        if context.grad and x.requires_grad:
            attach(record(op, (x,), attrs, (result,)), (result,))
        return result

    def composite(self, op, inputs, attrs):
        """Composites with their own gradient: on the whole batch if they take leading dimensions, else one by one."""
        level = _level_of([x for x in inputs if isinstance(x, TensorBase)])
        if level is None:
            return NotImplemented
        named = dict(zip(op.attr_names, attrs, strict=True))
        if op.batch == "leading":
            result = op(*self._leading(inputs, level), **named)
        elif op.batch == "inside":
            with no_grad():
                result = op.fn(*inputs, **named)
            finish(op, inputs, attrs, result if isinstance(result, tuple) else (result,))
            return result
        else:
            result = _looped(lambda *each: op(*each, **named), inputs, level)
        return self._record(op, inputs, attrs, result, level)

    def function(self, cls, args, kwargs):
        """A Function of the user's: one of whole batches, see custom.py."""
        level = _level_of(args)
        return NotImplemented if level is None else Call(cls, args, kwargs, level, SPACE).run()

    def _record(self, op, inputs, attrs, result, level):
        outs = tuple(wrap(r, level) for r in (result if isinstance(result, tuple) else (result,)))
        finish(op, inputs, attrs, outs)
        return outs if isinstance(result, tuple) else outs[0]


def _matmul(op, a, b, level):
    """Broadcast batched operands; turn vectors into matrices first, since a batch of vectors is not a matrix."""
    if a.ndim == 1 and b.ndim == 1:
        return (unwrap(a, level) * unwrap(b, level)).sum(-1)
    if a.ndim == 1:
        return op(*_ranked(a.unsqueeze(0), b, level)).squeeze(-2)
    if b.ndim == 1:
        return op(*_ranked(a, b.unsqueeze(-1), level)).squeeze(-1)
    return op(*_ranked(a, b, level))


def _linear(op, input, weight, bias, level):
    """A batch of inputs alone has more rows; a batch of weights is a batch of products."""
    if not _is_at(weight, level) and not _is_at(bias, level):
        return op(unwrap(input, level), weight, bias)
    rows = input if input.ndim > 1 else input.unsqueeze(0)
    a, b = _ranked(rows, weight.mT, level)
    product = a @ b if bias is None else a @ b + _aligned(bias, level, rows.ndim)
    return product if input.ndim > 1 else product.squeeze(-2)


def _ranked(a, b, level):
    ndim = max(a.ndim, b.ndim)
    return tuple(_aligned(x, level, ndim) for x in (a, b))


def _looped(fn, inputs, level):
    """Run fn on each element of the batch, and stack the results."""
    from ..tensor.shape.joining import stack

    results = []
    for i in range(level.size):
        results.append(fn(*(x._physical[i] if _is_at(x, level) else x for x in inputs)))
    if isinstance(results[0], tuple):
        return tuple(stack(parts) for parts in zip(*results, strict=True))
    return stack(results)


@contextlib.contextmanager
def _below(level):
    """Run without `level` and the levels inside it."""
    at = context.levels.index(level)
    inner, context.levels[at:] = context.levels[at:], []
    context.rules = Rules() if context.levels else None
    context.arrange()
    try:
        yield
    finally:
        context.levels.extend(inner)
        context.rules = Rules()
        context.arrange()


@contextlib.contextmanager
def _within(level):
    """Run with `level` as the innermost one."""
    context.levels.append(level)
    context.rules = Rules()
    context.arrange()
    try:
        yield
    finally:
        leave()


SPACE = Space(_is_at, wrap, unwrap, _below, _within)


def enter(size, randomness):
    """Start a vmap over a batch of `size`; return its Level."""
    if randomness not in ("error", "different", "same"):
        raise ArgumentError(f"vmap: randomness must be 'error', 'different' or 'same', got {randomness!r}")
    context.levels.append(Level(size, randomness))
    context.rules = Rules()
    context.arrange()
    return context.levels[-1]


def leave():
    """End the innermost vmap."""
    context.levels.pop()
    if not context.levels:
        context.rules = None
        context.arrange()
