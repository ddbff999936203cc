"""Callbacks: what is to happen between the steps and epochs of a training."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..autograd.modes import no_grad
from ..base.errors import ArgumentError
from ..utils.progress_bar import check_style, progress
from .history import line
from .run import Run


class Callback:
    """Base of callbacks: fit calls its methods with the Run; override those that you need.

    A callback with a state of its own gives it in state_dict, and checkpoints then hold it; it must consist of tensors, of any
    shape and dtype, and plain values.  What a method raises ends the training.  Source: the events are Keras's (Chollet 2015).

        class PrintStep(Callback):
            def on_step_end(self, run):
                print(run.step)
    """

    def on_train_begin(self, run: Run) -> None:
        """Before the first epoch, after a checkpoint was loaded."""

    def on_epoch_begin(self, run: Run) -> None:
        """Before the first batch of an epoch."""

    def on_batch_end(self, run: Run) -> None:
        """After each batch; run.loss is its loss, a 0-d tensor, reading which waits for the device."""

    def on_step_end(self, run: Run) -> None:
        """After each step of the optimiser."""

    def on_epoch_end(self, run: Run) -> None:
        """After the validation of an epoch; run.logs holds its values.  Setting run.stop ends the training."""

    def on_train_end(self, run: Run) -> None:
        """After the last epoch, and where an error or an interruption ends the training."""

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint is to hold."""
        return {}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore a result of state_dict."""


class EarlyStopping(Callback):
    """Ends the training once a value has not become better for some epochs.

    Args: monitor, a name in the logs, by default the validation's loss; patience, how many epochs without improvement end it;
        min_delta, the least change that is one; mode, "min" or "max", by default "max" for accuracies and F1; restore_best, whether
        the model gets back, at the end, the parameters and buffers, of any shape and dtype, that it had at its best.
    Raises ArgumentError for other settings, and at the end of an epoch whose logs lack the value.
    Source: Prechelt 1998.

        >>> stopping = ct.train.EarlyStopping(patience=2)
        >>> stopping.patience
        2
    """

    def __init__(self, monitor: str = "val_loss", patience: int = 5, min_delta: float = 0.0, mode: str | None = None,
                 restore_best: bool = False):
        if mode not in (None, "min", "max"):
            raise ArgumentError(f"EarlyStopping: mode must be 'min' or 'max', got {mode!r}")
        if patience < 1 or min_delta < 0:
            raise ArgumentError("EarlyStopping: patience must be at least 1 and min_delta at least 0, got "
                                f"{patience} and {min_delta}")
        self.monitor, self.patience, self.min_delta, self.restore_best = monitor, patience, min_delta, restore_best
        self.mode = mode or better(monitor)
        self.best: float | None = None
        self.waited, self.best_epoch, self.weights = 0, -1, None

    def on_epoch_end(self, run: Run) -> None:
        """See Callback."""
        value = monitored(run, self.monitor, "EarlyStopping")
        gain = -1.0 if self.best is None else (self.best - value if self.mode == "min" else value - self.best)
        if self.best is None or gain > self.min_delta:
            self.best, self.best_epoch, self.waited = value, run.epoch, 0
            if self.restore_best:
                self.weights = {name: t.detach().clone() for name, t in run.model.state_dict().items()}
        else:
            self.waited += 1
            run.stop = run.stop or self.waited >= self.patience

    def on_train_end(self, run: Run) -> None:
        """See Callback."""
        if self.weights is not None and (run.stop or run.epoch >= run.epochs):
            with no_grad():
                run.model.load_state_dict(self.weights)

    def state_dict(self) -> dict[str, Any]:
        """See Callback."""
        return {"best": self.best, "waited": self.waited, "best_epoch": self.best_epoch, "weights": self.weights}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """See Callback."""
        self.best, self.waited, self.best_epoch, self.weights = (state[n] for n in ("best", "waited", "best_epoch", "weights"))


class ProgressBar(Callback):
    """Shows how far an epoch has come, with its loss and rate, and a line with its values at its end.

    style, file and interval: as utils.progress takes them.  The loss, a 0-d tensor of any floating dtype, is read only when it is
    drawn.
    Raises ArgumentError for another style.  Source: see utils.progress.

        >>> bar = ct.train.ProgressBar("lines")
    """

    def __init__(self, style: str | None = None, file: Any = None, interval: float | None = None):
        self.settings = {"style": style, "file": file, "interval": interval}
        check_style(style, "ProgressBar")
        self._bar = progress(style="none")

    def __getstate__(self) -> dict[str, Any]:
        return {"settings": self.settings}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(**state["settings"])

    def on_epoch_begin(self, run: Run) -> None:
        """See Callback."""
        total = len(run.loader) if hasattr(run.loader, "__len__") else None
        self._bar = progress(total=total, description=f"epoch {run.epoch + 1}/{run.epochs}", unit="batch", initial=run.batch,
                             **self.settings)

    def on_batch_end(self, run: Run) -> None:
        """See Callback."""
        self._bar.show(loss=run.loss)
        self._bar.advance()

    def on_epoch_end(self, run: Run) -> None:
        """See Callback."""
        self._bar.values = {}
        self._bar.show(**{name: float(line(v)) for name, v in run.logs.items()})
        self._bar.close()

    def on_train_end(self, run: Run) -> None:
        """See Callback."""
        self._bar.close()


class TensorBoard(Callback):
    """Logs the values of each epoch for TensorBoard, and the loss of every n-th step, at the number of the optimiser's steps.

    A training that is resumed hides what an earlier one has logged after its checkpoint.

    Args: log_dir, the folder, or a SummaryWriter; every, how many steps lie between two losses, which are read, each of which waits
        for the device, 0 for none; histograms, whether to log the parameters, of any shape and dtype, after each epoch.
    Raises MissingPackageError without the package tensorboard.  Source: see utils.tensorboard.

        fit(model, loss, optimizer, loader, 10, callbacks=[TensorBoard("runs/first", every=50)])
    """

    def __init__(self, log_dir: Any = None, every: int = 0, histograms: bool = False):
        self.log_dir, self.every, self.histograms, self.writer = log_dir, every, histograms, None

    def on_train_begin(self, run: Run) -> None:
        """See Callback."""
        if hasattr(self.log_dir, "add_scalar"):
            self.writer = self.log_dir
        else:
            from ..utils.tensorboard import SummaryWriter

            self.writer = SummaryWriter(self.log_dir, purge_step=run.step + 1 if run.step else None)

    def on_step_end(self, run: Run) -> None:
        """See Callback."""
        if self.every and run.step % self.every == 0:
            self.writer.add_scalar("step/loss", run.loss, run.step)

    def on_epoch_end(self, run: Run) -> None:
        """See Callback."""
        for name, value in run.logs.items():
            part, _, rest = name.partition("_")
            self.writer.add_scalar(f"{rest}/val" if part == "val" else f"{name}/train", value, run.step)
        if self.histograms:
            for name, p in run.model.named_parameters():
                self.writer.add_histogram(name, p, run.step)
        self.writer.flush()

    def on_train_end(self, run: Run) -> None:
        """See Callback."""
        if self.writer is not None and self.writer is not self.log_dir:
            self.writer.close()


def better(name):
    """Whether a value is better when it is greater or when it is less: "max" or "min"."""
    return "max" if any(word in name for word in ("acc", "f1", "top", "auc", "iou", "precision", "recall")) else "min"


def monitored(run, name, call):
    """A value in the logs.  Raises ArgumentError where it is not there."""
    if name not in run.logs:
        raise ArgumentError(f"{call}: the epoch has no value {name!r}; it has {', '.join(run.logs)}"
                            + ("; give fit a validation loader" if name.startswith("val_") and run.validation is None else ""))
    return run.logs[name]
