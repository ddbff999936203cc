"""Channels in another order."""


from __future__ import annotations

from .. import functional as F
from .function_layer import FunctionLayer

__all__ = ["ChannelShuffle"]


class ChannelShuffle(FunctionLayer):
    """Interleave the channels of `groups` groups of x (N, C, *)."""

    function = staticmethod(F.channel_shuffle)

    def __init__(self, groups: int):
        super().__init__(groups=groups)


def __dir__():
    return sorted(__all__)
