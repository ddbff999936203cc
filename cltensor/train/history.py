"""History: what each epoch led to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..base.errors import ArgumentError


class History(Mapping):
    """{name: list with a number for each epoch}: the loss, the metrics, those of the validation as val_NAME, lr and seconds.

    history: the dict itself, which utils.plot.curves draws.  Lists have None for an epoch that lacks a value.
    No tensor's shape or dtype plays a part.  Raises KeyError for an unknown name.
    Source: the name is that of Keras (Chollet 2015).

        >>> history = ct.train.History()
        >>> history.add({"loss": 0.5}); history.add({"loss": 0.25, "val_loss": 0.5})
        >>> history["loss"], history["val_loss"], history.best("loss")
        ([0.5, 0.25], [None, 0.5], (1, 0.25))
    """

    def __init__(self) -> None:
        self.history: dict[str, list[Any]] = {}
        self.epochs = 0

    def add(self, values: Mapping[str, float]) -> None:
        """Add the values of one epoch."""
        for name in values:
            self.history.setdefault(name, [None] * self.epochs)
        self.epochs += 1
        for name, found in self.history.items():
            found.append(values.get(name))

    def best(self, name: str, mode: str = "min") -> tuple[int, float]:
        """(epoch, value) of the least value, or with mode="max" the greatest.  Raises ArgumentError where there is none."""
        found = [(value, epoch) for epoch, value in enumerate(self[name]) if value is not None and value == value]
        if not found:
            raise ArgumentError(f"best: {name!r} has no value that is a number")
        value, epoch = min(found) if mode == "min" else max(found, key=lambda pair: (pair[0], -pair[1]))
        return epoch, value

    def state_dict(self) -> dict[str, Any]:
        """The values and the number of epochs."""
        return {"history": self.history, "epochs": self.epochs}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore a result of state_dict."""
        self.history = {name: list(found) for name, found in state["history"].items()}
        self.epochs = state["epochs"]

    def __getitem__(self, name: str) -> list[Any]:
        return self.history[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.history)

    def __len__(self) -> int:
        return len(self.history)

    def __repr__(self) -> str:
        last = ", ".join(f"{name} {line(found[-1])}" for name, found in self.history.items() if found)
        return f"History of {self.epochs} epoch{'s' * (self.epochs != 1)}" + (f", the last one: {last}" if last else "")


def line(value: Any) -> str:
    """A value as a short text."""
    return "-" if value is None else f"{value:.4g}"
