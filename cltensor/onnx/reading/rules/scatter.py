"""Writing elements to given places."""

import math

from ..operators import operator
from ..public import ct
from .selection import flat_places, from_the_front

_REDUCTIONS = {"add": "sum", "mul": "prod", "max": "amax", "min": "amin"}


@operator("Scatter", since=9)
@operator("ScatterElements", since=11)
def scatter_elements(data, indices, updates, *, axis=0, reduction="none"):
    indices = from_the_front(indices, data.shape[axis])
    if reduction == "none":
        return ct.scatter(data, axis, indices, updates)
    return ct.scatter_reduce(data, axis, indices, updates, _REDUCTIONS[reduction])


@operator("ScatterND", since=11)
def scatter_nd(data, indices, updates, *, reduction="none"):
    depth = indices.shape[-1]
    rest = math.prod(data.shape[depth:])
    places = flat_places(indices, data.shape[:depth]).reshape(-1, 1)
    places = (places * rest + ct.arange(rest, device=data.device)).reshape(-1)
    flat, values = data.reshape(-1), updates.reshape(-1)
    if reduction == "none":
        return ct.scatter(flat, 0, places, values).reshape(data.shape)
    return ct.scatter_reduce(flat, 0, places, values, _REDUCTIONS[reduction]).reshape(data.shape)
