"""Shapes: reshaping, joining, splitting, cutting, padding and repeating."""

import math

import numpy as np

from ....nn import functional as F
from ..element_types import Narrow, held_as, name_of, tensor_of
from ..operators import operator
from ..public import as_array, axes_of, axis_of, ct, integer, ints, number, sizes_array

_FAR = (1 << 31) - 1  # an end of at least this is that of the dimension


@operator("Shape", narrow=True)
def shape_of(data, *, start=0, end=None):
    held = getattr(data, "tensor", data)
    return sizes_array(list(held.shape)[start:end])


@operator("Size", narrow=True)
def size_of(data):
    held = getattr(data, "tensor", data)
    return as_array(math.prod(held.shape))


@operator("Identity", narrow=True)
def identity(input):
    return input


@operator("Reshape", since=5, host="shape", narrow="same")
def reshape(data, shape, *, allowzero=0):
    sizes = ints(shape)
    if not allowzero:
        sizes = tuple(data.shape[i] if type(n) is int and n == 0 else n for i, n in enumerate(sizes))
    elif 0 in sizes and -1 in sizes:
        raise ValueError(f"a shape with 0 and -1, {sizes}, is not defined")
    return data.reshape(sizes)


@operator("Flatten", narrow="same")
def flatten(input, *, axis=1):
    axis = axis_of(axis, input.ndim)
    return input.reshape(math.prod(input.shape[:axis]), math.prod(input.shape[axis:]))


@operator("Transpose", narrow="same")
def transpose(data, *, perm=None):
    return data.permute(perm if perm is not None else tuple(reversed(range(data.ndim))))


@operator("Squeeze", narrow="same")
def squeeze_by_attribute(data, *, axes=None):
    axes = tuple(i for i, n in enumerate(data.shape) if n == 1) if axes is None else axes_of(axes, data.ndim)
    wrong = [a for a in axes if data.shape[a] != 1]
    if wrong:
        raise ValueError(f"dimension {wrong[0]} of {tuple(data.shape)} is not 1")
    return data.reshape([n for i, n in enumerate(data.shape) if i not in axes])


@operator("Squeeze", since=13, host="axes", narrow="same")
def squeeze(data, axes=None):
    return squeeze_by_attribute(data, axes=None if axes is None else ints(axes))


@operator("Unsqueeze", narrow="same")
def unsqueeze_by_attribute(data, *, axes):
    axes = axes_of(axes, data.ndim + len(axes))
    sizes = iter(data.shape)
    return data.reshape([1 if i in axes else next(sizes) for i in range(data.ndim + len(axes))])


@operator("Unsqueeze", since=13, host="axes", narrow="same")
def unsqueeze(data, axes):
    return unsqueeze_by_attribute(data, axes=ints(axes))


@operator("Concat", since=4, narrow="same")
def concat(*inputs, axis):
    return ct.cat(inputs, axis)


