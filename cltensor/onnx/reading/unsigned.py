"""uint16, uint32 and uint64 in rules whose functions are not defined for them: computed as int64, which holds their bits."""

import functools

from ...base import dtypes
from ...tensor import Tensor

_LOWEST = -(1 << 63)


def widened(function):
    """The function on int64 in the place of unsigned tensors; results of int64 become those of the first one's dtype again."""

    @functools.wraps(function)
    def called(*inputs, **attributes):
        found = next((x.dtype for x in inputs if isinstance(x, Tensor) and x.dtype in dtypes.UNSIGNED), None)
        if found is None:
            return function(*inputs, **attributes)
        result = function(*map(_wide, inputs), **attributes)
        return result.to(found) if result.dtype is dtypes.int64 else result

    return called


def ordered(function):
    """The function of two on int64 that are in the same order as the tensors, which a uint64 is once its sign bit is flipped."""

    @functools.wraps(function)
    def called(a, b):
        return function(in_order(a), in_order(b))

    return called


def in_order(x):
    """A tensor whose numbers are in the same order, of a dtype that is compared everywhere."""
    return _wide(x) ^ _LOWEST if x.dtype is dtypes.uint64 else _wide(x)


def _wide(x):
    return x.to(dtypes.int64) if isinstance(x, Tensor) and x.dtype in dtypes.UNSIGNED else x
