"""cond: one of two functions, by a value on the device."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from ..autograd.trees import leaves
from ..base import calls
from ..base.context import context
from ..base.errors import ArgumentTypeError, ShapeError
from ..dispatch.tensor_base import TensorBase
from ..func.batching import Batched
from ..graph.branching import branch, run_both
from ..graph.guards import ordinary
from ..graph.looping import listening, muted
from ..graph.structure import flatten, unflatten
from ..tensor.core.tensor import Tensor

_NAMES = "true_fn", "false_fn"
_REMEMBERED = 1024
_compared = {}  # (the functions' code, layouts of the operands) -> per function the positions of results to copy, or None


def cond(pred: bool | int | float | Tensor, true_fn: Callable[..., Any], false_fn: Callable[..., Any],
         operands: tuple | list = ()) -> Any:
    """true_fn(*operands) where pred is true, else false_fn(*operands); under compile part of the program, whatever pred is.

    pred: a tensor of one element of any dtype, or a number.  operands: tensors of any shape and dtype, also nested in tuples, lists
    and dicts.  Both functions return the same structure of tensors, with the same shapes and dtypes; numbers and None may stand
    among them.  They may use tensors from outside, draw random numbers, and, where no gradient flows, write in place.  What is
    returned shares no memory with the operands.  Gradients flow to operands and to tensors from outside; captured, one that the
    function taken does not use gets zeros.  In vmap a pred that differs along the batch runs both, and where() chooses.

    The function not taken runs once for each layout of the operands, to be compared or captured: without effect on any tensor,
    gradient or generator, but objects of Python that it changes stay changed.  A replay reads pred and runs one of the two.
    Numerics: those of the function taken.

    Raises ArgumentTypeError for functions that cannot be called, operands that are no tensors, or another pred; ShapeError for a
    pred of more than one element, and where the functions return other structures or shapes; DTypeError for other dtypes.
    Source: torch.cond.

        >>> x = ct.tensor([1.0, 4.0])
        >>> ct.cond(x.sum() > 3, lambda x: x.sqrt(), lambda x: x * 2, (x,))
        tensor([1., 2.])
    """
    if not (callable(true_fn) and callable(false_fn)):
        raise ArgumentTypeError(f"cond: expected two functions, got {calls.kind(true_fn)} and {calls.kind(false_fn)}")
    if isinstance(pred, (bool, int, float)):
        return (true_fn if pred else false_fn)(*operands)
    _check(pred, operands)
    fns = [functools.partial(fn, *operands) for fn in (true_fn, false_fn)]
    if isinstance(pred, Batched):
        return _chosen(pred, *(fn() for fn in fns))
    recorder = listening()
    if recorder is not None:
        found = _captured(recorder, pred, fns)
        if found is not None:
            return found
    return _eager(pred, fns, (true_fn, false_fn), operands)


def _check(pred, operands):
    if not isinstance(pred, TensorBase):
        raise ArgumentTypeError(f"cond: Expected pred to be bool or tensor, but got {pred!r}; write a condition over tensors, such "
                                "as (x > 0).any()")
    if pred._spec.numel != 1:
        raise ShapeError(f"cond: Expected pred to be bool or single-element tensor, but got shape {list(pred.shape)}; reduce it "
                         "with .any() or .all()")
    strange = [x for x in leaves(operands) if not isinstance(x, TensorBase)]
    if strange or not isinstance(operands, (tuple, list)):
        got = repr(strange[0]) if strange else calls.kind(operands)
        raise ArgumentTypeError("cond: Expect operands to be a tuple of possibly nested dict/list/tuple that only consists of "
                                f"tensor leaves, but got {got}; write (x,) for one tensor, and use numbers through a closure")


def _chosen(pred, ours, theirs):
    """The results of two functions, chosen along a batch."""
    first, template = flatten(ours)
    second, other = flatten(theirs)
    if template != other:
        raise ShapeError("cond: true_fn and false_fn must return the same structure")
    chosen = pred.reshape(()) != 0
    made = [a.where(chosen, b) if isinstance(a, TensorBase) else a for a, b in zip(first, second, strict=True)]
    return unflatten(template, iter(made))


def _captured(recorder, pred, fns):
    """The results, while the choice becomes part of a captured program; None where that fails, and the recorder knows why."""
    if context.made is not None:
        recorder.fail("cond runs inside checkpoint")
        return None
    taken = 0 if recorder.dry_run is not None else int(not muted(pred.detach().item))
    flag = pred.detach() if pred.dtype.name == "bool" else pred.detach() != 0
    found = branch(recorder, flag, fns, taken, _NAMES)
    return found and unflatten(found[1], iter(found[0]))


def _eager(pred, fns, functions, operands):
    if pred.device.meta:  # there is no value to choose by, and the results of both have one layout
        both = run_both(None, fns, 1, pred.device, _NAMES)
        return unflatten(both.template, iter(both.ways[1]))
    taken = int(not pred.detach().item())
    key = tuple(map(_code, functions)), tuple(t._spec for t in leaves(list(operands))), context.grad
    device = pred.device
    if key not in _compared and ordinary() and not device.host:
        if len(_compared) >= _REMEMBERED:
            _compared.clear()
        both = run_both(None, fns, taken, device, _NAMES)
        _compared[key] = both and both.copied
        if both is not None:
            return unflatten(both.template, iter(both.ways[taken]))
    copied = (_compared.get(key) or ((), ()))[taken]
    found, template = flatten(fns[taken]())
    memory = {t._storage for t in leaves(list(operands))}
    return unflatten(template, iter([_apart(x, memory, i in copied) for i, x in enumerate(found)]))


def _apart(x, memory, copied):
    """A result that shares no memory with others."""
    if not isinstance(x, TensorBase):
        return x
    if copied or x._storage in memory:
        x = x.clone()
    memory.add(x._storage)
    return x


def _code(fn):
    """What tells a function from others, whatever object it is."""
    while isinstance(fn, functools.partial):
        fn = fn.func
    fn = getattr(fn, "__func__", fn)
    return getattr(fn, "__code__", None) or type(fn)

