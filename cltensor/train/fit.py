"""fit: the training loop, over the public API alone; whatever it does can be done by hand.

A step is: forward pass and loss, backward pass, gradients clipped, the optimiser, the schedule.  An epoch is: steps over all
batches, validation, the schedule, callbacks.
"""

from __future__ import annotations

import inspect
import os
import time
from collections.abc import Callable, Iterable
from os import PathLike
from typing import Any

from ..amp.autocast_mode import autocast
from ..amp.grad_scaler import GradScaler
from ..autograd.modes import no_grad
from ..base import dtypes
from ..base.errors import ArgumentError, ArgumentTypeError
from ..compiler import compile as compiled
from ..graph.structure import flatten, unflatten
from ..nn.modules.module import Module
from ..nn.utils.clip_grad import clip_grad_norm_, clip_grad_value_
from ..optim.lr_scheduler import ReduceLROnPlateau
from ..optim.optimizer import Optimizer
from ..tensor.core.tensor import Tensor
from .callbacks import Callback, ProgressBar, TensorBoard
from .checkpoints import Checkpoint, load_checkpoint
from .history import History
from .interruption import Interruption
from .metrics import Metric, Share, collected, size
from .random_states import set_states, states
from .run import Run

_HALVES = {"bfloat16": dtypes.bfloat16, "float16": dtypes.float16}


def fit(model: Module, loss: Callable[..., Tensor] | None, optimizer: Optimizer, loader: Iterable[Any], epochs: int, *,
        validation: Iterable[Any] | None = None, metrics: Any = (), callbacks: Iterable[Callback] = (), scheduler: Any = None,
        scheduler_every: str = "epoch", forward: Callable[[Module, Any], tuple[Any, ...]] | None = None,
        amp: bool | str | dtypes.dtype = False, scaler: GradScaler | None = None, accumulate: int = 1, clip_norm: float | None =
        None, clip_value: float | None = None, compile: bool = False, checkpoint: str | PathLike[str] | None = None,
        checkpoint_every: int = 0, resume: bool = True, tensorboard: Any = None, progress: bool = True) -> History:
    """Train a model over a loader for some epochs, and return the History of its loss and metrics.

    A batch is (inputs..., target): the model is called with the inputs, loss(output, target) gives a 0-d tensor, the mean over the
    batch.  Tensors have the shapes and dtypes that the model asks for, and are moved to the device of its parameters.  Nothing
    waits for the device from step to step; values are read when they are shown, and at the end of each epoch.

    With a checkpoint, a training that ended for whatever reason goes on where it stood, in the middle of an epoch too, and gives
    the same bits as one that never ended, if the loader's workers draw no random numbers that outlive an epoch.  Ctrl-C lets the
    step end, writes the checkpoint and then raises KeyboardInterrupt.

    Args: epochs, how many in all, those before a resumption included; validation, a loader whose batches are evaluated after each
            epoch without gradients, in evaluation mode: its values are val_loss and so on.
        metrics: Metrics, functions of (output, target), the names "accuracy", "top5", "mae" and "mse", or a dict of them.
        callbacks: Callbacks, called in order; those of checkpoint, tensorboard and progress come after them.
        scheduler: a schedule of optim.lr_scheduler, which steps after each "epoch" or "step", as scheduler_every says;
            ReduceLROnPlateau gets val_loss, or without validation the loss.
        forward: for other batches, forward(model, batch) -> (output, target, loss), loss None for that of `loss`.
        amp: True or "bfloat16", "float16": forward passes run under autocast; float16 with a GradScaler, which scaler replaces.
        accumulate: how many batches one step is made of; clip_norm and clip_value limit the gradients before it.
        compile: capture the forward and backward pass, and the update, and replay them.
        checkpoint: a file, written at the end of each epoch, every checkpoint_every steps, and on Ctrl-C; with resume the training
            goes on from it if it is there.
        tensorboard: a folder, or a SummaryWriter; progress: show bars.
    Raises ArgumentError for settings that make no sense, ArgumentTypeError for batches that are no (inputs..., target), and what
    the model, the loss and the callbacks raise.
    Numerics: those of the loop written by hand, bit for bit; with compile to float rounding, since what is fused rounds otherwise.
    Source: the interface is near that of Keras (Chollet 2015).

        >>> x = ct.linspace(-1, 1, 64).unsqueeze(1)
        >>> loader = ct.utils.data.DataLoader(ct.utils.data.TensorDataset(x, 3 * x + 1), 16)
        >>> model = ct.nn.Linear(1, 1)
        >>> history = ct.train.fit(model, ct.nn.MSELoss(), ct.optim.Adam(model.parameters(), 0.1), loader, 30, progress=False)
        >>> history["loss"][-1] < 0.01, history.epochs
        (True, 30)
    """
    callbacks = list(callbacks)
    _check_parts(model, loss, optimizer, loader, forward, scheduler, callbacks)
    _check_settings(epochs, accumulate, scheduler_every, clip_norm, clip_value, checkpoint, checkpoint_every)
    half = _half(amp)
    if scaler is None and half is dtypes.float16:
        scaler = GradScaler()
    every = [*callbacks, *([TensorBoard(tensorboard)] if tensorboard is not None else []), *([ProgressBar()] if progress else []),
             *([Checkpoint(checkpoint, checkpoint_every)] if checkpoint is not None else [])]
    run = Run(model, optimizer, loader, epochs, validation, scheduler, scaler, _metrics(metrics), _metrics(metrics), tuple(every))
    by_step = scheduler_every == "step"
    evaluate = _evaluation(model, loss, forward, half)
    gradients = _gradients(evaluate, scaler, accumulate)
    update = _update(optimizer, scaler, scheduler if by_step else None, clip_norm, clip_value)

    def whole(batch):
        found = gradients(batch)
        update()
        return found

    made = compiled if compile else lambda function: function
    training = _Training(run, made(evaluate), made(gradients), made(whole), update, accumulate, by_step, forward is None)
    if checkpoint is not None and resume and os.path.exists(checkpoint):
        load_checkpoint(run, checkpoint)
    with Interruption() as interruption:
        training.run_all(interruption, every[-1] if checkpoint is not None else None)
    return run.history


