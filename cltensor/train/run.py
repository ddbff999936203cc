"""Run: the state of one training, which callbacks see and checkpoints hold."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from .history import History


@dataclass(eq=False)
class Run:
    """Where a training stands; fit makes it, callbacks get it and may set `stop`.

    model, optimizer, scheduler, scaler, loader, validation, epochs: as fit was given them
    metrics, validation_metrics   the Metrics of each, as {name: Metric}; loss is among them
    callbacks  all callbacks, fit's own among them
    history    the History of the epochs that are over
    epoch      the number of epochs that are over; batch: the number of batches of this epoch that are over
    step       the number of the optimiser's steps
    logs       the values of the epoch that has just ended; loss: the last batch's loss, a 0-d tensor
    stop       set it to True to end after this epoch
    started    the state of the random numbers when this epoch began

    Tensors have the shapes and dtypes of the model.  Never raises.  Source: none, it is what a loop keeps.

        >>> net = ct.nn.Linear(2, 1)
        >>> run = ct.train.Run(net, ct.optim.SGD(net.parameters(), 0.1), [], epochs=3)
        >>> run.epoch, run.step, run.stop
        (0, 0, False)
    """

    model: Any
    optimizer: Any
    loader: Any
    epochs: int
    validation: Any = None
    scheduler: Any = None
    scaler: Any = None
    metrics: dict[str, Any] = field(default_factory=dict)
    validation_metrics: dict[str, Any] = field(default_factory=dict)
    callbacks: tuple[Any, ...] = ()
    history: History = field(default_factory=History)
    epoch: int = 0
    batch: int = 0
    step: int = 0
    logs: dict[str, float] = field(default_factory=dict)
    loss: Any = None
    stop: bool = False
    started: str = ""

    def tell(self, event: str) -> None:
        """Call a method of every callback."""
        for callback in self.callbacks:
            getattr(callback, event)(self)
