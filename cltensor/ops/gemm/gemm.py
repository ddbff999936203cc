"""Launch rules of the matmul templates: choose a template and its tiles from a product's sizes, layouts and device.

Every product is c (batch, M, N) = a (batch, M, K) @ b (batch, K, N).  Each operand has its own strides, so transposes,
views and broadcast batches cost no copy.
"""

import math
from dataclasses import dataclass, replace
from typing import NamedTuple

from ...base.errors import DeviceError
from ...codegen.templates import render
from ...codegen.types import compute_type
from ...dispatch.plan import In, Out, Scratch
from ...tune.space import Space
from ..kinds.launch import step

_FIRST = Out(0)


class MicroTile(NamedTuple):
    """The sums a CPU keeps in registers: MR rows of NV vectors of `bytes` bytes, summed over KC steps at a time.

    speed: relative to the fastest micro-tile when MR and the vectors divide the sizes.  Measured by `cltensor tune`.
    """

    MR: int
    NV: int
    bytes: int
    KC: int
    speed: float = 1.0


class MacroTile(NamedTuple):
    """The largest tile a CPU's work-group computes at once, in rows and columns.

    aspect: rows per column to keep when a tile is made smaller; per_core: give each core at least this many tiles.
    """

    rows: int
    columns: int
    aspect: float
    per_core: int


class GpuTile(NamedTuple):
    """A tile of a GPU's work-group: MWG rows, NWG columns, KWG steps staged; MDIM by NDIM work-items.

    The names are CLBlast's.  speed: relative to the fastest tile when there are enough tiles.
    """

    MWG: int
    NWG: int
    KWG: int
    MDIM: int
    NDIM: int
    speed: float


@dataclass(frozen=True)
class CpuRule:
    """How a CPU cuts products.  Measured on AVX2 (Zen 2) and AVX-512 (Xeon, Zen 5); docs/performance.md has the figures."""

    micro: tuple  # MicroTiles; the one with the shortest estimated time is used
    in_place: MacroTile  # when a is read in place
    copied_columns: MacroTile  # when a is copied: wide, since all columns share the copy
    copied_rows: MacroTile | None  # when a is copied and tall tiles pay


@dataclass(frozen=True)
class Limits:
    """Sizes at which a CPU's rule changes, in multiply-adds unless another unit is named."""

    grain: int = 600_000  # stop cutting tiles at this size: starting a smaller work-group costs more than it saves
    short: int = 1 << 21  # with at most this per tile in a batch, use `batched` groups per core: threads start at different times
    batched: int = 8
    scratch: int = 1 << 27  # bytes of sums for all work-groups together, but at least one work-group per core
    page: int = 4096  # copy a when its rows or columns are at least this many bytes apart: they share few sets of the L2 cache
    large: int = 1 << 21  # from this many bytes of a on, half a page between columns is enough to copy it
    narrow: int = 128  # up to this many columns, reading a in place decides
    reuse: int = 96  # a copy of b, of contiguous rows, pays from this many rows of a on
    run: int = 4096  # bytes of a's rows to read at a time then: the start of each run waits for memory


@dataclass(frozen=True)
class VectorRule:
    """How a product with few rows or columns is computed, as matrix times vectors."""

    most: int = 8  # at most this many rows or columns
    most_strided: int = 4  # the same when they are not contiguous
    together: int = 4  # vectors multiplied together
    dots: tuple = ((1, 8), (2, 4), (4, 3))  # (vectors, dot products with each that fit the registers)
    block: int = 4096  # sums a work-group of the cpu style keeps
    grain: int = 1 << 15  # elements read per work-group, at least: fewer cost more than they save
    run: int = 256  # elements that a work-group reads side by side, at least, where the matrix lies by columns
    cached: int = 1 << 22  # elements of a matrix by columns, at most, for blocks of such runs; beyond, slices read memory in order


@dataclass(frozen=True)
class GpuRule:
    """How a GPU cuts products.  Not measured yet on a GPU of every maker: `cltensor tune` finds a device's own."""

    tiles: tuple = (GpuTile(128, 128, 8, 16, 16, 1.0), GpuTile(64, 128, 16, 8, 16, 0.93), GpuTile(64, 64, 16, 16, 16, 0.82),
                    GpuTile(32, 32, 16, 8, 8, 0.66))
    slice: int = 128  # shortest slice of K when K is cut because there are too few tiles
    sums: int = 256  # bytes of sums a work-item keeps in registers, at most
    part_cost: int = 64  # cost of storing one partial sum, in multiply-adds
    cut_cost: int = 800_000  # cost of launching matmul_sum, in multiply-adds per compute unit


