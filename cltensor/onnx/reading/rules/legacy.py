"""Operators as they were before version 7, when broadcasting was asked for by attributes."""

import functools

from ..operators import operator
from ..public import axis_of, ct
from .activation import prelu
from .elementwise import added, averaged, div, largest, power, smallest
from .linear import gemm
from .loss import dropout_of_inference
from .normalization import batch_norm_of_version_7
from .pooling import average_pool


def _aligned(a, b, axis, broadcast):
    """b with its first dimension beside the given one of a."""
    if not broadcast or axis is None or b.ndim == 0:
        return b
    return b.reshape([*b.shape, *[1] * (a.ndim - axis_of(axis, a.ndim) - b.ndim)])


def _binary(function):
    def binary(a, b, *, axis=None, broadcast=0):
        return function(a, _aligned(a, b, axis, broadcast))

    return binary


for _name, _function in {"Add": ct.add, "Sub": ct.sub, "Mul": ct.mul, "Div": div, "Pow": power, "And": ct.logical_and,
                         "Or": ct.logical_or,
                         "Xor": ct.logical_xor, "Equal": ct.eq, "Greater": ct.gt, "Less": ct.lt}.items():
    operator(_name)(_binary(_function))
for _name, _function in {"Max": largest, "Min": smallest, "Sum": added, "Mean": averaged}.items():
    operator(_name, since=6)(functools.partial(_function))


@operator("PRelu", since=6)
def prelu_of_channels(x, slope):
    return prelu(x, slope.reshape([-1] + [1] * max(x.ndim - 2, 0)) if slope.numel() > 1 else slope)


@operator("Gemm", since=6)
def gemm_of_version_6(a, b, c, *, alpha=1.0, beta=1.0, broadcast=0, transA=0, transB=0):
    return gemm(a, b, c, alpha=alpha, beta=beta, transA=transA, transB=transB)


@operator("AveragePool")
def average_pool_of_version_1(x, *, kernel_shape, auto_pad="NOTSET", pads=None, strides=None):
    return average_pool(x, kernel_shape=kernel_shape, auto_pad=auto_pad, pads=pads, strides=strides)


@operator("BatchNormalization", since=6, buffers="mean var")
def batch_norm_of_version_6(x, scale, b, mean, var, *, epsilon=1e-5, is_test=0, momentum=0.9, spatial=1, n_outputs=1):
    return batch_norm_of_version_7(x, scale, b, mean, var, epsilon=epsilon, momentum=momentum, spatial=spatial,
                                   n_outputs=1 if is_test else n_outputs)


@operator("Dropout", since=6)
def dropout_of_version_6(data, *, is_test=0, ratio=0.5, n_outputs=1):
    return dropout_of_inference(data, n_outputs=n_outputs)
