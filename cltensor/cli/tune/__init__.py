"""cltensor tune: measure which kernel constants suit this device, and store them."""

from .command import add_to

__all__ = ["add_to"]
