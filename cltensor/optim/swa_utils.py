"""Averages of weights: stochastic weight averaging, exponential moving averages, and what goes with them."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterable
from typing import Any

from ..autograd.modes import no_grad
from ..base import dtypes
from ..base.context import context
from ..base.errors import ArgumentError
from ..nn.modules.batchnorm import _BatchNorm
from ..nn.modules.module import Module
from ..ops.optim.updates import averaging_step
from ..runtime.device import device as Device
from ..tensor import Tensor
from ..tensor.api.creation import tensor
from ..tensor.core.foreach import Foreach
from .lr_scheduler.base import LRScheduler, per_group
from .optimizer import Optimizer

__all__ = [
    "SWALR",
    "AveragedModel",
    "get_ema_avg_fn",
    "get_ema_multi_avg_fn",
    "get_swa_avg_fn",
    "get_swa_multi_avg_fn",
    "update_bn",
]


def _moving(averaged, current, take, update):
    """Move each averaged tensor towards the current one by the fraction `take`: those of a floating dtype in a few launches.

    update: a Foreach that takes the fraction as a number, or as a 0-d tensor where take is one.
    """
    pairs = list(zip(averaged, current, strict=True))
    shared, values = ((take,), ()) if isinstance(take, Tensor) else ((), (take,))
    update([(a, c.detach()) for a, c in pairs if a.is_floating_point()], values, shared)
    for a, c in pairs:
        if not a.is_floating_point():
            a.copy_(a * (1 - take) + c * take)


def get_ema_multi_avg_fn(decay: float = 0.999) -> Callable[[list[Tensor], list[Tensor], Any], None]:
    """A multi_avg_fn of AveragedModel: averaged = decay * averaged + (1 - decay) * current.

    Its tensors have any shapes; floating dtypes move in a few launches, integers are rounded down.

    Raises ArgumentError for a decay outside [0, 1].  Source: Polyak and Juditsky 1992.

        average = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(0.99))
    """
    _check_decay(decay)
    update = Foreach(averaging_step, writes=[0], fresh=[1])

    @no_grad()
    def ema_update(ema_param_list: list[Tensor], current_param_list: list[Tensor], _):
        _moving(ema_param_list, current_param_list, 1 - decay, update)

    return ema_update


def get_swa_multi_avg_fn() -> Callable[[list[Tensor], list[Tensor], Any], None]:
    """A multi_avg_fn of AveragedModel: the plain mean of all models so far, each with the same weight.

    Its tensors have any shapes; floating dtypes move in a few launches, integers are rounded down.  Never raises.
    Source: Izmailov et al. 2018.

        average = AveragedModel(model, multi_avg_fn=get_swa_multi_avg_fn())
    """
    by_number = Foreach(averaging_step, writes=[0], fresh=[1])
    by_tensor = Foreach(averaging_step.of_tensors, writes=[0], fresh=[1], shared=[2])

    @no_grad()
    def swa_update(averaged_param_list: list[Tensor], current_param_list: list[Tensor], num_averaged: Tensor | int):
        update = by_tensor if isinstance(num_averaged, Tensor) else by_number
        _moving(averaged_param_list, current_param_list, 1 / (num_averaged + 1), update)

    return swa_update


def get_ema_avg_fn(decay: float = 0.999) -> Callable[[Tensor, Tensor, Any], Tensor]:
    """An avg_fn of AveragedModel: decay * averaged + (1 - decay) * current, for one tensor of any shape and dtype at a time.

    Raises ArgumentError for a decay outside [0, 1].  Source: Polyak and Juditsky 1992.

        average = AveragedModel(model, avg_fn=get_ema_avg_fn(0.99))
    """
    _check_decay(decay)

    @no_grad()
    def ema_update(ema_param: Tensor, current_param: Tensor, num_averaged: Tensor | int) -> Tensor:
        return decay * ema_param + (1 - decay) * current_param

    return ema_update


def get_swa_avg_fn() -> Callable[[Tensor, Tensor, Any], Tensor]:
    """An avg_fn of AveragedModel: the plain mean of all models so far, for one tensor of any shape and dtype at a time.

    Never raises.  Source: Izmailov et al. 2018.

        average = AveragedModel(model, avg_fn=get_swa_avg_fn())
    """

    @no_grad()
    def swa_update(averaged_param: Tensor, current_param: Tensor, num_averaged: Tensor | int) -> Tensor:
        return averaged_param + (current_param - averaged_param) / (num_averaged + 1)

    return swa_update


def _check_decay(decay):
    if not 0 <= decay <= 1:
        raise ArgumentError(f"Invalid decay value {decay} provided. Please provide a value in [0,1] range.")


class AveragedModel(Module):
    """A copy of a model, `module`, whose parameters are a running average of the model's at each update_parameters.

    The first update copies the model.  avg_fn(averaged, current, num_averaged) returns a new average of one tensor;
    multi_avg_fn(averaged, current, num_averaged) gets lists and writes to the first; without either the average is the plain mean.
    use_buffers: average the buffers too; otherwise they are copied at each update.  device: where the average is kept.
    Shapes and dtypes are the model's; the buffer n_averaged, 0-d int64, counts the updates.

    Raises ArgumentError if both avg_fn and multi_avg_fn are given.  Source: Izmailov et al. 2018.

        average = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(0.99))
        for x, y in loader:
            train(model, x, y)
            average.update_parameters(model)
        update_bn(loader, average)
    """

    def __init__(self, model: Module, device: Device | str | None = None,
                 avg_fn: Callable[[Tensor, Tensor, Any], Tensor] | None = None,
                 multi_avg_fn: Callable[[list[Tensor], list[Tensor], Any], None] | None = None, use_buffers: bool = False):
        super().__init__()
        if avg_fn is not None and multi_avg_fn is not None:
            raise ArgumentError("Only one of avg_fn and multi_avg_fn should be provided")
        self.module = copy.deepcopy(model)
        if device is not None:
            self.module = self.module.to(device)
        self.register_buffer("n_averaged", tensor(0, dtype=dtypes.int64, device=device))
        self.avg_fn, self.multi_avg_fn, self.use_buffers = avg_fn, multi_avg_fn, use_buffers
        self._known = None, 0, 0  # n_averaged, its version, its value: read only where another wrote to it

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """What the averaged model gives."""
        return self.module(*args, **kwargs)

    @no_grad()
    def update_parameters(self, model: Module):
        """Move the average towards the parameters of `model`, a model of the same structure."""
        averaged, current = self._averaged(self.module), self._averaged(model)
        current = [c.detach().to(a.device) for a, c in zip(averaged, current, strict=True)]
        if self.avg_fn is None and self.multi_avg_fn is None:
            self.multi_avg_fn = get_swa_multi_avg_fn()
        count = self._count() if context.recorder is None else context.recorder.action(self._counted, reads=[self.n_averaged])[0]
        if count == 0:
            for a, c in zip(averaged, current, strict=True):
                a.copy_(c)
        elif self.avg_fn is not None:
            for a, c in zip(averaged, current, strict=True):
                a.copy_(self.avg_fn(a, c, self.n_averaged.to(a.device)))
        else:
            self.multi_avg_fn(averaged, current, count if context.recorder is None else self.n_averaged)
        if not self.use_buffers:
            for a, c in zip(self.module.buffers(), model.buffers(), strict=True):
                a.copy_(c)
        self.n_averaged += 1
        if context.recorder is None:
            self._known = self.n_averaged, self.n_averaged._version, count + 1

    def _counted(self):
        """(the count,), before the program adds 1 to it."""
        count = self._count()
        self._known = self.n_averaged, self.n_averaged._version + 1, count + 1
        return (count,)

    def _captured_by(self):
        """What a captured program takes for granted: whether the next update is the first one, which copies."""
        return self._count() == 0

    def _averaged(self, model):
        return [p.detach() for p in (*model.parameters(), *(model.buffers() if self.use_buffers else ()))]

    def _count(self):
        counter, version, value = self._known
        return value if counter is self.n_averaged and version == counter._version else int(self.n_averaged)


@no_grad()
def update_bn(loader: Iterable[Any], model: Module, device: Device | str | None = None):
    """Compute the running statistics of a model's batch normalisations anew, as means over all batches of a loader.

    loader: gives tensors of the shape and dtype the model takes, or lists and tuples that begin with one, which are moved to
    `device` if it is given.  Modes and momenta are put back.  A model without batch normalisation is left alone.

    Raises what the model raises.  Source: Izmailov et al. 2018.

        update_bn(loader, averaged_model)
    """
    layers = {layer: layer.momentum for layer in model.modules() if isinstance(layer, _BatchNorm)}
    if not layers:
        return
    training = model.training
    model.train()
    for layer in layers:
        layer.momentum = None
        layer.reset_running_stats()
    for batch in loader:
        given = batch[0] if isinstance(batch, (list, tuple)) else batch
        model(given if device is None else given.to(device))
    for layer, momentum in layers.items():
        layer.momentum = momentum
    model.train(training)


_ANNEAL = {"cos": lambda share: (1 - math.cos(math.pi * share)) / 2, "linear": lambda share: share}


class SWALR(LRScheduler):
    """From the current learning rate to swa_lr in anneal_epochs epochs, then constant.

    swa_lr: a number, or a list with one for each group; anneal_strategy: "cos" or "linear".  Learning rates may be 0-d tensors of
    a floating dtype.

    Raises ArgumentError for another strategy, a negative or fractional anneal_epochs, a list of another length.
    Source: Izmailov et al. 2018.

        schedule = SWALR(optimizer, swa_lr=0.05, anneal_epochs=10)
    """

    def __init__(self, optimizer: Optimizer, swa_lr: float | list[float], anneal_epochs: int = 10, anneal_strategy: str = "cos",
                 last_epoch: int = -1):
        for group, lr in zip(optimizer.param_groups, per_group("swa_lr", swa_lr, optimizer), strict=True):
            group["swa_lr"] = lr
        if anneal_strategy not in _ANNEAL:
            raise ArgumentError(f"anneal_strategy must by one of 'cos' or 'linear', instead got {anneal_strategy}")
        if not isinstance(anneal_epochs, int) or anneal_epochs < 0:
            raise ArgumentError(f"anneal_epochs must be equal or greater than 0, got {anneal_epochs}")
        self._anneal_strategy, self.anneal_epochs = anneal_strategy, anneal_epochs
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """The learning rates of the step being taken: what is left of the start, and swa_lr for the rest."""
        step = self._step_count - 1
        if self.anneal_epochs == 0:
            step = max(1, step)
        before, share = self._share(max(0, step - 1)), self._share(step)
        return [group["swa_lr"] * share + _start(group["lr"], group["swa_lr"], before) * (1 - share)
                for group in self.optimizer.param_groups]

    def _share(self, step):
        return _ANNEAL[self._anneal_strategy](max(0, min(1, step / max(1, self.anneal_epochs))))


def _start(lr, swa_lr, share):
    """The rate from which lr, this share of the way to swa_lr, was reached."""
    return swa_lr if share == 1 else (lr - share * swa_lr) / (1 - share)


def __dir__():
    return sorted(__all__)
