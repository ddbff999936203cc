"""Max and average pooling over windows of the spatial dimensions, their gradients, and the adaptive forms.

x (N, C, *spatial) with one to three spatial dimensions, y (N, C, *out).  Max pooling also gives the flat position (int64)
of each maximum inside its spatial plane: the first on ties; a NaN wins over every number.  Average pooling of float16 and
bfloat16 sums in float32.  Every result is the same from run to run.
"""

import math

import numpy as np

from ...base import dtypes
from ...base.errors import ArgumentError, ShapeError
from ...codegen.templates import render
from ...codegen.types import compute_type, storage_type
from ...dispatch.plan import In, Out
from ...dispatch.spec import spec
from ..kinds.kernel import kernel
from ..kinds.launch import cpu_groups, step
from . import onnx_rules

SPATIAL = 3  # the kernel is written for three spatial dimensions; fewer are padded with size 1


# --- shape rules -----------------------------------------------------------------------------------------------------


def output_size(size, kernel, stride, padding, dilation, ceil_mode):
    """Spatial size of the output.  With ceil_mode, a last partial window counts if it starts inside input or left padding."""
    sizes = []
    for n, k, s, p, d in zip(size, kernel, stride, padding, dilation, strict=True):
        room = n + 2 * p - d * (k - 1) - 1
        out = (-(-room // s) if ceil_mode else room // s) + 1
        if ceil_mode and (out - 1) * s >= n + p:
            out -= 1
        sizes.append(out)
    return tuple(sizes)


def _check(op, x, kernel_size, stride, padding, dilation):
    ndim = x.ndim - 2
    if not 1 <= ndim <= SPATIAL:
        raise ShapeError(f"{op}: input {x.shape} has {x.ndim} dimensions; expected 3, 4 or 5: (N, C, *spatial) with 1 to "
                         f"{SPATIAL} spatial dimensions. Add a batch dimension with unsqueeze(0)")
    given = {"kernel_size": kernel_size, "stride": stride, "padding": padding, "dilation": dilation}
    for name, values in given.items():
        if len(values) != ndim:
            raise ArgumentError(f"{op}: {name} must have one value per spatial dimension ({ndim}), got {values}")
        if name != "padding" and any(v <= 0 for v in values):
            raise ArgumentError(f"{op}: {name} should be greater than zero, got {values}")
    if any(p < 0 or p > (d * (k - 1) + 1) // 2 for k, p, d in zip(kernel_size, padding, dilation, strict=True)):
        raise ArgumentError(f"{op}: pad should be at least zero and at most half of effective kernel size, but got "
                            f"pad={padding}, kernel_size={kernel_size} and dilation={dilation}; pad the input instead")


def _pooled(op, x, kernel_size, stride, padding, dilation, ceil_mode):
    """The Spec of y."""
    _check(op, x, kernel_size, stride, padding, dilation)
    out = output_size(x.shape[2:], kernel_size, stride, padding, dilation, ceil_mode)
    if any(n <= 0 for n in out) or 0 in x.shape[1:]:
        raise ShapeError(f"{op}: Given input size {x.shape[1:]}, calculated output size: {(x.shape[1], *out)}. Output size is "
                         f"too small; every size but the batch must be at least 1: use a smaller kernel, or padding")
    return x.dense((*x.shape[:2], *out))


def _adapted(op, x, output_size):
    """The Spec of y for windows that adapt to the output size."""
    if not 1 <= x.ndim - 2 <= SPATIAL or len(output_size) != x.ndim - 2:
        raise ShapeError(f"{op}: input {x.shape} and output_size {output_size}: expected (N, C, *spatial) with 1 to {SPATIAL} "
                         f"spatial dimensions and one output size for each")
    if any(n < 0 for n in output_size) or 0 in x.shape[1:]:
        raise ShapeError(f"{op}: input {x.shape}, output_size {output_size}: output sizes must be >= 0 and every input size but "
                         f"the batch at least 1")
    return x.dense((*x.shape[:2], *output_size))


def max_pool_shape(x, *, kernel_size, stride, padding, dilation, ceil_mode):
    """Specs of (y, positions)."""
    y = _pooled("max_pool", x, kernel_size, stride, padding, dilation, ceil_mode)
    return y, y.dense(dtype=dtypes.int64)


def adaptive_max_pool_shape(x, *, output_size):
    """Specs of (y, positions)."""
    y = _adapted("adaptive_max_pool", x, output_size)
    return y, y.dense(dtype=dtypes.int64)


def avg_pool_shape(x, *, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override):
    """The Spec of y."""
    if divisor_override == 0:
        raise ArgumentError("avg_pool: divisor must be not zero, got divisor_override=0; use None for the window size")
    return _pooled("avg_pool", x, kernel_size, stride, padding, (1,) * len(kernel_size), ceil_mode)


def adaptive_avg_pool_shape(x, *, output_size):
    """The Spec of y."""
    return _adapted("adaptive_avg_pool", x, output_size)


def max_pool_gradient_shape(g, positions, *, size, window):
    """The Spec of gx: (N, C, *size)."""
    _check_positions("max_pool_gradient", g.shape, positions)
    return g.dense((*g.shape[:2], *size))


def max_pool_take_shape(x, positions, *, window):
    """The Spec of y, shaped as positions."""
    _check_positions("max_pool_take", (*x.shape[:2], *positions.shape[2:]), positions)
    return x.dense(positions.shape)


def _check_positions(op, shape, positions):
    if positions.dtype is not dtypes.int64 or positions.shape != shape:
        raise ShapeError(f"{op}: positions must be int64 of shape {shape}, got {positions.dtype.name} {positions.shape}; pass "
                         f"the ones max_pool returned")


def avg_pool_gradient_shape(g, *, size, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override):
    """The Spec of gx: (N, C, *size)."""
    return g.dense((*g.shape[:2], *size))


def adaptive_avg_pool_gradient_shape(g, *, size):
    """The Spec of gx: (N, C, *size)."""
    return g.dense((*g.shape[:2], *size))


# --- launch rules ----------------------------------------------------------------------------------------------------


def _volume(s):
    extra = (1,) * (2 + SPATIAL - s.ndim)
    return spec(s.shape[:2] + extra + s.shape[2:], s.strides[:2] + (0,) * len(extra) + s.strides[2:], s.dtype, s.device)


def _threefold(values, fill):
    return (fill,) * (SPATIAL - len(values)) + tuple(values)


def _launch(kind, form, inputs, outputs, window=(), mean=()):
    """One Step of the pool template.

    window: (kernel_size, stride, padding, dilation), or () for windows that adapt to the sizes; mean:
    (count_include_pad, divisor_override) for averages.
    """
    device, first, result = inputs[0].device, _volume(inputs[0]), _volume(outputs[0])
    wide, narrow = (first, result) if form in ("forward", "take") else (result, first)
    style = device.profile.style
    given = {"x": In(0), "g": In(0), "y": Out(0), "gx": Out(0), "position": In(1) if len(inputs) > 1 else Out(1)}
    given.update(zip(("n", "c", "i0", "i1", "i2", "o0", "o1", "o2"), (*wide.shape, *narrow.shape[2:]), strict=True))
    for p, s in (("x", first), ("t", _volume(inputs[-1]))):
        given.update(zip((f"{p}n", f"{p}c", f"{p}0", f"{p}1", f"{p}2"), s.strides, strict=True))
    for p, values, fill in zip("kspd", window, (1, 1, 0, 1), strict=False):
        given.update(zip((f"{p}0", f"{p}1", f"{p}2"), _threefold(values, fill), strict=True))
    given.update(zip(("include_pad", "divisor"), mean, strict=False))
    source = render("pool", style=style, dtype=first.dtype, kind=kind, form=form, adaptive=not window,
                    inside=form == "forward" and bool(window) and _inside(wide.shape[2:], narrow.shape[2:], window))
    return [step(source, **given, groups=cpu_groups(device, max(1, result.numel // 256)))]


def _inside(size, out, window):
    """Whether no window leaves the input."""
    kernel_size, stride, padding, dilation = map(_threefold, window, (1, 1, 0, 1))
    return all(p == 0 and (o - 1) * s + (k - 1) * d < n
               for n, o, k, s, p, d in zip(size, out, kernel_size, stride, padding, dilation, strict=True))


def _form(g):
    """How a gradient is computed: by scattering on a cpu, unless that would sum in a 16-bit type."""
    exact = storage_type(g.dtype) == compute_type(g.dtype)
    return "scatter" if g.device.profile.style == "cpu" and exact else "gather"


def _max_pool_launch(inputs, outputs, *, kernel_size, stride, padding, dilation, ceil_mode):
    return _launch("max", "forward", inputs, outputs, (kernel_size, stride, padding, dilation))


def _adaptive_launch(kind):
    return lambda inputs, outputs, *, output_size: _launch(kind, "forward", inputs, outputs)


def _max_pool_gradient_launch(inputs, outputs, *, size, window):
    return _launch("max", _form(inputs[0]), inputs, outputs, window)


def _max_pool_take_launch(inputs, outputs, *, window):
    return _launch("max", "take", inputs, outputs, window)


def _averages(kernel_size, stride, padding, count_include_pad, divisor_override):
    """The window and mean arguments of an average."""
    return (kernel_size, stride, padding, (1,) * len(kernel_size)), (int(count_include_pad), divisor_override or 0)


def _avg_pool_launch(inputs, outputs, *, ceil_mode, **window):
    return _launch("average", "forward", inputs, outputs, *_averages(**window))


def _avg_pool_gradient_launch(inputs, outputs, *, size, ceil_mode, **window):
    return _launch("average", _form(inputs[0]), inputs, outputs, *_averages(**window))


def _adaptive_avg_pool_gradient_launch(inputs, outputs, *, size):
    return _launch("average", _form(inputs[0]), inputs, outputs)


# --- declarations ----------------------------------------------------------------------------------------------------

_WINDOW = {"kernel_size": (2, 3), "stride": (2, 1), "padding": (0, 1), "dilation": (1, 1)}
_AVERAGE = {**{n: v for n, v in _WINDOW.items() if n != "dilation"}, "ceil_mode": False, "count_include_pad": True,
            "divisor_override": None}
_SIZE, _PLACES = (4, 3), ((0, 1, 5), (6, 10, 11))  # an input's spatial size, and a place in it for each window


def _one(*shape, **attrs):
    return lambda rng: [((rng.uniform(-1, 1, shape),), attrs)]


def _placed(*shape, **attrs):
    """Samples: an array of `shape` and the positions _PLACES."""
    return lambda rng: [((rng.uniform(-1, 1, shape), np.broadcast_to(_PLACES, (2, 1, 2, 3)).astype(np.int64)), attrs)]


def _of_windows(specs, outs, kernel_size, **_):
    """The work of one window for each element of the first output: an operation for each place in it."""
    return math.prod(kernel_size) * outs[0].numel


max_pool = kernel(
    "max_pool", onnx=onnx_rules.max_pool, shape=max_pool_shape, launch=_max_pool_launch, work=_of_windows,
    dtypes="floating", saves="y1", public=False,
    vjp=(lambda g, y, x, *, kernel_size, stride, padding, dilation, ceil_mode: max_pool_gradient(
        g[0], y[1].detach(), size=tuple(x.shape[2:]), window=(kernel_size, stride, padding, dilation)),),
    samples=_one(2, 1, *_SIZE, ceil_mode=False, **_WINDOW),
    doc="Largest value of each window, and its flat position in the spatial plane: (y, positions).")

adaptive_max_pool = kernel(
    "adaptive_max_pool", onnx=onnx_rules.adaptive_max_pool, shape=adaptive_max_pool_shape, launch=_adaptive_launch("max"),
    dtypes="floating", saves="y1",
    work=lambda specs, outs, **_: specs[0].numel, public=False,
    vjp=(lambda g, y, x, *, output_size: max_pool_gradient(g[0], y[1].detach(), size=tuple(x.shape[2:]), window=()),),
    samples=_one(2, 1, *_SIZE, output_size=(2, 2)),
    doc="Largest value of each of output_size windows that cover the input, and its flat position: (y, positions).")

max_pool_gradient = kernel(
    "max_pool_gradient", onnx=onnx_rules.max_pool_gradient,
    shape=max_pool_gradient_shape, launch=_max_pool_gradient_launch, dtypes="number", saves="positions",
    work=lambda specs, outs, **_: specs[0].numel, public=False,
    vjp=(lambda g, y, g_, positions, *, size, window: max_pool_take(g, positions, window=window), None),
    samples=_placed(2, 1, 2, 3, size=_SIZE, window=tuple(_WINDOW.values())),
    doc="gx of spatial size `size`: each g added at its position; window as for max_pool, () for adaptive windows.")

max_pool_take = kernel(
    "max_pool_take", onnx=onnx_rules.max_pool_take,
    shape=max_pool_take_shape, launch=_max_pool_take_launch, dtypes="number", saves="positions", public=False,
    vjp=(lambda g, y, x, positions, *, window: max_pool_gradient(g, positions, size=tuple(x.shape[2:]), window=window), None),
    samples=_placed(2, 1, *_SIZE, window=tuple(_WINDOW.values())),
    doc="The elements of x at the positions max_pool gave.")

avg_pool = kernel(
    "avg_pool", onnx=onnx_rules.avg_pool,
    shape=avg_pool_shape, launch=_avg_pool_launch, work=_of_windows, dtypes="floating", public=False,
    vjp=(lambda g, y, x, **window: avg_pool_gradient(g, size=tuple(x.shape[2:]), **window),),
    samples=_one(2, 1, *_SIZE, **_AVERAGE),
    doc="Mean of each window; divisor_override replaces the number of elements summed over.")

avg_pool_gradient = kernel(
    "avg_pool_gradient", onnx=onnx_rules.avg_pool_gradient,
    shape=avg_pool_gradient_shape, launch=_avg_pool_gradient_launch, dtypes="floating", public=False,
    work=lambda specs, outs, **window: _of_windows(outs, specs, **window),
    vjp=(lambda g, y, g_, *, size, **window: avg_pool(g, **window),), samples=_one(2, 1, 2, 3, size=_SIZE, **_AVERAGE),
    doc="gx of spatial size `size`: every g spread evenly over its window.")

adaptive_avg_pool = kernel(
    "adaptive_avg_pool", onnx=onnx_rules.adaptive_avg_pool, shape=adaptive_avg_pool_shape, launch=_adaptive_launch("average"),
    work=lambda specs, outs, **_: specs[0].numel, dtypes="floating", public=False,
    vjp=(lambda g, y, x, *, output_size: adaptive_avg_pool_gradient(g, size=tuple(x.shape[2:])),),
    samples=_one(2, 1, *_SIZE, output_size=(2, 2)), doc="Mean of each of output_size windows that cover the input.")

adaptive_avg_pool_gradient = kernel(
    "adaptive_avg_pool_gradient", onnx=onnx_rules.adaptive_avg_pool_gradient,
    shape=adaptive_avg_pool_gradient_shape, launch=_adaptive_avg_pool_gradient_launch,
    work=lambda specs, outs, **_: outs[0].numel,
    dtypes="floating", public=False,
    vjp=(lambda g, y, g_, *, size: adaptive_avg_pool(g, output_size=tuple(g_.shape[2:])),),
    samples=_one(2, 1, 2, 2, size=_SIZE),
    doc="gx of spatial size `size`: every g spread evenly over its window.")
