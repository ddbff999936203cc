"""Launch rules of the sum of products inside every convolution (templates conv_pad, conv_panel, conv_product, conv_sum).

All three convolutions are y[row, lane] = start[lane] + sum over p of x[row, p] * panel[p, lane].  The position in x is
an offset for the row plus an offset for p.  The three differ only in strides and sizes.
"""

import math
from dataclasses import dataclass
from typing import NamedTuple

from ...base.shapes import collapse
from ...codegen import vectors
from ...codegen.templates import render
from ...codegen.types import compute_type
from ...dispatch.plan import In, Out, Scratch
from ...tune.space import Space
from ..kinds.launch import GROUPS_PER_CORE, compute_dtype, cpu_groups, step


@dataclass(frozen=True)
class StripRule:
    """How a CPU's cores cut the rows of a convolution.  Measured on AVX2 (Zen 2) and AVX-512 (Xeon)."""

    rows: tuple  # (vectors in a panel's row, rows in registers)
    strip: int  # rows of a strip
    depth: int  # steps of a panel that fit the L1 cache


@dataclass(frozen=True)
class TileRule:
    """How a GPU's work-groups cut the rows of a convolution.  `cltensor tune` finds a device's own rule."""

    item_rows: int = 8  # rows per work-item when there are enough tiles
    few_rows: int = 4  # rows per work-item otherwise
    steps: int = 16  # steps staged at a time
    panel_steps: int = 32  # steps of a panel that a work-group packs
    panel_items: int = 128  # work-items that pack it
    piece: int = 128  # steps per piece, at least, when the reduction is cut


AVX2 = StripRule(((1, 6), (2, 6), (4, 6)), 192, 384)
AVX512 = StripRule(((1, 8), (2, 8), (4, 6)), 96, 128)
GPU = TileRule()


def _fits_local(profile, dtype, TM, KC):
    """Whether the tiles of rows and of the widest panel fit the device's local memory."""
    return KC * (16 * TM + 4 + 64 + 4) * compute_dtype(dtype).itemsize <= profile.local_memory


# values `cltensor tune` may try instead of the constants above
STRIPS = Space("conv_product", MR=(4, 6, 8), STRIP=(48, 96, 192, 384), KC=(96, 128, 192, 384, 768), PER_CORE=(1, 2, 4, 8))
TILES = Space("conv_product", TM=(1, 2, 4, 8), KC=(8, 16, 32), fits=_fits_local)


class Axis(NamedTuple):
    """One spatial dimension: row r and tap t read the source at base + r * step + t * tap_step."""

    size: int
    rows: int
    step: int
    base: int
    taps: int
    tap_step: int

    @property
    def first(self):
        """The lowest position read."""
        return self.base + min(0, (self.taps - 1) * self.tap_step)

    @property
    def last(self):
        """The highest position read."""
        return self.base + (self.rows - 1) * self.step + max(0, (self.taps - 1) * self.tap_step)


class Read(NamedTuple):
    """An operand of a kernel: its argument, its strides, and the position of its first element per dimension."""

    arg: object
    strides: tuple
    origin: tuple = (0, 0, 0)

    def start(self, axes):
        """The element that row 0 and tap 0 read."""
        return sum((a.base - o) * s for a, o, s in zip(axes, self.origin, self.strides[2:], strict=True))


class Nest(NamedTuple):
    """Four nested indices: their sizes and each operand's strides for them."""

    sizes: tuple
    x: tuple
    other: tuple


@dataclass(frozen=True)
class PanelProduct:
    """One sum of products: everything conv_panel and conv_product need.

    rows: Nest with y's strides; steps: Nest with the panel source's strides.
    x: Read;  x_start: its first element;  x_group: distance of groups in it
    panel, panel_base, panel_lane, panel_group: In, first element, lane stride and group stride of the panel's source
    bias: (In, Spec) or None;  groups, lanes (per group)
    y_base, y_lane, y_group: first element, lane stride and group stride in y
    """

    dtype: object
    rows: Nest
    steps: Nest
    x: Read
    x_start: int
    x_group: int
    panel: In
    panel_base: int
    panel_lane: int
    panel_group: int
    groups: int
    lanes: int
    y_base: int
    y_lane: int
    y_group: int
    bias: tuple | None = None
    activation: str = ""


