"""Pooling layers over one to three spatial dimensions."""

from __future__ import annotations

from collections.abc import Sequence

from ...base.errors import ArgumentError
from .. import functional as F
from ..functional.sizes import each
from .function_layer import FunctionLayer

__all__ = ["AdaptiveAvgPool1d", "AdaptiveAvgPool2d", "AdaptiveAvgPool3d", "AdaptiveMaxPool1d", "AdaptiveMaxPool2d",
           "AdaptiveMaxPool3d", "AvgPool1d", "AvgPool2d", "AvgPool3d", "FractionalMaxPool2d", "FractionalMaxPool3d", "LPPool1d",
           "LPPool2d", "LPPool3d", "MaxPool1d", "MaxPool2d", "MaxPool3d", "MaxUnpool1d", "MaxUnpool2d", "MaxUnpool3d"]


class _MaxPoolNd(FunctionLayer):
    """Largest value of each window; return_indices: also its position, for MaxUnpool."""

    hidden = ("return_indices",)

    def __init__(self, kernel_size, stride=None, padding=0, dilation=1, return_indices=False, ceil_mode=False):
        super().__init__(kernel_size=kernel_size, stride=kernel_size if stride is None else stride, padding=padding,
                         dilation=dilation, return_indices=return_indices, ceil_mode=ceil_mode)


class MaxPool1d(_MaxPoolNd):
    """Largest value of each window of x (N, C, L) or (C, L); return_indices: also its position."""

    function = staticmethod(F.max_pool1d)


class MaxPool2d(_MaxPoolNd):
    """Largest value of each window of x (N, C, H, W) or (C, H, W); return_indices: also its position in the plane."""

    function = staticmethod(F.max_pool2d)


class MaxPool3d(_MaxPoolNd):
    """Largest value of each window of x (N, C, D, H, W) or (C, D, H, W); return_indices: also its position."""

    function = staticmethod(F.max_pool3d)


class _AvgPoolNd(FunctionLayer):
    hidden = ("ceil_mode", "count_include_pad", "divisor_override")

    def __init__(self, kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True, divisor_override=None):
        super().__init__(kernel_size=kernel_size, stride=kernel_size if stride is None else stride, padding=padding,
                         ceil_mode=ceil_mode, count_include_pad=count_include_pad, divisor_override=divisor_override)


class AvgPool1d(FunctionLayer):
    """Mean of each window of x (N, C, L) or (C, L)."""

    function = staticmethod(F.avg_pool1d)
    hidden = ("ceil_mode", "count_include_pad")

    def __init__(self, kernel_size: int | Sequence[int], stride: int | Sequence[int] | None = None,
                 padding: int | Sequence[int] = 0, ceil_mode: bool = False, count_include_pad: bool = True):
        kernel_size, stride, padding = (v if v is None or isinstance(v, tuple) else (v,) for v in (kernel_size, stride, padding))
        super().__init__(kernel_size=kernel_size, stride=kernel_size if stride is None else stride, padding=padding,
                         ceil_mode=ceil_mode, count_include_pad=count_include_pad)


class AvgPool2d(_AvgPoolNd):
    """Mean of each window of x (N, C, H, W) or (C, H, W); divisor_override: divide by this instead of the window's size."""

    function = staticmethod(F.avg_pool2d)


class AvgPool3d(_AvgPoolNd):
    """Mean of each window of x (N, C, D, H, W) or (C, D, H, W)."""

    function = staticmethod(F.avg_pool3d)


class _AdaptivePool(FunctionLayer):
    hidden = ("return_indices",)


class AdaptiveAvgPool1d(_AdaptivePool):
    """Means of output_size windows that cover x (N, C, L) or (C, L)."""

    function = staticmethod(F.adaptive_avg_pool1d)

    def __init__(self, output_size: int | Sequence[int | None] | None):
        super().__init__(output_size=output_size)


class AdaptiveAvgPool2d(AdaptiveAvgPool1d):
    """Means of output_size windows that cover x (N, C, H, W); output_size: an int or (height, width); None keeps a size."""

    function = staticmethod(F.adaptive_avg_pool2d)


class AdaptiveAvgPool3d(AdaptiveAvgPool1d):
    """Means of output_size windows that cover x (N, C, D, H, W) or (C, D, H, W)."""

    function = staticmethod(F.adaptive_avg_pool3d)


class AdaptiveMaxPool1d(_AdaptivePool):
    """Largest values of output_size windows that cover x (N, C, L) or (C, L)."""

    function = staticmethod(F.adaptive_max_pool1d)

    def __init__(self, output_size: int | Sequence[int | None] | None, return_indices: bool = False):
        super().__init__(output_size=output_size, return_indices=return_indices)