def _evaluation(model, loss, forward, half):
    """A function of a batch that returns (loss, output, target)."""
    def evaluate(batch):
        with autocast("gpu", half or dtypes.bfloat16, enabled=half is not None):
            if forward is None:
                *inputs, target = batch
                output, found = model(*inputs), None
            else:
                output, target, found = forward(model, batch)
            return loss(output, target) if found is None else found, output, target

    return evaluate


def _gradients(evaluate, scaler, accumulate):
    """A function that adds the gradients of a batch, and returns (loss, output, target) without history."""
    def gradients(batch):
        loss, output, target = evaluate(batch)
        part = loss / accumulate if accumulate > 1 else loss
        (part if scaler is None else scaler.scale(part)).backward()
        return loss.detach(), _detached(output), target

    return gradients


def _update(optimizer, scaler, scheduler, clip_norm, clip_value):
    """A function that steps the optimiser with the gradients that are there, and the schedule if it steps by step."""
    parameters = [p for group in optimizer.param_groups for p in group["params"]]

    def update():
        if scaler is not None and (clip_norm is not None or clip_value is not None):
            scaler.unscale_(optimizer)
        if clip_value is not None:
            clip_grad_value_(parameters, clip_value)
        if clip_norm is not None:
            clip_grad_norm_(parameters, clip_norm)
        if scaler is None:
            optimizer.step()
        else:
            scaler.step(optimizer)
            scaler.update()
        optimizer.zero_grad()
        if scheduler is not None:
            scheduler.step()

    return update


