"""Functions of several ops on 16-bit floats: computed in float32, rounded once.

A chain of 16-bit ops would round each intermediate value.  For example, the square of 300 overflows float16, although the norm
computed from it does not.
"""

import functools

from ...base import dtypes
from ...dispatch.promotion import result_type

_NARROW = (dtypes.float16, dtypes.bfloat16)
_SIMPLE = frozenset((str, int, float, bool, type(None)))


class _ABSENT:  # stands for the Spec of a non-tensor
    dtype = None


def in_float32(fn):
    """Decorate a function of tensors, and of sequences of tensors, so that it never sees a 16-bit float.

    Such arguments are converted to float32.  float32 results are rounded to the dtype the arguments promote to; gradients are
    rounded once, too.  Other tensors pass unchanged.  Handle dtype= and out= in a function around the decorated one.
    """

    @functools.wraps(fn)
    def rounding_once(*args, **kwargs):
        if _has_narrow(args) or (kwargs and _has_narrow(kwargs.values())):
            return _through_float32(fn, args, kwargs)
        return fn(*args, **kwargs)

    return rounding_once


def wide(x):
    """x with its 16-bit floats converted to float32, also inside sequences."""
    return _each(x, lambda t: t.to(dtypes.float32) if t._spec.dtype in _NARROW else t)


def _has_narrow(values):
    for x in values:
        kind = x.__class__
        if kind in _SIMPLE:  # checked first: a failing getattr is slow
            continue
        if kind is list or kind is tuple:
            if _has_narrow(x):
                return True
        elif getattr(x, "_spec", _ABSENT).dtype in _NARROW:
            return True
    return False


def _through_float32(fn, args, kwargs):
    dtype = result_type([s for s in _specs((args, tuple(kwargs.values()))) if s.dtype.is_inexact])
    result = fn(*map(wide, args), **{name: wide(x) for name, x in kwargs.items()})
    return _each(result, lambda t: t.to(dtype) if t._spec.dtype is dtypes.float32 else t)


def _specs(x):
    """The Specs of the tensors in nested sequences."""
    if hasattr(x, "_spec"):
        return [x._spec]
    return [s for each in x for s in _specs(each)] if isinstance(x, (list, tuple)) else []


def _each(x, change):
    """x with change applied to each tensor in it."""
    if hasattr(x, "_spec"):
        return change(x)
    if isinstance(x, tuple) and hasattr(x, "_fields"):
        return type(x)(*[_each(y, change) for y in x])
    return type(x)([_each(y, change) for y in x]) if x.__class__ in (list, tuple) else x
