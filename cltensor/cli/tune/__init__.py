"""cltensor tune: measure what suits this device, and keep it."""

from .command import add_to

__all__ = ["add_to"]
