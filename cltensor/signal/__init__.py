"""cltensor.signal: window functions, with torch.signal's names."""

from . import windows

__all__ = ["windows"]


def __dir__():
    return sorted(__all__)