class _Training:
    """The loop of one fit."""

    def __init__(self, run, evaluate, gradients, whole, update, accumulate, by_step, plain):
        self.run, self.evaluate, self.gradients, self.whole, self.update = run, evaluate, gradients, whole, update
        self.accumulate, self.by_step, self.plain = accumulate, by_step, plain
        self.device = next((p.device for p in run.model.parameters()), None)

    def run_all(self, interruption, checkpoint):
        """Train until the last epoch, or until a callback stops it."""
        run, training = self.run, self.run.model.training
        run.tell("on_train_begin")
        try:
            while run.epoch < run.epochs and not run.stop:
                self.epoch(interruption, checkpoint)
        finally:
            run.tell("on_train_end")
            run.model.train(training)

    def epoch(self, interruption, checkpoint):
        """Train over the batches that are left of this epoch, then evaluate."""
        run, began = self.run, time.perf_counter()
        batches = self.batches()
        run.model.train()
        run.tell("on_epoch_begin")
        waiting = 0
        for batch in batches:
            waiting = (waiting + 1) % self.accumulate
            self.batch(batch, self.gradients if waiting else self.whole)
            if not waiting:
                self.stepped(interruption, checkpoint)
        if waiting:  # the last step is made of fewer batches
            with no_grad():
                for p in (p for group in run.optimizer.param_groups for p in group["params"]):
                    if p.grad is not None:
                        p.grad.mul_(self.accumulate / waiting)
            self.update()
            self.stepped(interruption, checkpoint)
        if not run.batch:
            raise ArgumentError("fit: the loader gave no batch; it must begin anew each time it is iterated over")
        self.end(began)
        if interruption.asked:
            raise KeyboardInterrupt

    def batches(self):
        """The batches of this epoch; after a resumption those that are left, with all random numbers as they were."""
        run = self.run
        if not run.batch:
            run.started = states(run.loader)
            return iter(run.loader)
        now = states(run.loader)
        set_states(run.started, run.loader)
        found = iter(run.loader)
        for _ in range(run.batch):
            next(found, None)
        set_states(now, run.loader)
        return found

    def batch(self, batch, function):
        """Forward and backward pass of one batch, and the optimiser's step where function takes it."""
        run = self.run
        run.loss, output, target = function(self.moved(batch))
        run.batch += 1
        self.count(run.metrics, run.loss, output, target)
        run.tell("on_batch_end")

    def stepped(self, interruption, checkpoint):
        """After a step of the optimiser."""
        self.run.step += 1
        self.run.tell("on_step_end")
        if interruption.asked:
            if checkpoint is not None:
                checkpoint.write(self.run)
            raise KeyboardInterrupt

    def end(self, began):
        """Evaluate, step the schedule by epoch, note the values and tell the callbacks."""
        run = self.run
        run.logs = {name: m.compute() for name, m in run.metrics.items()}
        if run.validation is not None:
            run.logs |= {f"val_{name}": value for name, value in self.validated().items()}
        run.logs |= {"lr": float(run.optimizer.param_groups[0]["lr"]), "seconds": time.perf_counter() - began}
        if run.scheduler is not None and not self.by_step:
            plateau = isinstance(run.scheduler, ReduceLROnPlateau)
            run.scheduler.step(*([run.logs.get("val_loss", run.logs["loss"])] if plateau else []))
        for metric in run.metrics.values():
            metric.reset()
        run.epoch, run.batch = run.epoch + 1, 0
        run.history.add(run.logs)
        run.tell("on_epoch_end")

    @no_grad()
    def validated(self):
        """{name: value} of the metrics over the validation's batches."""
        run = self.run
        run.model.eval()
        for metric in run.validation_metrics.values():
            metric.reset()
        for batch in run.validation:
            self.count(run.validation_metrics, *self.evaluate(self.moved(batch)))
        run.model.train()
        return {name: m.compute() for name, m in run.validation_metrics.items()}

    def moved(self, batch):
        """A batch on the model's device."""
        leaves, template = flatten(batch)
        if self.plain and not (isinstance(batch, (tuple, list)) and len(batch) > 1):
            raise ArgumentTypeError(f"fit: expected batches (inputs..., target), got {type(batch).__name__}; give "
                                    "forward=function(model, batch) -> (output, target, loss)")
        return unflatten(template, iter([x.to(self.device) if isinstance(x, Tensor) and self.device is not None else x
                                         for x in leaves]))

    @staticmethod
    def count(metrics, loss, output, target):
        """Add a batch to the metrics."""
        n = size(*flatten(target)[0][:1])
        for name, metric in metrics.items():
            if name == "loss":
                metric.add(loss.detach().float() * n, n)
            else:
                metric.update(output, target)