class AdaptiveMaxPool2d(AdaptiveMaxPool1d):
    """Largest values of output_size windows that cover x (N, C, H, W); output_size: an int or (height, width)."""

    function = staticmethod(F.adaptive_max_pool2d)


class AdaptiveMaxPool3d(AdaptiveMaxPool1d):
    """Largest values of output_size windows that cover x (N, C, D, H, W) or (C, D, H, W)."""

    function = staticmethod(F.adaptive_max_pool3d)


class _LPPoolNd(FunctionLayer):
    def __init__(self, norm_type, kernel_size, stride=None, ceil_mode=False):
        super().__init__(norm_type=norm_type, kernel_size=kernel_size, stride=stride, ceil_mode=ceil_mode)


class LPPool1d(_LPPoolNd):
    """The norm of degree norm_type of each window of x (N, C, L) or (C, L)."""

    function = staticmethod(F.lp_pool1d)


class LPPool2d(_LPPoolNd):
    """The norm of degree norm_type of each window of x (N, C, H, W) or (C, H, W)."""

    function = staticmethod(F.lp_pool2d)


class LPPool3d(_LPPoolNd):
    """The norm of degree norm_type of each window of x (N, C, D, H, W) or (C, D, H, W)."""

    function = staticmethod(F.lp_pool3d)


class _MaxUnpoolNd(FunctionLayer):
    """Return values to the positions that max pooling took them from, zeros elsewhere; output_size: one that pools to x's size."""

    dims = None

    def __init__(self, kernel_size, stride=None, padding=0):
        n, name = self.dims, self._get_name()
        super().__init__(kernel_size=each(kernel_size, n, name, "kernel_size"),
                         stride=each(kernel_size if stride is None else stride, n, name, "stride"),
                         padding=each(padding, n, name, "padding"))

    def forward(self, input, indices, output_size=None):
        return type(self).function(input, indices, self.kernel_size, self.stride, self.padding, output_size)


class MaxUnpool1d(_MaxUnpoolNd):
    """Undo MaxPool1d for x (N, C, L) or (C, L) and the positions it returned; lost values become zeros."""

    dims = 1
    function = staticmethod(F.max_unpool1d)


class MaxUnpool2d(_MaxUnpoolNd):
    """Undo MaxPool2d for x (N, C, H, W) or (C, H, W) and the positions it returned; lost values become zeros."""

    dims = 2
    function = staticmethod(F.max_unpool2d)


class MaxUnpool3d(_MaxUnpoolNd):
    """Undo MaxPool3d for x (N, C, D, H, W) or (C, D, H, W) and its positions; lost values become zeros."""

    dims = 3
    function = staticmethod(F.max_unpool3d)


class _FractionalMaxPool(FunctionLayer):
    """Largest value of output_size windows placed at random; output_ratio, in (0, 1), replaces a missing output_size."""

    dims = None

    def __init__(self, kernel_size, output_size=None, output_ratio=None, return_indices=False, _random_samples=None):
        n, name = self.dims, self._get_name()
        if output_size is None and output_ratio is None:
            raise ArgumentError(f"{name} requires specifying either an output size, or a pooling ratio")
        if output_size is not None and output_ratio is not None:
            raise ArgumentError(f"{name}: only one of output_size and output_ratio may be specified, got {output_size} and "
                                f"{output_ratio}")
        ratio = (output_ratio,) * n if isinstance(output_ratio, (int, float)) else output_ratio
        if ratio is not None and not all(0 < r < 1 for r in ratio):
            raise ArgumentError(f"{name}: output_ratio must be between 0 and 1 (got {output_ratio})")
        super().__init__(kernel_size=each(kernel_size, n, name, "kernel_size"), return_indices=return_indices,
                         output_size=None if output_size is None else each(output_size, n, name, "output_size"),
                         output_ratio=ratio)
        self.register_buffer("_random_samples", _random_samples)
        self._settings += ("_random_samples",)

    def extra_repr(self):
        return ""


class FractionalMaxPool2d(_FractionalMaxPool):
    """Largest value of each of output_size windows placed at random over x (N, C, H, W) or (C, H, W)."""

    dims = 2
    function = staticmethod(F.fractional_max_pool2d)


class FractionalMaxPool3d(_FractionalMaxPool):
    """Largest value of each of output_size windows placed at random over x (N, C, D, H, W) or (C, D, H, W)."""

    dims = 3
    function = staticmethod(F.fractional_max_pool3d)


def __dir__():
    return sorted(__all__)
