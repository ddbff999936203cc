"""Timer: run a statement many times, wait for the devices, and note how long it took."""

from __future__ import annotations

import enum
import sys
import textwrap
import timeit
from collections.abc import Callable
from typing import Any

from ...base import calls
from ...base.errors import ArgumentError
from ...runtime import device as devices
from .measurement import Measurement, TaskSpec

_OVERHEAD = 1e-4  # a block's share of the clock's own time
_CLOCK_RUNS = 100
_PACKAGE = __name__.partition(".")[0]


class Language(enum.Enum):
    """The languages of statements; only PYTHON is measured.

    No shape or dtype plays a part.  Never raises.  Source: PyTorch 2.13's utils.benchmark.

        utils.benchmark.Language.PYTHON
    """

    PYTHON = 0
    CPP = 1


def timer() -> float:
    """The time in seconds, once every device in use has done what was enqueued.

    No shape or dtype plays a part.  Raises DeviceError where a device fails.
    Source: timeit.default_timer of Python's library.

        start = utils.benchmark.timer()
    """
    for d in devices.opened():
        d.synchronize()
    return timeit.default_timer()


class Timer:
    """Measures how long a Python statement takes, work that it leaves to a device included.

    stmt, setup: Python text; globals: the names that they see, besides cltensor; timer: a clock, by default one that waits for
    the devices.  label, sub_label, description and env name the measurement in tables.  num_threads is noted only: a device's
    driver has threads of its own.  Tensors of any shape and dtype may be used.

    Raises ArgumentError for language="c++", and for anything that is wrong with the text when it runs.
    Source: timeit of Python's library; the names of PyTorch 2.13's utils.benchmark.

        utils.benchmark.Timer("x @ x", globals={"x": cltensor.ones(64, 64)}, label="matmul").blocked_autorange()
    """

    def __init__(self, stmt: str = "pass", setup: str = "pass", global_setup: str = "", timer: Callable[[], float] = timer,
                 globals: dict[str, Any] | None = None, label: str | None = None, sub_label: str | None = None,
                 description: str | None = None, env: str | None = None, num_threads: int = 1,
                 language: Language | str = Language.PYTHON) -> None:
        if language not in (Language.PYTHON, "py", "python"):
            raise ArgumentError(f"Timer: language {language!r} is not measured; write the statement in Python")
        if global_setup:
            raise ArgumentError("Timer: global_setup belongs to C++; use setup")
        if num_threads < 1:
            raise ArgumentError(f"Timer: num_threads must be at least 1, got {num_threads}")
        stmt, setup = textwrap.dedent(stmt).strip(), textwrap.dedent(setup).strip()
        names = {_PACKAGE: sys.modules[_PACKAGE], **(globals or {})}
        self._clock, self._timer = timer, timeit.Timer(stmt, setup, timer, names)
        self._task_spec = TaskSpec(stmt, setup, "", label, sub_label, description, env, num_threads)

    def _time(self, number):
        """Seconds that `number` runs take."""
        return max(self._timer.timeit(number), 1e-9)

    def _measured(self, number, times):
        return Measurement(number, times, self._task_spec)

    def timeit(self, number: int = 1000000) -> Measurement:
        """Run the statement `number` times, after a hundredth of that to warm up."""
        if number < 1:
            raise ArgumentError(f"timeit: number must be at least 1, got {number}")
        self._time(max(number // 100, 2))
        return self._measured(number, [self._time(number)])

    def blocked_autorange(self, callback: Callable[[int, float], Any] | None = None, min_run_time: float = 0.2) -> Measurement:
        """Measure blocks of runs for min_run_time seconds; a block is long enough for the clock not to matter.

        callback(runs in a block, seconds) is called after each.
        """
        number = self._block(min_run_time)
        return self._blocks(number, callback, lambda times: sum(times) >= min_run_time)

    def adaptive_autorange(self, threshold: float = 0.1, *, min_run_time: float = 0.01, max_run_time: float = 10.0,
                           callback: Callable[[int, float], Any] | None = None) -> Measurement:
        """Measure blocks until their interquartile range is below `threshold` of the median, or max_run_time seconds are over."""
        number = self._block(0.05)

        def done(times):
            enough = len(times) > 3 and sum(times) > min_run_time
            return sum(times) >= max_run_time or (enough and self._measured(number, times).meets_confidence(threshold))

        return self._blocks(number, callback, done)

    def _blocks(self, number, callback, done):
        times: list[float] = []
        while not done(times) or not times:
            times.append(self._time(number))
            if callback is not None:
                callback(number, times[-1])
        return self._measured(number, times)

    def _block(self, min_run_time):
        """How many runs make a block: so many that reading the clock is a small part of it."""
        clock = sorted(self._clock_time() for _ in range(5))[2]
        self._time(1)
        number = 1
        while True:
            spent = self._time(number)
            if (clock / spent <= _OVERHEAD and spent >= min_run_time / 1000) or spent >= min_run_time:
                return number
            number *= 10

    def _clock_time(self):
        """Seconds that reading the clock takes."""
        start = self._clock()
        for _ in range(_CLOCK_RUNS):
            end = self._clock()
        return (end - start) / _CLOCK_RUNS


calls.named(timer, "timer")
