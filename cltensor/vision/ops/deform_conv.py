"""Deformable convolution: a convolution whose taps read at places moved by offsets."""

from __future__ import annotations

import math

from ... import nn
from ...base.errors import ArgumentError, DTypeError, ShapeError
from ...dispatch.autocast import FLOAT32, autocasts
from ...nn import init
from ...ops.vision.deform import deform_sample
from ...tensor.api.creation import empty
from ...tensor.core.tensor import Tensor


def _pair(value):
    return (value, value) if isinstance(value, int) else tuple(map(int, value))


def _check(input, offset, weight, bias, mask, out):
    """Raise ShapeError or DTypeError where an argument does not fit; out: rows and columns of the result."""
    if input.ndim != 4 or weight.ndim != 4 or offset.ndim != 4:
        raise ShapeError(f"deform_conv2d: input {tuple(input.shape)}, offset {tuple(offset.shape)} and weight "
                         f"{tuple(weight.shape)} must have four dimensions: (N, C, H, W), (N, 2 * groups * taps, H', W') and "
                         "(O, C / groups, kH, kW)")
    taps = weight.shape[2] * weight.shape[3]
    groups = offset.shape[1] // (2 * taps)
    if groups == 0 or offset.shape[1] % (2 * taps) or input.shape[1] % groups:
        raise ShapeError(f"deform_conv2d: offset.shape[1]={offset.shape[1]} must be a multiple of 2 * {taps} taps, and how many "
                         f"times it is that must divide the {input.shape[1]} channels of input")
    if min(out) < 1 or tuple(offset.shape) != (input.shape[0], offset.shape[1], *out):
        raise ShapeError(f"deform_conv2d: offset {tuple(offset.shape)} must be ({input.shape[0]}, {offset.shape[1]}, {out[0]}, "
                         f"{out[1]}) for input {tuple(input.shape)} and weight {tuple(weight.shape)}")
    if mask is not None and tuple(mask.shape) != (input.shape[0], groups * taps, *out):
        raise ShapeError(f"deform_conv2d: mask {tuple(mask.shape)} must be ({input.shape[0]}, {groups * taps}, {out[0]}, {out[1]})")
    parts = input.shape[1] // max(weight.shape[1], 1)
    if parts * weight.shape[1] != input.shape[1] or parts == 0 or weight.shape[0] % parts:
        raise ShapeError(f"deform_conv2d: weight {tuple(weight.shape)} does not fit the {input.shape[1]} channels of input: "
                         "weight.shape[1] must divide them, and the number of groups weight.shape[0]")
    if bias is not None and tuple(bias.shape) != (weight.shape[0],):
        raise ShapeError(f"deform_conv2d: bias {tuple(bias.shape)} must be ({weight.shape[0]},), a number for each output channel")
    kinds = {t.dtype for t in (input, offset, weight, bias, mask) if t is not None}
    if len(kinds) > 1 or not input.is_floating_point():
        raise DTypeError(f"deform_conv2d: all tensors must be of one floating dtype, got {', '.join(sorted(map(str, kinds)))}")


