"""cltensor doctor: what is installed, whether it works, and how to fix what does not."""

from .command import add_to

__all__ = ["add_to"]
