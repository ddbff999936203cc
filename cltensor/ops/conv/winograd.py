"""Convolution by kernels of 3 x 3 with fewer multiplications (template winograd).  Source: Winograd 1980; Lavin and Gray 2016."""

import math
from typing import NamedTuple

from ...base import dtypes
from ...codegen.templates import render
from ...dispatch.plan import In, Out, Scratch
from ...tune.space import Space
from ..kinds.launch import compute_dtype, cpu_groups, step
from .implicit_gemm import Nest, PanelProduct, Read, lane_count, product_steps

WORKSPACE = 1 << 24  # bytes of transformed tiles worked on at a time, so that they stay in the last-level cache
LARGEST = 1 << 26  # bytes of transformed tiles of one image, at most
CHANNELS = 96  # with fewer input or output channels, the transforms cost more than they save
ALGORITHMS = Space("convolution", M=(0, 2, 4))  # values `cltensor tune` may try; 0 is a sum of products


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
    (n, channels, _, _), (_, lanes, oh, ow) = image.shape, result.shape
    th, tw, places, style = -(-oh // m), -(-ow // m), (m + 2) ** 2, device.profile.style
    together = max(1, min(n, WORKSPACE // _bytes_of_one(image, result, m)))
    P, item = together * th * tw, compute_dtype(dtype).itemsize
    tiles, sums = (Scratch(places * _apart(c * P) * item) for c in (channels, lanes))

    def made(form, work, given, **parameters):
        source = render("winograd", style=style, form=form, dtype=dtype, m=m, **parameters)
        return step(source, **given, P=P, groups=cpu_groups(device, work))

    width = lane_count(device, dtype, lanes)
    count = -(-lanes // width)
    panels, table = Scratch(places * count * (1 + channels) * width * item), Scratch(channels * 8)
    lane_s, step_s, r_s, c_s = o.strides
    weights = {"w": In(1, o.base), "lane_s": lane_s, "step_s": step_s, "r_s": r_s, "c_s": c_s, "lanes": lanes, "count": count,
               "L": channels, "panels": panels, "steps": table}
    found = [made("weights", count * channels, weights, LANES=width)]
    for first in range(0, n, together):
        images = min(together, n - first)
        here = images * th * tw
        part = {"first": first, "images": images, "th": th, "tw": tw}
        padding = dict(zip(("top", "left"), o.before, strict=True))
        found.append(made("input", channels * here // 64 + 1, {
            **part, **_laid(image), **padding, "image": In(0), "v": tiles, "place": _apart(channels * P)}))
        product = PanelProduct(
            dtype=compute_dtype(dtype), rows=Nest((1, 1, 1, here), (0, 0, 0, 1), (0, 0, 0, 1)),
            steps=Nest((1, 1, 1, channels), (0, 0, 0, P), (0, 0, 0, 0)), x=Read(tiles, (0, P, 0, 0, 1)), x_start=0,
            x_group=_apart(channels * P), panel=In(1), panel_base=0, panel_lane=0, panel_group=0, groups=places, lanes=lanes,
            y_base=0, y_lane=P, y_group=_apart(lanes * P))
        found += product_steps(device, product, sums, compute_dtype(dtype), places * _apart(lanes * P), packed=(panels, table))
        bias = {"bias": o.bias[0], "bias_s": o.bias[1].strides[0]} if o.bias else {}
        found.append(made("output", lanes * here // 64 + 1, {
            **part, **_laid(result), **bias, "v": sums, "image": Out(0), "place": _apart(lanes * P)}, bias=o.bias is not None,
            activation=o.activation))
    return found


def _laid(spec):
    """The arguments that tell how images lie."""
    return dict(zip(("channels", "h", "w", "n_s", "c_s", "h_s", "w_s"), (*spec.shape[1:], *spec.strides), strict=True))


def _apart(n):
    """A distance of at least n between places that puts their corresponding elements into different cache sets."""
    return -(-n // 1024) * 1024 + 16
