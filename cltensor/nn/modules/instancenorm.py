"""Normalisation of each channel of each sample."""

from __future__ import annotations

from .. import functional as F
from .batchnorm import _LazyNorm, _NormBase

__all__ = ["InstanceNorm1d", "InstanceNorm2d", "InstanceNorm3d", "LazyInstanceNorm1d", "LazyInstanceNorm2d",
           "LazyInstanceNorm3d"]


class _InstanceNorm(_NormBase):
    def __init__(self, num_features, eps=1e-5, momentum=0.1, affine=False, track_running_stats=False, device=None,
                 dtype=None, *, bias=True):
        super().__init__(num_features, eps, momentum, affine, bias, track_running_stats, device, dtype)

    def _channels(self, input):
        return input.ndim - self.dims[0]

    def forward(self, input):
        self._check(input)
        single = input.ndim == self.dims[0]
        x = input.unsqueeze(0) if single else input
        y = F.instance_norm(x, self.running_mean, self.running_var, self.weight, self.bias,
                            self.training or not self.track_running_stats, self.momentum or 0.0, self.eps)
        return y.squeeze(0) if single else y


class InstanceNorm1d(_InstanceNorm):
    """Normalise x (N, C, L) or (C, L) for each sample and channel.  Source: Ulyanov et al. 2016."""

    dims = (2, 3)


class InstanceNorm2d(_InstanceNorm):
    """Normalise x (N, C, H, W) or (C, H, W) for each sample and channel."""

    dims = (3, 4)


class InstanceNorm3d(_InstanceNorm):
    """Normalise x (N, C, D, H, W) or (C, D, H, W) for each sample and channel."""

    dims = (4, 5)

class LazyInstanceNorm1d(_LazyNorm, InstanceNorm1d):
    """A InstanceNorm1d that takes num_features from its first input (N, C, L) or (C, L).  It is a InstanceNorm1d from then on.

    Floating dtypes.  Raises MismatchError for an input of other dimensions.
    Source: the definition of InstanceNorm1d.

        >>> from cltensor import nn, randn
        >>> nn.LazyInstanceNorm1d()(randn(2, 5, 4)).shape
        cltensor.Size([2, 5, 4])
    """

    cls_to_become = InstanceNorm1d


class LazyInstanceNorm2d(_LazyNorm, InstanceNorm2d):
    """A InstanceNorm2d that takes num_features from its first input (N, C, H, W) or (C, H, W).

    It is a InstanceNorm2d from then on.

    Floating dtypes.  Raises MismatchError for an input of other dimensions.
    Source: the definition of InstanceNorm2d.

        >>> from cltensor import nn, randn
        >>> nn.LazyInstanceNorm2d()(randn(2, 5, 4, 4)).shape
        cltensor.Size([2, 5, 4, 4])
    """

    cls_to_become = InstanceNorm2d


class LazyInstanceNorm3d(_LazyNorm, InstanceNorm3d):
    """A InstanceNorm3d that takes num_features from its first input (N, C, D, H, W) or (C, D, H, W).

    It is a InstanceNorm3d from then on.

    Floating dtypes.  Raises MismatchError for an input of other dimensions.
    Source: the definition of InstanceNorm3d.

        >>> from cltensor import nn, randn
        >>> nn.LazyInstanceNorm3d()(randn(2, 5, 4, 4, 4)).shape
        cltensor.Size([2, 5, 4, 4, 4])
    """

    cls_to_become = InstanceNorm3d


def __dir__():
    return sorted(__all__)
