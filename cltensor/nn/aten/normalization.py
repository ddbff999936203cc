"""Normalisations that take the parameters before the running statistics, and native ones that return the statistics."""

import math

from ...base.errors import ShapeError
from ...tensor.core.with_out import with_out
from .. import functional as F


def batch_norm(input, weight, bias, running_mean, running_var, training, momentum, eps, cudnn_enabled):
    """See nn.functional; cudnn_enabled is accepted and has no effect."""
    return F.batch_norm(input, running_mean, running_var, weight, bias, training, momentum, eps)


def instance_norm(input, weight, bias, running_mean, running_var, use_input_stats, momentum, eps, cudnn_enabled):
    """See nn.functional; cudnn_enabled is accepted and has no effect."""
    return F.instance_norm(input, running_mean, running_var, weight, bias, use_input_stats, momentum, eps)


def layer_norm(input, normalized_shape, weight=None, bias=None, eps=1e-5, cudnn_enable=True):
    """See nn.functional; cudnn_enable is accepted and has no effect."""
    return F.layer_norm(input, normalized_shape, weight, bias, eps)


def group_norm(input, num_groups, weight=None, bias=None, eps=1e-5, cudnn_enabled=True):
    """See nn.functional; cudnn_enabled is accepted and has no effect."""
    return F.group_norm(input, num_groups, weight, bias, eps)


def _statistics(x, dims, eps, keepdim):
    """(mean, 1 / sqrt(variance + eps)) over dims, in x's dtype."""
    wide = x.float() if x.dtype.itemsize == 2 else x
    mean = wide.mean(dims, keepdim)
    return mean.to(x.dtype), (wide.var(dims, correction=0, keepdim=keepdim) + eps).rsqrt().to(x.dtype)


def native_layer_norm(input, normalized_shape, weight, bias, eps):
    """(layer_norm's result, means, reciprocal standard deviations); the normalised dimensions have size 1 in the last two.

    The last two have no gradient, as in PyTorch.
    """
    y = F.layer_norm(input, normalized_shape, weight, bias, eps)
    return y, *_statistics(input.detach(), tuple(range(input.ndim - len(normalized_shape), input.ndim)), eps, True)


def native_group_norm(input, weight, bias, N, C, HxW, group, eps):
    """(group_norm's result, means (N, group), reciprocal standard deviations (N, group)) of input, N by C channels of HxW."""
    if input.numel() != N * C * HxW:
        raise ShapeError(f"native_group_norm: expected input of N * C * HxW = {N} * {C} * {HxW} elements, got {list(input.shape)}")
    y = F.group_norm(input.reshape(N, C, *input.shape[2:]), group, weight, bias, eps).reshape(input.shape)
    return y, *_statistics(input.reshape(N, group, math.prod(input.shape) // max(N * group, 1)), (2,), eps, False)


@with_out
def native_batch_norm(input, weight, bias, running_mean, running_var, training, momentum, eps):
    """(batch_norm's result, means (C,), reciprocal standard deviations (C,)); the last two are empty when not training.

    They have no gradient, as in PyTorch.
    """
    y = F.batch_norm(input, running_mean, running_var, weight, bias, training, momentum, eps)
    if not training:
        return y, input.new_empty(0), input.new_empty(0)
    return y, *_statistics(input.detach(), (0, *range(2, input.ndim)), eps, False)
