"""The arithmetic of shapes, on arrays of the host: nothing of it waits for a device.

Results of more than a few elements are left to the device, by NotImplemented.
"""

import numpy as np

from ..element_types import name_of, numpy_type
from ..operators import on_host
from ..public import as_array, axis_of, ints, number

_MOST = 1024

_PLAIN = {
    "Add": np.add, "Sub": np.subtract, "Mul": np.multiply, "Neg": np.negative, "Abs": np.abs, "Equal": np.equal,
    "Greater": np.greater, "GreaterOrEqual": np.greater_equal, "Less": np.less, "LessOrEqual": np.less_equal,
    "And": np.logical_and, "Or": np.logical_or, "Not": np.logical_not, "Xor": np.logical_xor, "Where": np.where,
}


def _settled(value):
    """An array; of comparisons between observed sizes, of bool."""
    value = as_array(value)
    return value.astype(bool) if value.dtype == object and value.size and isinstance(value.flat[0], (bool, np.bool_)) else value


def _plain(function):
    return lambda *inputs: _settled(function(*inputs))


for _name, _function in _PLAIN.items():
    on_host(_name, since=7)(_plain(_function))


@on_host("Div", since=7)
def div(a, b):
    if a.dtype.kind == "f":
        return a / b
    if not b.astype(bool).all():
        raise ZeroDivisionError("an integer is divided by 0")
    return a // b if (a >= 0).all() and (b > 0).all() else abs(a) // abs(b) * np.sign(a) * np.sign(b)


@on_host("Mod", since=10)
def mod(a, b, *, fmod=0):
    return np.fmod(a, b) if fmod else np.mod(a, b)


@on_host("Identity")
def identity(x):
    return x


@on_host("Cast", since=6)
def cast(x, *, to, saturate=1, round_mode="up"):
    name = name_of(to)
    if x.dtype == object and name == "int64":
        return x
    return x.astype(numpy_type(name)) if name in ("int64", "int32", "float32", "float64", "bool") and x.dtype.kind in "biufO" \
        else NotImplemented


@on_host("Gather")
def gather(data, indices, *, axis=0):
    return np.take(data, indices.astype(np.int64), axis)


@on_host("Concat", since=4)
def concat(*inputs, axis):
    return np.concatenate(inputs, axis)


@on_host("Reshape", since=5)
def reshape(data, shape, *, allowzero=0):
    sizes = ints(shape)
    return data.reshape(sizes if allowzero else tuple(data.shape[i] if n == 0 else n for i, n in enumerate(sizes)))


@on_host("Squeeze")
def squeeze_by_attribute(data, *, axes=None):
    return data.squeeze(None if axes is None else tuple(axes))


@on_host("Squeeze", since=13)
def squeeze(data, axes=None):
    return data.squeeze(None if axes is None else ints(axes))


@on_host("Unsqueeze")
def unsqueeze_by_attribute(data, *, axes):
    return np.expand_dims(data, tuple(axes))


@on_host("Unsqueeze", since=13)
def unsqueeze(data, axes):
    return np.expand_dims(data, ints(axes))


@on_host("Slice", since=10)
def slice_(data, starts, ends, axes=None, steps=None):
    starts, ends = ints(starts), ints(ends)
    axes = range(len(starts)) if axes is None else ints(axes)
    steps = [1] * len(starts) if steps is None else ints(steps)
    index = [slice(None)] * data.ndim
    for axis, start, end, step in zip(axes, starts, ends, steps, strict=True):
        last = None if end < -data.shape[axis] and step < 0 else end
        index[axis_of(axis, data.ndim)] = slice(start, last, step)
    return data[tuple(index)]


@on_host("Shape")
def shape_of(data, *, start=0, end=None):
    return np.array(data.shape[start:end], np.int64)


@on_host("Size")
def size_of(data):
    return np.array(data.size, np.int64)


@on_host("ReduceProd")
def product(x, *, axes=None, keepdims=1):
    return _settled(np.prod(x, None if axes is None else tuple(axes), keepdims=bool(keepdims)))


@on_host("ReduceProd", since=18)
def product_by_input(x, axes=None, *, keepdims=1, noop_with_empty_axes=0):
    if axes is None and noop_with_empty_axes:
        return x
    return _settled(np.prod(x, None if axes is None else ints(axes), keepdims=bool(keepdims)))


@on_host("ConstantOfShape", since=9)
def constant_of_shape(input, *, value=None):
    shape = ints(input)
    if len(shape) > 1 or any(n > _MOST for n in shape):
        return NotImplemented
    value = np.zeros(1, np.float32) if value is None else value
    return np.full(shape, value.reshape(-1)[0], value.dtype) if value.dtype.kind in "bi" else NotImplemented


@on_host("Range", since=11)
def range_(start, limit, delta, *, stash_type=1):
    count = (number(limit) - number(start)) / number(delta)
    return np.arange(number(start), number(limit), number(delta), start.dtype) if count <= _MOST and start.dtype.kind == "i" \
        else NotImplemented


@on_host("Expand", since=8)
def expand(input, shape):
    wanted = np.broadcast_shapes(input.shape, ints(shape))
    return np.broadcast_to(input, wanted) if len(wanted) <= 1 and all(n <= _MOST for n in wanted) else NotImplemented


@on_host("Split", since=13)
def split(input, split=None, *, axis=0, num_outputs=None):
    return NotImplemented if split is None else tuple(np.split(input, np.cumsum(ints(split))[:-1], axis))
