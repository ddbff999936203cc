"""progress: how far a loop has come, how fast it goes, and values such as the loss."""

from __future__ import annotations

import importlib
import sys
import time
from collections.abc import Iterable, Iterator
from typing import IO, Any

from ..base.errors import ArgumentError
from ..base.extras import extra
from ..dispatch.tensor_base import TensorBase

_STYLES = ("tqdm", "rich", "lines", "none")
_OFTEN, _SELDOM = 0.1, 10.0  # seconds between two updates of a bar, and between two lines


class Progress:
    """An iterable that tells how far it has come; or, without one, something to advance by hand.

    count: how many items are done; total: how many there are, or None; rate: items a second, values: what show was given.
    """

    def __init__(self, iterable, total, description, unit, style, file, interval, initial):
        self._iterable, self.total, self.description, self.unit = iterable, total, description, unit
        self.count, self.initial, self.values = initial, initial, {}
        self._start = self._shown = time.perf_counter()
        self._interval = (_SELDOM if style == "lines" else _OFTEN) if interval is None else interval
        self._display = _DISPLAYS[style](self, file)
        self._closed = False

    def __iter__(self) -> Iterator[Any]:
        if self._iterable is None:
            raise ArgumentError("progress: there is nothing to iterate over; give an iterable, or call advance()")
        try:
            for item in self._iterable:
                yield item
                self.advance()
        finally:
            self.close()

    def __len__(self) -> int:
        return len(self._iterable)

    def advance(self, n: int = 1) -> None:
        """Note that n more items are done."""
        self.count += n
        now = time.perf_counter()
        if now - self._shown >= self._interval:
            self._shown = now
            self._display.update()

    def show(self, **values: Any) -> None:
        """Set values to be shown, numbers or tensors of one element; a tensor is read, which waits, only when it is drawn."""
        self.values.update(values)

    @property
    def rate(self) -> float:
        """Items a second since the start."""
        return (self.count - self.initial) / max(time.perf_counter() - self._start, 1e-9)

    def text(self) -> str:
        """The values as one text: "loss 0.25, lr 0.001"."""
        return ", ".join(f"{name} {_shown(value)}" for name, value in self.values.items())

    def close(self) -> None:
        """Draw it for the last time."""
        if not self._closed:
            self._closed = True
            self._display.close()

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, exc_type: Any, exc_val: Any, exc_tb: Any) -> None:
        self.close()


def progress(iterable: Iterable[Any] | None = None, *, total: int | None = None, description: str = "", unit: str = "it",
             style: str | None = None, file: IO[str] | None = None, interval: float | None = None, initial: int = 0) -> Progress:
    """Iterate over something and show how far one is, how fast it goes, and values such as the loss.

    In a terminal it is a bar of tqdm's, or of rich's where only that is installed; elsewhere, and without either, plain lines, the
    last one when it ends.  Tensors of one element, of any dtype, are read only when they are drawn, ten times a second at most, so
    the loop does not wait for its device at each step.

    Args: iterable, or None to call advance() by hand; total, the number of items, len(iterable) by default; description, in front;
        unit, of what; style, "tqdm", "rich", "lines" or "none" instead of the choice above; file, stderr by default; interval, the
        least seconds between two updates; initial, how many items were done before.
    Raises ArgumentError for another style, MissingPackageError where the package of the style asked for is missing.
    Source: the interface follows tqdm's.

        >>> import sys
        >>> bar = ct.utils.progress(range(3), description="epoch 1", style="none")
        >>> for step in bar:
        ...     bar.show(loss=1 / (step + 1))
        >>> bar.count, bar.text()
        (3, 'loss 0.3333')
    """
    check_style(style, "progress")
    file = sys.stderr if file is None else file
    if total is None and hasattr(iterable, "__len__"):
        total = len(iterable)
    return Progress(iterable, total, description, unit, style or _style(file), file, interval, initial)


def check_style(style, call):
    """Raise ArgumentError for a style that there is not."""
    if style is not None and style not in _STYLES:
        raise ArgumentError(f"{call}: style must be one of {', '.join(map(repr, _STYLES))}, got {style!r}")


def _style(file):
    """The best style for a file."""
    if not (hasattr(file, "isatty") and file.isatty()):
        return "lines"
    return next((name for name in ("tqdm", "rich") if _there(name)), "lines")


def _there(package):
    try:
        importlib.import_module(package)
    except ImportError:
        return False
    return True


def _shown(value):
    if isinstance(value, TensorBase):
        value = value.item()
    return f"{value:.4g}" if isinstance(value, float) else str(value)


class _Silent:
    """Shows nothing."""

    def __init__(self, bar, file):
        self.bar, self.file = bar, file

    def update(self):
        """Show how far it is."""

    def close(self):
        """Show it for the last time."""


class _Lines(_Silent):
    """A line each time."""

    def update(self):
        b = self.bar
        done = f"{b.count}/{b.total}" if b.total is not None else f"{b.count}"
        parts = [f"{b.description}: {done} {b.unit}" if b.description else f"{done} {b.unit}", f"{b.rate:.3g} {b.unit}/s", b.text()]
        print(", ".join(filter(None, parts)), file=self.file, flush=True)

    close = update


class _Tqdm(_Silent):
    """A bar of tqdm's."""

    def __init__(self, bar, file):
        super().__init__(bar, file)
        made = extra("tqdm", "see", "progress").tqdm
        self.drawn = made(total=bar.total, desc=bar.description or None, unit=bar.unit, file=file, mininterval=0,
                          initial=bar.initial, dynamic_ncols=True)

    def update(self):
        """See _Silent."""
        self.drawn.set_postfix_str(self.bar.text(), refresh=False)
        self.drawn.update(self.bar.count - self.drawn.n)

    def close(self):
        """See _Silent."""
        self.update()
        self.drawn.close()


class _Rich(_Silent):
    """A bar of rich's."""

    def __init__(self, bar, file):
        super().__init__(bar, file)
        rich = extra("rich.progress", "see", "progress")
        console = extra("rich.console", "see", "progress").Console(file=file)
        self.drawn = rich.Progress(
            rich.TextColumn("{task.description}"), rich.BarColumn(), rich.MofNCompleteColumn(), rich.TimeRemainingColumn(),
            rich.TextColumn("{task.fields[rate]}"), rich.TextColumn("{task.fields[values]}"), console=console, auto_refresh=False)
        self.drawn.start()
        self.task = self.drawn.add_task(bar.description, total=bar.total, rate="", values="")

    def update(self):
        """See _Silent."""
        b = self.bar
        self.drawn.update(self.task, completed=b.count, rate=f"{b.rate:.3g} {b.unit}/s", values=b.text(), refresh=True)

    def close(self):
        """See _Silent."""
        self.update()
        self.drawn.stop()


_DISPLAYS = {"tqdm": _Tqdm, "rich": _Rich, "lines": _Lines, "none": _Silent}