def bias_arguments(bias, stand_in):
    """A kernel's bias arguments for (In, Spec) or None.  stand_in: an input of the same dtype to pass when there is none."""
    if bias is None:
        return {"bias": stand_in, "bias_s": 0, "biased": 0}
    return {"bias": bias[0], "bias_s": bias[1].strides[0], "biased": 1}


def beginning(name, arg, at):
    """The arguments of a kernel for operand `name` from its element `at` on; arg: an In, Out or Scratch."""
    return {name: type(arg)(arg.index, at)} if isinstance(arg, (In, Out)) else {name: arg, f"{name}_o": at}


def numbered(name, numbers):
    """Numbers as arguments name0, name1, ..."""
    return {f"{name}{i}": n for i, n in enumerate(numbers)}


def even(n, most, step=1):
    """Cut n into the fewest equal parts of at most `most`; the size of a part, a multiple of step."""
    parts = max(1, -(-n // most))
    return max(step, -(-n // (parts * step)) * step)


def padded_source(device, spec, number, phases, steps):
    """A Read of input `number` (5-d Spec) in which no phase (three Axis each) reads out of bounds.

    Appends a padding Step when a phase reaches over the edge, or when sums are held in another type.
    """
    reading = [axes for axes in phases if all(a.taps for a in axes)] if spec.numel else []
    first = tuple(min((axes[i].first for axes in reading), default=0) for i in range(3))
    last = tuple(max((axes[i].last for axes in reading), default=0) for i in range(3))
    inside = all(f >= 0 and e < n for f, e, n in zip(first, last, spec.shape[2:], strict=True))
    if not reading or (inside and compute_dtype(spec.dtype) is spec.dtype):
        return Read(In(number), spec.strides)
    n, c = spec.shape[:2]
    sizes = tuple(e - f + 1 for f, e in zip(first, last, strict=True))
    plane = math.prod(sizes)
    copy = Scratch(n * c * plane * compute_dtype(spec.dtype).itemsize)
    source = render("conv_pad", style=device.profile.style, dtype=spec.dtype)
    (d, h, w), (sn, sc, sd, sh, sw), (pd, ph, pw) = spec.shape[2:], spec.strides, sizes
    steps.append(step(
        source, x=In(number), n=n, c=c, d=d, h=h, w=w, sn=sn, sc=sc, sd=sd, sh=sh, sw=sw, **numbered("lo", (-f for f in first)),
        pd=pd, ph=ph, pw=pw, plane=plane, xp=copy, groups=cpu_groups(device, n * c * pd * ph)))
    return Read(copy, (c * plane, plane, ph * pw, pw, 1), first)


def vector_elements(device, dtype, lanes):
    """How many lanes the cpu style computes at once: wide vectors are used only when there are lanes to fill them."""
    width = vectors.width(compute_type(dtype))
    return 2 * width if device.profile.vector_width == 16 and lanes > width else width


def lane_count(device, dtype, lanes):
    """How many lanes a panel has: the vectors (cpu) or the tile width (gpu) that leave the fewest lanes unused."""
    if device.profile.style == "gpu":
        return 16 * (4 if lanes > 32 else 2 if lanes > 16 else 1)
    width = vector_elements(device, dtype, lanes)
    if width > vectors.width(compute_type(dtype)) and -lanes % (4 * width) == -lanes % (2 * width):
        return 4 * width
    return width if 0 < (lanes - 1) % (2 * width) + 1 <= width and lanes <= 3 * width else 2 * width


def product_steps(device, product, out, out_dtype, y_numel, split=False, packed=None):
    """The Steps that compute `product` into `out`, an Out or Scratch.

    split: the reduction may be cut into pieces that conv_sum adds up
    packed: the Scratch of the panels and the Scratch of the steps, if already filled
    """
    p, style = product, device.profile.style
    width = lane_count(device, p.dtype, p.lanes)
    count = -(-p.lanes // width)
    length, rows = math.prod(p.steps.sizes), math.prod(p.rows.sizes)
    size = compute_dtype(p.dtype).itemsize
    panels, table = packed or (Scratch(p.groups * count * (1 + length) * width * size), Scratch(length * 8))
    steps = [] if packed else [_panel_step(device, p, width, count, length, panels, table)]
    sizes = {"rows": rows, "lanes": p.lanes, "K": length, "groups": p.groups, "split": "yes" if split else "no"}
    if style == "cpu":
        W = vector_elements(device, p.dtype, p.lanes)
        wide = vectors.width(compute_type(p.dtype)) < W
        rule = AVX512 if wide else AVX2
        high = dict(rule.rows)[width // W] if wide else rule.rows[0][1]
        c = STRIPS.choose(device, p.dtype, sizes, MR=high, STRIP=rule.strip, KC=rule.depth, PER_CORE=GROUPS_PER_CORE)
        most = c.STRIP // c.MR * c.MR
        splits, block = _cut_strips(device, p.groups * -(-rows // even(rows, most, c.MR)), count, length if split else 0, c)
    else:
        tall = p.groups * count * -(-rows // (16 * GPU.item_rows)) >= 2 * device.profile.compute_units
        c = TILES.choose(device, p.dtype, sizes, TM=GPU.item_rows if tall and size == 4 else GPU.few_rows, KC=GPU.steps)
        tiles = -(-rows // (16 * c.TM))
        splits = _cut_tiles(device, p.groups * count * tiles, length if split else 0)
    target, target_dtype, now = out, out_dtype, p.activation if splits == 1 else ""
    if splits > 1:
        target, target_dtype = Scratch(splits * y_numel * size), compute_dtype(p.dtype)
    given = {**beginning("x", p.x.arg, p.x_start), "panels": panels, "steps": table, **beginning("y", target, p.y_base),
             **numbered("r", p.rows.sizes), **numbered("xs", p.rows.x), **numbered("ys", p.rows.other), "groups": p.groups,
             "xg": p.x_group, "yg": p.y_group, "lanes": p.lanes, "count": count, "ks": p.y_lane, "L": length, "splits": splits,
             "split_s": y_numel}
    parameters = {"style": style, "dtype": compute_dtype(p.dtype), "out_dtype": target_dtype, "activation": now}
    if style == "cpu":
        source = render("conv_product", **parameters, W=W, NV=width // W, MR=c.MR, STRIP=most)
        panels_first = length * p.lanes < rows * p.steps.sizes[0]  # the inner loop walks the smaller operand
        strip = even(rows, most, c.MR)
        units = p.groups * splits * -(-rows // strip) * -(-count // block)
        steps.append(step(source, **given, strip_rows=strip, block=block, panels_first=panels_first, kc=even(length, c.KC),
                          work_groups=max(1, min(units, c.PER_CORE * device.profile.compute_units))))
    else:
        source = render("conv_product", **parameters, TM=c.TM, TN=width // 16, KC=c.KC)
        steps.append(step(source, **given))
    if splits > 1:
        steps.append(step(render("conv_sum", style=style, dtype=out_dtype, activation=p.activation), parts=target, splits=splits,
                          n=y_numel, y=out, groups=cpu_groups(device, -(-y_numel // 256))))
    return steps


def _panel_step(device, p, width, count, length, panels, table):
    style = device.profile.style
    source = render("conv_panel", style=style, dtype=p.dtype, LANES=width, STEPS=GPU.panel_steps, WGS=GPU.panel_items)
    merged, (strides,) = collapse(p.steps.sizes, p.steps.other)
    fill = 4 - len(merged)
    pieces = max(1, min(-(-cpu_groups(device) // (p.groups * count)), length // 64))
    nests = {**numbered("n", p.steps.sizes), **numbered("x", p.steps.x), **numbered("m", (1,) * fill + merged),
             **numbered("s", (0,) * fill + strides)}
    return step(source, **beginning("source", p.panel, p.panel_base), **bias_arguments(p.bias, p.panel), groups=p.groups,
                lanes=p.lanes, count=count, ks=p.panel_lane, gs=p.panel_group, L=length, **nests, panels=panels, steps=table,
                pieces=pieces)


def _cut_strips(device, strips, count, length, c):
    """(pieces of the reduction, panels per unit) that give every core work without needless repacking.

    length: steps of the reduction, 0 if it must stay whole; c: the chosen constants
    """
    wanted = c.PER_CORE * device.profile.compute_units
    block = max(1, count // max(1, -(-wanted // strips)))
    units = strips * -(-count // block)
    return max(1, min(-(-wanted // units), length // c.KC)) if units < wanted else 1, block


def _cut_tiles(device, units, length):
    """Pieces of the reduction that give every compute unit work; length as in _cut_strips."""
    wanted = GROUPS_PER_CORE * device.profile.compute_units
    return max(1, min(wanted // units, length // GPU.piece, 64)) if units < wanted else 1