def _detached(output):
    leaves, template = flatten(output)
    return unflatten(template, iter([x.detach() if isinstance(x, Tensor) else x for x in leaves]))


def _metrics(given) -> dict[str, Metric]:
    """{name: Metric}, the loss first; new ones each time."""
    return {"loss": Share(), **collected(given)}


def _half(amp):
    """The dtype of autocast, or None."""
    if amp is False or amp is None:
        return None
    half = dtypes.bfloat16 if amp is True else _HALVES.get(amp, amp) if isinstance(amp, str) else amp
    if half not in _HALVES.values():
        raise ArgumentError(f"fit: amp must be True, 'bfloat16' or 'float16', got {amp!r}")
    return half


def _check_parts(model, loss, optimizer, loader, forward, scheduler, callbacks):
    if not isinstance(model, Module):
        raise ArgumentTypeError(f"fit: model must be a Module, got {type(model).__name__}")
    if not isinstance(optimizer, Optimizer):
        raise ArgumentTypeError(f"fit: optimizer must be an Optimizer, got {type(optimizer).__name__}")
    closure = inspect.signature(optimizer.step).parameters.get("closure")
    if closure is not None and closure.default is closure.empty:
        raise ArgumentTypeError(f"fit: a step of {type(optimizer).__name__} asks for the loss several times, by a closure; write "
                                "the loop by hand, or use an optimizer whose step takes none")
    if loss is None and forward is None:
        raise ArgumentTypeError("fit: loss is None; give a function of (output, target), or forward, which returns the loss")
    if loss is not None and not callable(loss):
        raise ArgumentTypeError(f"fit: loss must be a function of (output, target), got {type(loss).__name__}")
    if not isinstance(loader, Iterable) or hasattr(loader, "__next__"):
        raise ArgumentTypeError("fit: loader must begin anew for each epoch, as a DataLoader or a list does, got "
                                f"{type(loader).__name__}")
    if scheduler is not None and not hasattr(scheduler, "step"):
        raise ArgumentTypeError(f"fit: scheduler must be a schedule of optim.lr_scheduler, got {type(scheduler).__name__}")
    for callback in callbacks:
        if not isinstance(callback, Callback):
            raise ArgumentTypeError(f"fit: callbacks must be Callbacks, got {callback!r}")


def _check_settings(epochs, accumulate, scheduler_every, clip_norm, clip_value, checkpoint, checkpoint_every):
    for name, value, least in (("epochs", epochs, 0), ("accumulate", accumulate, 1), ("checkpoint_every", checkpoint_every, 0)):
        if not isinstance(value, int) or value < least:
            raise ArgumentError(f"fit: {name} must be a whole number of at least {least}, got {value!r}")
    for name, value in (("clip_norm", clip_norm), ("clip_value", clip_value)):
        if value is not None and not value > 0:
            raise ArgumentError(f"fit: {name} must be above 0, got {value!r}")
    if scheduler_every not in ("epoch", "step"):
        raise ArgumentError(f"fit: scheduler_every must be 'epoch' or 'step', got {scheduler_every!r}")
    if checkpoint_every and checkpoint is None:
        raise ArgumentError("fit: checkpoint_every asks for a checkpoint; give checkpoint=PATH")
