"""Running one op's plan on NumPy arrays in a launch style of choice, whatever style the device prefers."""

import dataclasses
import functools

import numpy as np

from cltensor.base import dtypes
from cltensor.dispatch.spec import spec
from cltensor.runtime.device import default_device

# launch style, work-items of a group, floats of a vector
_SEEN_AS = {"cpu": ("cpu", 1, 8), "wide": ("cpu", 1, 16), "gpu": ("gpu", 256, 4)}


class Styled:
    """The default device, seen with another launch style; "wide" is the cpu style with vectors of 512 bits."""

    def __init__(self, style):
        self.device = default_device()
        style, items, width = _SEEN_AS[style]
        self.profile = dataclasses.replace(self.device.profile, style=style, work_group=items, vector_width=width)

    def __getattr__(self, name):
        return getattr(self.device, name)

    def __str__(self):
        return str(self.device)


styled = functools.cache(Styled)


def spec_of(array, style, dtype=None):
    """The Spec of an array, strides included."""
    strides = tuple(s // array.itemsize for s in array.strides)
    return spec(array.shape, strides, dtype or dtypes.from_numpy_dtype(array.dtype), styled(style))


def run(op, style, *arrays, dtype=None, **attrs):
    """The outputs of op on arrays (None for an input left out); dtype: what uint16 arrays stand for."""
    device = styled(style)
    specs = [None if a is None else spec_of(a, style, dtype if a.dtype == np.uint16 else None) for a in arrays]
    plan = op.plan(specs, tuple(attrs[n] for n in op.attr_names))
    ins, offsets = [], {}
    for slot, a in enumerate(arrays):
        whole, offset = (None, 0) if a is None else _memory(a)
        ins.append(None if a is None else _upload(device, whole))
        if offset:
            offsets[slot] = offset
    outs = [device.allocate(s.nbytes) for s in plan.outputs]
    plan.run([*ins, *outs], offsets)
    results = tuple(_download(device, b, s) for b, s in zip(outs, plan.outputs, strict=True))
    return results[0] if len(results) == 1 else results


def _memory(a):
    """The memory a is a view of, as a flat array, and how many elements into it a starts."""
    whole = a
    while isinstance(whole.base, np.ndarray):
        whole = whole.base
    start = a.__array_interface__["data"][0] - whole.__array_interface__["data"][0]
    return whole.ravel(order="K"), start // a.itemsize


def _upload(device, array):
    buffer = device.allocate(array.nbytes)
    if array.nbytes:
        device.write(buffer, 0, array)
    return buffer


def _download(device, buffer, s):
    result = np.empty(s.shape, s.dtype.numpy)
    if result.nbytes:
        device.read(buffer, 0, result)
    return result
