"""Quantised numbers, and products and convolutions of them."""

from ....nn import functional as F
from ..element_types import NARROW, Narrow, held_as, name_of, name_of_value
from ..operators import operator
from ..public import axis_of, ct
from ..rounding import limits, rounded
from ..windows import Windows


def _spread(parameter, x, axis, block_size=0):
    """A scale or zero point as it stands beside x: for the whole, along an axis, or for blocks along it."""
    if parameter is None or parameter.ndim == 0 or (parameter.numel() == 1 and parameter.ndim <= 1):
        return parameter if parameter is None else parameter.reshape(())
    axis = axis_of(axis, x.ndim)
    if parameter.ndim == 1:
        return parameter.reshape([-1] + [1] * (x.ndim - 1 - axis))
    block_size = block_size or -(-x.shape[axis] // parameter.shape[axis])
    return ct.repeat_interleave(parameter, block_size, axis).narrow(axis, 0, x.shape[axis])


def _plain(value):
    return value.tensor if isinstance(value, Narrow) else value


@operator("QuantizeLinear", since=10, narrow=True, buffers="y_scale y_zero_point")
def quantize(x, y_scale, y_zero_point=None, *, axis=1, block_size=0, output_dtype=0, precision=0, saturate=1):
    wanted = name_of_value(y_zero_point) if y_zero_point is not None else name_of(output_dtype) if output_dtype else "uint8"
    scale, zero = _spread(_plain(y_scale), x, axis, block_size), _spread(_plain(y_zero_point), x, axis, block_size)
    computed = ct.float32 if not precision else held_as(name_of(precision))
    scaled = x.to(computed) / scale.to(computed)
    return quantized(scaled, zero, wanted, saturate)


def quantized(scaled, zero, wanted, saturate=1):
    """Numbers that were divided by their scale, as an element type."""
    if wanted.startswith("float"):
        scaled = scaled if zero is None else scaled + zero.to(scaled.dtype)
        return Narrow(rounded(scaled, wanted, saturate), wanted)
    low, high = limits(wanted)
    whole = ct.round(scaled.to(ct.float32))
    whole = whole if zero is None else whole + zero.to(ct.float32)
    found = ct.clamp(whole, low, high).to(held_as(wanted))
    return Narrow(found, wanted) if wanted in NARROW else found


@operator("DequantizeLinear", since=10, buffers="x_scale x_zero_point")
def dequantize(x, x_scale, x_zero_point=None, *, axis=1, block_size=0, output_dtype=0):
    scale, zero = _spread(x_scale, x, axis, block_size), _spread(x_zero_point, x, axis, block_size)
    wanted = held_as(name_of(output_dtype)) if output_dtype else x_scale.dtype
    return (centered(x, zero).to(ct.float32) * scale.to(ct.float32)).to(wanted)


def centered(x, zero):
    """Quantised numbers without their zero point, in int32, which holds sums of products exactly; narrow floats in float32."""
    wide = ct.float32 if x.dtype.is_floating_point else ct.int32
    return x.to(wide) if zero is None else x.to(wide) - zero.to(wide)


@operator("DynamicQuantizeLinear", since=11)
def quantize_dynamically(x):
    low, high = ct.clamp(ct.amin(x), max=0), ct.clamp(ct.amax(x), min=0)
    scale = (high - low) / 255
    scale = ct.where(scale == 0, ct.ones_like(scale), scale)
    zero = ct.clamp(ct.round(-low / scale), 0, 255)
    return ct.clamp(ct.round(x / scale) + zero, 0, 255).to(ct.uint8), scale, zero.to(ct.uint8)


def _zero_of_rows(zero):
    """A zero point for each row of a matrix."""
    return zero if zero is None or zero.ndim != 1 or zero.numel() == 1 else zero.reshape(-1, 1)


@operator("MatMulInteger", since=10, buffers="a_zero_point b_zero_point")
def matmul_of_integers(a, b, a_zero_point=None, b_zero_point=None):
    return ct.matmul(centered(a, _zero_of_rows(a_zero_point)), centered(b, b_zero_point))


@operator("QLinearMatMul", since=10, narrow=True, buffers="a_scale a_zero_point b_scale b_zero_point y_scale y_zero_point")
def quantized_matmul(a, a_scale, a_zero_point, b, b_scale, b_zero_point, y_scale, y_zero_point):
    a, b, wanted = _plain(a), _plain(b), name_of_value(y_zero_point)
    found = ct.matmul(centered(a, _zero_of_rows(_plain(a_zero_point))), centered(b, _plain(b_zero_point)))
    scale = _zero_of_rows(a_scale).to(ct.float32) * b_scale.to(ct.float32) / y_scale.to(ct.float32)
    return quantized(found.to(ct.float32) * scale, _plain(y_zero_point), wanted)


def _convolved(x, w, windows, group):
    """The convolution of centred integers; padding adds what is 0 once centred."""
    conv = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}[x.ndim - 2]
    x, pads = windows.padded(x, 0)
    return conv(x, w, None, windows.strides, pads, windows.dilations, group)


@operator("ConvInteger", since=10, buffers="x_zero_point w_zero_point")
def conv_of_integers(x, w, x_zero_point=None, w_zero_point=None, *, auto_pad="NOTSET", dilations=None, group=1, kernel_shape=None,
                     pads=None, strides=None):
    windows = Windows(x.shape[2:], w.shape[2:], auto_pad, dilations, pads, strides)
    return _convolved(centered(x, x_zero_point), centered(w, _spread(w_zero_point, w, 0)), windows, group)


@operator("QLinearConv", since=10, buffers="x_scale x_zero_point w_scale w_zero_point y_scale y_zero_point")
def quantized_conv(x, x_scale, x_zero_point, w, w_scale, w_zero_point, y_scale, y_zero_point, b=None, *, auto_pad="NOTSET",
                   dilations=None, group=1, kernel_shape=None, pads=None, strides=None):
    found = conv_of_integers(x, w, x_zero_point, w_zero_point, auto_pad=auto_pad, dilations=dilations, group=group, pads=pads,
                             strides=strides)
    found = found if b is None else found + b.reshape([-1] + [1] * (x.ndim - 2))
    scale = x_scale * w_scale / y_scale
    scale = scale.reshape([-1] + [1] * (x.ndim - 2)) if scale.numel() > 1 else scale.reshape(())
    return quantized(found.to(ct.float32) * scale, y_zero_point, name_of_value(y_zero_point))
