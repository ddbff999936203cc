"""ReduceLROnPlateau: lowers the learning rate when a metric stops improving."""

from __future__ import annotations

import math

from ...base.errors import ArgumentError, ArgumentTypeError
from ..optimizer import Optimizer
from .base import LRScheduler, per_group, set_to


class ReduceLROnPlateau(LRScheduler):
    """Multiply the learning rates by factor after `patience` epochs without improvement, then wait `cooldown` epochs.

    mode: "min" or "max", which is better; threshold: the smallest change that counts, relative ("rel") or absolute
    ("abs").
    """

    def __init__(self, optimizer: Optimizer, mode: str = "min", factor: float = 0.1, patience: int = 10,
                 threshold: float = 1e-4, threshold_mode: str = "rel", cooldown: int = 0, min_lr: float = 0, eps: float = 1e-8):
        if factor >= 1:
            raise ArgumentError(f"Factor should be < 1.0, got {factor}.")
        if not isinstance(optimizer, Optimizer):
            raise ArgumentTypeError(f"{type(optimizer).__name__} is not an Optimizer")
        if mode not in ("min", "max"):
            raise ArgumentError(f"mode {mode} is unknown! Use 'min' or 'max'")
        if threshold_mode not in ("rel", "abs"):
            raise ArgumentError(f"threshold mode {threshold_mode} is unknown! Use 'rel' or 'abs'")
        self.optimizer, self.factor, self.patience, self.cooldown, self.eps = optimizer, factor, patience, cooldown, eps
        self.mode, self.threshold, self.threshold_mode = mode, threshold, threshold_mode
        self.default_min_lr = None if isinstance(min_lr, (list, tuple)) else min_lr
        self.min_lrs = per_group("min_lr", min_lr, optimizer)
        self.last_epoch, self._last_lr = 0, self._current()
        self.mode_worse = math.inf if mode == "min" else -math.inf
        self.best = self.mode_worse
        self.cooldown_counter = self.num_bad_epochs = 0

    @property
    def in_cooldown(self):
        """Whether epochs without improvement do not count yet."""
        return self.cooldown_counter > 0

    def step(self, metrics, epoch=None):
        """Record this epoch's metric, a number or a one-element tensor, and lower the rates if it is time."""
        current = float(metrics)
        self.last_epoch = self.last_epoch + 1 if epoch is None else epoch
        if self._is_better(current):
            self.best, self.num_bad_epochs = current, 0
        else:
            self.num_bad_epochs += 1
        if self.in_cooldown:
            self.cooldown_counter -= 1
            self.num_bad_epochs = 0
        if self.num_bad_epochs > self.patience:
            self._reduce()
            self.cooldown_counter, self.num_bad_epochs = self.cooldown, 0
        self._last_lr = self._current()

    def _is_better(self, current):
        up = self.mode == "max"
        if self.threshold_mode == "rel":
            bound = self.best * (1 + self.threshold if up else 1 - self.threshold)
        else:
            bound = self.best + self.threshold if up else self.best - self.threshold
        return current > bound if up else current < bound

    def _reduce(self):
        groups = self.optimizer.param_groups
        if len(groups) != len(self.min_lrs) and self.default_min_lr is not None:
            self.min_lrs = [self.default_min_lr] * len(groups)
        for group, least in zip(groups, per_group("min_lrs", self.min_lrs, self.optimizer), strict=True):
            lower = max(float(group["lr"]) * self.factor, least)
            if float(group["lr"]) - lower > self.eps:
                set_to(group, "lr", lower)
