"""Launch rules of convolutions with few output channels per group, above all depthwise ones (template conv_direct)."""

import math

import numpy as np

from ...codegen.templates import render
from ...codegen.types import compute_type
from ...codegen.vectors import width
from ...dispatch.plan import Scratch, Step
from ..kinds.launch import compute_dtype, cpu_groups, gpu_range, longs
from .implicit_gemm import bias_arguments

MOST_LANES = 4  # up to this many output channels per group, whole planes beat vectors of output channels
SLICE = 256 << 10  # bytes of copied planes that stay in a core's cache
GPU_GROUP = 128
BLOCKS = 4  # vectors summed at a time, as in the template


def suits(device, dtype, lanes, channels, groups, axes):
    """Whether this form is faster for `lanes` output and `channels` input channels in each of `groups` groups."""
    if lanes > MOST_LANES or any(a.taps == 0 for a in axes):
        return False
    if device.profile.style == "gpu":
        return groups > 1
    nbytes = channels * _plane(dtype, axes)[-1] * compute_dtype(dtype).itemsize
    return nbytes <= (16 * SLICE if groups > 1 or lanes <= 3 else SLICE)


def vector_width(dtype):
    """Elements of the vectors the kernel works with."""
    return width(compute_type(dtype))


def _vectors(dtype, axes):
    """The number of vectors in one plane of y, row by row."""
    return axes[0].rows * axes[1].rows * -(-axes[2].rows // vector_width(dtype))


def _plane(dtype, axes):
    """(first positions, rows of a copied plane in two dimensions, width of a column phase, elements of the plane)."""
    rows, across = tuple(a.last - a.first + 1 for a in axes[:2]), axes[2]
    reach = across.base - across.first + max(0, (across.taps - 1) * across.tap_step)
    width = reach // across.step + -(-across.rows // vector_width(dtype)) * vector_width(dtype)
    return tuple(a.first for a in axes), rows, width, math.prod(rows) * across.step * width


def _numbers(x, n, groups, channels, lanes, axes):
    """The arguments both forms share: sizes, x's strides, and each field of the axes in turn."""
    fields = (tuple(getattr(a, f) for a in axes) for f in ("rows", "step", "base", "taps", "tap_step"))
    return longs(n, groups, channels, lanes, x.shape[2:], x.strides, *fields)


def _copies(dtype, axes, launched, channels, extra, entries):
    """The arguments describing the copied planes; extra, entries: further elements of a slice and of a table."""
    first, rows, width, plane = _plane(dtype, axes)
    elements = channels * plane + extra
    taps = channels * math.prod(a.taps for a in axes)
    return (*longs(first, rows, width), Scratch(launched * elements * compute_dtype(dtype).itemsize), np.int64(elements),
            Scratch(launched * (taps + entries) * 8))


def map_steps(device, dtype, x, operands, axes, groups, channels, lanes, y, weights, bias, activation=""):
    """One Step computing y from x (5-d Spec).

    operands: (In of x, In of the weights, Out);  y: (first element, strides (n, k, 3 dims), shape)
    weights: (first element, group stride, lane stride, channel stride, 3 tap strides);  bias: (In, Spec) or None
    """
    style, (x_in, w_in, out) = device.profile.style, operands
    n = y[2][0]
    args = [x_in, w_in, *bias_arguments(bias, w_in), out,
            *_numbers(x, n, groups, channels, lanes, axes), *longs(*y[:2], *weights)]
    if style == "cpu":
        launched = cpu_groups(device, n * groups)
        args += _copies(dtype, axes, launched, channels, channels * math.prod(a.taps for a in axes),
                        3 * (_vectors(dtype, axes) + BLOCKS - 1))
        sizing = (launched,), (1,)
    else:
        sizing = gpu_range(n * groups * lanes * math.prod(a.rows for a in axes))
    source = render("conv_direct", style=style, dtype=dtype, out_dtype=dtype, form="map", activation=activation)
    return Step(source, "conv_direct", args, *sizing)


def weight_steps(device, dtype, x, g, operands, axes, groups, channels, lanes):
    """The Steps computing gw from x and g (5-d Specs); operands: (In of x, In of g, Out)."""
    style, (x_in, g_in, out) = device.profile.style, operands
    taps, n = channels * math.prod(a.taps for a in axes), x.shape[0]
    total = groups * lanes * taps
    numbers = [*_numbers(x, n, groups, channels, lanes, axes), *longs(g.strides)]
    if style == "gpu":
        source = render("conv_direct", style=style, dtype=dtype, out_dtype=dtype, form="weight", WGS=GPU_GROUP)
        return [Step(source, "conv_direct", [x_in, g_in, out, *numbers], (GPU_GROUP * total,), (GPU_GROUP,))]
    splits = max(1, min(n, cpu_groups(device) // groups))
    launched = cpu_groups(device, groups * splits)
    extra = lanes * (_vectors(dtype, axes) + taps) * vector_width(dtype)
    copies = _copies(dtype, axes, launched, channels, extra, 0)
    target, target_dtype, steps = (out,), dtype, []
    if splits > 1:
        parts = Scratch(splits * total * compute_dtype(dtype).itemsize)
        target, target_dtype = (parts, np.int64(0)), compute_dtype(dtype)
        steps = [Step(render("conv_sum", style=style, dtype=dtype), "conv_sum", (parts, *longs(splits, total), out), (1,), (1,))]
    source = render("conv_direct", style=style, dtype=dtype, out_dtype=target_dtype, form="weight")
    first = Step(source, "conv_direct", [x_in, g_in, *target, *numbers, np.int64(splits), *copies], (launched,), (1,))
    return [first, *steps]
