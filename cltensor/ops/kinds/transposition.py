"""Launch rule of the transpose template: copy an operand whose stride-1 dimension differs from the result's.

Reading it in place would touch a cache line for each element.
"""

import math
from typing import NamedTuple

from ...base import dtypes
from ...base.shapes import collapse
from ...codegen.templates import render
from ...dispatch.plan import Scratch
from . import launch

WORTH = 1 << 12  # with fewer elements, a second launch costs more than strided reads
SIDE = 8  # the shortest dimension worth transposing
# bits are copied, whatever the dtype
_OF_SIZE = {1: dtypes.uint8, 2: dtypes.int16, 4: dtypes.float32, 8: dtypes.int64, 16: dtypes.complex128}
_RANKS = (1, 2, 4, 8, 16, 32, 64)


class Line(NamedTuple):
    """An operand in the result's dimension order: its buffer, its strides, and the Steps that copy it."""

    buffer: object
    strides: tuple
    steps: tuple


def running(dims, strides):
    """The operand's dimension of stride 1 if transposing it with the last one pays, else None."""
    if not dims or strides[-1] in (0, 1) or math.prod(dims) < WORTH or dims[-1] < SIDE:
        return None
    return next((i for i, (n, s) in enumerate(zip(dims[:-1], strides, strict=False)) if s == 1 and n >= SIDE), None)


def in_line(device, dtype, dims, strides, arg):
    """The operand of this layout as a Line: copied to scratch memory with its dimensions in order, or unchanged."""
    along = running(dims, strides)
    if along is None or any(s == 0 and n > 1 for n, s in zip(dims, strides, strict=True)):
        return Line(arg, strides, ())
    dense = tuple(math.prod(dims[i + 1 :]) for i in range(len(dims)))
    copy = Scratch(math.prod(dims) * dtype.itemsize)
    return Line(copy, dense, (step(device, dtype, dims, along, arg, strides, copy, dense),))


def step(device, dtype, dims, along, x, x_strides, y, y_strides):
    """The Step that copies x, of stride 1 along dimension `along`, to y, of stride 1 along the last; x, y: In, Out or Scratch."""
    last = len(dims) - 1
    others = [i for i in range(last) if i != along]
    outer, runs = collapse([dims[i] for i in others], *([s[i] for i in others] for s in (x_strides, y_strides)))
    rank = next(r for r in _RANKS if r >= len(outer))
    triples = [(1, 0, 0)] * (rank - len(outer)) + list(zip(outer, *runs, strict=True))
    numbers = {f"{name}b{i}": n for i, triple in enumerate(triples) for name, n in zip(("", "x_", "y_"), triple, strict=True)}
    count, rows, columns = math.prod(outer), dims[along], dims[last]
    profile = device.profile
    source = render("transpose", style=profile.style, dtype=_OF_SIZE[dtype.itemsize], rank=rank)
    return launch.step(source, x_p=x, y_p=y, **numbers, outer=count, rows=rows, columns=columns, xs=x_strides[last],
                       ys=y_strides[along], groups=max(1, min(profile.groups, count * -(-rows // 128))))
