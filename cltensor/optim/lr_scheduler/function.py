"""Schedules defined by functions of the epoch: LambdaLR and MultiplicativeLR."""

import types

from .base import LRScheduler, per_group


class _ByFunction(LRScheduler):
    def __init__(self, optimizer, lr_lambda, last_epoch=-1):
        self.lr_lambdas = per_group("lr_lambda", lr_lambda, optimizer)
        super().__init__(optimizer, last_epoch)

    def state_dict(self):
        """Everything but the optimiser and plain functions; for callable objects, their attributes."""
        state = super().state_dict()
        state["lr_lambdas"] = [None if isinstance(fn, types.FunctionType) else dict(vars(fn)) for fn in self.lr_lambdas]
        return state

    def load_state_dict(self, state_dict):
        """Restore a result of state_dict; functions stay, callable objects get their attributes back."""
        vars(self).update((name, value) for name, value in state_dict.items() if name != "lr_lambdas")
        for fn, attributes in zip(self.lr_lambdas, state_dict["lr_lambdas"], strict=True):
            if attributes is not None:
                vars(fn).update(attributes)


class LambdaLR(_ByFunction):
    """The initial learning rate times lr_lambda(epoch); lr_lambda is a function, or a list with one per group."""

    def get_lr(self):
        return [lr * fn(self.last_epoch) for lr, fn in zip(self.base_lrs, self.lr_lambdas, strict=True)]


class MultiplicativeLR(_ByFunction):
    """Multiply the learning rate by lr_lambda(epoch) every epoch."""

    def get_lr(self):
        if self._is_initial:
            return self._current()
        return [lr * fn(self.last_epoch) for lr, fn in zip(self._current(), self.lr_lambdas, strict=True)]