@operator("Split", since=2)
def split_by_attribute(input, *, axis=0, split=None, n_outputs=1):
    if split is None:
        part = -(-input.shape[axis] // n_outputs)
        split = [part] * (n_outputs - 1)
        split.append(input.shape[axis] - part * (n_outputs - 1))
    return tuple(ct.split(input, list(split), axis))


@operator("Split", since=13, host="split")
def split(input, split=None, *, axis=0, num_outputs=None, n_outputs=1):
    return split_by_attribute(input, axis=axis, split=None if split is None else ints(split), n_outputs=num_outputs or n_outputs)


@operator("Slice", narrow="same")
def slice_by_attributes(data, *, starts, ends, axes=None):
    return _sliced(data, starts, ends, axes, None)


@operator("Slice", since=10, host="starts ends axes steps", narrow="same")
def slice_(data, starts, ends, axes=None, steps=None):
    return _sliced(data, ints(starts), ints(ends), None if axes is None else ints(axes), None if steps is None else ints(steps))


def _sliced(data, starts, ends, axes, steps):
    axes = axes_of(range(len(starts)) if axes is None else axes, data.ndim)
    steps = [1] * len(starts) if steps is None else steps
    index = [slice(None)] * data.ndim
    for axis, start, end, step in zip(axes, starts, ends, steps, strict=True):
        if step < 0:
            first, last, _ = slice(start, end, step).indices(data.shape[axis])
            taken = ct.arange(first, last, step, device=data.device) if first > last else ct.zeros(0, dtype=ct.int64)
            data = ct.index_select(data, axis, taken)
        else:
            index[axis] = slice(start, None if type(end) is int and end >= _FAR else end, step)
    return data[tuple(index)]


@operator("Expand", since=8, host="shape", narrow="same")
def expand(input, shape):
    return input.expand(np.broadcast_shapes(tuple(input.shape), ints(shape)))


@operator("Tile", since=6, host="repeats", narrow="same")
def tile(input, repeats):
    return ct.tile(input, ints(repeats))


@operator("Pad", since=2)
def pad_by_attributes(data, *, pads, mode="constant", value=0.0):
    return _padded(data, pads, None, value, mode)


@operator("Pad", since=11, host="pads constant_value axes", buffers="constant_value")
def pad(data, pads, constant_value=None, axes=None, *, mode="constant"):
    value = 0 if constant_value is None or not constant_value.size else number(constant_value)
    return _padded(data, ints(pads), None if axes is None else ints(axes), value, mode)


def _padded(data, pads, axes, value, mode):
    axes = axes_of(range(data.ndim) if axes is None else axes, data.ndim)
    if len(pads) != 2 * len(axes):
        raise ValueError(f"{len(pads)} pads for {len(axes)} dimensions")
    before, after = [0] * data.ndim, [0] * data.ndim
    for i, axis in enumerate(axes):
        before[axis], after[axis] = pads[i], pads[i + len(axes)]
    for axis in range(data.ndim):  # what is negative cuts off
        cut = max(-before[axis], 0), max(-after[axis], 0)
        if cut != (0, 0):
            data = data.narrow(axis, cut[0], data.shape[axis] - sum(cut))
    before, after = [max(n, 0) for n in before], [max(n, 0) for n in after]
    if mode == "constant":
        flat = [n for pair in zip(reversed(before), reversed(after), strict=True) for n in pair]
        if data.dtype is ct.bool:
            return F.pad(data.to(ct.uint8), flat, value=int(bool(value))).to(ct.bool)
        return F.pad(data, flat, value=value)
    if mode not in _PLACES:
        raise ValueError(f"there is no mode {mode!r} of padding")
    for axis, (low, high) in enumerate(zip(before, after, strict=True)):
        if low or high:
            places = _PLACES[mode](np.arange(-low, data.shape[axis] + high), data.shape[axis])
            data = ct.index_select(data, axis, ct.tensor(places.tolist(), device=data.device))
    return data


def _reflected(places, size):
    period = max(2 * size - 2, 1)
    places = np.abs(places) % period
    return np.where(places >= size, period - places, places)


_PLACES = {"edge": lambda places, size: np.clip(places, 0, size - 1), "wrap": lambda places, size: places % size,
           "reflect": _reflected}


@operator("CenterCropPad", since=18, host="shape")
def center_crop_pad(input_data, shape, *, axes=None):
    axes = axes_of(range(input_data.ndim) if axes is None else axes, input_data.ndim)
    pads = [0] * (2 * len(axes))
    for i, (axis, wanted) in enumerate(zip(axes, ints(shape), strict=True)):
        more = wanted - input_data.shape[axis]
        if more < 0:
            input_data = input_data.narrow(axis, -more // 2, wanted)
        else:
            pads[i], pads[i + len(axes)] = more // 2, more - more // 2
    return _padded(input_data, pads, axes, 0, "constant")


@operator("DepthToSpace")
def depth_to_space(input, *, blocksize, mode="DCR"):
    n, c, h, w = input.shape
    b = blocksize
    if mode == "DCR":
        return input.reshape(n, b, b, c // (b * b), h, w).permute(0, 3, 4, 1, 5, 2).reshape(n, c // (b * b), h * b, w * b)
    return input.reshape(n, c // (b * b), b, b, h, w).permute(0, 1, 4, 2, 5, 3).reshape(n, c // (b * b), h * b, w * b)


@operator("SpaceToDepth")
def space_to_depth(input, *, blocksize, mode="DCR"):
    n, c, h, w = input.shape
    b = blocksize
    parts = input.reshape(n, c, h // b, b, w // b, b)
    order = (0, 3, 5, 1, 2, 4) if mode == "DCR" else (0, 1, 3, 5, 2, 4)
    return parts.permute(order).reshape(n, c * b * b, h // b, w // b)


@operator("ConstantOfShape", since=9, host="input")
def constant_of_shape(input, *, value=None):
    one = tensor_of((np.zeros(1, np.float32) if value is None else value).reshape(1))
    if isinstance(one, Narrow):
        return Narrow(one.tensor.expand(ints(input)), one.name)
    return one.expand(ints(input)).clone()


@operator("Range", since=11, host="start limit delta")
def range_(start, limit, delta, *, stash_type=1):
    count = max(math.ceil((number(limit) - number(start)) / number(delta)), 0)
    dtype = getattr(ct, start.dtype.name if start.dtype != object else "int64")
    return (ct.arange(count) * number(delta) + number(start)).to(dtype)


@operator("EyeLike", since=9)
def eye_like(input, *, dtype=None, k=0):
    rows, columns = (ct.arange(n, device=input.device) for n in input.shape)
    wanted = input.dtype if dtype is None else held_as(name_of(dtype))
    return (rows.reshape(-1, 1) + k == columns).to(wanted)


@operator("Trilu", since=14, host="k")
def triangle(input, k=None, *, upper=1):
    rows, columns = (ct.arange(n, device=input.device) for n in input.shape[-2:])
    away = columns - rows.reshape(-1, 1)
    k = 0 if k is None else integer(k)
    return ct.where(away >= k if upper else away <= k, input, ct.zeros_like(input))


@operator("Col2Im", since=18, host="image_shape block_shape")
def column_to_image(input, image_shape, block_shape, *, dilations=None, pads=None, strides=None):
    image, block = ints(image_shape), ints(block_shape)
    n = len(image)
    dilations, pads, strides = dilations or [1] * n, pads or [0] * (2 * n), strides or [1] * n
    channels = input.shape[1] // math.prod(block)
    padded = [size + pads[i] + pads[i + n] for i, size in enumerate(image)]
    places = np.zeros((1, 1), np.int64)
    for size, b, d, s in zip(padded, block, dilations, strides, strict=True):
        inside, steps = np.arange(b) * d, np.arange((size - d * (b - 1) - 1) // s + 1) * s
        one = inside[:, None] + steps
        places = (places[:, None, :, None] * size + one[None, :, None, :]).reshape(places.shape[0] * b, -1)
    at = ct.tensor(places.reshape(-1).tolist(), device=input.device)
    values = input.reshape(input.shape[0], channels, -1)
    image_of = ct.zeros(input.shape[0], channels, math.prod(padded), dtype=input.dtype, device=input.device)
    image_of = ct.index_add(image_of, 2, at, values).reshape(input.shape[0], channels, *padded)
    for i, size in enumerate(image):
        image_of = image_of.narrow(i + 2, pads[i], size)
    return image_of
