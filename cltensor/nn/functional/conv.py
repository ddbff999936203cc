"""Convolutions over one to three spatial dimensions, and their transposes."""

from __future__ import annotations

import functools
from collections.abc import Sequence

from ...base.context import context
from ...base.errors import ArgumentError, ShapeError
from ...dispatch.autocast import LOW
from ...ops.conv.convolution import convolution, convolution_activated, convolution_input_gradient
from ...tensor.core.tensor import Tensor
from ...tensor.shape.padding import pad_constant
from . import windows
from .sizes import batched, each


def convolved(n, input, weight, bias, stride, padding, dilation, groups, activation=None):
    """conv1d, conv2d or conv3d; activation: the name of an op to apply to the result in the same launch, see ops.activated."""
    op = f"conv{n}d"
    _check_weight(op, n, weight)
    stride, dilation = each(stride, n, op, "stride"), each(dilation, n, op, "dilation")
    if isinstance(padding, str):
        padding = _named_padding(op, padding, weight.shape[2:], stride, dilation)
    else:
        padding = each(padding, n, op, "padding")
    input, single = batched(input, n, op)
    convolve = convolution if input.dtype.category != "int" else windows.convolution
    if activation is not None:
        convolve = functools.partial(convolution_activated, activation=activation)
    y = convolve(input, weight, bias, stride=stride, padding=padding, dilation=dilation, groups=groups)
    y = y if y._spec.contiguous or y.dtype.is_inexact else y.contiguous()
    return y.squeeze(0) if single else y


def _check_weight(op, n, weight):
    if weight.ndim != n + 2:
        raise ShapeError(f"{op}: Expected a {n + 2}-dimensional weight (out channels, in channels / groups, *kernel), got "
                         f"{list(weight.shape)}")


def _named_padding(op, padding, kernel, stride, dilation):
    """(before, after) per dimension; for an odd total, the larger part is at the end."""
    if padding == "valid":
        return (0,) * len(kernel)
    if padding != "same":
        raise ArgumentError(f"{op}: Invalid padding string {padding!r}, should be one of 'valid', 'same'")
    if any(s != 1 for s in stride):
        raise ArgumentError(f"{op}: padding='same' is not supported for strided convolutions, got stride={stride}")
    totals = [d * (k - 1) for d, k in zip(dilation, kernel, strict=True)]
    return tuple((t // 2, t - t // 2) for t in totals)


def conv1d(input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: int | Sequence[int] = 1,
           padding: int | str | Sequence[int] = 0, dilation: int | Sequence[int] = 1, groups: int = 1):
    """input (N, C, L) or (C, L) with weight (K, C / groups, k); padding also "same" or "valid".  Returns (N, K, L')."""
    return convolved(1, input, weight, bias, stride, padding, dilation, groups)


def conv2d(input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: int | Sequence[int] = 1,
           padding: int | str | Sequence[int] = 0, dilation: int | Sequence[int] = 1, groups: int = 1):
    """input (N, C, H, W) or (C, H, W) with weight (K, C / groups, kh, kw).  Returns (N, K, H', W').

    H' = (H + 2 padding - dilation (kh - 1) - 1) // stride + 1; padding may be "same" or "valid".
    """
    return convolved(2, input, weight, bias, stride, padding, dilation, groups)


def conv3d(input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: int | Sequence[int] = 1,
           padding: int | str | Sequence[int] = 0, dilation: int | Sequence[int] = 1, groups: int = 1):
    """input (N, C, D, H, W) or (C, D, H, W) with weight (K, C / groups, kd, kh, kw).  Returns (N, K, D', H', W')."""
    return convolved(3, input, weight, bias, stride, padding, dilation, groups)


def _conv_transpose(n, input, weight, bias, stride, padding, output_padding, groups, dilation):
    op = f"conv_transpose{n}d"
    if context.autocast is not None:
        input, weight, bias = LOW.arguments(input, weight, bias)
    _check_weight(op, n, weight)
    stride, dilation = each(stride, n, op, "stride"), each(dilation, n, op, "dilation")
    padding, extra = each(padding, n, op, "padding"), each(output_padding, n, op, "output_padding")
    if any(e >= max(s, d) for e, s, d in zip(extra, stride, dilation, strict=True)):
        raise ArgumentError(f"{op}: output padding must be smaller than either stride or dilation, but got "
                            f"output_padding={extra}, stride={stride}, dilation={dilation}")
    input, single = batched(input, n, op)
    # output padding first restores what padding cut off at the end; only beyond that does it add zeros
    around = tuple((p, max(p - e, 0)) for p, e in zip(padding, extra, strict=True))
    size = tuple((i - 1) * s - lo - hi + d * (k - 1) + 1 for i, s, (lo, hi), d, k in
                 zip(input.shape[2:], stride, around, dilation, weight.shape[2:], strict=True))
    convolve = convolution_input_gradient if input.dtype.category != "int" else windows.convolution_input_gradient
    y = convolve(input, weight, size=size, stride=stride, padding=around, dilation=dilation, groups=groups)
    if any(e > p for p, e in zip(padding, extra, strict=True)):
        zeros = ((0, max(e - p, 0)) for p, e in zip(reversed(padding), reversed(extra), strict=True))
        y = pad_constant(y, [n for pair in zeros for n in pair])
    if bias is not None:
        y = y + bias.reshape(-1, *(1,) * n)
    y = y if y._spec.contiguous or y.dtype.is_inexact else y.contiguous()
    return y.squeeze(0) if single else y


def conv_transpose1d(input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: int | Sequence[int] = 1,
                     padding: int | Sequence[int] = 0, output_padding: int | Sequence[int] = 0, groups: int = 1,
                     dilation: int | Sequence[int] = 1):
    """The transpose of conv1d: input (N, C, L) or (C, L), weight (C, K / groups, k).  Returns (N, K, L')."""
    return _conv_transpose(1, input, weight, bias, stride, padding, output_padding, groups, dilation)


def conv_transpose2d(input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: int | Sequence[int] = 1,
                     padding: int | Sequence[int] = 0, output_padding: int | Sequence[int] = 0, groups: int = 1,
                     dilation: int | Sequence[int] = 1):
    """The transpose of conv2d: input (N, C, H, W) or (C, H, W), weight (C, K / groups, kh, kw).

    H' = (H - 1) stride - 2 padding + dilation (kh - 1) + output_padding + 1.  Returns (N, K, H', W').
    """
    return _conv_transpose(2, input, weight, bias, stride, padding, output_padding, groups, dilation)


def conv_transpose3d(input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: int | Sequence[int] = 1,
                     padding: int | Sequence[int] = 0, output_padding: int | Sequence[int] = 0, groups: int = 1,
                     dilation: int | Sequence[int] = 1):
    """The transpose of conv3d: input (N, C, D, H, W) or (C, D, H, W), weight (C, K / groups, kd, kh, kw)."""
    return _conv_transpose(3, input, weight, bias, stride, padding, output_padding, groups, dilation)


def conv_tbc(input: Tensor, weight: Tensor, bias: Tensor | None, pad: int = 0):
    """conv1d with time first: input (T, B, in), weight (kernel, in, out) and bias (out,) give (T', B, out)."""
    if input.ndim != 3 or weight.ndim != 3:
        raise ShapeError(f"conv_tbc: Input and weight must have 3 dims: time, batch, in; got {list(input.shape)} and "
                         f"{list(weight.shape)}")
    return conv1d(input.permute(1, 2, 0), weight.permute(2, 1, 0), bias, padding=pad).permute(2, 0, 1)
