"""Skipped: a step of which only the device knows yet whether it was skipped, and what takes back its counts if so."""

from __future__ import annotations

from typing import Any

from ..tensor import Tensor


class Skipped:
    """The counts of a step that ran on the condition that a 0-d tensor, found, is 0.

    The launches look at found themselves, so tensors are right already.  found is read once somebody asks for the state: at the
    latest by the next step, when the device has long computed it.
    """

    def __init__(self, found: Tensor):
        self.found, self.before = found, []

    def remember(self, p: Tensor, state: dict[str, Any]):
        """Keep what p's state holds before this step."""
        self.before.append((p, dict(state)))

    def settle(self, states: dict[Any, dict[str, Any]]) -> dict[Any, dict[str, Tensor]]:
        """Put the states back if the step was skipped.  Returns the tensors of states that it made, still as they were made."""
        made = {}
        if self.before and self.found.item() != 0:
            for p, kept in reversed(self.before):
                if not kept:
                    made[p] = {name: t for name, t in states[p].items() if isinstance(t, Tensor)}
                states[p].clear()
                states[p].update(kept)
                if not kept:
                    del states[p]
        return made
