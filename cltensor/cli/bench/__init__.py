"""cltensor bench: how fast the parts are, and how fast beside a peer, measured turn by turn in one run."""

from .command import add_to

__all__ = ["add_to"]
