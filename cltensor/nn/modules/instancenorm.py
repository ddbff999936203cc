"""Normalisation of each channel of each sample."""

from __future__ import annotations

from .. import functional as F
from .batchnorm import _NormBase


class _InstanceNorm(_NormBase):
    def __init__(self, num_features, eps=1e-5, momentum=0.1, affine=False, track_running_stats=False, device=None,
                 dtype=None, *, bias=True):
        super().__init__(num_features, eps, momentum, affine, bias, track_running_stats, device, dtype)

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
