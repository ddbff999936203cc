"""The public functions and dtypes that rules are written in, as `ct`."""

from types import SimpleNamespace

import numpy as np

from ...base import dtypes
from ...tensor import namespace

ct = SimpleNamespace(**{**dtypes.BY_NAME, **namespace()})


def sizes_array(sizes):
    """An array of sizes; of objects where they are not plain ints, but remember how they were computed."""
    sizes = list(sizes)
    if all(type(n) is int for n in sizes):
        return np.array(sizes, np.int64)
    made = np.empty(len(sizes), object)
    for i, n in enumerate(sizes):
        made[i] = n
    return made


def as_array(value):
    """What NumPy gave as an array: of no dimensions it gives numbers, or the objects themselves."""
    if isinstance(value, (np.ndarray, np.generic, bool, float, str)):
        return np.asarray(value)
    return sizes_array([value]).reshape(())


def ints(values):
    """A tuple of ints from an array, or a number, that is on the host."""
    return tuple(as_array(values).reshape(-1).tolist())


def integer(value):
    """The int in an array of one element."""
    return ints(value)[0]


def number(value):
    """The Python number in an array of one element."""
    return as_array(value).reshape(-1).tolist()[0]


def axis_of(axis, ndim):
    """A dimension counted from the front."""
    return axis + ndim if axis < 0 else axis


def axes_of(axes, ndim):
    """Dimensions counted from the front."""
    return tuple(axis_of(axis, ndim) for axis in axes)
