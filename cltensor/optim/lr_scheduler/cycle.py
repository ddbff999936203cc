"""Schedules that raise the learning rate and lower it again, while momentum does the opposite: OneCycleLR and CyclicLR.

Source: Smith, Cyclical Learning Rates, 2017; Smith and Topin, Super-Convergence, 2018.
"""

from __future__ import annotations

import math
import types
from collections.abc import Callable, Sequence
from typing import Any

from ...base.errors import ArgumentError
from ..optimizer import Optimizer
from .base import LRScheduler, per_group, set_to
from .cosine import _cosine


class _Cycle(LRScheduler):
    """The common part: momentum (or the first beta) that moves opposite to the learning rate."""

    def _prepare_momentum(self, base_momentum, max_momentum, last_epoch):
        groups, defaults = self.optimizer.param_groups, self.optimizer.defaults
        if not ("momentum" in defaults or "betas" in defaults):
            raise ArgumentError("optimizer must support momentum or beta1 with `cycle_momentum` option enabled")
        self.use_beta1 = "betas" in defaults
        base = per_group("base_momentum", base_momentum, self.optimizer)
        top = per_group("max_momentum", max_momentum, self.optimizer)
        if last_epoch == -1:
            for group, low, high in zip(groups, base, top, strict=True):
                self._set_momentum(group, high)
                group["max_momentum"], group["base_momentum"] = high, low
        return base, top

    def _set_momentum(self, group, value):
        if self.use_beta1:
            first = {"beta": group["betas"][0]}
            set_to(first, "beta", value)
            group["betas"] = (first["beta"], *group["betas"][1:])
        else:
            set_to(group, "momentum", value)


class OneCycleLR(_Cycle):
    """Up from max_lr / div_factor to max_lr in the first pct_start of the steps, then down far below the start."""

    def __init__(self, optimizer: Optimizer, max_lr: float | Sequence[float], total_steps: int | None = None,
                 epochs: int | None = None, steps_per_epoch: int | None = None, pct_start: float = 0.3,
                 anneal_strategy: str = "cos", cycle_momentum: bool = True, base_momentum: float = 0.85,
                 max_momentum: float = 0.95, div_factor: float = 25.0, final_div_factor: float = 1e4, three_phase: bool = False,
                 last_epoch: int = -1):
        self.optimizer = optimizer
        self.total_steps = _total(total_steps, epochs, steps_per_epoch)
        if not (isinstance(pct_start, float) and 0 <= pct_start <= 1):
            raise ArgumentError(f"Expected float between 0 and 1 pct_start, but got {pct_start}")
        if anneal_strategy not in ("cos", "linear"):
            raise ArgumentError(f"anneal_strategy must be one of 'cos' or 'linear', instead got {anneal_strategy}")
        self._schedule_phases = _phases(self.total_steps, pct_start, three_phase)
        self._anneal_func_type, self.cycle_momentum = anneal_strategy, cycle_momentum
        for group, top in zip(optimizer.param_groups, per_group("max_lr", max_lr, optimizer), strict=True):
            if last_epoch == -1:
                group["initial_lr"], group["max_lr"] = top / div_factor, top
                group["min_lr"] = group["initial_lr"] / final_div_factor
        if cycle_momentum:
            self._prepare_momentum(base_momentum, max_momentum, last_epoch)
        super().__init__(optimizer, last_epoch)

    def get_lr(self):
        """Also sets the momentum.  Raises ArgumentError once the steps are used up."""
        if self.last_epoch > self.total_steps:
            raise ArgumentError(f"Tried to step {self.last_epoch} times. The specified number of total steps is "
                                f"{self.total_steps}")
        phase, share = self._place()
        groups, anneal = self.optimizer.param_groups, _cosine if self._anneal_func_type == "cos" else _straight
        if self.cycle_momentum:
            for group in groups:
                self._set_momentum(group, anneal(group[phase["start_momentum"]], group[phase["end_momentum"]], share))
        return [anneal(group[phase["start_lr"]], group[phase["end_lr"]], share) for group in groups]

    def _place(self):
        """The current phase, and the fraction of it that is over."""
        start = 0.0
        for phase in self._schedule_phases:
            if self.last_epoch <= phase["end_step"] or phase is self._schedule_phases[-1]:
                break
            start = phase["end_step"]
        return phase, (self.last_epoch - start) / (phase["end_step"] - start)


def _total(total_steps, epochs, steps_per_epoch):
    if total_steps is None and (epochs is None or steps_per_epoch is None):
        raise ArgumentError("You must define either total_steps OR (epochs AND steps_per_epoch)")
    given = {"total_steps": total_steps} if total_steps is not None else {"epochs": epochs,
                                                                         "steps_per_epoch": steps_per_epoch}
    for name, value in given.items():
        if not isinstance(value, int) or value <= 0:
            raise ArgumentError(f"Expected positive integer {name}, but got {value}")
    return math.prod(given.values())


