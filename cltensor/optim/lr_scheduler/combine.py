"""Schedules made of schedules: SequentialLR, one after another, and ChainedScheduler, all at once."""

from __future__ import annotations

import bisect
from collections.abc import Sequence
from typing import Any

from ...base.errors import ArgumentError, ArgumentTypeError
from ..optimizer import Optimizer
from .base import LRScheduler, set_to
from .plateau import ReduceLROnPlateau


class _Combined(LRScheduler):
    def _take(self, schedulers, optimizer):
        """Store the schedulers, after a check that they fit together."""
        name = type(self).__name__
        if not schedulers:
            raise ArgumentError(f"{name} expects at least one scheduler, but got no scheduler.")
        for i, scheduler in enumerate(schedulers):
            if not hasattr(scheduler, "optimizer"):
                raise ArgumentTypeError(f"{name} at index {i} should have `optimizer` as its attribute.")
            if isinstance(scheduler, ReduceLROnPlateau):
                raise ArgumentError(f"{name} does not support `ReduceLROnPlateau`, which needs a measure at each step, "
                                    f"but got one at index {i}; step it on its own")
            if scheduler.optimizer is not optimizer:
                raise ArgumentError(f"{name} expects all schedulers to belong to the same optimizer, but the one at "
                                    f"index {i} belongs to another")
        self._schedulers, self.optimizer = list(schedulers), optimizer

    def state_dict(self):
        """The counts, and the state of each scheduler."""
        return {**super().state_dict(), "_schedulers": [s.state_dict() for s in self._schedulers]}

    def load_state_dict(self, state_dict):
        """Restore a result of state_dict."""
        vars(self).update((name, value) for name, value in state_dict.items() if name != "_schedulers")
        for scheduler, state in zip(self._schedulers, state_dict["_schedulers"], strict=True):
            scheduler.load_state_dict(state)


class SequentialLR(_Combined):
    """Use schedulers[i] from epoch milestones[i - 1] on."""

    def __init__(self, optimizer: Optimizer, schedulers, milestones: Sequence[int], last_epoch: int = -1):
        self._take(schedulers, optimizer)
        if len(milestones) != len(schedulers) - 1:
            raise ArgumentError(f"SequentialLR expects one milestone less than schedulers, but got {len(schedulers)} "
                                f"schedulers and {len(milestones)} milestones")
        self._milestones, self.last_epoch = milestones, last_epoch + 1
        for group in optimizer.param_groups:
            set_to(group, "lr", group["initial_lr"])
        self.recursive_undo()
        current = self._schedulers[bisect.bisect_right(milestones, 0)]
        current._initial_step()
        self._last_lr = current.get_last_lr()

    def step(self):
        """Step the current scheduler; at its milestone it starts from its beginning."""
        self.last_epoch += 1
        turn = bisect.bisect_right(self._milestones, self.last_epoch)
        scheduler = self._schedulers[turn]
        if turn > 0 and self._milestones[turn - 1] == self.last_epoch:
            scheduler._update_lr(0)
        else:
            scheduler.step()
        self._last_lr = scheduler.get_last_lr()

    def recursive_undo(self, sched: Any = None):
        """Undo the step that each scheduler inside sched, by default this one, took when it was created."""
        scheduler = self if sched is None else sched
        if hasattr(scheduler, "_schedulers"):
            for part in scheduler._schedulers:
                self.recursive_undo(part)
        else:
            scheduler.last_epoch -= 1


class ChainedScheduler(_Combined):
    """Step every scheduler, each on the learning rates of the one before it."""

    def __init__(self, schedulers, optimizer: Optimizer | None = None):
        self._take(schedulers, optimizer or (schedulers[0].optimizer if schedulers else None))
        self._last_lr = self._current()

    def step(self):
        """Step all schedulers in order."""
        for scheduler in self._schedulers:
            scheduler.step()
        self._last_lr = self._current()
