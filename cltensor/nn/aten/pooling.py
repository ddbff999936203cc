"""Pooling with or without indices, where nn.functional has one function for both."""

from .. import functional as F


def max_pool1d(input, kernel_size, stride=(), padding=0, dilation=1, ceil_mode=False):
    """The largest value of each window of input (N, C, L), without its position; any dtype but bool and complex.

    Raises ArgumentError for sizes that do not fit.  Source: nn.functional.max_pool1d.

        >>> ct.max_pool1d(ct.ones(1, 4), 2).shape
        cltensor.Size([1, 2])
    """
    return F.max_pool1d(input, kernel_size, stride, padding, dilation, ceil_mode)


def max_pool2d(input, kernel_size, stride=(), padding=0, dilation=1, ceil_mode=False):
    """The largest value of each window of input (N, C, H, W), without its position; any dtype but bool and complex.

    Raises ArgumentError for sizes that do not fit.  Source: nn.functional.max_pool2d.

        >>> ct.max_pool2d(ct.ones(1, 4, 4), 2).shape
        cltensor.Size([1, 2, 2])
    """
    return F.max_pool2d(input, kernel_size, stride, padding, dilation, ceil_mode)


def max_pool3d(input, kernel_size, stride=(), padding=0, dilation=1, ceil_mode=False):
    """The largest value of each window of input (N, C, D, H, W), without its position; any dtype but bool and complex.

    Raises ArgumentError for sizes that do not fit.  Source: nn.functional.max_pool3d.

        >>> ct.max_pool3d(ct.ones(1, 4, 4, 4), 2).shape
        cltensor.Size([1, 2, 2, 2])
    """
    return F.max_pool3d(input, kernel_size, stride, padding, dilation, ceil_mode)


def max_pool1d_with_indices(input, kernel_size, stride=(), padding=0, dilation=1, ceil_mode=False):
    """(result, int64 positions) of max_pool1d."""
    return F.max_pool1d(input, kernel_size, stride, padding, dilation, ceil_mode, return_indices=True)


def adaptive_max_pool1d(input, output_size):
    """(result, int64 positions) of nn.functional.adaptive_max_pool1d."""
    return F.adaptive_max_pool1d(input, output_size, return_indices=True)
