"""cltensor profile: run a program, and say where its time goes and what to do about it."""

from .command import add_to

__all__ = ["add_to"]
