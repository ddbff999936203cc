"""NumPy's scalars and arrays in a pickle: numbers only, each size checked before NumPy sees it."""

import math

import numpy as np

from ...base.errors import SerializationError

_KINDS = "biufc"
_NAMES = frozenset(f"{kind}{size}" for kind in _KINDS for size in (1, 2, 4, 8, 16))


def dtype(name, align=False, copy=True):
    """A dtype of numbers by its short name, "f8"."""
    if not isinstance(name, str) or name not in _NAMES:
        raise SerializationError(f"it holds NumPy data of dtype {str(name)[:80]!r}; only numbers are read")
    return np.dtype(name, False, True)


def dtype_with_order(made, state):
    """The dtype with the byte order in its state."""
    if not (isinstance(state, tuple) and len(state) in (8, 9) and state[1] in ("<", ">", "|", "=") and state[2:5] == (None,) * 3):
        raise SerializationError("it holds a NumPy dtype with more than a byte order")
    made.__setstate__((3, state[1], None, None, None, -1, -1, 0))
    return made


def scalar(kind, raw=b""):
    """A NumPy number of a dtype and its bytes."""
    if not isinstance(kind, np.dtype) or not isinstance(raw, bytes) or len(raw) != kind.itemsize:
        raise SerializationError("it holds a NumPy number whose bytes do not fit its dtype")
    return np.frombuffer(raw, kind)[0]


def array(cls, shape=(0,), code=b"b"):
    """An empty array, to get its state."""
    return np.empty(0, np.int8)


def array_with_state(made, state):
    """The array of a state: (version, shape, dtype, whether columns come first, bytes)."""
    if not isinstance(state, tuple) or len(state) != 5:
        raise SerializationError("it holds a NumPy array without shape, dtype and bytes")
    _, shape, kind, columns, raw = state
    _check(shape, kind, raw)
    made.__setstate__((1, shape, kind, bool(columns), raw))
    return made


def from_buffer(raw, kind, shape, order):
    """The array of bytes, a dtype, a shape and "C" or "F", as protocol 5 writes it."""
    raw = bytes(raw) if isinstance(raw, bytearray) else raw
    _check(shape, kind, raw)
    if order not in ("C", "F"):
        raise SerializationError(f"it holds a NumPy array in the order {str(order)[:80]!r}")
    return np.frombuffer(bytearray(raw), kind).reshape(shape, order=order)


def _check(shape, kind, raw):
    """Raise SerializationError unless the bytes are those of an array of this shape and dtype."""
    if not (isinstance(shape, tuple) and len(shape) <= 32 and all(type(n) is int and 0 <= n < 1 << 62 for n in shape)):
        raise SerializationError(f"it holds a NumPy array of shape {str(shape)[:80]}, which is none")
    if not isinstance(kind, np.dtype) or not isinstance(raw, bytes) or math.prod(shape) * kind.itemsize != len(raw):
        raise SerializationError(f"it holds a NumPy array of shape {shape} whose bytes do not fit its shape and dtype")
