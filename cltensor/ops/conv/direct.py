"""Launch rules of convolutions with few output channels per group, above all depthwise ones (template conv_direct)."""

import math

from ...codegen.templates import render
from ...codegen.types import compute_type
from ...codegen.vectors import width
from ...dispatch.plan import In, Out, Scratch
from ..kinds.launch import compute_dtype, cpu_groups, step
from .implicit_gemm import bias_arguments, numbered

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
    nbytes = channels * _plane(dtype, axes) * compute_dtype(dtype).itemsize
    return nbytes <= (16 * SLICE if groups > 1 or lanes <= 3 else SLICE)


def vector_width(dtype):
    """Elements of the vectors the kernel works with."""
    return width(compute_type(dtype))


def _vectors(dtype, axes):
    """The number of vectors in one plane of y, row by row."""
    return axes[0].rows * axes[1].rows * -(-axes[2].rows // vector_width(dtype))


def _plane(dtype, axes):
    """The elements of a copied plane: its rows in two dimensions, and columns in as many phases as the third has steps."""
    rows, across = (a.last - a.first + 1 for a in axes[:2]), axes[2]
    reach = abs((across.taps - 1) * across.tap_step)
    width = reach // across.step + -(-across.rows // vector_width(dtype)) * vector_width(dtype)
    return math.prod(rows) * across.step * width


def _numbers(x, groups, channels, lanes, axes):
    """The arguments both forms share: sizes, x's strides, and each field of the axes in turn."""
    n, c, *strides = x.strides
    given = {"groups": groups, "chans": channels, "lanes": lanes, **numbered("d", x.shape[2:]), "xn": n, "xc": c,
             **numbered("x", strides)}
    for letter, f in zip("rsbtu", ("rows", "step", "base", "taps", "tap_step"), strict=True):
        given.update(numbered(letter, (getattr(a, f) for a in axes)))
    return given


def _copies(dtype, axes, launched, channels, extra, entries):
    """The scratch of `launched` work-groups; extra, entries: elements of a slice and of a table besides planes and taps."""
    elements = channels * _plane(dtype, axes) + extra
    taps = channels * math.prod(a.taps for a in axes)
    return {"work_groups": launched, "slices": Scratch(launched * elements * compute_dtype(dtype).itemsize),
            "tables": Scratch(launched * (taps + entries) * 8)}


def map_steps(device, dtype, x, axes, groups, channels, lanes, y, weights, bias, activation=""):
    """One Step computing y, which is Out(0), from x (5-d Spec), which is In(0), and weights, which are In(1).

    y: (first element, strides (n, k, 3 dims), shape);  bias: (In, Spec) or None
    weights: (first element, group stride, lane stride, channel stride, 3 tap strides)
    """
    style = device.profile.style
    (y_at, (yn, yk, *y_strides), (n, *_)), (w_at, wg, wl, wc, w_strides) = y, weights
    given = {"x": In(0), "w": In(1, w_at), **bias_arguments(bias, In(1)), "y": Out(0, y_at), "n": n,
             **_numbers(x, groups, channels, lanes, axes), "yn": yn, "yk": yk, **numbered("y", y_strides), "wg": wg, "wl": wl,
             "wc": wc, **numbered("w", w_strides)}
    if style == "cpu":
        given |= _copies(dtype, axes, cpu_groups(device, n * groups), channels, channels * math.prod(a.taps for a in axes),
                         3 * (_vectors(dtype, axes) + BLOCKS - 1))
    source = render("conv_direct", style=style, dtype=dtype, out_dtype=dtype, form="map", activation=activation)
    return step(source, **given)


def weight_steps(device, dtype, x, g, axes, groups, channels, lanes):
    """The Steps computing gw, which is Out(0), from x, which is In(1), and g, which is In(0) (5-d Specs)."""
    style, taps, n = device.profile.style, channels * math.prod(a.taps for a in axes), x.shape[0]
    total, (gn, gk, *g_strides) = groups * lanes * taps, g.strides
    given = {"x": In(1), "g": In(0), "n": n, **_numbers(x, groups, channels, lanes, axes), "gn": gn, "gk": gk,
             **numbered("g", g_strides)}
    if style == "gpu":
        source = render("conv_direct", style=style, dtype=dtype, out_dtype=dtype, form="weight", WGS=GPU_GROUP)
        return [step(source, **given, y=Out(0))]
    splits = max(1, min(n, cpu_groups(device) // groups))
    given |= _copies(dtype, axes, cpu_groups(device, groups * splits), channels,
                     lanes * (_vectors(dtype, axes) + taps) * vector_width(dtype), 0)
    target, target_dtype, added = Out(0), dtype, []
    if splits > 1:
        target, target_dtype = Scratch(splits * total * compute_dtype(dtype).itemsize), compute_dtype(dtype)
        added = [step(render("conv_sum", style=style, dtype=dtype), parts=target, splits=splits, n=total, y=Out(0), groups=1)]
    source = render("conv_direct", style=style, dtype=dtype, out_dtype=target_dtype, form="weight")
    return [step(source, **given, y=target, splits=splits), *added]
