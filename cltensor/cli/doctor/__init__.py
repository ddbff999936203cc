"""cltensor doctor: what is there, whether it works, and what to do where it does not."""

from .command import add_to

__all__ = ["add_to"]
