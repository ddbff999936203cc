"""LRScheduler: changes the learning rates of an optimiser, epoch by epoch."""

from __future__ import annotations

import functools
import warnings
from typing import Any

from ...autograd.modes import no_grad
from ...base.context import context
from ...base.errors import ArgumentError, ArgumentTypeError
from ...tensor import Tensor
from ..optimizer import Optimizer
from ..settings import tensors_in


def repeated(step):
    """A schedule's step that a recorder repeats before each replay: what it does, it does in Python.

    A tensor among its arguments is computed by the program, too late for that: reading it is an error of the recorder's.
    """

    @functools.wraps(step)
    def repeated(self, *args, **kwargs):
        if context.recorder is None or any(isinstance(x, Tensor) for x in (*args, *kwargs.values())):
            step(self, *args, **kwargs)
        else:
            tensors = [t for group in self.optimizer.param_groups for t in tensors_in(group)]
            context.recorder.action(lambda: step(self, *args, **kwargs) or (), reads=tensors, fills=tensors)

    return repeated


class LRScheduler:
    """Base of the schedules.

    Subclasses define `get_lr()`, the list of the groups' next learning rates; those that start from the current rates can be
    chained.  `last_epoch` counts the steps; a new schedule takes its first step itself.

    last_epoch: -1, or the count to resume at, with an optimiser whose groups have "initial_lr".
    """

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        if "step" in vars(cls):
            cls.step = repeated(cls.step)

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1):
        if not isinstance(optimizer, Optimizer):
            raise ArgumentTypeError(f"{type(optimizer).__name__} is not an Optimizer")
        self.optimizer = optimizer
        for i, group in enumerate(optimizer.param_groups):
            if last_epoch == -1:
                group.setdefault("initial_lr", own(group["lr"]))
            elif "initial_lr" not in group:
                raise KeyError(f"param 'initial_lr' is not specified in param_groups[{i}] when resuming scheduler with "
                               "last_epoch >= 0; load the optimizer's state_dict first, or leave last_epoch at -1")
        self.base_lrs = [own(group["initial_lr"]) for group in optimizer.param_groups]
        self.last_epoch = last_epoch
        self._initial_step()

    def _initial_step(self):
        self._step_count, self._is_initial = 0, True
        self.step()
        self._is_initial = False

    def get_lr(self):
        """The learning rates of the step being taken, one per group; for the current ones see get_last_lr."""
        raise ArgumentTypeError(f"{type(self).__name__} does not define get_lr")

    def get_last_lr(self):
        """The learning rates set last, one per group."""
        if context.recorder is not None:
            context.recorder.fail("Python reads the learning rates of a schedule")
        return self._last_lr

    def _current(self):
        return [own(group["lr"]) for group in self.optimizer.param_groups]

    def step(self, epoch=None):
        """Set the next learning rates; call it after optimizer.step().  epoch: count to jump to."""
        if self._step_count == 1 and not self.optimizer._opt_called:
            warnings.warn("Detected call of `lr_scheduler.step()` before `optimizer.step()`; call them in the opposite "
                          "order, or the first value of the schedule is skipped", UserWarning, stacklevel=3)
        self._step_count += 1
        self._update_lr(epoch)

    def _update_lr(self, epoch=None):
        if epoch is None:
            self.last_epoch += 1
            self._set(self.get_lr())
        else:
            self.last_epoch = epoch
            self._set(getattr(self, "_get_closed_form_lr", self.get_lr)())

    def _set(self, values):
        for group, lr in zip(self.optimizer.param_groups, values, strict=True):
            set_to(group, "lr", lr)
        self._last_lr = self._current()

    def state_dict(self):
        """Everything but the optimiser, as a dict."""
        return {name: value for name, value in vars(self).items() if name != "optimizer"}

    def load_state_dict(self, state_dict: dict[str, Any]):
        """Restore a result of state_dict."""
        vars(self).update(state_dict)


LRScheduler.step = repeated(LRScheduler.step)


def own(value):
    """A setting to keep: a tensor is copied, since schedules write to tensors in place."""
    return value.detach().clone() if isinstance(value, Tensor) else value


def set_to(group: dict[str, Any], name: str, value):
    """Change a setting of a group; a tensor stays the same object and is written to."""
    if isinstance(group[name], Tensor):
        with no_grad():
            group[name].fill_(float(value) if not isinstance(value, Tensor) else value)
    else:
        group[name] = float(value) if isinstance(value, Tensor) else value


def per_group(name, value, optimizer):
    """value as a list with one entry per parameter group.  Raises ArgumentError when a list has another length."""
    n = len(optimizer.param_groups)
    if not isinstance(value, (list, tuple)):
        return [value] * n
    if len(value) != n:
        raise ArgumentError(f"{name} must have one value for each of the {n} param groups, got {len(value)}")
    return list(value)
