"""Convolution over any number of spatial dimensions and its two gradients; each is a gradient of the others.

    y[n, k, o] = bias[k] + sum over c, t of x[n, c, o * stride - padding + t * dilation] * w[k, c, t]

x (N, C, *spatial), w (K, C / groups, *kernel), bias (K,), y (N, K, *out); all of one floating dtype.  padding holds an int
per dimension, or a pair (before, after) where the two differ.  float16 and bfloat16 are summed in float32.
"""

import itertools
import math

from ...base.errors import ArgumentError, DTypeError, ShapeError
from ...base.shapes import collapse
from ...dispatch.autocast import LOW
from ...dispatch.plan import In, Out
from ...dispatch.spec import spec
from ..gemm import gemm
from ..kinds.activated import activated
from ..kinds.kernel import kernel
from . import columns, direct, onnx_rules, reference, winograd
from .implicit_gemm import Axis, Nest, PanelProduct, padded_source, product_steps

PIXELS = {"cpu": 24, "gpu": 128}  # from this many pixels per image on, a kernel of one tap is faster as a matrix product
SPATIAL = 3  # kernels are written for three spatial dimensions; fewer are padded with size 1


# --- shape rules -----------------------------------------------------------------------------------------------------


def pairs(padding):
    """padding as one (before, after) pair per dimension."""
    return tuple(p if isinstance(p, tuple) else (p, p) for p in padding)


def output_size(size, kernel, stride, padding, dilation):
    """The spatial size of a convolution's output; negative or zero where the kernel does not fit."""
    return tuple((n + lo + hi - d * (k - 1) - 1) // s + 1
                 for n, k, s, (lo, hi), d in zip(size, kernel, stride, pairs(padding), dilation, strict=True))


def _check_attributes(op, ndim, stride, padding, dilation, groups):
    """Raise ArgumentError unless every attribute has one value per spatial dimension and makes sense."""
    for name, values in (("stride", stride), ("padding", padding), ("dilation", dilation)):
        if len(values) != ndim:
            raise ArgumentError(f"{op}: {name} has {len(values)} values {values} but the input has {ndim} spatial "
                                f"dimensions; give one per dimension")
    if any(s <= 0 for s in stride):
        raise ArgumentError(f"{op}: non-positive stride is not supported, got stride={stride}; use values >= 1")
    if any(d <= 0 for d in dilation):
        raise ArgumentError(f"{op}: dilation should be greater than zero, got dilation={dilation}; use values >= 1")
    if any(p < 0 for pair in pairs(padding) for p in pair):
        raise ArgumentError(f"{op}: negative padding is not supported, got padding={padding}; slice the input instead")
    if groups <= 0:
        raise ArgumentError(f"{op}: groups must be a positive integer, got groups={groups}")


def _check_operands(op, **specs):
    """Raise unless all operands have one dtype and a batch, a channel and one to three spatial dimensions."""
    (first, a), *others = specs.items()
    for name, s in others:
        if s.dtype is not a.dtype:
            raise DTypeError(f"{op}: {first} is {a.dtype.name} but {name} is {s.dtype.name}; the two must agree. Convert "
                             f"one, for instance with .to({first}.dtype)")
        if s.ndim != a.ndim:
            raise ShapeError(f"{op}: {first} {a.shape} has {a.ndim} dimensions but {name} {s.shape} has {s.ndim}; both "
                             f"need (two leading dimensions, *spatial), with as many spatial dimensions")
    if not 3 <= a.ndim <= 2 + SPATIAL:
        raise ShapeError(f"{op}: {first} {a.shape} has {a.ndim} dimensions; expected 3, 4 or 5: (N, C, *spatial) with 1 to "
                         f"{SPATIAL} spatial dimensions. Add a batch dimension with unsqueeze(0)")


