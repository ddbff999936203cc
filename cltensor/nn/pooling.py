"""Pooling layers over one to three spatial dimensions."""

from . import functional as F
from .function_layer import FunctionLayer


class _MaxPool(FunctionLayer):
    """Largest value of each window; return_indices: also where it was, for MaxUnpool."""

    hidden = ("return_indices",)

    def __init__(self, kernel_size, stride=None, padding=0, dilation=1, return_indices=False, ceil_mode=False):
        super().__init__(kernel_size=kernel_size, stride=kernel_size if stride is None else stride, padding=padding,
                         dilation=dilation, return_indices=return_indices, ceil_mode=ceil_mode)


class MaxPool1d(_MaxPool):
    """Largest value of each window of x (N, C, L) or (C, L); return_indices: also its position."""

    function = staticmethod(F.max_pool1d)


class MaxPool2d(_MaxPool):
    """Largest value of each window of x (N, C, H, W) or (C, H, W); return_indices: also its position in the plane."""

    function = staticmethod(F.max_pool2d)


class MaxPool3d(_MaxPool):
    """Largest value of each window of x (N, C, D, H, W) or (C, D, H, W); return_indices: also its position."""

    function = staticmethod(F.max_pool3d)


class _AvgPool(FunctionLayer):
    hidden = ("ceil_mode", "count_include_pad", "divisor_override")

    def __init__(self, kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True, divisor_override=None):
        super().__init__(kernel_size=kernel_size, stride=kernel_size if stride is None else stride, padding=padding,
                         ceil_mode=ceil_mode, count_include_pad=count_include_pad, divisor_override=divisor_override)


class AvgPool1d(_AvgPool):
    """Mean of each window of x (N, C, L) or (C, L)."""

    function = staticmethod(F.avg_pool1d)

    def __init__(self, kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True):
        kernel_size, stride, padding = (v if v is None or isinstance(v, tuple) else (v,) for v in (kernel_size, stride, padding))
        super().__init__(kernel_size, stride, padding, ceil_mode, count_include_pad)


class AvgPool2d(_AvgPool):
    """Mean of each window of x (N, C, H, W) or (C, H, W); divisor_override: divide by this instead of the window's size."""

    function = staticmethod(F.avg_pool2d)


class AvgPool3d(_AvgPool):
    """Mean of each window of x (N, C, D, H, W) or (C, D, H, W)."""

    function = staticmethod(F.avg_pool3d)


class _AdaptivePool(FunctionLayer):
    hidden = ("return_indices",)


class AdaptiveAvgPool1d(_AdaptivePool):
    """Means of output_size windows that cover x (N, C, L) or (C, L)."""

    function = staticmethod(F.adaptive_avg_pool1d)

    def __init__(self, output_size):
        super().__init__(output_size=output_size)


class AdaptiveAvgPool2d(AdaptiveAvgPool1d):
    """Means of output_size windows, an int or (height, width), None keeping a size, that cover x (N, C, H, W)."""

    function = staticmethod(F.adaptive_avg_pool2d)


class AdaptiveAvgPool3d(AdaptiveAvgPool1d):
    """Means of output_size windows that cover x (N, C, D, H, W) or (C, D, H, W)."""

    function = staticmethod(F.adaptive_avg_pool3d)


class AdaptiveMaxPool1d(_AdaptivePool):
    """Largest values of output_size windows that cover x (N, C, L) or (C, L)."""

    function = staticmethod(F.adaptive_max_pool1d)

    def __init__(self, output_size, return_indices=False):
        super().__init__(output_size=output_size, return_indices=return_indices)


class AdaptiveMaxPool2d(AdaptiveMaxPool1d):
    """Largest values of output_size windows, an int or (height, width), that cover x (N, C, H, W)."""

    function = staticmethod(F.adaptive_max_pool2d)


class AdaptiveMaxPool3d(AdaptiveMaxPool1d):
    """Largest values of output_size windows that cover x (N, C, D, H, W) or (C, D, H, W)."""

    function = staticmethod(F.adaptive_max_pool3d)


class _LPPool(FunctionLayer):
    def __init__(self, norm_type, kernel_size, stride=None, ceil_mode=False):
        super().__init__(norm_type=norm_type, kernel_size=kernel_size, stride=stride, ceil_mode=ceil_mode)


class LPPool1d(_LPPool):
    """The norm of degree norm_type of each window of x (N, C, L) or (C, L)."""

    function = staticmethod(F.lp_pool1d)


class LPPool2d(_LPPool):
    """The norm of degree norm_type of each window of x (N, C, H, W) or (C, H, W)."""

    function = staticmethod(F.lp_pool2d)


class LPPool3d(_LPPool):
    """The norm of degree norm_type of each window of x (N, C, D, H, W) or (C, D, H, W)."""

    function = staticmethod(F.lp_pool3d)
