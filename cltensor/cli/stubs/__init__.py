"""`cltensor stubs`: type stubs of everything public, for editors and type checkers."""

from .command import add_to

__all__ = ["add_to"]