def convolution_shape(x, w, bias=None, *, stride, padding, dilation, groups):
    """The Spec of y."""
    op = "convolution"
    _check_operands(op, input=x, weight=w)
    _check_attributes(op, x.ndim - 2, stride, padding, dilation, groups)
    k, cg = w.shape[:2]
    if x.shape[1] != cg * groups:
        raise ShapeError(f"{op}: Given groups={groups}, weight of size {list(w.shape)}, expected input{list(x.shape)} to "
                         f"have {cg * groups} channels, but got {x.shape[1]} channels instead; weight.shape[1] must be "
                         f"input.shape[1] / groups")
    if k % groups or not k:
        raise ShapeError(f"{op}: Given groups={groups}, expected weight to be at least {groups} at dimension 0 and "
                         f"divisible by {groups}, but got weight of size {list(w.shape)}; choose out_channels divisible "
                         f"by groups")
    if bias is not None:
        _check_bias(op, bias, w, k)
    size = output_size(x.shape[2:], w.shape[2:], stride, padding, dilation)
    if any(n <= 0 for n in size) or 0 in w.shape[2:]:
        padded = tuple(n + lo + hi for n, (lo, hi) in zip(x.shape[2:], pairs(padding), strict=True))
        reach = tuple(d * (n - 1) + 1 for n, d in zip(w.shape[2:], dilation, strict=True))
        raise ShapeError(f"{op}: Calculated padded input size per channel: {padded}. Kernel size: {reach} (dilated). Kernel "
                         f"size can't be zero or greater than actual input size; add padding or use a smaller kernel")
    return x.dense((x.shape[0], k, *size))


def _check_bias(op, bias, w, channels):
    if bias.shape != (channels,):
        raise ShapeError(f"{op}: Given weight of size {list(w.shape)}, expected bias to be 1-dimensional with {channels} "
                         f"elements, but got bias of size {list(bias.shape)} instead")
    if bias.dtype is not w.dtype:
        raise DTypeError(f"{op}: weight is {w.dtype.name} but bias is {bias.dtype.name}; the two must agree. Convert one, "
                         f"for instance with .to(weight.dtype)")


def input_gradient_shape(g, w, *, size, stride, padding, dilation, groups):
    """The Spec of gx: (N, w.shape[1] * groups, *size)."""
    op = "convolution_input_gradient"
    _check_operands(op, input=g, weight=w)
    _check_attributes(op, g.ndim - 2, stride, padding, dilation, groups)
    if g.shape[1] != w.shape[0] or w.shape[0] % groups or not w.shape[0]:
        raise ShapeError(f"{op}: Given transposed=1, weight of size {list(w.shape)} and groups={groups}, expected "
                         f"input{list(g.shape)} to have {w.shape[0]} channels, divisible by groups; got {g.shape[1]}")
    _check_sizes(op, size, g.shape[2:], w.shape[2:], stride, padding, dilation)
    return g.dense((g.shape[0], w.shape[1] * groups, *size))


