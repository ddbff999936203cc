"""The gradients of convolutions for their input and their weight, as functions."""

from __future__ import annotations

from collections.abc import Sequence

from ..base.calls import named_all as _named_all
from ..base.errors import ArgumentError
from ..ops.conv.convolution import convolution_input_gradient, convolution_weight_gradient
from ..tensor.core.tensor import Tensor
from .functional.sizes import each

__all__ = ["conv1d_input", "conv1d_weight", "conv2d_input", "conv2d_weight", "conv3d_input", "conv3d_weight"]


def _settings(op, n, stride, padding, dilation, groups):
    return {"stride": each(stride, n, op, "stride"), "padding": each(padding, n, op, "padding"),
            "dilation": each(dilation, n, op, "dilation"), "groups": groups}


def _input(n, input_size, weight, g, *settings):
    op, size = f"conv{n}d_input", tuple(input_size)
    if len(size) != n + 2:
        raise ArgumentError(f"{op}: expected input_size with {n + 2} numbers (N, C, *spatial), got {list(size)}")
    return convolution_input_gradient(g, weight, size=size[2:], **_settings(op, n, *settings))


def _weight(n, input, weight_size, g, *settings):
    op, size = f"conv{n}d_weight", tuple(weight_size)
    if len(size) != n + 2:
        raise ArgumentError(f"{op}: expected weight_size with {n + 2} numbers (out, in / groups, *kernel), got {list(size)}")
    return convolution_weight_gradient(g, input, size=size[2:], **_settings(op, n, *settings))


def conv1d_input(input_size: Sequence[int], weight: Tensor, grad_output: Tensor, stride: int | Sequence[int] = 1,
                 padding: int | Sequence[int] = 0, dilation: int | Sequence[int] = 1, groups: int = 1):
    """The gradient of conv1d for its input, of sizes input_size (N, C, L).

    weight (out, C / groups, k) and grad_output, the gradient of the result (N, out, ...), of one floating dtype; the others as for
    conv1d.  Raises ShapeError, ArgumentError.  Source: the definition of conv1d.

        >>> from cltensor import nn, ones
        >>> nn.grad.conv1d_input((1, 1, 4), ones(1, 1, 2), ones(1, 1, 3)).shape
        cltensor.Size([1, 1, 4])
    """
    return _input(1, input_size, weight, grad_output, stride, padding, dilation, groups)


def conv1d_weight(input: Tensor, weight_size: Sequence[int], grad_output: Tensor, stride: int | Sequence[int] = 1,
                  padding: int | Sequence[int] = 0, dilation: int | Sequence[int] = 1, groups: int = 1):
    """The gradient of conv1d for its weight, of sizes weight_size (out, C / groups, k).

    input (N, C, L) and grad_output, the gradient of the result (N, out, ...), of one floating dtype; the others as for conv1d.
    Raises ShapeError, ArgumentError.  Source: the definition of conv1d.

        >>> from cltensor import nn, ones
        >>> nn.grad.conv1d_weight(ones(1, 1, 4), (1, 1, 2), ones(1, 1, 3)).shape
        cltensor.Size([1, 1, 2])
    """
    return _weight(1, input, weight_size, grad_output, stride, padding, dilation, groups)


def conv2d_input(input_size: Sequence[int], weight: Tensor, grad_output: Tensor, stride: int | Sequence[int] = 1,
                 padding: int | Sequence[int] = 0, dilation: int | Sequence[int] = 1, groups: int = 1):
    """The gradient of conv2d for its input, of sizes input_size (N, C, H, W).

    weight (out, C / groups, kh, kw) and grad_output, the gradient of the result (N, out, ...), of one floating dtype; the others as
    for conv2d.  Raises ShapeError, ArgumentError.  Source: the definition of conv2d.

        >>> from cltensor import nn, ones
        >>> nn.grad.conv2d_input((1, 1, 4, 4), ones(1, 1, 2, 2), ones(1, 1, 3, 3)).shape
        cltensor.Size([1, 1, 4, 4])
    """
    return _input(2, input_size, weight, grad_output, stride, padding, dilation, groups)


def conv2d_weight(input: Tensor, weight_size: Sequence[int], grad_output: Tensor, stride: int | Sequence[int] = 1,
                  padding: int | Sequence[int] = 0, dilation: int | Sequence[int] = 1, groups: int = 1):
    """The gradient of conv2d for its weight, of sizes weight_size (out, C / groups, kh, kw).

    input (N, C, H, W) and grad_output, the gradient of the result (N, out, ...), of one floating dtype; the others as for conv2d.
    Raises ShapeError, ArgumentError.  Source: the definition of conv2d.

        >>> from cltensor import nn, ones
        >>> nn.grad.conv2d_weight(ones(1, 1, 4, 4), (1, 1, 2, 2), ones(1, 1, 3, 3)).shape
        cltensor.Size([1, 1, 2, 2])
    """
    return _weight(2, input, weight_size, grad_output, stride, padding, dilation, groups)


def conv3d_input(input_size: Sequence[int], weight: Tensor, grad_output: Tensor, stride: int | Sequence[int] = 1,
                 padding: int | Sequence[int] = 0, dilation: int | Sequence[int] = 1, groups: int = 1):
    """The gradient of conv3d for its input, of sizes input_size (N, C, D, H, W).

    weight (out, C / groups, kd, kh, kw) and grad_output, the gradient of the result (N, out, ...), of one floating dtype; the
    others as for conv3d.  Raises ShapeError, ArgumentError.  Source: the definition of conv3d.

        >>> from cltensor import nn, ones
        >>> nn.grad.conv3d_input((1, 1, 4, 4, 4), ones(1, 1, 2, 2, 2), ones(1, 1, 3, 3, 3)).shape
        cltensor.Size([1, 1, 4, 4, 4])
    """
    return _input(3, input_size, weight, grad_output, stride, padding, dilation, groups)


def conv3d_weight(input: Tensor, weight_size: Sequence[int], grad_output: Tensor, stride: int | Sequence[int] = 1,
                  padding: int | Sequence[int] = 0, dilation: int | Sequence[int] = 1, groups: int = 1):
    """The gradient of conv3d for its weight, of sizes weight_size (out, C / groups, kd, kh, kw).

    input (N, C, D, H, W) and grad_output, the gradient of the result (N, out, ...), of one floating dtype; the others as for
    conv3d. Raises ShapeError, ArgumentError.  Source: the definition of conv3d.

        >>> from cltensor import nn, ones
        >>> nn.grad.conv3d_weight(ones(1, 1, 4, 4, 4), (1, 1, 2, 2, 2), ones(1, 1, 3, 3, 3)).shape
        cltensor.Size([1, 1, 2, 2, 2])
    """
    return _weight(3, input, weight_size, grad_output, stride, padding, dilation, groups)


_named_all(globals())


def __dir__():
    return sorted(__all__)
