"""Launch rule of the template fft_lines: transforms of lines whose length has small prime factors only."""

import functools
import math
from typing import NamedTuple

from ...base.shapes import collapse
from ...codegen import vectors
from ...codegen.templates import render
from ...codegen.types import compute_type
from ...dispatch.plan import Scratch
from ..kinds.launch import step
from . import factors

ONE_LEVEL = 64  # elements of a few lines: longer ones are transformed as matrices, whose columns fill vectors
ONE_AFTER_ANOTHER = 1024  # elements of many lines that lie one after another, so that buffers stay in a first-level cache
ABREAST = 8192  # elements of lines that lie side by side: buffers for a vector of them still fit a second-level cache
LEVEL = 4096  # elements of a column of such a matrix, for the same reason
SHARED = 1 << 14  # elements of a transform that several work-groups share, if there are too few for all of them
OWN = 1 << 17  # elements of a transform that one work-group may have a matrix of its own for
WGS = 64  # work-items of a group
_RANKS = (2, 8, 64)  # few, since each is a program


class Room:
    """The temporary memory of a plan: one Scratch, whose parts are handed out in numbers of `dtype`."""

    def __init__(self, dtype):
        self.scratch, self.itemsize, self.taken = Scratch(1), dtype.itemsize, 0

    def take(self, numbers):
        """A part that stays taken: buffer, offset."""
        start, self.taken = self.taken, self.taken + -(-numbers // 16) * 16
        self._grow(self.taken)
        return (self.scratch, start)

    def lend(self, numbers):
        """A part that the next launch may use as well: buffer, offset."""
        self._grow(self.taken + numbers)
        return (self.scratch, self.taken)

    def _grow(self, numbers):
        self.scratch.nbytes = max(self.scratch.nbytes, numbers * self.itemsize)


class Side(NamedTuple):
    """Where the numbers of an operand lie; distances in real numbers.

    place: (buffer, offset), of an operand (In or Out, 0); unit: real numbers per element the offset counts; element: from one
    element of a line to the next; imaginary: from a real to its imaginary part, 0 if there is none; batch: between lines, for each
    batch dimension
    """

    place: tuple
    unit: int
    element: int
    imaginary: int
    batch: tuple

    def operand(self, p):
        """What kernels are given of it as operand p, by name."""
        return {f"{p}_p": self.place[0], f"{p}_o": self.place[1], f"{p}_u": self.unit}

    def distances(self, p, suffix=""):
        """The distances in operand p, by name; the last batch distance is that between neighbouring lines."""
        return {f"{p}e{suffix}": self.element, f"{p}l{suffix}": self.batch[-1], f"{p}i{suffix}": self.imaginary}


def side(arg, s, dim):
    """The Side of lines along dimension dim of a Spec."""
    unit = 2 if s.dtype.is_complex else 1
    batch = tuple(unit * stride for i, stride in enumerate(s.strides) if i != dim)
    return Side((arg, 0), unit, unit * s.strides[dim], unit - 1, batch)


class Work(NamedTuple):
    """What all launches of a transform share."""

    device: object
    dtype: object  # of the real numbers
    room: Room
    inverse: bool
    scale: float

    @property
    def lanes(self):
        """Lines transformed at a time in the cpu style."""
        return vectors.width(compute_type(self.dtype))

    @property
    def cpu(self):
        return self.device.profile.style == "cpu"


class Level(NamedTuple):
    """Transforms of one length: of `lines` neighbouring lines, for each outer index."""

    n: int
    lines: int
    x: Side  # the last batch distance is that between neighbouring lines
    y: Side


def steps(work, n, shape, x, y):
    """The Steps that transform lines of length n, for a batch of this shape, from Side x to Side y.

    n has no prime factors but factors.PRIMES.
    """
    shape, (xb, yb) = collapse(shape, x.batch, y.batch)
    x, y = x._replace(batch=xb), y._replace(batch=yb)
    beside = abreast(shape, x, y)
    lane = len(shape) - 1 if beside is None else beside
    if n <= _longest(work, beside is not None, shape[lane] if shape else 1):
        if lane >= 0:
            shape, x, y = lane_last(lane, shape, x, y)
        else:
            shape, x, y = (1,), x._replace(batch=(0,)), y._replace(batch=(0,))
        return [_launch(work, shape[:-1], (Level(n, shape[-1], x, y),), None, work.inverse, work.inverse, work.scale)]
    return _as_matrix(work, n, shape, x, y, work.inverse)


def _longest(work, beside, count):
    """The longest lines to transform in one piece, of `count` that lie side by side or not."""
    if not work.cpu:
        return _capacity(work) // (4 if beside else 1)
    if beside:
        return ABREAST if count >= work.lanes // 2 else ONE_LEVEL
    return ONE_AFTER_ANOTHER if count >= 2 * work.lanes or count % work.lanes == 0 else ONE_LEVEL


def _capacity(work):
    """How many complex numbers a work-group of the gpu style holds in local memory, twice."""
    return (8 if work.device.profile.local_memory > 40000 else 4) * 1024 // work.dtype.itemsize


def abreast(shape, x, y):
    """The dimension in which lines lie side by side in both operands, or in one; None if there is none."""
    def beside(side, i):
        return side.batch[i] == (2 if side.imaginary == 1 else 1)

    found = [(beside(x, i) + beside(y, i), n, i) for i, n in enumerate(shape)]
    best = max(found, default=(0, 0, 0))
    return best[2] if best[0] else None


def lane_last(i, shape, *sides):
    """shape and sides with batch dimension i moved to the end."""
    def moved(t):
        return (*t[:i], *t[i + 1:], t[i])

    return (moved(shape), *(s._replace(batch=moved(s.batch)) for s in sides))


def _as_matrix(work, n, shape, x, y, swap):
    """Steps for lines longer than one piece: columns of a matrix, factors, rows.  swap: exchange the parts of what is read."""
    limit = LEVEL if work.cpu else _capacity(work) // 8
    n1, n2 = factors.split(n, work.lanes if work.cpu else 1, limit)
    outer, alone = math.prod(shape), work.cpu and max(n1, n2) <= LEVEL
    together = alone and (n < SHARED or (n <= OWN and outer >= work.device.profile.groups))
    matrix = (None, None) if together else (work.room.take(2 * n * outer),) * 2
    dense = () if together else tuple(2 * n * math.prod(shape[i + 1:]) for i in range(len(shape)))
    columns = Level(n1, n2, _folded(x, n2, x.element), Side(matrix[0], 1, 2 * n2, 1, (*dense, 2)))
    rows = Level(n2, n1, Side(matrix[1], 1, 2, 1, (*dense, 2 * n2)), _folded(y, n1, y.element))
    if together:
        return [_launch(work, shape, (columns, rows), n, swap, work.inverse, work.scale)]
    made = [_launch(work, shape, (columns,), n, swap, False, 1.0)]
    if n2 > limit:
        return made + _as_matrix(work, n2, (*shape, n1), rows.x, rows.y, False)
    return [*made, _launch(work, shape, (rows,), None, False, work.inverse, work.scale)]


def _folded(side, n, element):
    """A Side with n elements' distance between elements, and lines between them that are one element apart."""
    return side._replace(element=n * element, batch=(*side.batch, element))


class _Share(NamedTuple):
    """How a launch is divided among its work-groups, and what each needs."""

    chunks: int  # of neighbouring lines, for each outer index
    width: int
    along: bool
    span: int
    scratch: tuple
    groups: int
    options: dict


def _cpu_share(work, outer, levels, turn):
    """Blocks of lines for each group of the cpu style, or whole matrices; with two buffers, and room for the matrix."""
    first, lanes = levels[0], work.lanes
    chunks = -(-first.lines // lanes) if len(levels) == 1 else 1
    groups = max(1, min(work.device.profile.groups, outer * chunks, outer * first.lines * first.n // 1024))
    span = 4 * lanes * max(v.n for v in levels) + (2 * first.n * levels[1].n if len(levels) == 2 else 0)
    return _Share(chunks, turn.width, False, span, work.room.lend(groups * span), groups, {})


def _gpu_share(work, outer, level):
    """A cache line's worth of neighbouring lines for each group of the gpu style, or enough for its work-items."""
    along, capacity = level.x.element < level.x.batch[-1], _capacity(work)
    wanted = max(1, 4 * WGS // level.n) if along else 16
    width = max(1, min(capacity // level.n, wanted, level.lines))
    chunks = -(-level.lines // width)
    return _Share(chunks, width, along, 0, work.room.lend(16), outer * chunks, {"CAP": capacity, "WGS": WGS})


def _launch(work, shape, levels, turned, swap_x, swap_y, scale):
    """The Step for one Level, or for the columns and the rows of a matrix.  turned: the matrix's size, if columns are turned."""
    x, y, count, first = levels[0].x, levels[-1].y, len(shape), levels[0]
    dims, (xb, yb) = collapse(shape, x.batch[:count], y.batch[:count])
    outer = outer_numbers(dims, xb, yb)
    buffer, starts, turn = constants(work.device, work.dtype, tuple(v.n for v in levels), turned and (first.n, turned),
                                     work.lanes if work.cpu else 0)
    share = _cpu_share(work, outer["outer"], levels, turn) if work.cpu else _gpu_share(work, outer["outer"], first)
    source = render("fft_lines", style=work.device.profile.style, dtype=work.dtype, rank=rank(outer),
                    radices=factors.radix_set(*(factors.radices(v.n) for v in levels)), **share.options)
    scratch, scratch_o = share.scratch
    given = {**x.operand("x"), **y.operand("y"), **outer, "scratch": scratch, "scratch_o": scratch_o, "table": buffer}
    for t, (v, start) in enumerate(zip((first, levels[-1]), (starts[0], starts[-1]), strict=True)):
        given |= {f"n_{t}": v.n, f"lines_{t}": v.lines, f"radices_{t}": factors.packed(factors.radices(v.n)), f"tw_{t}": start,
                  **v.x.distances("x", f"_{t}"), **v.y.distances("y", f"_{t}")}
    return step(source, **given, span=share.span, chunks=share.chunks, swap_x=swap_x, swap_y=swap_y, scale=float(scale),
                turn=turn.start, shift=turn.shift, width=share.width, along=share.along, phases=len(levels), groups=share.groups)


def outer_numbers(shape, xb, yb):
    """Outer dimensions by name: size, distance in x, distance in y of each, filled up to a rank, and their product, `outer`."""
    fill = next(r for r in _RANKS if r >= len(shape)) - len(shape)
    found = {"outer": math.prod(shape)}
    for i, each in enumerate([(1, 0, 0)] * fill + list(zip(shape, xb, yb, strict=True))):
        found.update(zip((f"b{i}", f"x_b{i}", f"y_b{i}"), each, strict=True))
    return found


def rank(outer):
    """How many dimensions outer_numbers has filled them up to."""
    return len(outer) // 3


def batch(shape, x, y):
    """(outer_numbers, whether lines lie side by side, lines, x, y) with those lines last."""
    shape, (xb, yb) = collapse(shape, x.batch, y.batch)
    x, y = x._replace(batch=xb), y._replace(batch=yb)
    if not shape:
        shape, x, y = (1,), x._replace(batch=(0,)), y._replace(batch=(0,))
    beside = abreast(shape, x, y)
    shape, x, y = lane_last(len(shape) - 1 if beside is None else beside, shape, x, y)
    return outer_numbers(shape[:-1], x.batch[:-1], y.batch[:-1]), beside is not None, shape[-1], x, y


@functools.lru_cache(maxsize=64)
def constants(device, dtype, lengths, turned, lanes):
    """(buffer, starts, Turn) on the device; see factors.table."""
    numbers, starts, turn = factors.table(lengths, turned, lanes)
    return upload(device, numbers.astype(dtype.numpy)), starts, turn


def upload(device, array):
    """A buffer with an array's numbers, which launches of any stream may read at once."""
    buffer = device.allocate(max(array.nbytes, 16))
    device.write(buffer, 0, array)
    if not device.silent:
        device.synchronize()
    return buffer
