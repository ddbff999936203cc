"""Undo max pooling: values return to their positions, with zeros everywhere else."""

import math

from ...base import dtypes
from ...base.calls import applied
from ...base.errors import ArgumentError, DTypeError, ShapeError
from .sizes import each


def _output_size(op, input, kernel, stride, padding, output_size):
    """Spatial output sizes: the requested ones, checked, or those of a pooling without remainder."""
    n = len(kernel)
    usual = [(m - 1) * s + k - 2 * p for m, k, s, p in zip(input.shape[-n:], kernel, stride, padding, strict=True)]
    size = usual if output_size is None else [v.__index__() for v in output_size]
    if len(size) not in (n, n + 2):
        raise ArgumentError(f"{op}: output_size should be a sequence containing {n} or {n + 2} elements, but it has a length of "
                            f"{len(size)}")
    size = size[-n:]
    for d, (m, u, s) in enumerate(zip(size, usual, stride, strict=True)):
        if output_size is not None and not u - s < m < u + s:
            raise ArgumentError(f"{op}: invalid output_size {tuple(size)}: dim {d} must be between {u - s} and {u + s}")
        if m < 0:
            raise ArgumentError(f"{op}: output_size must contain non-negative spatial dimensions, but got output_size[{d}]={m}")
    return size


def _check(op, n, input, indices):
    if input.ndim not in (n + 1, n + 2):
        raise ShapeError(f"{op}: input should be a {n + 1}d or {n + 2}d Tensor, but got a tensor with {input.ndim} dimensions")
    if not input.dtype.is_floating_point:
        raise DTypeError(f"{op}: not defined for {input.dtype.name}; use .float()")
    if indices.dtype is not dtypes.int64:
        raise DTypeError(f"{op}: elements in indices should be type int64 but got: {indices.dtype.name}; use .long()")
    if indices.shape != input.shape:
        raise ShapeError(f"{op}: Expected shape of indices to be same as that of the input tensor ({list(input.shape)}) but got "
                         f"indices tensor with shape: {list(indices.shape)}")
    if 0 in input.shape[-n - 1:]:
        raise ShapeError(f"{op}: Expected input to have non-zero size for non-batch dimensions, but got {list(input.shape)}")


def _max_unpool(n, input, indices, kernel_size, stride=None, padding=0, output_size=None):
    op = f"max_unpool{n}d"
    kernel, padding = each(kernel_size, n, op, "kernel_size"), each(padding, n, op, "padding")
    stride = kernel if stride is None else each(stride, n, op, "stride")
    _check(op, n, input, indices)
    if n == 3 and min(stride) <= 0:
        raise ShapeError(f"{op}: strides should be greater than zero, but got stride: {list(stride)}")
    size = _output_size(op, input, kernel, stride, padding, output_size)
    plane = input.new_zeros((*input.shape[:-n], math.prod(size)))
    y = plane.scatter(-1, indices.flatten(-n), input.flatten(-n))
    return y.reshape(*input.shape[:-n], *size)


def _named(n):
    public = applied(_max_unpool, n)
    dims = ", ".join(("L",) if n == 1 else ("D", "H", "W")[-n:])
    public.__name__ = public.__qualname__ = f"max_unpool{n}d"
    public.__doc__ = f"""A tensor of zeros with the values of input (N, C, {dims}) or (C, {dims}) at the places max_pool{n}d gave.

    indices: of input's shape, int64, flat positions in the plane; stride: kernel_size unless given; output_size: which of the
    sizes that pool to input's, ({dims}) or (N, C, {dims}).  The same place twice keeps one of the values.
    Raises ShapeError, DTypeError, ArgumentError; DimensionError for a place outside the plane, where values are read.
    """
    return public


max_unpool1d, max_unpool2d, max_unpool3d = map(_named, (1, 2, 3))
