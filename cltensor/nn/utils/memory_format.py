"""Convolution weights in another memory layout."""

from __future__ import annotations

from ...base.layouts import memory_format
from ..modules.conv import Conv2d, Conv3d, ConvTranspose2d, ConvTranspose3d
from ..modules.module import Module

__all__ = ["convert_conv2d_weight_memory_format", "convert_conv3d_weight_memory_format"]


def _converted(module, kinds, format):
    for layer in module.modules():
        if isinstance(layer, kinds):
            layer.weight.data = layer.weight.detach().clone(memory_format=format)
    return module


def convert_conv2d_weight_memory_format(module: Module, memory_format: memory_format) -> Module:
    """Lay the weights (out, in, h, w) of a module's two-dimensional convolutions out in a memory format; return the module.

    Any dtype; never raises.  Source: PyTorch 2.13's interface.

        >>> import cltensor
        >>> layer = cltensor.nn.utils.convert_conv2d_weight_memory_format(cltensor.nn.Conv2d(3, 4, 3), cltensor.channels_last)
        >>> layer.weight.is_contiguous(memory_format=cltensor.channels_last)
        True
    """
    return _converted(module, (Conv2d, ConvTranspose2d), memory_format)


def convert_conv3d_weight_memory_format(module: Module, memory_format: memory_format) -> Module:
    """Lay the weights (out, in, d, h, w) of a module's three-dimensional convolutions out in a memory format; return the module.

    Any dtype; never raises.  Source: PyTorch 2.13's interface.

        >>> import cltensor
        >>> layer = cltensor.nn.utils.convert_conv3d_weight_memory_format(cltensor.nn.Conv3d(3, 4, 3), cltensor.channels_last_3d)
        >>> layer.weight.is_contiguous(memory_format=cltensor.channels_last_3d)
        True
    """
    return _converted(module, (Conv3d, ConvTranspose3d), memory_format)


def __dir__():
    return sorted(__all__)