def weight_gradient_shape(g, x, *, size, stride, padding, dilation, groups):
    """The Spec of gw: (K, C / groups, *size)."""
    op = "convolution_weight_gradient"
    _check_operands(op, gradient=g, input=x)
    _check_attributes(op, x.ndim - 2, stride, padding, dilation, groups)
    if g.shape[0] != x.shape[0] or g.shape[1] % groups or x.shape[1] % groups:
        raise ShapeError(f"{op}: gradient {g.shape} and input {x.shape} need one batch size and channels divisible by "
                         f"groups={groups}")
    _check_sizes(op, x.shape[2:], g.shape[2:], size, stride, padding, dilation)
    return x.dense((g.shape[1], x.shape[1] // groups, *size))


def _check_sizes(op, size, out, kernel, stride, padding, dilation):
    made = output_size(size, kernel, stride, padding, dilation) if len(size) == len(out) else None
    if made != tuple(out):
        raise ShapeError(f"{op}: an input of spatial size {tuple(size)} under a kernel {tuple(kernel)}, stride {stride}, "
                         f"padding {padding}, dilation {dilation} gives an output of {made}, but the gradient has "
                         f"{tuple(out)}; size must be one the convolution maps to the gradient's size")


# --- launch rules ----------------------------------------------------------------------------------------------------


def _volume(s):
    """Spec s with exactly three spatial dimensions."""
    extra = (1,) * (2 + SPATIAL - s.ndim)
    return spec(s.shape[:2] + extra + s.shape[2:], s.strides[:2] + (0,) * len(extra) + s.strides[2:], s.dtype, s.device)


def _before(padding):
    """The padding before the first element of each dimension."""
    return tuple(lo for lo, _ in pairs(padding))


def _attributes(ndim, stride, padding, dilation):
    """stride, padding before, dilation for exactly three spatial dimensions."""
    extra = SPATIAL + 2 - ndim
    return (1,) * extra + tuple(stride), (0,) * extra + _before(padding), (1,) * extra + tuple(dilation)


def _forward_axes(size, out, kernel, stride, before, dilation):
    return [Axis(n, o, s, -p, k, d)
            for n, o, k, s, p, d in zip(size, out, kernel, stride, before, dilation, strict=True)]


def _scaled(factors, strides):
    return tuple(f * s for f, s in zip(factors, strides, strict=True))


def _one_tap(image, w, w_strides, result, bias, stride, padding, groups, activation=""):
    """The Steps of a convolution of the form result[n] = w @ image[n] + bias; None for others and for few contiguous pixels.

    image is In(0); w is In(1) with strides w_strides over (channels of the result, channels of the image).
    """
    if groups != 1 or {*w.shape[2:], *stride} != {1} or any(map(any, pairs(padding))) or not image.numel or not result.contiguous:
        return None
    pixels, (along,) = collapse(image.shape[2:], image.strides[2:])
    if len(pixels) != 1 or pixels[0] < PIXELS[image.device.profile.style]:
        return None
    (n, steps), lanes = image.shape[:2], result.shape[1]
    extras = ((bias[0], bias[1].dtype, (0, bias[1].strides[0], 0)),) if bias else ()
    return gemm.product_steps(gemm.MatrixProduct(
        image.device, image.dtype, (n,), lanes, *pixels, steps, gemm.Operand(In(1), (0,), *w_strides),
        gemm.Operand(In(0), image.strides[:1], image.strides[1], *along), extras, "acc + e0" if bias else "acc",
        activation=activation))


def convolution_launch(inputs, outputs, *, stride, padding, dilation, groups, activation=""):
    """The Steps of the forward pass: rows are output pixels, lanes output channels, steps (channel, tap).

    activation: see codegen/activation.py
    """
    device, dtype = inputs[0].device, inputs[0].dtype
    bias = (In(2), inputs[2]) if len(inputs) > 2 and inputs[2] is not None else None
    one_tap = _one_tap(*inputs[:2], inputs[1].strides[:2], outputs[0], bias, stride, padding, groups, activation)
    if one_tap:
        return one_tap
    by_tiles = winograd.Operands(inputs[0], outputs[0], 0, inputs[1].strides, _before(padding), bias, activation)
    m = winograd.chosen(by_tiles, inputs[1].shape[2:], stride, dilation, groups)
    if m:
        return winograd.steps(device, by_tiles, m)
    x, w, y = _volume(inputs[0]), _volume(inputs[1]), _volume(outputs[0])
    stride, before, dilation = _attributes(inputs[0].ndim, stride, padding, dilation)
    axes = _forward_axes(x.shape[2:], y.shape[2:], w.shape[2:], stride, before, dilation)
    channels, k = w.shape[1], w.shape[0] // groups
    if direct.suits(device, dtype, k, channels, groups, axes):
        return [direct.map_steps(
            device, dtype, x, axes, groups, channels, k, (0, y.strides, y.shape),
            (0, k * w.strides[0], *w.strides[:2], w.strides[2:]), bias, activation)]
    patches = columns.Patches(x, y.shape[2:], w.shape[2:], stride, before, dilation)
    if columns.suits(patches, w, groups):
        return columns.forward_steps(device, patches, y, bias, activation)
    steps = []
    read = padded_source(device, x, 0, [axes], steps)
    rows = Nest((y.shape[0], *y.shape[2:]), (read.strides[0], *_scaled(stride, read.strides[2:])),
                (y.strides[0], *y.strides[2:]))
    taps = Nest(w.shape[1:], (read.strides[1], *_scaled(dilation, read.strides[2:])), w.strides[1:])
    product = PanelProduct(
        dtype=dtype, rows=rows, steps=taps, x=read, x_start=read.start(axes), x_group=channels * read.strides[1],
        panel=In(1), panel_base=0, panel_lane=w.strides[0], panel_group=k * w.strides[0], groups=groups, lanes=k,
        y_base=0, y_lane=y.strides[1], y_group=k * y.strides[1], bias=bias, activation=activation)
    return steps + product_steps(device, product, Out(0), dtype, y.numel, split=device.profile.style == "gpu")


def _phases(size, out, kernel, stride, before, dilation):
    """Split the input positions of one dimension by their remainder modulo the stride.

    Position i = first + r * stride gets g[(i + before - t * dilation) / stride] for the taps t that divide evenly.  These
    are every (stride / d)-th tap from `tap` on, d = gcd(stride, dilation).  Yields (first, tap, tap step, Axis of g).
    """
    d = math.gcd(stride, dilation)
    for first in range(min(stride, size)):
        rows = -(-(size - first) // stride)
        start = next((t for t in range(min(kernel, stride // d)) if (first + before - t * dilation) % stride == 0), None)
        if start is None:
            yield first, 0, 1, Axis(out, rows, 1, 0, 0, 0)
        else:
            taps = -(-(kernel - start) // (stride // d))
            base = (first + before - start * dilation) // stride
            yield first, start, stride // d, Axis(out, rows, 1, base, taps, -(dilation // d))


def input_gradient_launch(inputs, outputs, *, size, stride, padding, dilation, groups):
    """The Steps of gx: rows are input pixels, lanes input channels, steps (output channel, tap); one product per phase."""
    device, dtype = inputs[0].device, inputs[0].dtype
    one_tap = _one_tap(*inputs[:2], inputs[1].strides[1::-1], outputs[0], None, stride, padding, groups)
    if one_tap:
        return one_tap
    by_tiles = winograd.turned(inputs[0], inputs[1], outputs[0], _before(padding))
    m = winograd.chosen(by_tiles, inputs[1].shape[2:], stride, dilation, groups)
    if m:
        return winograd.steps(device, by_tiles, m)
    g, w, gx = _volume(inputs[0]), _volume(inputs[1]), _volume(outputs[0])
    stride, before, dilation = _attributes(inputs[0].ndim, stride, padding, dilation)
    channels, k, steps = w.shape[1], w.shape[0] // groups, []
    patches = columns.Patches(gx, g.shape[2:], w.shape[2:], stride, before, dilation)
    if columns.suits(patches, w, groups):
        return columns.input_gradient_steps(device, patches, g)
    per_dim = (_phases(*one) for one in zip(gx.shape[2:], g.shape[2:], w.shape[2:], stride, before, dilation, strict=True))
    phases = [tuple(zip(*choice, strict=True)) for choice in itertools.product(*per_dim)]
    by_planes = [direct.suits(device, dtype, channels, k, groups, axes) for *_, axes in phases]
    read = padded_source(device, g, 0, [p[-1] for p, plane in zip(phases, by_planes, strict=True) if not plane], steps)
    for (first, tap, tap_step, axes), plane in zip(phases, by_planes, strict=True):
        y_base, w_base = sum(_scaled(first, gx.strides[2:])), sum(_scaled(tap, w.strides[2:]))
        if plane:
            steps.append(direct.map_steps(
                device, dtype, g, axes, groups, k, channels,
                (y_base, (*gx.strides[:2], *_scaled(stride, gx.strides[2:])), gx.shape),
                (w_base, k * w.strides[0], w.strides[1], w.strides[0], _scaled(tap_step, w.strides[2:])), None))
            continue
        rows = Nest((gx.shape[0], *(a.rows for a in axes)), (read.strides[0], *read.strides[2:]),
                    (gx.strides[0], *_scaled(stride, gx.strides[2:])))
        taps = Nest((k, *(a.taps for a in axes)), (read.strides[1], *_scaled([a.tap_step for a in axes], read.strides[2:])),
                    (w.strides[0], *_scaled(tap_step, w.strides[2:])))
        product = PanelProduct(
            dtype=dtype, rows=rows, steps=taps, x=read, x_start=read.start(axes), x_group=k * read.strides[1],
            panel=In(1), panel_base=w_base, panel_lane=w.strides[1],
            panel_group=k * w.strides[0], groups=groups, lanes=channels,
            y_base=y_base, y_lane=gx.strides[1], y_group=channels * gx.strides[1])
        alone = len(phases) == 1 and device.profile.style == "gpu"  # conv_sum adds up all of gx: one phase must cover it
        steps += product_steps(device, product, Out(0), dtype, gx.numel, split=alone)
    return steps


def weight_gradient_launch(inputs, outputs, *, size, stride, padding, dilation, groups):
    """The Steps of gw: rows are (input channel, tap), lanes output channels, steps the pixels of g."""
    device, dtype = inputs[0].device, inputs[0].dtype
    g, x, gw = _volume(inputs[0]), _volume(inputs[1]), _volume(outputs[0])
    stride, before, dilation = _attributes(inputs[0].ndim, stride, padding, dilation)
    axes = _forward_axes(x.shape[2:], g.shape[2:], gw.shape[2:], stride, before, dilation)
    channels, k = gw.shape[1], gw.shape[0] // groups
    if g.numel and groups > 1 and direct.suits(device, dtype, k, channels, groups, axes):
        return direct.weight_steps(device, dtype, x, g, axes, groups, channels, k)
    patches = columns.Patches(x, g.shape[2:], gw.shape[2:], stride, before, dilation)
    if columns.suits(patches, gw, groups):
        return columns.weight_gradient_steps(device, patches, g)
    steps = []
    read = padded_source(device, x, 1, [axes], steps)
    rows = Nest(gw.shape[1:], (read.strides[1], *_scaled(dilation, read.strides[2:])), gw.strides[1:])
    pixels = Nest((g.shape[0], *g.shape[2:]), (read.strides[0], *_scaled(stride, read.strides[2:])),
                  (g.strides[0], *g.strides[2:]))
    product = PanelProduct(
        dtype=dtype, rows=rows, steps=pixels, x=read, x_start=read.start(axes), x_group=channels * read.strides[1],
        panel=In(0), panel_base=0, panel_lane=g.strides[1], panel_group=k * g.strides[1], groups=groups, lanes=k,
        y_base=0, y_lane=gw.strides[0], y_group=k * gw.strides[0])
    return steps + product_steps(device, product, Out(0), dtype, gw.numel, split=True)


# --- declarations ----------------------------------------------------------------------------------------------------


def _bias_gradient(g, y, x, w, bias, **attributes):
    return g.sum(tuple(d for d in range(g.ndim) if d != 1))


def _taps(positions, kernels):
    """The work of a convolution: for each of g's or y's elements a multiplication and an addition at each tap of its kernel."""
    return 2 * positions.numel * math.prod(kernels.shape[1:])


_STRIDED = {"stride": (2, 1), "padding": ((1, 0), (1, 1)), "dilation": (1, 2), "groups": 2}


def _drawn(*shapes, **attributes):
    return lambda rng: [(tuple(rng.uniform(-1, 1, shape) for shape in shapes), attributes)]


convolution = kernel(
    "convolution", autocast=LOW, onnx=onnx_rules.convolution,
    shape=convolution_shape, launch=convolution_launch, dtypes="floating", saves="x(w) w(x)",
    work=lambda specs, outs, **attributes: _taps(outs[0], specs[1]), products=True, public=False, on_complex="complex_convolution",
    packs=1,
    vjp=(lambda g, y, x, w, bias, **attributes: convolution_input_gradient(g, w, size=tuple(x.shape[2:]), **attributes),
         lambda g, y, x, w, bias, **attributes: convolution_weight_gradient(g, x, size=tuple(w.shape[2:]), **attributes),
         _bias_gradient),
    ref=reference.forward, samples=_drawn((2, 4, 4, 5), (2, 2, 3, 2), (2,), **_STRIDED),
    doc="y[n, k, o] = bias[k] + sum over c, t of x[n, c, o * stride - padding + t * dilation] * w[k, c, t].")

convolution_activated = activated(convolution)

convolution_input_gradient = kernel(
    "convolution_input_gradient", onnx=onnx_rules.input_gradient,
    shape=input_gradient_shape, launch=input_gradient_launch, dtypes="floating",
    on_complex="complex_convolution_input_gradient", packs=1,
    saves="g(w) w(g)", work=lambda specs, outs, **attributes: _taps(*specs), products=True, public=False,
    vjp=(lambda gg, y, g, w, *, size, **attributes: convolution(gg, w, None, **attributes),
         lambda gg, y, g, w, *, size, **attributes: convolution_weight_gradient(g, gg, size=tuple(w.shape[2:]), **attributes)),
    ref=reference.input_gradient, samples=_drawn((2, 2, 2, 5), (2, 2, 3, 2), size=(4, 5), **_STRIDED),
    doc="gx of spatial size `size` from g and w: the transposed convolution.")

convolution_weight_gradient = kernel(
    "convolution_weight_gradient", onnx=onnx_rules.weight_gradient,
    shape=weight_gradient_shape, launch=weight_gradient_launch, dtypes="floating",
    saves="g(x) x(g)", work=lambda specs, outs, **attributes: _taps(specs[0], outs[0]), products=True, public=False,
    vjp=(lambda gg, y, g, x, *, size, **attributes: convolution(x, gg, None, **attributes),
         lambda gg, y, g, x, *, size, **attributes: convolution_input_gradient(g, gg, size=tuple(x.shape[2:]), **attributes)),
    ref=reference.weight_gradient, samples=_drawn((2, 2, 2, 5), (2, 4, 4, 5), size=(3, 2), **_STRIDED),
    doc="gw with kernels of size `size` from g and x.")