_WIDE = MacroTile(258, 1024, 2 / 3, 2)
AVX2 = CpuRule((MicroTile(6, 2, 32, 256),), MacroTile(384, 128, 4, 4), _WIDE, None)
AVX512 = CpuRule((MicroTile(6, 4, 64, 128), MicroTile(8, 3, 64, 128, 0.97), MicroTile(8, 2, 64, 128, 0.92)),
                 MacroTile(258, 1056, 1, 2), _WIDE, MacroTile(516, 512, 1, 2))
LIMITS, VECTOR, GPU = Limits(), VectorRule(), GpuRule()


def _fits_local(profile, dtype, MWG, NWG, KWG, MDIM, NDIM, SLICE):
    """Whether the work-items divide the tile evenly and the device has room for it."""
    items, size = MDIM * NDIM, _real_size(dtype)
    return (MWG // MDIM % 4 == 0 and NWG // NDIM % 4 == 0 and not any(items % n for n in (MWG, NWG, KWG))
            and items <= profile.work_group and KWG * (MWG + NWG + 8) * size <= profile.local_memory
            and _bytes_of_sums(dtype, MWG, NWG, KWG, MDIM, NDIM) <= 512)


def _fits_registers(profile, dtype, MR, NV, BYTES, **_):
    """Whether a CPU's registers hold the sums: 30 vectors of 64 bytes, or 16 as pairs of shorter registers."""
    sums = MR * NV * BYTES
    return sums <= (30 if profile.vector_width == 16 else 16) * 64


# values `cltensor tune` may try instead of the constants above
BLOCKED = Space("matmul_blocked", MR=(4, 6, 8, 12), NV=(1, 2, 3, 4), BYTES=(32, 64), KC=(128, 192, 256, 384, 512),
                MC=(48, 96, 192, 258, 384, 768), NC=(64, 128, 256, 512, 1024), EACH=(1, 2, 4, 8), COPY_A=(False, True),
                COPY_B=(None, False, True), fits=_fits_registers)
VECTORS = Space("matmul_vector", ROWS=(1, 2, 3, 4, 6, 8), BLOCK=(1024, 4096, 16384), GRAIN=(1 << 13, 1 << 15, 1 << 17))
TILED = Space("matmul_tiled", MWG=(32, 64, 128), NWG=(32, 64, 128), KWG=(8, 16, 32), MDIM=(8, 16), NDIM=(8, 16),
              SLICE=(128, 256, 512, 1024), fits=_fits_local)


@dataclass(frozen=True)
class Operand:
    """A kernel argument as a matrix (batch..., rows, columns), with its strides in elements."""

    arg: In
    batch: tuple
    row: int
    col: int

    @property
    def mT(self):
        return replace(self, row=self.col, col=self.row)


@dataclass(frozen=True)
class MatrixProduct:
    """One batched product.

    extras: (argument, dtype, strides over (batch, row, column)) of further inputs, e0, e1, ... in the epilogue
    scalars: (name, Value) of numbers in the epilogue
    activation: applied after the epilogue (codegen/activation.py)
    functions: definitions of C functions that the epilogue calls
    outs: (argument, dtype, strides over (batch, row, column), C expression) of what is stored besides
    c: where the product goes, dense
    """

    device: object
    dtype: object
    batch: tuple
    M: int
    N: int
    K: int
    a: Operand
    b: Operand
    extras: tuple = ()
    epilogue: str = "acc"
    scalars: tuple = ()
    activation: str = ""
    functions: str = ""
    outs: tuple = ()
    c: Out | Scratch = _FIRST

    @property
    def batches(self):
        return math.prod(self.batch)

    @property
    def units(self):
        return self.device.profile.compute_units

    @property
    def real_size(self):
        """Bytes of one sum."""
        return _real_size(self.dtype)

    @property
    def sizes(self):
        """The key for tuned constants: the sizes, and which operands have stride 1 along the inner dimension."""
        layout = "".join("k" if along == 1 else "mn"[i] if across == 1 else "s"
                         for i, (along, across) in enumerate(((self.a.col, self.a.row), (self.b.row, self.b.col))))
        return {"M": self.M, "N": self.N, "K": self.K, "batch": self.batches, "runs": layout}


def _real_size(dtype):
    return 8 if compute_type(dtype) in ("double", "long") else 4


def product_steps(p):
    """The Steps that compute a MatrixProduct."""
    if _is_thin(p):
        return _vector_steps(p)
    return _blocked_steps(p) if p.device.profile.style == "cpu" else _tiled_steps(p)


