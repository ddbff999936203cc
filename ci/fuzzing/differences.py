"""Differences from PyTorch that are meant, each as narrow as can be said, with the reason."""

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Intended:
    """A kind of mismatch, the statement and the message it shows in, and why it stays."""

    kind: str
    statement: str  # a pattern of the statement's text
    message: str  # a pattern of the mismatch's message
    reason: str

    def covers(self, statement, mismatch):
        """Whether it speaks of a mismatch."""
        return (mismatch.kind == self.kind and re.search(self.statement, statement) is not None
                and re.search(self.message, mismatch.message) is not None)


INTENDED = ()


def intended(statement, mismatch):
    """The entry that covers a mismatch, or None."""
    return next((entry for entry in INTENDED if entry.covers(statement, mismatch)), None)
