"""Schedules that start with a fraction of the learning rate: ConstantLR and LinearLR."""

from __future__ import annotations

from ...base.errors import ArgumentError
from ..optimizer import Optimizer
from .decay import _Decay


class ConstantLR(_Decay):
    """The learning rate times factor for total_iters epochs, then the full one."""

    def __init__(self, optimizer: Optimizer, factor: float = 1.0 / 3, total_iters: int = 5, last_epoch: int = -1):
        if not 0 <= factor <= 1:
            raise ArgumentError(f"Constant multiplicative factor expected to be between 0 and 1, got {factor}")
        self.factor, self.total_iters = factor, total_iters
        super().__init__(optimizer, last_epoch)

    def _factor(self):
        if self.last_epoch == 0:
            return self.factor
        return 1 / self.factor if self.last_epoch == self.total_iters else 1

    def _get_closed_form_lr(self):
        return [lr * (self.factor if self.last_epoch < self.total_iters else 1) for lr in self.base_lrs]


class LinearLR(_Decay):
    """The learning rate times a factor that moves linearly from start_factor to end_factor in total_iters epochs."""

    def __init__(self, optimizer: Optimizer, start_factor: float = 1.0 / 3, end_factor: float = 1.0, total_iters: int = 5,
                 last_epoch: int = -1):
        if not 0 < start_factor <= 1:
            raise ArgumentError(f"Starting multiplicative factor expected to be greater than 0 and less or equal to 1, "
                                f"got {start_factor}")
        if not 0 <= end_factor <= 1:
            raise ArgumentError(f"Ending multiplicative factor expected to be between 0 and 1, got {end_factor}")
        self.start_factor, self.end_factor, self.total_iters = start_factor, end_factor, total_iters
        super().__init__(optimizer, last_epoch)

    def _share(self, epoch):
        """The fraction of the base learning rate at an epoch up to total_iters, times total_iters."""
        return self.total_iters * self.start_factor + epoch * (self.end_factor - self.start_factor)

    def _factor(self):
        if self.last_epoch == 0:
            return self.start_factor
        if self._is_initial or self.last_epoch > self.total_iters:
            return 1
        return 1 + (self.end_factor - self.start_factor) / self._share(self.last_epoch - 1)

    def _get_closed_form_lr(self):
        share = self._share(min(self.last_epoch, self.total_iters)) / self.total_iters
        return [lr * share for lr in self.base_lrs]
