"""A layer and the batch normalisation after it as one layer, for evaluation."""

from __future__ import annotations

import copy

from ...base.errors import AssertedError, AssertedShapeError
from ...tensor.core.tensor import Tensor
from ..modules.batchnorm import _BatchNorm
from ..modules.conv import _ConvNd
from ..modules.linear import Linear
from ..parameter import Parameter

__all__ = ["fuse_conv_bn_eval", "fuse_conv_bn_weights", "fuse_linear_bn_eval", "fuse_linear_bn_weights"]


def _check(layer, bn):
    if layer.training or bn.training:
        raise AssertedError("Fusion only for eval! call .eval() on both first")
    if bn.running_mean is None or bn.running_var is None:
        raise AssertedError("fusion needs running statistics; the normalisation has none (track_running_stats=False)")


def _fused(w, b, mean, var, eps, scale, shift, shape):
    """Weight and bias with the normalisation in them; shape: that of a number for each output, beside the weight's."""
    factor = (var + eps).rsqrt()
    factor = factor if scale is None else factor * scale
    bias = (-mean if b is None else b - mean) * factor
    return w * factor.reshape(shape).to(w.dtype), bias if shift is None else bias + shift


def _parameters(w, b, fused_w, fused_b):
    trained = w.requires_grad
    return (Parameter(fused_w.detach().to(w.dtype), trained),
            Parameter(fused_b.detach().to(w.dtype if b is None else b.dtype), trained if b is None else b.requires_grad))


def fuse_conv_bn_weights(conv_w: Tensor, conv_b: Tensor | None, bn_rm: Tensor, bn_rv: Tensor, bn_eps: float, bn_w: Tensor | None,
                         bn_b: Tensor | None, transpose: bool = False) -> tuple[Parameter, Parameter]:
    """(weight, bias) of a convolution with a batch normalisation after it.

    conv_w (out, in, *kernel), or (in, out, *kernel) with transpose; conv_b, the running mean bn_rm and variance bn_rv, and the
    scale bn_w and shift bn_b (out,), each but the statistics None where it is absent.  Floating dtypes; never raises.
    Source: Ioffe and Szegedy 2015, section 3.1.

        >>> from cltensor import nn, ones, zeros
        >>> weight, bias = nn.utils.fuse_conv_bn_weights(ones(1, 1, 3), None, ones(1), ones(1), 0.0, 2 * ones(1), zeros(1))
        >>> weight[0, 0, 0].item(), bias.item()
        (2.0, -2.0)
    """
    shape = [1, -1] if transpose else [-1, 1]
    return _parameters(conv_w, conv_b, *_fused(conv_w, conv_b, bn_rm, bn_rv, bn_eps, bn_w, bn_b, shape + [1] * (conv_w.ndim - 2)))


def fuse_conv_bn_eval(conv: _ConvNd, bn: _BatchNorm, transpose: bool = False) -> _ConvNd:
    """A copy of a convolution with the batch normalisation after it in its weight (out, in, *kernel) and bias (out,).

    Both modules are in evaluation mode, with floating dtypes; transpose: for a ConvTranspose layer, weight (in, out, *kernel).
    Raises AssertedError in training mode, or without running statistics.  Source: Ioffe and Szegedy 2015, section 3.1.

        >>> from cltensor import nn
        >>> nn.utils.fuse_conv_bn_eval(nn.Conv2d(3, 4, 3, bias=False).eval(), nn.BatchNorm2d(4).eval())
        Conv2d(3, 4, kernel_size=(3, 3), stride=(1, 1))
    """
    _check(conv, bn)
    made = copy.deepcopy(conv)
    made.weight, made.bias = fuse_conv_bn_weights(made.weight, made.bias, bn.running_mean, bn.running_var, bn.eps, bn.weight,
                                                  bn.bias, transpose)
    return made


def fuse_linear_bn_weights(linear_w: Tensor, linear_b: Tensor | None, bn_rm: Tensor, bn_rv: Tensor, bn_eps: float,
                           bn_w: Tensor | None, bn_b: Tensor | None) -> tuple[Parameter, Parameter]:
    """(weight, bias) of a linear layer with a batch normalisation after it.

    linear_w (out, in); the others (out,), None where absent, but for the running mean bn_rm and variance bn_rv.  Floating dtypes;
    never raises.  Source: Ioffe and Szegedy 2015, section 3.1.

        >>> from cltensor import nn, ones, zeros
        >>> weight, bias = nn.utils.fuse_linear_bn_weights(ones(1, 2), None, ones(1), ones(1), 0.0, 2 * ones(1), zeros(1))
        >>> weight.tolist(), bias.tolist()
        ([[2.0, 2.0]], [-2.0])
    """
    return _parameters(linear_w, linear_b, *_fused(linear_w, linear_b, bn_rm, bn_rv, bn_eps, bn_w, bn_b, [-1, 1]))


def fuse_linear_bn_eval(linear: Linear, bn: _BatchNorm) -> Linear:
    """A copy of a linear layer with the batch normalisation after it in its weight (out, in) and bias (out,).

    Both modules are in evaluation mode, with floating dtypes.
    Raises AssertedError in training mode or without running statistics, AssertedShapeError where the normalisation has neither one
    feature nor as many as the layer has outputs.  Source: Ioffe and Szegedy 2015, section 3.1.

        >>> from cltensor import nn
        >>> nn.utils.fuse_linear_bn_eval(nn.Linear(3, 4).eval(), nn.BatchNorm1d(4).eval())
        Linear(in_features=3, out_features=4, bias=True)
    """
    _check(linear, bn)
    if bn.num_features not in (1, linear.out_features):
        raise AssertedShapeError("To fuse, linear.out_features == bn.num_features or bn.num_features == 1, got "
                                 f"{linear.out_features} and {bn.num_features}")
    made = copy.deepcopy(linear)
    made.weight, made.bias = fuse_linear_bn_weights(made.weight, made.bias, bn.running_mean, bn.running_var, bn.eps, bn.weight,
                                                    bn.bias)
    return made


def __dir__():
    return sorted(__all__)
