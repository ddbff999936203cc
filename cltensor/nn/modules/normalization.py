"""Normalisation over the last dimensions, over groups of channels, over neighbouring channels."""


from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...base import dtypes
from ...base.dtypes import dtype
from ...base.errors import ArgumentError, MismatchError
from ...runtime.device import device
from ...tensor.api.creation import empty, from_array
from ...tensor.core.tensor import Tensor
from .. import functional as F
from .. import init
from ..parameter import Parameter
from .module import Module

__all__ = ["CrossMapLRN2d", "GroupNorm", "LayerNorm", "LocalResponseNorm", "RMSNorm"]


def _shape(normalized_shape):
    return (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)


class LayerNorm(Module):
    """Normalise x over its last dimensions, of sizes normalized_shape, then multiply by weight and add bias of that shape.

    Source: Ba et al. 2016.
    """

    def __init__(self, normalized_shape: int | Sequence[int], eps: float = 1e-5, elementwise_affine: bool = True,
                 bias: bool = True, device: device | str | int | None = None, dtype: dtype | None = None):
        super().__init__()
        self.normalized_shape, self.eps, self.elementwise_affine = _shape(normalized_shape), eps, elementwise_affine
        for name, wanted in (("weight", elementwise_affine), ("bias", elementwise_affine and bias)):
            p = Parameter(empty(self.normalized_shape, device=device, dtype=dtype)) if wanted else None
            self.register_parameter(name, p)
        self.reset_parameters()

    def reset_parameters(self):
        """Set weight to 1 and bias to 0."""
        if self.weight is not None:
            init.ones_(self.weight)
        if self.bias is not None:
            init.zeros_(self.bias)

    def forward(self, input: Tensor):
        return F.layer_norm(input, self.normalized_shape, self.weight, self.bias, self.eps)

    def extra_repr(self):
        return (f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}, "
                f"bias={self.bias is not None}")


class RMSNorm(Module):
    """Divide x by the root mean square of its last dimensions, of sizes normalized_shape, then multiply by weight.

    eps: added to the mean square; the dtype's smallest step by default.  Source: Zhang and Sennrich 2019.
    """

    def __init__(self, normalized_shape: int | Sequence[int], eps: float | None = None, elementwise_affine: bool = True,
                 device: device | str | int | None = None, dtype: dtype | None = None):
        super().__init__()
        self.normalized_shape, self.eps, self.elementwise_affine = _shape(normalized_shape), eps, elementwise_affine
        p = Parameter(empty(self.normalized_shape, device=device, dtype=dtype)) if elementwise_affine else None
        self.register_parameter("weight", p)
        self.reset_parameters()

    def reset_parameters(self):
        """Set weight to 1."""
        if self.weight is not None:
            init.ones_(self.weight)

    def forward(self, x: Tensor):
        return F.rms_norm(x, self.normalized_shape, self.weight, self.eps)

    def extra_repr(self):
        return f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}"


class GroupNorm(Module):
    """Normalise x (N, C, *) for each sample and group of channels, then multiply by weight (C,) and add bias (C,).

    Raises ArgumentError unless num_groups divides num_channels.  Source: Wu and He 2018.
    """

    def __init__(self, num_groups: int, num_channels: int, eps: float = 1e-5, affine: bool = True,
                 device: device | str | int | None = None, dtype: dtype | None = None, *, bias: bool = True):
        super().__init__()
        if num_channels % num_groups:
            raise ArgumentError(f"num_channels ({num_channels}) must be divisible by num_groups ({num_groups})")
        self.num_groups, self.num_channels, self.eps, self.affine = num_groups, num_channels, eps, affine
        for name, wanted in (("weight", affine), ("bias", affine and bias)):
            self.register_parameter(name, Parameter(empty(num_channels, device=device, dtype=dtype)) if wanted else None)
        self.reset_parameters()

    def reset_parameters(self):
        """Set weight to 1 and bias to 0."""
        if self.weight is not None:
            init.ones_(self.weight)
        if self.bias is not None:
            init.zeros_(self.bias)

    def forward(self, input: Tensor):
        return F.group_norm(input, self.num_groups, self.weight, self.bias, self.eps)

    def extra_repr(self):
        return (f"{self.num_groups}, {self.num_channels}, eps={self.eps}, affine={self.affine}, "
                f"bias={self.bias is not None}")


class LocalResponseNorm(Module):
    """Divide x (N, C, *) by a power of the mean square over `size` neighbouring channels; see F.local_response_norm."""

    def __init__(self, size: int | Sequence[int], alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0):
        super().__init__()
        self.size, self.alpha, self.beta, self.k = size, alpha, beta, k

    def forward(self, input: Tensor):
        return F.local_response_norm(input, self.size, self.alpha, self.beta, self.k)

    def extra_repr(self):
        return f"{self.size}, alpha={self.alpha}, beta={self.beta}, k={self.k}"


class CrossMapLRN2d(Module):
    """Divide x (N, C, H, W) by (k + alpha / size * sum of squares over `size` neighbouring channels) ** beta.

    The sum of a channel takes those less than (size - 1) // 2 + 1 away, and the first channel always, as PyTorch's does. The
    gradient is that of these values.

    Raises ArgumentError for another number of dimensions; floating dtypes.  Source: Krizhevsky et al. 2012.

        >>> from cltensor import nn, randn
        >>> nn.CrossMapLRN2d(3)(randn(2, 5, 4, 4)).shape
        cltensor.Size([2, 5, 4, 4])
    """

    def __init__(self, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1):
        super().__init__()
        self.size, self.alpha, self.beta, self.k = size, alpha, beta, k

    def forward(self, input: Tensor):
        if input.ndim != 4:
            raise MismatchError(f"CrossMapLRN2d: Expected input to be 4D, got {input.ndim}D instead.")
        channels = np.arange(input.shape[1])
        near = np.abs(channels[:, None] - channels) <= (self.size - 1) // 2
        near[:, :1] = True
        window = from_array(near.astype(np.float32), dtypes.float32, input.device).to(input.dtype)
        sums = (window @ (input * input).flatten(2)).reshape(input.shape)
        return input / (self.k + self.alpha / self.size * sums) ** self.beta

    def extra_repr(self):
        return f"{self.size}, alpha={self.alpha}, beta={self.beta}, k={self.k}"


def __dir__():
    return sorted(__all__)