def _source(p, template, **parameters):
    return render(template, dtype=p.dtype, style=p.device.profile.style, epilogue=p.epilogue,
                  extras=tuple(d.name for _, d, _ in p.extras), scalars=tuple(n for n, _ in p.scalars),
                  activation=p.activation, functions=p.functions, outs=tuple((d.name, value) for _, d, _, value in p.outs),
                  **parameters)


def _batch_rank(p):
    return max(3, len(p.batch))


def _given(p, a, b, names, dims=(0, 1, 2)):
    """The arguments of all products by name: batch dimensions padded with sizes of 1, strides of a and b, and the epilogue's.

    names: those of a and b in the template; dims: the order of an extra's strides.
    """
    missing = _batch_rank(p) - len(p.batch)
    triples = [(1, 0, 0)] * missing + list(zip(p.batch, a.batch, b.batch, strict=True))
    given = {f"{x}{r}": n for r, triple in enumerate(triples)
             for x, n in zip(("n", *(f"{x}_batch" for x in names)), triple, strict=True)}
    given.update(zip(names, (a.arg, b.arg), strict=True))
    return given | _extra_arguments(p, dims) | {"K": p.K, "batches": p.batches}


def _extra_arguments(p, dims=(0, 1, 2)):
    given = dict(p.scalars)
    for letter, operands in (("e", p.extras), ("o", p.outs)):
        for i, (arg, _, strides, *_) in enumerate(operands):
            given[f"{letter}{i}_p"] = arg
            given.update((f"{letter}{i}_{along}", strides[d]) for along, d in zip(("batch", "row", "col"), dims, strict=True))
    return given


# --- blocked: many rows and columns on a CPU -------------------------------------------------------------------------


class Blocking(NamedTuple):
    """How matmul_blocked cuts a product.

    Micro-tile of MR rows by NV vectors of V, macro-tile MC x NC, depth KC of a block, operands to copy, work-groups.
    """

    MR: int
    NV: int
    V: int
    MC: int
    NC: int
    KC: int
    copy_a: bool
    copy_b: bool
    groups: int


def _blocked_steps(p):
    cut = blocking(p)
    columns = cut.NV * cut.V
    panel = cut.KC * columns
    sums = cut.MC * cut.NC if cut.KC < p.K else cut.MR * columns
    copy = cut.MC * (cut.KC + 1) + cut.V if cut.copy_a else 0
    share = _rounded(panel + sums + copy, 16)
    scratch = Scratch(cut.groups * share * p.real_size)
    columns = tuple(s[2] if s[2] in (0, 1) else None for _, _, s, *_ in (*p.extras, *p.outs))
    source = _source(p, "matmul_blocked", MR=cut.MR, NV=cut.NV, V=cut.V, BATCH=_batch_rank(p), columns=columns)
    return [step(source, **_given(p, p.a, p.b, "ab"), c=p.c, scratch=scratch, slice=share, M=p.M, N=p.N, MC=cut.MC, NC=cut.NC,
                 KC=cut.KC, am=p.a.row, ak=p.a.col, bk=p.b.row, bn=p.b.col, copy_a=cut.copy_a, copy_b=cut.copy_b,
                 groups=cut.groups)]


