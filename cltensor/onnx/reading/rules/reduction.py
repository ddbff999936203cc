"""Reductions, running sums and places of extremes."""

import math

from ..operators import operator
from ..public import axis_of, ct, integer, ints
from ..rounding import limits
from ..unsigned import widened


def _l1(x, axes, keep):
    return ct.sum(ct.abs(x), axes, keep)


def _l2(x, axes, keep):
    return ct.sqrt(_squares(x, axes, keep)).to(x.dtype)


def _squares(x, axes, keep):
    return ct.sum(x * x, axes, keep)


def _log_sum(x, axes, keep):
    return ct.log(ct.sum(x, axes, keep))


def _log_sum_exp(x, axes, keep):
    return ct.logsumexp(x if x.dtype.is_floating_point else x.to(ct.float32), axes, keep)


def _mean(x, axes, keep):
    if x.dtype.is_floating_point:
        return ct.mean(x, axes, keep)
    return ct.div(ct.sum(x, axes, keep), math.prod(x.shape[a] for a in axes), rounding_mode="trunc")


def _product(x, axes, keep):
    for axis in sorted(axes, reverse=True):
        x = ct.prod(x, axis, keep)
    return x


def _largest(x, axes, keep):
    return _extreme(x, axes, keep, ct.amax, 0)


def _smallest(x, axes, keep):
    return _extreme(x, axes, keep, ct.amin, 1)


def _extreme(x, axes, keep, function, which):
    """The largest or smallest; of no elements the end of the dtype's range."""
    if 0 not in (x.shape[a] for a in axes):
        return function(x.to(ct.uint8), axes, keep).to(ct.bool) if x.dtype is ct.bool else function(x, axes, keep)
    if x.dtype is ct.bool:
        end = bool(which)
    elif x.dtype.is_floating_point:
        end = (-math.inf, math.inf)[which]
    else:
        end = limits(x.dtype.name)[which]
    shape = [1 if a in axes else n for a, n in enumerate(x.shape) if keep or a not in axes]
    return ct.full(shape, end, dtype=x.dtype, device=x.device)


def _reduced(function, x, axes, keepdims, none_if_empty):
    if not axes and none_if_empty:
        return x
    axes = tuple(sorted({axis_of(a, x.ndim) for a in axes})) if axes else tuple(range(x.ndim))
    if not axes:
        return function(x.reshape(1), (0,), False).to(x.dtype).reshape(())
    return function(x, axes, bool(keepdims)).to(x.dtype)


_REDUCTIONS = {"ReduceL1": _l1, "ReduceL2": _l2, "ReduceSumSquare": _squares, "ReduceLogSum": _log_sum,
               "ReduceLogSumExp": _log_sum_exp, "ReduceMean": _mean, "ReduceProd": _product, "ReduceMax": _largest,
               "ReduceMin": _smallest, "ReduceSum": lambda x, axes, keep: ct.sum(x, axes, keep)}


def _by_attribute(function):
    return widened(lambda x, *, axes=(), keepdims=1: _reduced(function, x, axes, keepdims, False))


def _by_input(name, function):
    """Where there are no axes to reduce along, what the operator does to each element is done all the same."""
    each = {"ReduceL1": ct.abs, "ReduceL2": ct.abs, "ReduceSumSquare": ct.square, "ReduceLogSum": ct.log}.get(name)

    def reduced(x, axes=None, *, keepdims=1, noop_with_empty_axes=0):
        axes = () if axes is None else ints(axes)
        if each is not None and noop_with_empty_axes and not axes:
            return each(x)
        return _reduced(function, x, axes, keepdims, noop_with_empty_axes)

    return widened(reduced)


for _name, _function in _REDUCTIONS.items():
    operator(_name)(_by_attribute(_function))
    operator(_name, since=13 if _name == "ReduceSum" else 18, host="axes")(_by_input(_name, _function))


def _place_of(function):
    def place(x, *, axis=0, keepdims=1, select_last_index=0):
        if select_last_index:
            return x.shape[axis] - 1 - function(ct.flip(x, (axis,)), axis, bool(keepdims))
        return function(x, axis, bool(keepdims))

    return place


operator("ArgMax", since=1)(_place_of(ct.argmax))
operator("ArgMin", since=1)(_place_of(ct.argmin))


def _running(function, neutral):
    def run(x, axis, *, exclusive=0, reverse=0):
        axis = axis_of(integer(axis), x.ndim)
        x = ct.flip(x, (axis,)) if reverse else x
        if exclusive:
            first = ct.full_like(x.narrow(axis, 0, 1), neutral)
            x = ct.cat([first, x.narrow(axis, 0, x.shape[axis] - 1)], axis)
        found = function(x, axis).to(x.dtype)
        return ct.flip(found, (axis,)) if reverse else found

    return run


operator("CumSum", since=11, host="axis")(_running(ct.cumsum, 0))
operator("CumProd", since=26, host="axis")(_running(ct.cumprod, 1))