def _phases(total, pct_start, three_phase):
    ends = [float(pct_start * total) - 1, *([float(2 * pct_start * total) - 2] if three_phase else []), total - 1]
    rates = ["initial_lr", "max_lr", *(["initial_lr"] if three_phase else []), "min_lr"]
    momenta = ["max_momentum", "base_momentum", "max_momentum", "max_momentum"]
    return [{"end_step": end, "start_lr": rates[i], "end_lr": rates[i + 1], "start_momentum": momenta[i],
             "end_momentum": momenta[i + 1]} for i, end in enumerate(ends)]


def _straight(start, end, share):
    return (end - start) * share + start


_SCALES = {"triangular": ("cycle", lambda gamma, x: 1.0), "triangular2": ("cycle", lambda gamma, x: 1 / 2.0 ** (x - 1)),
           "exp_range": ("iterations", lambda gamma, x: gamma**x)}


class CyclicLR(_Cycle):
    """From base_lr up to max_lr in step_size_up steps, down in step_size_down, repeatedly.

    mode: "triangular", "triangular2" (each cycle half as high) or "exp_range" (scaled by gamma ** step); or scale_fn, a
    function of the cycle or, with scale_mode="iterations", of the step.
    """

    def __init__(self, optimizer: Optimizer, base_lr: float | Sequence[float], max_lr: float | Sequence[float],
                 step_size_up: int = 2000, step_size_down: int | None = None, mode: str = "triangular", gamma: float = 1.0,
                 scale_fn: Callable[[float], float] | None = None, scale_mode: str = "cycle", cycle_momentum: bool = True,
                 base_momentum: float = 0.8, max_momentum: float = 0.9, last_epoch: int = -1):
        if mode not in _SCALES and scale_fn is None:
            raise ArgumentError(f"CyclicLR: mode is invalid and scale_fn is None: mode {mode!r} is none of "
                                f"{', '.join(_SCALES)}")
        self.optimizer, self.mode, self.gamma, self.cycle_momentum = optimizer, mode, gamma, cycle_momentum
        self._scale_fn_custom, self.scale_mode = scale_fn, scale_mode if scale_fn else _SCALES[mode][0]
        base_lrs = per_group("base_lr", base_lr, optimizer)
        self.max_lrs = per_group("max_lr", max_lr, optimizer)
        down = step_size_up if step_size_down is None else step_size_down
        self.total_size = float(step_size_up + down)
        self.step_ratio = step_size_up / self.total_size
        if last_epoch == -1:
            for group, lr in zip(optimizer.param_groups, base_lrs, strict=True):
                set_to(group, "lr", lr)
        if cycle_momentum:
            self.base_momentums, self.max_momentums = self._prepare_momentum(base_momentum, max_momentum, last_epoch)
        super().__init__(optimizer, last_epoch)
        self.base_lrs = base_lrs

    def get_lr(self):
        """Also sets the momentum."""
        height = self._height()
        if self.cycle_momentum:
            momenta = zip(self.optimizer.param_groups, self.base_momentums, self.max_momentums, strict=True)
            for group, low, high in momenta:
                self._set_momentum(group, high - (high - low) * height)
        return [low + (high - low) * height for low, high in zip(self.base_lrs, self.max_lrs, strict=True)]

    def _height(self):
        cycle = math.floor(1 + self.last_epoch / self.total_size)
        x = 1 + self.last_epoch / self.total_size - cycle
        rise = x / self.step_ratio if x <= self.step_ratio else (x - 1) / (self.step_ratio - 1)
        at = cycle if self.scale_mode == "cycle" else self.last_epoch
        return rise * self.scale_fn(at)

    def scale_fn(self, x: float) -> float:
        """The height of the cycle x, or at step x: what the scale_fn given says, or the mode."""
        return self._scale_fn_custom(x) if self._scale_fn_custom else _SCALES[self.mode][1](self.gamma, x)

    def state_dict(self):
        """Everything but the optimiser; of a custom scale_fn the attributes, if it is an object and no plain function."""
        fn = self._scale_fn_custom
        kept = None if fn is None or isinstance(fn, types.FunctionType) else dict(vars(fn))
        return {**super().state_dict(), "_scale_fn_custom": kept}

    def load_state_dict(self, state_dict: dict[str, Any]):
        """Restore a result of state_dict; a custom scale_fn stays, and gets its attributes back."""
        vars(self).update((name, value) for name, value in state_dict.items() if name != "_scale_fn_custom")
        if state_dict.get("_scale_fn_custom") is not None:
            vars(self._scale_fn_custom).update(state_dict["_scale_fn_custom"])
