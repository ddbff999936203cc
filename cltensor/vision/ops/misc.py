"""Blocks that many networks are built of: convolution with norm and activation, squeeze-and-excitation, perceptrons."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence

from ... import nn
from ...base.errors import ArgumentError, ArgumentTypeError
from ...tensor.api.creation import ones, zeros
from ...tensor.core.tensor import Tensor

_Layer = Callable[..., nn.Module]
_Sizes = int | tuple[int, ...]


def _same_padding(kernel_size, dilation):
    """The padding that keeps the size where the stride is 1, for odd kernels."""
    if isinstance(kernel_size, int) and isinstance(dilation, int):
        return (kernel_size - 1) // 2 * dilation
    dims = len(dilation if isinstance(kernel_size, int) else kernel_size)
    sizes, steps = ((value,) * dims if isinstance(value, int) else value for value in (kernel_size, dilation))
    return tuple((size - 1) // 2 * step for size, step in zip(sizes, steps, strict=True))


def _placed(inplace):
    """The keyword `inplace` for layers that take it; None leaves it out."""
    return {} if inplace is None else {"inplace": inplace}


class ConvNormActivation(nn.Sequential):
    """Convolution, norm and activation in a row; the base of Conv2dNormActivation and Conv3dNormActivation.

    Use those two; made directly, this class warns.  padding=None keeps the size where stride is 1 and the kernel odd.  bias=None
    gives the convolution a bias where there is no norm.  Floating dtypes.  Raises ArgumentError where the convolution does.
    Source: Ioffe and Szegedy 2015 (batch normalisation after each convolution).

        >>> from cltensor.vision.ops import Conv2dNormActivation
        >>> Conv2dNormActivation(3, 8)(ct.ones(1, 3, 5, 5)).shape
        cltensor.Size([1, 8, 5, 5])
    """

    def __init__(self, in_channels: int, out_channels: int, kernel_size: _Sizes = 3, stride: _Sizes = 1,
                 padding: _Sizes | str | None = None, groups: int = 1, norm_layer: _Layer | None = nn.BatchNorm2d,
                 activation_layer: _Layer | None = nn.ReLU, dilation: _Sizes = 1, inplace: bool | None = True,
                 bias: bool | None = None, conv_layer: _Layer = nn.Conv2d) -> None:
        if not isinstance(kernel_size, (int, Sequence)) or isinstance(kernel_size, str):
            raise ArgumentTypeError(f"{type(self).__name__}: kernel_size={kernel_size!r} is neither an int nor a tuple of ints")
        padding = _same_padding(kernel_size, dilation) if padding is None else padding
        bias = norm_layer is None if bias is None else bias
        layers = [conv_layer(in_channels, out_channels, kernel_size, stride, padding, dilation=dilation, groups=groups, bias=bias)]
        if norm_layer is not None:
            layers.append(norm_layer(out_channels))
        if activation_layer is not None:
            layers.append(activation_layer(**_placed(inplace)))
        super().__init__(*layers)
        self.out_channels = out_channels
        if type(self) is ConvNormActivation:
            warnings.warn("ConvNormActivation is a base class; use Conv2dNormActivation or Conv3dNormActivation", stacklevel=2)


class Conv2dNormActivation(ConvNormActivation):
    """Conv2d, norm_layer(out_channels) and activation_layer: (N, in_channels, H, W) -> (N, out_channels, H', W').

    padding=None keeps H and W where stride is 1 and the kernel odd; bias=None gives the convolution a bias where norm_layer is
    None; inplace=None leaves that argument of the activation out.  Floating dtypes.  Raises ArgumentTypeError for a kernel_size
    that is no size, and what nn.Conv2d raises.  Source: Ioffe and Szegedy 2015.

        >>> from cltensor.vision.ops import Conv2dNormActivation
        >>> Conv2dNormActivation(3, 8, stride=2)(ct.ones(1, 3, 6, 6)).shape
        cltensor.Size([1, 8, 3, 3])
    """

    def __init__(self, in_channels: int, out_channels: int, kernel_size: int | tuple[int, int] = 3,
                 stride: int | tuple[int, int] = 1, padding: int | tuple[int, int] | str | None = None, groups: int = 1,
                 norm_layer: _Layer | None = nn.BatchNorm2d, activation_layer: _Layer | None = nn.ReLU,
                 dilation: int | tuple[int, int] = 1, inplace: bool | None = True, bias: bool | None = None) -> None:
        super().__init__(in_channels, out_channels, kernel_size, stride, padding, groups, norm_layer, activation_layer, dilation,
                         inplace, bias, nn.Conv2d)


class Conv3dNormActivation(ConvNormActivation):
    """Conv3d, norm_layer(out_channels) and activation_layer: (N, in_channels, D, H, W) -> (N, out_channels, D', H', W').

    padding=None keeps D, H and W where stride is 1 and the kernel odd; bias=None gives the convolution a bias where norm_layer is
    None; inplace=None leaves that argument of the activation out.  Floating dtypes.  Raises ArgumentTypeError for a
    kernel_size that is no size, and what nn.Conv3d raises.  Source: Ioffe and Szegedy 2015.

        >>> from cltensor.vision.ops import Conv3dNormActivation
        >>> Conv3dNormActivation(1, 2, (1, 3, 3))(ct.ones(1, 1, 2, 4, 4)).shape
        cltensor.Size([1, 2, 2, 4, 4])
    """

    def __init__(self, in_channels: int, out_channels: int, kernel_size: int | tuple[int, int, int] = 3,
                 stride: int | tuple[int, int, int] = 1, padding: int | tuple[int, int, int] | str | None = None, groups: int = 1,
                 norm_layer: _Layer | None = nn.BatchNorm3d, activation_layer: _Layer | None = nn.ReLU,
                 dilation: int | tuple[int, int, int] = 1, inplace: bool | None = True, bias: bool | None = None) -> None:
        super().__init__(in_channels, out_channels, kernel_size, stride, padding, groups, norm_layer, activation_layer, dilation,
                         inplace, bias, nn.Conv3d)


class SqueezeExcitation(nn.Module):
    """Scale each channel by a number computed from the means of all channels: (N, C, H, W) -> (N, C, H, W).

    The means pass a 1x1 convolution to squeeze_channels, `activation`, a second one back to input_channels and
    `scale_activation`.  Floating dtypes.  Raises ShapeError where the input has not input_channels channels.
    Source: Hu et al., Squeeze-and-Excitation Networks, 2018.

        >>> from cltensor.vision.ops import SqueezeExcitation
        >>> SqueezeExcitation(8, 2)(ct.ones(1, 8, 4, 4)).shape
        cltensor.Size([1, 8, 4, 4])
    """

    def __init__(self, input_channels: int, squeeze_channels: int, activation: _Layer = nn.ReLU,
                 scale_activation: _Layer = nn.Sigmoid) -> None:
        super().__init__()
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc1 = nn.Conv2d(input_channels, squeeze_channels, 1)
        self.fc2 = nn.Conv2d(squeeze_channels, input_channels, 1)
        self.activation = activation()
        self.scale_activation = scale_activation()

    def forward(self, input: Tensor) -> Tensor:
        squeezed = self.activation(self.fc1(self.avgpool(input)))
        return input * self.scale_activation(self.fc2(squeezed))


class MLP(nn.Sequential):
    """Linear layers of the sizes hidden_channels: (*, in_channels) -> (*, hidden_channels[-1]).

    Each but the last is followed by norm_layer, if given, and activation_layer; dropout follows all of them, also where its
    probability is 0.  inplace=None leaves that argument out.  Floating dtypes.  Raises ArgumentError where hidden_channels is
    empty.  Source: Rumelhart, Hinton and Williams 1986.

        >>> from cltensor.vision.ops import MLP
        >>> MLP(4, [8, 3])(ct.ones(2, 4)).shape
        cltensor.Size([2, 3])
    """

    def __init__(self, in_channels: int, hidden_channels: list[int], norm_layer: _Layer | None = None,
                 activation_layer: _Layer | None = nn.ReLU, inplace: bool | None = None, bias: bool = True, dropout: float = 0.0):
        if not hidden_channels:
            raise ArgumentError("MLP: hidden_channels is empty; give the size of each layer, the last one being the result's")
        layers = []
        for size in hidden_channels[:-1]:
            layers.append(nn.Linear(in_channels, size, bias=bias))
            if norm_layer is not None:
                layers.append(norm_layer(size))
            layers += [activation_layer(**_placed(inplace)), nn.Dropout(dropout, **_placed(inplace))]
            in_channels = size
        layers += [nn.Linear(in_channels, hidden_channels[-1], bias=bias), nn.Dropout(dropout, **_placed(inplace))]
        super().__init__(*layers)


class Permute(nn.Module):
    """The input with its dimensions in the order dims, for a tensor of any shape and any dtype.

    Raises ShapeError where dims is no order of the input's dimensions.  Source: the definition of Tensor.permute.

        >>> from cltensor.vision.ops import Permute
        >>> Permute([0, 2, 1])(ct.ones(1, 2, 3)).shape
        cltensor.Size([1, 3, 2])
    """

    def __init__(self, dims: list[int]):
        super().__init__()
        self.dims = dims

    def forward(self, x: Tensor) -> Tensor:
        return x.permute(self.dims)


class FrozenBatchNorm2d(nn.Module):
    """Batch normalisation whose statistics and affine numbers are buffers: (N, C, H, W) -> (N, C, H, W), never trained.

    A BatchNorm2d's state_dict loads; its num_batches_tracked is dropped.  Floating dtypes.  Raises ShapeError where the
    input has not num_features channels.  Source: Ioffe and Szegedy 2015, the form used in evaluation.

        >>> from cltensor.vision.ops import FrozenBatchNorm2d
        >>> FrozenBatchNorm2d(3)(ct.ones(1, 3, 2, 2)).shape
        cltensor.Size([1, 3, 2, 2])
    """

    def __init__(self, num_features: int, eps: float = 1e-5):
        super().__init__()
        self.eps = eps
        self.register_buffer("weight", ones(num_features))
        self.register_buffer("bias", zeros(num_features))
        self.register_buffer("running_mean", zeros(num_features))
        self.register_buffer("running_var", ones(num_features))

    def _load_from_state_dict(self, state_dict, prefix, *rest):
        state_dict.pop(f"{prefix}num_batches_tracked", None)
        super()._load_from_state_dict(state_dict, prefix, *rest)

    def forward(self, x: Tensor) -> Tensor:
        scale = self.weight * (self.running_var + self.eps).rsqrt()
        shift = self.bias - self.running_mean * scale
        return x * scale.reshape(1, -1, 1, 1) + shift.reshape(1, -1, 1, 1)

    def extra_repr(self) -> str:
        return f"{self.weight.shape[0]}, eps={self.eps}"
