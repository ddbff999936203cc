"""The public functions and dtypes that rules are written in, as `ct`."""

from types import SimpleNamespace

import numpy as np

from ...base import dtypes
from ...tensor import namespace

ct = SimpleNamespace(**{**dtypes.BY_NAME, **namespace()})


def ints(values):
    """A tuple of ints from an array, or a number, that is on the host."""
    return tuple(np.asarray(values).reshape(-1).tolist())


def integer(value):
    """The int in an array of one element."""
    return ints(value)[0]


def number(value):
    """The Python number in an array of one element."""
    return np.asarray(value).reshape(-1)[0].item()


def axis_of(axis, ndim):
    """A dimension counted from the front."""
    return axis + ndim if axis < 0 else axis


def axes_of(axes, ndim):
    """Dimensions counted from the front."""
    return tuple(axis_of(axis, ndim) for axis in axes)
