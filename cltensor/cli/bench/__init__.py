"""cltensor bench: how fast the parts are, alone and beside a peer, measured in turns in one run."""

from .command import add_to

__all__ = ["add_to"]
