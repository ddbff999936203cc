"""Convolution layers, over one to three spatial dimensions, and their transposes."""

from __future__ import annotations

import math
from collections.abc import Sequence

from ...autograd.modes import no_grad
from ...base.dtypes import dtype
from ...base.errors import ArgumentError, ShapeError
from ...runtime.device import device
from ...tensor.api.creation import empty
from .. import functional as F
from .. import init
from ..functional.conv import convolved
from ..functional.sizes import each
from ..parameter import Parameter, UninitializedParameter, is_lazy
from .lazy import LazyModuleMixin
from .module import Module

__all__ = ["Conv1d", "Conv2d", "Conv3d", "ConvTranspose1d", "ConvTranspose2d", "ConvTranspose3d", "LazyConv1d", "LazyConv2d",
           "LazyConv3d", "LazyConvTranspose1d", "LazyConvTranspose2d", "LazyConvTranspose3d"]

_PADDING_MODES = ("zeros", "reflect", "replicate", "circular")


class _ConvNd(Module):
    """The common part of all six: sizes, and parameters, at first uniform in +-1 / sqrt(fan_in)."""

    dims = None
    transposed = False

    def __init__(self, in_channels, out_channels, kernel_size, stride, padding, dilation, output_padding, groups, bias,
                 padding_mode, device, dtype):
        super().__init__()
        self._check(in_channels, out_channels, groups, padding, stride, padding_mode)
        n, name = self.dims, self._get_name()
        self.in_channels, self.out_channels, self.groups, self.padding_mode = in_channels, out_channels, groups, padding_mode
        self.kernel_size, self.stride = each(kernel_size, n, name, "kernel_size"), each(stride, n, name, "stride")
        self.padding = padding if isinstance(padding, str) else each(padding, n, name, "padding")
        self.dilation = each(dilation, n, name, "dilation")
        self.output_padding = each(output_padding, n, name, "output_padding")
        outer, inner = (in_channels, out_channels) if self.transposed else (out_channels, in_channels)
        self.weight = Parameter(empty(outer, inner // groups, *self.kernel_size, device=device, dtype=dtype))
        self.register_parameter("bias", Parameter(empty(out_channels, device=device, dtype=dtype)) if bias else None)
        self.reset_parameters()

    def _check(self, in_channels, out_channels, groups, padding, stride, padding_mode):
        if groups <= 0:
            raise ArgumentError(f"groups must be a positive integer, got {groups}")
        for name, channels in (("in_channels", in_channels), ("out_channels", out_channels)):
            if channels % groups:
                raise ArgumentError(f"{name} must be divisible by groups, got {name}={channels} and groups={groups}")
        if isinstance(padding, str):
            if padding not in ("same", "valid"):
                raise ArgumentError(f"Invalid padding string {padding!r}, should be one of 'same', 'valid'")
            if padding == "same" and any(s != 1 for s in each(stride, self.dims, self._get_name(), "stride")):
                raise ArgumentError("padding='same' is not supported for strided convolutions")
        modes = ("zeros",) if self.transposed else _PADDING_MODES
        if padding_mode not in modes:
            raise ArgumentError(f"{self._get_name()}: padding_mode must be one of {', '.join(modes)}, but got "
                                f"padding_mode={padding_mode!r}")

    def reset_parameters(self):
        """Give weight and bias new random values."""
        init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        if self.bias is not None:
            fan_in = math.prod(self.weight.shape[1:])
            bound = 1 / math.sqrt(fan_in) if fan_in else 0
            init.uniform_(self.bias, -bound, bound)

    def extra_repr(self):
        shown = [f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, stride={self.stride}"]
        for name, usual in (("padding", 0), ("dilation", 1), ("output_padding", 0)):
            value = getattr(self, name)
            if value != (usual,) * self.dims:
                shown.append(f"{name}={value}")
        shown += [f"groups={self.groups}"] * (self.groups != 1) + ["bias=False"] * (self.bias is None)
        shown += [f"padding_mode={self.padding_mode}"] * (self.padding_mode != "zeros")
        return ", ".join(shown)


class _Forward(_ConvNd):
    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0, dilation=1, groups=1, bias=True,
                 padding_mode="zeros", device=None, dtype=None):
        super().__init__(in_channels, out_channels, kernel_size, stride, padding, dilation, 0, groups, bias, padding_mode,
                         device, dtype)

    def forward(self, input):
        if self.padding_mode == "zeros":
            return self._convolve(input, self.weight, self.bias, self.stride, self.padding, self.dilation, self.groups)
        padded = F.pad(input, self._around(), mode=self.padding_mode)
        return self._convolve(padded, self.weight, self.bias, self.stride, 0, self.dilation, self.groups)

    def activated(self, input, activation):
        """forward(input) with zero padding, then the op named `activation` (see ops.activated), in one launch."""
        return convolved(self.dims, input, self.weight, self.bias, self.stride, self.padding, self.dilation, self.groups,
                         activation)

    def _around(self):
        """The padding in F.pad's form: (before, after), last dimension first."""
        if self.padding == "valid":
            return (0, 0) * self.dims
        if self.padding == "same":
            totals = [d * (k - 1) for d, k in zip(self.dilation, self.kernel_size, strict=True)]
            return tuple(p for t in reversed(totals) for p in (t // 2, t - t // 2))
        return tuple(p for one in reversed(self.padding) for p in (one, one))


class Conv1d(_Forward):
    """Convolution of x (N, C, L) or (C, L) with weight (out_channels, in_channels / groups, k); see F.conv1d."""

    dims = 1
    _convolve = staticmethod(F.conv1d)


class Conv2d(_Forward):
    """Convolution of x (N, C, H, W) or (C, H, W) with weight (out_channels, in_channels / groups, kh, kw); see F.conv2d."""

    dims = 2
    _convolve = staticmethod(F.conv2d)


class Conv3d(_Forward):
    """Convolution of x (N, C, D, H, W) or (C, D, H, W); see F.conv3d."""

    dims = 3
    _convolve = staticmethod(F.conv3d)


class _ConvTransposeNd(_ConvNd):
    transposed = True

    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0, output_padding=0, groups=1, bias=True,
                 dilation=1, padding_mode="zeros", device=None, dtype=None):
        super().__init__(in_channels, out_channels, kernel_size, stride, padding, dilation, output_padding, groups, bias,
                         padding_mode, device, dtype)

    def forward(self, input, output_size=None):
        """output_size: the spatial size to produce, one of those that the stride allows; replaces output_padding."""
        extra = self.output_padding if output_size is None else self._output_padding(input, output_size)
        return self._convolve(input, self.weight, self.bias, self.stride, self.padding, extra, self.groups, self.dilation)

    def _output_padding(self, input, output_size):
        size = tuple(output_size)[-self.dims:]
        least = [(n - 1) * s - 2 * p + d * (k - 1) + 1 for n, s, p, d, k in zip(
            input.shape[-self.dims:], self.stride, self.padding, self.dilation, self.kernel_size, strict=True)]
        for want, low, s in zip(size, least, self.stride, strict=True):
            if not low <= want < low + s:
                raise ArgumentError(f"{self._get_name()}: requested an output size of {size}, but valid sizes range from "
                                    f"{least} to {[n + s - 1 for n, s in zip(least, self.stride, strict=True)]} (for an "
                                    f"input of {list(input.shape)})")
        return tuple(want - low for want, low in zip(size, least, strict=True))


class ConvTranspose1d(_ConvTransposeNd):
    """The transpose of Conv1d on x (N, C, L) or (C, L), weight (in_channels, out_channels / groups, k)."""

    dims = 1
    _convolve = staticmethod(F.conv_transpose1d)


class ConvTranspose2d(_ConvTransposeNd):
    """The transpose of Conv2d on x (N, C, H, W) or (C, H, W), weight (in_channels, out_channels / groups, kh, kw)."""

    dims = 2
    _convolve = staticmethod(F.conv_transpose2d)


class ConvTranspose3d(_ConvTransposeNd):
    """The transpose of Conv3d on x (N, C, D, H, W) or (C, D, H, W)."""

    dims = 3
    _convolve = staticmethod(F.conv_transpose3d)


# --- lazy ------------------------------------------------------------------------------------------------------------


class _LazyConv(LazyModuleMixin):
    """in_channels from the first input."""

    def _begin(self, out_channels, bias, device, dtype):
        self.out_channels = out_channels
        self.weight = UninitializedParameter(device=device, dtype=dtype)
        if bias:
            self.bias = UninitializedParameter(device=device, dtype=dtype)

    def reset_parameters(self):
        """Give weight and bias new random values, once they have a shape."""
        if self.in_channels and not self.has_uninitialized_params():
            super().reset_parameters()

    def initialize_parameters(self, input, *args, **kwargs):
        """Give weight and bias their shapes and first values.  Raises ShapeError for an input of other dimensions."""
        n = self.dims
        if input.ndim not in (n + 1, n + 2):
            raise ShapeError(f"Expected {n + 1}D (unbatched) or {n + 2}D (batched) input to {self._get_name()}, but got input "
                             f"of size: {list(input.shape)}")
        channels = input.shape[-n - 1]
        if self.has_uninitialized_params():
            self._check(channels, self.out_channels, self.groups, self.padding, self.stride, self.padding_mode)
        self.in_channels = channels
        if not self.has_uninitialized_params():
            return
        outer, inner = (channels, self.out_channels) if self.transposed else (self.out_channels, channels)
        with no_grad():
            for p, shape in ((self.weight, (outer, inner // self.groups, *self.kernel_size)), (self.bias, (self.out_channels,))):
                if is_lazy(p):
                    p.materialize(shape)
            self.reset_parameters()


class LazyConv1d(_LazyConv, Conv1d):
    """A Conv1d that takes in_channels from its first input (N, C, L) or (C, L).  It is a Conv1d from then on.

    Floating dtypes.  Raises ShapeError for an input of other dimensions, ArgumentError for groups that do not divide the channels.
    Source: the definition of Conv1d.

        >>> from cltensor import nn, ones
        >>> nn.LazyConv1d(4, 3)(ones(2, 5, 6)).shape
        cltensor.Size([2, 4, 4])
    """

    cls_to_become = Conv1d

    def __init__(self, out_channels: int, kernel_size: int | Sequence[int], stride: int | Sequence[int] = 1,
                 padding: int | str | Sequence[int] = 0, dilation: int | Sequence[int] = 1, groups: int = 1, bias: bool = True,
                 padding_mode: str = "zeros", device: device | str | int | None = None, dtype: dtype | None = None):
        super().__init__(0, 0, kernel_size, stride, padding, dilation, groups, False, padding_mode)
        self._begin(out_channels, bias, device, dtype)


class LazyConv2d(_LazyConv, Conv2d):
    """A Conv2d that takes in_channels from its first input (N, C, H, W) or (C, H, W).  It is a Conv2d from then on.

    Floating dtypes.  Raises ShapeError for an input of other dimensions, ArgumentError for groups that do not divide the channels.
    Source: the definition of Conv2d.

        >>> from cltensor import nn, ones
        >>> nn.LazyConv2d(4, 3)(ones(2, 5, 6, 6)).shape
        cltensor.Size([2, 4, 4, 4])
    """

    cls_to_become = Conv2d

    def __init__(self, out_channels: int, kernel_size: int | Sequence[int], stride: int | Sequence[int] = 1,
                 padding: int | str | Sequence[int] = 0, dilation: int | Sequence[int] = 1, groups: int = 1, bias: bool = True,
                 padding_mode: str = "zeros", device: device | str | int | None = None, dtype: dtype | None = None):
        super().__init__(0, 0, kernel_size, stride, padding, dilation, groups, False, padding_mode)
        self._begin(out_channels, bias, device, dtype)


class LazyConv3d(_LazyConv, Conv3d):
    """A Conv3d that takes in_channels from its first input (N, C, D, H, W) or (C, D, H, W).  It is a Conv3d from then on.

    Floating dtypes.  Raises ShapeError for an input of other dimensions, ArgumentError for groups that do not divide the channels.
    Source: the definition of Conv3d.

        >>> from cltensor import nn, ones
        >>> nn.LazyConv3d(4, 3)(ones(2, 5, 6, 6, 6)).shape
        cltensor.Size([2, 4, 4, 4, 4])
    """

    cls_to_become = Conv3d

    def __init__(self, out_channels: int, kernel_size: int | Sequence[int], stride: int | Sequence[int] = 1,
                 padding: int | str | Sequence[int] = 0, dilation: int | Sequence[int] = 1, groups: int = 1, bias: bool = True,
                 padding_mode: str = "zeros", device: device | str | int | None = None, dtype: dtype | None = None):
        super().__init__(0, 0, kernel_size, stride, padding, dilation, groups, False, padding_mode)
        self._begin(out_channels, bias, device, dtype)


class LazyConvTranspose1d(_LazyConv, ConvTranspose1d):
    """A ConvTranspose1d that takes in_channels from its first input (N, C, L) or (C, L).  It is a ConvTranspose1d from then on.

    Floating dtypes.  Raises ShapeError for an input of other dimensions, ArgumentError for groups that do not divide the channels.
    Source: the definition of ConvTranspose1d.

        >>> from cltensor import nn, ones
        >>> nn.LazyConvTranspose1d(4, 3)(ones(2, 5, 6)).shape
        cltensor.Size([2, 4, 8])
    """

    cls_to_become = ConvTranspose1d

    def __init__(self, out_channels: int, kernel_size: int | Sequence[int], stride: int | Sequence[int] = 1,
                 padding: int | Sequence[int] = 0, output_padding: int | Sequence[int] = 0, groups: int = 1, bias: bool = True,
                 dilation: int | Sequence[int] = 1, padding_mode: str = "zeros", device: device | str | int | None = None,
                 dtype: dtype | None = None):
        super().__init__(0, 0, kernel_size, stride, padding, output_padding, groups, False, dilation, padding_mode)
        self._begin(out_channels, bias, device, dtype)


class LazyConvTranspose2d(_LazyConv, ConvTranspose2d):
    """A ConvTranspose2d that takes in_channels from its first input (N, C, H, W) or (C, H, W).

    It is a ConvTranspose2d from then on.

    Floating dtypes.  Raises ShapeError for an input of other dimensions, ArgumentError for groups that do not divide the channels.
    Source: the definition of ConvTranspose2d.

        >>> from cltensor import nn, ones
        >>> nn.LazyConvTranspose2d(4, 3)(ones(2, 5, 6, 6)).shape
        cltensor.Size([2, 4, 8, 8])
    """

    cls_to_become = ConvTranspose2d

    def __init__(self, out_channels: int, kernel_size: int | Sequence[int], stride: int | Sequence[int] = 1,
                 padding: int | Sequence[int] = 0, output_padding: int | Sequence[int] = 0, groups: int = 1, bias: bool = True,
                 dilation: int | Sequence[int] = 1, padding_mode: str = "zeros", device: device | str | int | None = None,
                 dtype: dtype | None = None):
        super().__init__(0, 0, kernel_size, stride, padding, output_padding, groups, False, dilation, padding_mode)
        self._begin(out_channels, bias, device, dtype)


class LazyConvTranspose3d(_LazyConv, ConvTranspose3d):
    """A ConvTranspose3d that takes in_channels from its first input (N, C, D, H, W) or (C, D, H, W).

    It is a ConvTranspose3d from then on.

    Floating dtypes.  Raises ShapeError for an input of other dimensions, ArgumentError for groups that do not divide the channels.
    Source: the definition of ConvTranspose3d.

        >>> from cltensor import nn, ones
        >>> nn.LazyConvTranspose3d(4, 3)(ones(2, 5, 6, 6, 6)).shape
        cltensor.Size([2, 4, 8, 8, 8])
    """

    cls_to_become = ConvTranspose3d

    def __init__(self, out_channels: int, kernel_size: int | Sequence[int], stride: int | Sequence[int] = 1,
                 padding: int | Sequence[int] = 0, output_padding: int | Sequence[int] = 0, groups: int = 1, bias: bool = True,
                 dilation: int | Sequence[int] = 1, padding_mode: str = "zeros", device: device | str | int | None = None,
                 dtype: dtype | None = None):
        super().__init__(0, 0, kernel_size, stride, padding, output_padding, groups, False, dilation, padding_mode)
        self._begin(out_channels, bias, device, dtype)


def __dir__():
    return sorted(__all__)
