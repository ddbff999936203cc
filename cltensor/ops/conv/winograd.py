"""Convolution by kernels of 3 x 3 with fewer multiplications (template winograd).  Source: Winograd 1980; Lavin and Gray 2016."""

import functools
import math
from fractions import Fraction
from typing import NamedTuple

import numpy as np

from ...base import dtypes
from ...codegen.templates import render
from ...dispatch.plan import In, Out, Scratch, Step
from ...tune.space import Space
from ..kinds.launch import compute_dtype, cpu_groups, gpu_range, longs
from .implicit_gemm import Nest, PanelProduct, Read, lane_count, product_steps

WORKSPACE = 1 << 24  # bytes of transformed tiles worked on at a time, so that they stay in the last-level cache
LARGEST = 1 << 26  # bytes of transformed tiles of one image, at most
CHANNELS = 96  # with fewer input or output channels, the transforms cost more than they save
ALGORITHMS = Space("convolution", M=(0, 2, 4))  # values `cltensor tune` may try; 0 is a sum of products
POINTS = {2: (0, 1, -1), 4: (0, 1, -1, Fraction(1, 2), -2)}  # where polynomials are evaluated, besides infinity


class Operands(NamedTuple):
    """A convolution of stride 1 with strided weights: image (N, steps, H, W) -> result (N, lanes, H', W').

    base: first element of the weights; strides: theirs over lanes, steps, rows, columns; before: padding above and to the left
    bias: (In, Spec) or None; activation: see codegen/activation.py
    """

    image: object
    result: object
    base: int
    strides: tuple
    before: tuple
    bias: tuple | None = None
    activation: str = ""


def turned(g, w, gx, before):
    """The Operands of the image's gradient: a convolution of g with the kernels rotated by 180 degrees."""
    k, c, *spatial = w.strides
    return Operands(g, gx, 2 * sum(spatial), (c, k, *(-s for s in spatial)), tuple(2 - p for p in before))


@functools.cache
def matrices(m):
    """(A', G, B') for m results of a kernel of size 3, as tuples of rows of floats.  Source: the Cook-Toom construction."""
    points, n = [Fraction(p) for p in POINTS[m]], m + 2
    at = [[p**i for p in points] + [Fraction(i == m - 1)] for i in range(m)]
    g, bt = [], []
    for j, p in enumerate(points):
        others = points[:j] + points[j + 1:]
        g.append([p**k / math.prod(p - q for q in others) for k in range(3)])
        bt.append(_from_roots(others, n))
    g.append([Fraction(0), Fraction(0), Fraction(1)])
    bt.append(_from_roots(points, n))
    return tuple(tuple(tuple(map(float, row)) for row in matrix) for matrix in (at, g, bt))


def _from_roots(roots, n):
    """The n lowest coefficients, constant first, of the monic polynomial with these roots."""
    found = [Fraction(1)]
    for r in roots:
        found = [a - r * b for a, b in zip([0, *found], [*found, 0], strict=True)]
    return found + [Fraction(0)] * (n - len(found))


def chosen(o, kernel, stride, dilation, groups):
    """The m of the m x m results per tile that suit a convolution; 0 if another algorithm is faster or required."""
    image, result = o.image, o.result
    if (image.dtype is not dtypes.float32 or groups != 1 or tuple(kernel) != (3, 3) or {*stride, *dilation} != {1}
            or not image.numel or not result.numel):
        return 0
    channels, lanes = image.shape[1], result.shape[1]
    worth = image.device.profile.style == "cpu" and min(channels, lanes) >= CHANNELS
    tiles = {m: image.shape[0] * _tiles(result, m) for m in (4, 2)}
    enough = (m for m, n in tiles.items() if 4 * n >= max(channels, lanes))  # enough tiles to pay for transforming the weights
    sizes = {"steps": channels, "lanes": lanes, "tiles": tiles[4]}
    m = ALGORITHMS.choose(image.device, image.dtype, sizes, M=next(enough, 0) if worth else 0).M
    return m if m and _bytes_of_one(image, result, m) <= LARGEST else 0


def _tiles(result, m):
    """The number of m x m tiles that cover one image."""
    return math.prod(-(-n // m) for n in result.shape[2:])


def _bytes_of_one(image, result, m):
    return (m + 2) ** 2 * _tiles(result, m) * (image.shape[1] + result.shape[1]) * compute_dtype(image.dtype).itemsize


def steps(device, o, m):
    """The Steps of a convolution: image is In(0), the weights In(1), the result Out(0)."""
    image, result, dtype = o.image, o.result, o.image.dtype
    (n, channels, h, w), (_, lanes, oh, ow) = image.shape, result.shape
    th, tw, places, style = -(-oh // m), -(-ow // m), (m + 2) ** 2, device.profile.style
    together = max(1, min(n, WORKSPACE // _bytes_of_one(image, result, m)))
    P, item = together * th * tw, compute_dtype(dtype).itemsize
    at, g, bt = matrices(m)
    tiles, sums = (Scratch(places * _apart(c * P) * item) for c in (channels, lanes))

    def step(form, args, *size, **parameters):
        source = render("winograd", style=style, form=form, dtype=dtype, m=m, AT=at, G=g, BT=bt, **parameters)
        return Step(source, "winograd", args, *size)

    def sizing(groups, items):
        return ((cpu_groups(device, groups),), (1,)) if style == "cpu" else gpu_range(items)

    width = lane_count(device, dtype, lanes)
    count = -(-lanes // width)
    panels, table = Scratch(places * count * (1 + channels) * width * item), Scratch(channels * 8)
    made = [step("weights", (In(1), *longs(o.base, o.strides, lanes, count, channels, P), panels, table),
                 *sizing(count * channels, count * width * channels), LANES=width)]
    for first in range(0, n, together):
        images = min(together, n - first)
        here = images * th * tw
        geometry = longs(first, images, channels, h, w, image.strides, th, tw, o.before, P, _apart(channels * P))
        made.append(step("input", (In(0), tiles, *geometry), *sizing(channels * here // 64 + 1, channels * here)))
        product = PanelProduct(
            dtype=compute_dtype(dtype), rows=Nest((1, 1, 1, here), (0, 0, 0, 1), (0, 0, 0, 1)),
            steps=Nest((1, 1, 1, channels), (0, 0, 0, P), (0, 0, 0, 0)), x=Read((tiles, np.int64(0)), (0, P, 0, 0, 1)), x_start=0,
            x_group=_apart(channels * P), panel=In(1), panel_base=0, panel_lane=0, panel_group=0, groups=places, lanes=lanes,
            y_base=0, y_lane=P, y_group=_apart(lanes * P))
        made += product_steps(device, product, (sums, np.int64(0)), compute_dtype(dtype), places * _apart(lanes * P),
                              packed=(panels, table))
        bias = (o.bias[0], *longs(o.bias[1].strides[0])) if o.bias else ()
        geometry = longs(first, images, lanes, oh, ow, result.strides, th, tw, 0, 0, P, _apart(lanes * P))
        made.append(step("output", (sums, *bias, Out(0), *geometry), *sizing(lanes * here // 64 + 1, lanes * here),
                         bias=o.bias is not None, activation=o.activation))
    return made


def _apart(n):
    """A distance of at least n between places that puts their corresponding elements into different cache sets."""
    return -(-n // 1024) * 1024 + 16
