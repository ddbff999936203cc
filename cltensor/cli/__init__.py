"""The command `cltensor`; docs/command-line.md describes it."""

from .command import main

__all__ = ["main"]
