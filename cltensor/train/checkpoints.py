"""Checkpoints: the whole state of a training in one file, from which it goes on as if it had never ended."""

from __future__ import annotations

import os
from collections.abc import Mapping
from os import PathLike
from typing import Any

from ..base.errors import ArgumentError, SerializationError
from ..io.atomic import check_folder
from ..io.load import load
from ..io.save import save
from .callbacks import Callback, better, monitored
from .random_states import set_states, states
from .run import Run

_FORMAT = 1
_PARTS = ("model", "optimizer", "scheduler", "scaler", "history")


def save_checkpoint(run: Run, path: str | PathLike[str]) -> None:
    """Write the state of a training to a file, which is replaced only once the new one is complete.

    Held are the model, the optimiser, the schedule, the GradScaler, all random numbers, the sums of the metrics, the history, the
    callbacks' states, and how far the epoch has come: tensors of any shape and dtype, bit for bit.
    Raises SerializationError for a state of a callback that is neither tensors nor plain values, OSError where the file cannot be
    written.  Source: see io.save.

        class Twice(Callback):
            def on_epoch_end(self, run):
                save_checkpoint(run, f"epoch-{run.epoch}.ct")
    """
    state: dict[str, Any] = {name: part.state_dict() for name in _PARTS if (part := getattr(run, name)) is not None}
    state |= {"format": _FORMAT, "epoch": run.epoch, "batch": run.batch, "step": run.step, "stop": run.stop, "started": run.started,
              "random": states(run.loader), "metrics": {name: m.state_dict() for name, m in run.metrics.items()},
              "callbacks": [[type(c).__name__, c.state_dict()] for c in run.callbacks]}
    save(state, path)


def load_checkpoint(run: Run, path: str | PathLike[str]) -> None:
    """Put a training into the state that save_checkpoint wrote: what the Run holds, and the random numbers.

    Raises FileNotFoundError for no file, SerializationError for a damaged one and for one that holds no training, ArgumentError
    where the Run has other parts, and what the parts raise for tensors of other shapes or dtypes.  Source: see io.load.

        load_checkpoint(run, "epoch-3.ct")
    """
    state = load(path)
    if not isinstance(state, Mapping) or state.get("format") != _FORMAT or "random" not in state:
        raise SerializationError(f"load_checkpoint: {os.fspath(path)} is no checkpoint of a training; load it with cltensor.load")
    names = [[type(c).__name__ for c in run.callbacks], [name for name, _ in state["callbacks"]]]
    if names[0] != names[1]:
        raise ArgumentError(f"load_checkpoint: {os.fspath(path)} was written with the callbacks {', '.join(names[1]) or 'none'}, "
                            f"now there are {', '.join(names[0]) or 'none'}; give the same ones, or resume=False")
    for name in _PARTS:
        part = getattr(run, name)
        if (part is None) != (name not in state):
            raise ArgumentError(f"load_checkpoint: {os.fspath(path)} was written {'without' if part is not None else 'with'} a "
                                f"{name}; give the same parts, or resume=False")
        if part is not None:
            part.load_state_dict(state[name])
    if set(state["metrics"]) != set(run.metrics):
        raise ArgumentError(f"load_checkpoint: {os.fspath(path)} has the metrics {', '.join(state['metrics'])}, now there are "
                            f"{', '.join(run.metrics)}; give the same ones, or resume=False")
    for name, metric in run.metrics.items():
        metric.load_state_dict(state["metrics"][name])
    for callback, (_, own) in zip(run.callbacks, state["callbacks"], strict=True):
        callback.load_state_dict(own)
    run.epoch, run.batch, run.step, run.stop, run.started = (state[n] for n in ("epoch", "batch", "step", "stop", "started"))
    set_states(state["random"], run.loader)


class Checkpoint(Callback):
    """Writes checkpoints while a model is trained: of each epoch, or of the best one, and every n steps.

    Args: path, the file; with {epoch} or {step} in it, a file each time; every, how many steps of the optimiser lie between two
        checkpoints, 0 for one at the end of each epoch only; monitor, a name in the logs: then a checkpoint is written only when
        that value is the best so far; mode, "min" or "max", by default "max" for accuracies and F1.
    No tensor's shape or dtype plays a part.  Raises ArgumentError for other settings, OSError where a file cannot be written,
    at once for a folder that is not there.
    Source: see save_checkpoint.

        fit(model, loss, optimizer, loader, 10, validation=held_out, callbacks=[Checkpoint("best.ct", monitor="val_loss")])
    """

    def __init__(self, path: str | PathLike[str], every: int = 0, monitor: str | None = None, mode: str | None = None):
        if mode not in (None, "min", "max"):
            raise ArgumentError(f"Checkpoint: mode must be 'min' or 'max', got {mode!r}")
        if every < 0 or (every and monitor):
            raise ArgumentError(f"Checkpoint: every must be at least 0, and 0 with a monitor, got {every}")
        if "{" not in os.path.dirname(os.fspath(path)):
            check_folder(path, "Checkpoint")
        self.path, self.every, self.monitor, self.mode = os.fspath(path), every, monitor, mode or better(monitor or "")
        self.best: float | None = None

    def on_step_end(self, run: Run) -> None:
        """See Callback."""
        if self.every and run.step % self.every == 0:
            self.write(run)

    def on_epoch_end(self, run: Run) -> None:
        """See Callback."""
        if self.monitor is not None:
            value = monitored(run, self.monitor, "Checkpoint")
            if self.best is not None and not (value < self.best if self.mode == "min" else value > self.best):
                return
            self.best = value
        self.write(run)

    def write(self, run: Run) -> None:
        """Write a checkpoint now."""
        save_checkpoint(run, self.path.format(epoch=run.epoch, step=run.step) if "{" in self.path else self.path)

    def state_dict(self) -> dict[str, Any]:
        """See Callback."""
        return {"best": self.best}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """See Callback."""
        self.best = state["best"]