@autocasts(FLOAT32)
def deform_conv2d(input: Tensor, offset: Tensor, weight: Tensor, bias: Tensor | None = None, stride: int | tuple[int, int] = (1, 1),
                  padding: int | tuple[int, int] = (0, 0), dilation: int | tuple[int, int] = (1, 1),
                  mask: Tensor | None = None) -> Tensor:
    """Convolution of input (N, C, H, W) with weight (O, C / groups, kH, kW) whose taps read at moved places: (N, O, H', W').

    offset (N, 2 * offset_groups * kH * kW, H', W'): rows and columns that each tap is moved by, in pixels, alternately; what is
    read is bilinear between pixels and 0 outside.  mask (N, offset_groups * kH * kW, H', W') multiplies it.  One floating dtype
    for all.  Raises ShapeError, DTypeError, ArgumentError.  Gradients of every order.
    Source: Dai et al., Deformable Convolutional Networks, 2017; Zhu et al., Deformable ConvNets v2, 2018.

        >>> from cltensor.vision.ops import deform_conv2d
        >>> deform_conv2d(ct.arange(9.0).reshape(1, 1, 3, 3), ct.full((1, 2, 3, 3), 0.5), ct.ones(1, 1, 1, 1))[0, 0]
        tensor([[2.0000, 3.0000, 1.7500],
                [5.0000, 6.0000, 3.2500],
                [3.2500, 3.7500, 2.0000]])
    """
    stride, padding, dilation = map(_pair, (stride, padding, dilation))
    if min(stride) < 1 or min(padding) < 0 or min(dilation) < 1:
        raise ArgumentError(f"deform_conv2d: stride={stride} and dilation={dilation} must be at least 1 and padding={padding} at "
                            "least 0")
    kernel = tuple(weight.shape[2:])
    out = [(n + 2 * p - d * (k - 1) - 1) // s + 1
           for n, p, d, k, s in zip(input.shape[2:], padding, dilation, kernel, stride, strict=False)]
    _check(input, offset, weight, bias, mask, out)
    n, c, taps = *input.shape[:2], math.prod(kernel)
    groups = offset.shape[1] // (2 * taps)
    found = deform_sample(input, offset.reshape(n, groups, taps, 2, *out), kernel_size=kernel, stride=stride, padding=padding,
                          dilation=dilation, slope=(False, False))
    if mask is not None:
        found = found.reshape(n, groups, c // groups, taps, *out) * mask.reshape(n, groups, 1, taps, *out)
    parts = c // weight.shape[1]
    columns = found.reshape(n, parts, weight.shape[1] * taps, math.prod(out))
    result = weight.reshape(parts, weight.shape[0] // parts, -1).matmul(columns).reshape(n, weight.shape[0], *out)
    return result if bias is None else result + bias.reshape(1, -1, 1, 1)


class DeformConv2d(nn.Module):
    """deform_conv2d as a layer: input (N, in_channels, H, W), offset and mask -> (N, out_channels, H', W'); floating dtypes.

    Weights start as those of Conv2d.  Raises ArgumentError where groups does not divide the channels, and what deform_conv2d
    raises.  Source: Dai et al., Deformable Convolutional Networks, 2017.

        >>> from cltensor.vision.ops import DeformConv2d
        >>> DeformConv2d(2, 3, 3, padding=1)(ct.ones(1, 2, 5, 5), ct.zeros(1, 18, 5, 5)).shape
        cltensor.Size([1, 3, 5, 5])
    """

    def __init__(self, in_channels: int, out_channels: int, kernel_size: int, stride: int = 1, padding: int = 0,
                 dilation: int = 1, groups: int = 1, bias: bool = True):
        super().__init__()
        if in_channels % groups or out_channels % groups:
            raise ArgumentError(f"DeformConv2d: groups={groups} must divide in_channels={in_channels} and "
                                f"out_channels={out_channels}")
        self.in_channels, self.out_channels, self.groups = in_channels, out_channels, groups
        self.kernel_size, self.stride, self.padding, self.dilation = map(_pair, (kernel_size, stride, padding, dilation))
        self.weight = nn.Parameter(empty(out_channels, in_channels // groups, *self.kernel_size))
        if bias:
            self.bias = nn.Parameter(empty(out_channels))
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw weight and bias from the ranges that Conv2d uses."""
        bound = 1 / math.sqrt(math.prod(self.weight.shape[1:]))
        for parameter in (self.weight, self.bias):
            if parameter is not None:
                init.uniform_(parameter, -bound, bound)

    def forward(self, input: Tensor, offset: Tensor, mask: Tensor | None = None) -> Tensor:
        return deform_conv2d(input, offset, self.weight, self.bias, self.stride, self.padding, self.dilation, mask)

    def extra_repr(self) -> str:
        shown = [f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, stride={self.stride}"]
        for name, plain in (("padding", (0, 0)), ("dilation", (1, 1)), ("groups", 1)):
            if getattr(self, name) != plain:
                shown.append(f"{name}={getattr(self, name)}")
        return ", ".join([*shown, *(["bias=False"] if self.bias is None else [])])