def blocking(p):
    """The Blocking of a MatrixProduct: a few macro-tiles per core, each with enough work to pay for a work-group."""
    in_place = p.dtype.itemsize == p.real_size
    rule = AVX512 if p.device.profile.vector_width == 16 else AVX2
    apart = LIMITS.page if p.M * p.K * p.real_size < LIMITS.large else LIMITS.page // 2
    copy_a = in_place and p.a.col * p.dtype.itemsize >= apart and p.N >= 128
    tile = rule.copied_columns if copy_a or not in_place else rule.in_place
    if tile is rule.in_place and rule.copied_rows is not None:
        copy_a = p.a.row * p.dtype.itemsize >= LIMITS.page and p.N >= 512
        tile = rule.copied_rows if copy_a else tile
    micro, depth = _micro_tile(p, rule.micro), None
    if LIMITS.narrow >= p.N and not copy_a and in_place:
        if p.a.col == 1:
            depth = LIMITS.run // p.real_size
        elif p.a.row == 1:  # tiles whose rows lie in one cache line
            micro = _micro_tile(p, [t for t in rule.micro if 32 % (t.MR * 4) == 0] or rule.micro)
    c = BLOCKED.choose(p.device, p.dtype, p.sizes, MR=micro.MR, NV=micro.NV, BYTES=micro.bytes, KC=depth or micro.KC, MC=tile.rows,
                       NC=tile.columns, EACH=tile.per_core, COPY_A=copy_a, COPY_B=None)
    unit, V = c.MR, c.BYTES // p.real_size
    columns = c.NV * V
    rows, cols = _even(p.M, c.MC // unit * unit, unit), _even(p.N, max(1, c.NC // columns) * columns, columns)
    while p.batches * _ceil(p.M, rows) * _ceil(p.N, cols) < c.EACH * p.units and rows * cols * p.K > LIMITS.grain:
        if rows > unit and (rows > tile.aspect * cols or cols == columns):
            rows = _even(p.M, rows - unit, unit)
        elif cols > columns:
            cols = _even(p.N, cols - columns, columns)
        else:
            break
    worth = rows >= LIMITS.reuse if c.COPY_B is None else c.COPY_B
    copy_b = not in_place or p.b.col != 1 or worth
    tiles = p.batches * _ceil(p.M, rows) * _ceil(p.N, cols)
    depth = _rounded(_ceil(p.K, max(1, round(p.K / c.KC))), V)
    short = p.batches > 1 and rows * cols * p.K <= LIMITS.short
    groups = min(tiles, max(c.EACH, LIMITS.batched if short else 1) * p.units)
    if depth < p.K:
        groups = min(groups, max(p.units, LIMITS.scratch // (rows * cols * p.real_size)))
    return Blocking(unit, c.NV, V, rows, cols, max(depth, 1), c.COPY_A or not in_place, copy_b, groups)


def _micro_tile(p, tiles):
    """The MicroTile with the shortest estimated time; partial tiles at the edges count as full ones."""

    def cost(micro):
        return _rounded(p.M, micro.MR) * _rounded(p.N, micro.NV * micro.bytes // p.real_size) / micro.speed

    return min(tiles, key=cost)


def _ceil(n, d):
    return -(-n // d)


def _rounded(n, unit):
    return _ceil(n, unit) * unit


def _even(n, limit, unit):
    """Cut n into equal parts of at most `limit`; the size of a part.  Size and limit are multiples of unit."""
    return max(1, _ceil(_ceil(n, _ceil(n, limit)), unit)) * unit


# --- tiled: many rows and columns on a GPU ---------------------------------------------------------------------------


def _tiled_steps(p):
    MWG, NWG, KWG, MDIM, NDIM, slice = gpu_tile(p)
    c = TILED.choose(p.device, p.dtype, p.sizes, MWG=MWG, NWG=NWG, KWG=KWG, MDIM=MDIM, NDIM=NDIM, SLICE=slice)
    tiles = p.batches * _ceil(p.M, c.MWG) * _ceil(p.N, c.NWG)
    slices = _slices(p, tiles, c.SLICE)
    parts = Scratch(slices * p.batches * p.M * p.N * p.real_size if slices > 1 else 1)
    source = _source(p, "matmul_tiled", MWG=c.MWG, NWG=c.NWG, KWG=c.KWG, MDIM=c.MDIM, NDIM=c.NDIM, BATCH=_batch_rank(p))
    return [step(source, **_given(p, p.a, p.b, "ab"), c=p.c, parts=parts, slices=slices, M=p.M, N=p.N, am=p.a.row, ak=p.a.col,
                 bk=p.b.row, bn=p.b.col), *_sum_steps(p, parts, slices)]


def _slices(p, tiles, least):
    """How many slices to cut K into so that every compute unit gets two tiles; none is shorter than `least`."""
    return max(1, min(2 * p.units // tiles, p.K // least, 16))


def gpu_tile(p):
    """The tile with the least estimated cost on the device, and its SLICE of K; K stays whole if SLICE exceeds it."""
    profile = p.device.profile
    costs = {(*tile, slice): _gpu_cost(p, *tile[:2], speed, slice) for *tile, speed in GPU.tiles for slice in (p.K + 1, GPU.slice)
             if _fits_local(profile, p.dtype, *tile, slice) and _bytes_of_sums(p.dtype, *tile) <= GPU.sums}
    if not costs:
        raise DeviceError(f"matmul: the smallest tile needs work-groups of 64 and {16 * 72 * p.real_size} bytes of local memory; "
                          f"{profile.name} has {profile.work_group} and {profile.local_memory}")
    return min(costs, key=costs.get)


def _bytes_of_sums(dtype, MWG, NWG, KWG, MDIM, NDIM):
    """Bytes of the sums of a work-item."""
    return MWG * NWG // (MDIM * NDIM) * _real_size(dtype)


def _gpu_cost(p, MWG, NWG, speed, slice):
    """The estimated time of a product with such tiles, as multiply-adds of all compute units."""
    tiles = p.batches * _ceil(p.M, MWG) * _ceil(p.N, NWG)
    slices = _slices(p, tiles, slice)
    rounds = _ceil(tiles * slices, 2 * p.units)
    cost = 2 * p.units * rounds * MWG * NWG * _ceil(p.K, slices) / speed
    return cost + (slices * p.batches * p.M * p.N * GPU.part_cost + p.units * GPU.cut_cost if slices > 1 else 0)


# --- vector: few rows or few columns ---------------------------------------------------------------------------------


def _is_thin(p):
    few = min(p.M, p.N)
    step = p.a.col if p.N > p.M else p.b.row
    return few == 1 or (few <= (VECTOR.most if step == 1 else VECTOR.most_strided) and few * 16 <= p.K)


def _vector_steps(p):
    """y = matrix @ x for an x of few columns; a product with few rows is computed from the transposes."""
    turned = p.N > p.M
    matrix, x, rows, cols = (p.b.mT, p.a.mT, p.N, p.M) if turned else (p.a, p.b, p.M, p.N)
    places, dims = ((1, p.N), (0, 2, 1)) if turned else ((p.N, 1), (0, 1, 2))
    profile = p.device.profile
    cpu = profile.style == "cpu"
    by_rows = matrix.col == 1 or matrix.row != 1
    dots = dict(VECTOR.dots)
    together = cols if cols in dots else VECTOR.together
    units = p.batches * _ceil(cols, together)
    kept = VECTOR.block, dots[together]
    if cpu:
        c = VECTORS.choose(p.device, p.dtype, p.sizes, ROWS=dots[together], BLOCK=VECTOR.block, GRAIN=VECTOR.grain)
        block, slices = _vector_blocks(p, rows, units, by_rows, c.BLOCK // together, c.GRAIN)
        kept = c.BLOCK, c.ROWS
    else:
        block, slices = _lane_blocks(p, rows, units, by_rows)
    parts = Scratch(slices * p.batches * rows * cols * p.real_size if slices > 1 else 1)
    source = _source(p, "matmul_vector", COLS=together, V=(64 if profile.vector_width == 16 else 32) // p.real_size, ROWS=kept[1],
                     BLOCK=kept[0] // together, WGS=profile.work_group, AHEAD=max(4, 8 // together), BATCH=_batch_rank(p))
    return [step(source, **_given(p, matrix, x, "ax", dims), y=p.c, parts=parts, slices=slices, block=block, M=rows, N=cols,
                 am=matrix.row, ak=matrix.col, xk=x.row, xn=x.col, ym=places[0], yn=places[1]), *_sum_steps(p, parts, slices)]


def _vector_blocks(p, rows, units, by_rows, most, grain):
    """(rows of a block, slices of K) for work-groups of one item: short blocks if by_rows, otherwise blocks of runs or slices."""
    wanted = max(1, min(4 * p.units, units * rows * p.K // grain) // units)
    least, runs = _ceil(rows, most), rows // VECTOR.run
    if not by_rows and rows * p.K <= VECTOR.cached and runs >= min(wanted, p.units):
        return _ceil(rows, max(least, min(wanted, runs))), 1
    blocks = max(least, min(wanted, rows // 4) if by_rows else 1)
    slices = max(1, min(wanted // blocks, p.K // 64))
    return _ceil(rows, blocks), slices


def _lane_blocks(p, rows, units, by_rows):
    """(rows of a block, slices of K) for work-groups whose items share rows."""
    items, block = p.device.profile.work_group, 1
    while block < min(8 if by_rows else 64, rows, items):
        block *= 2
    groups = units * _ceil(rows, block)
    return block, max(1, min(4 * p.units // groups, p.K // (items // block * 8), 64))


def _sum_steps(p, parts, slices):
    """The Step that adds up the slices of K, if K is cut."""
    if slices == 1:
        return []
    numel, cpu = p.batches * p.M * p.N, p.device.profile.style == "cpu"
    groups = min(4 * p.units, _ceil(numel, 1024)) if cpu else min(_ceil(numel, 64), 64 * p.units)
    return [step(_source(p, "matmul_sum"), **_extra_arguments(p), parts=parts, c=p.c, slices=slices, M=p.M, N=p.N, numel=numel,
                 groups=groups, items=min(64, p.device.profile.work_group))]
