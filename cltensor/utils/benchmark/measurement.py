"""Measurement: the times of one statement, and what they say."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from ...base.errors import ArgumentError

_UNITS = (("ns", 1e-9), ("us", 1e-6), ("ms", 1e-3), ("s", 1.0))
_SIGMAS = 1.645  # half the width of a normal distribution's middle 90 %
_IQR_OF_SIGMA = 1.349  # the interquartile range of a normal distribution of deviation 1
_WIDE = 0.1  # an interquartile range above this part of the median calls for a warning
_MOST_DIGITS = 5


def select_unit(t: float) -> tuple[str, float]:
    """The unit, "ns", "us", "ms" or "s", in which a time of t seconds reads well, and its length in seconds.

    A float; no shape or dtype plays a part.  Never raises.  Source: the SI prefixes.

        utils.benchmark.select_unit(3e-5)    # ("us", 1e-06)
    """
    return next((unit for unit in reversed(_UNITS) if t >= unit[1]), _UNITS[0])


def trim_sigfig(x: float, n: int) -> float:
    """A float rounded to n significant digits; no shape or dtype plays a part.  Never raises.

    Source: the definition of significant digits.

        utils.benchmark.trim_sigfig(123.456, 2)    # 120.0
    """
    if not x or not math.isfinite(x):
        return float(x)
    return float(round(x, n - 1 - math.floor(math.log10(abs(x)))))


@dataclass(frozen=True)
class TaskSpec:
    """What was measured: the statement, its setup, and the words that tables group it by.

    Strings and the number of threads; no shape or dtype plays a part.  Never raises.
    Source: PyTorch 2.13's utils.benchmark.

        utils.benchmark.TaskSpec("x + x", "x = cltensor.ones(3)", label="add")
    """

    stmt: str
    setup: str
    global_setup: str = ""
    label: str | None = None
    sub_label: str | None = None
    description: str | None = None
    env: str | None = None
    num_threads: int = 1

    @property
    def title(self) -> str:
        """The label with the sub-label, or the statement."""
        head = self.label or f"stmt: {self.stmt}"
        return f"{head}: {self.sub_label}" if self.sub_label else head

    @property
    def as_row_name(self) -> str:
        """What a table's row is called."""
        return self.sub_label or self.stmt or "[Unknown]"

    def summarize(self) -> str:
        """A few lines that say what was measured."""
        setup = "" if self.setup == "pass" or not self.setup else f"setup: {self.setup}"
        return "\n".join(filter(None, (self.title, self.description, setup)))


@dataclass
class Measurement:
    """Times of one statement: raw_times, in seconds, each of number_per_run runs.

    times, median, mean and iqr (the interquartile range) are seconds a run.  The attributes of task_spec are its own as well.
    No shape or dtype plays a part.  Raises ArgumentError without times.
    Source: Hoaglin et al., Understanding Robust and Exploratory Data Analysis, 1983, for the median and the range.

        measurement = utils.benchmark.Timer("x + x", globals={"x": cltensor.ones(3)}).timeit(100)
        measurement.median
    """

    number_per_run: int
    raw_times: list[float]
    task_spec: TaskSpec
    metadata: dict[Any, Any] | None = None

    def __post_init__(self) -> None:
        if not self.raw_times:
            raise ArgumentError("Measurement: there are no times; measure at least one run")

    @property
    def times(self) -> list[float]:
        """Seconds a run, for each measurement."""
        return [t / self.number_per_run for t in self.raw_times]

    @property
    def median(self) -> float:
        """The median time of a run, in seconds."""
        return statistics.median(self.times)

    @property
    def mean(self) -> float:
        """The mean time of a run, in seconds."""
        return statistics.fmean(self.times)

    def _quartiles(self):
        ordered, last = sorted(self.times), len(self.times) - 1
        found = []
        for place in (0.25 * last, 0.75 * last):
            low = math.floor(place)
            found.append(ordered[low] + (place - low) * (ordered[min(low + 1, last)] - ordered[low]))
        return found

    @property
    def iqr(self) -> float:
        """The range of the middle half of the times, in seconds."""
        low, high = self._quartiles()
        return high - low

    @property
    def significant_figures(self) -> int:
        """How many digits of the median are worth showing: those that its standard error leaves alone."""
        n = len(self.times)
        if n < 3 or not self.median:
            return _MOST_DIGITS if n == 1 else 1
        error = _SIGMAS * (self.iqr / _IQR_OF_SIGMA) / math.sqrt(n) / self.median
        return _MOST_DIGITS if not error else max(1, min(_MOST_DIGITS, math.floor(-math.log10(error)) + 1))

    @property
    def has_warnings(self) -> bool:
        """Whether the times spread widely."""
        return not self.meets_confidence()

    def meets_confidence(self, threshold: float = _WIDE) -> bool:
        """Whether the interquartile range is below this part of the median."""
        return self.iqr / self.median < threshold if self.median else True

    stmt = property(lambda self: self.task_spec.stmt)
    setup = property(lambda self: self.task_spec.setup)
    label = property(lambda self: self.task_spec.label)
    sub_label = property(lambda self: self.task_spec.sub_label)
    description = property(lambda self: self.task_spec.description)
    env = property(lambda self: self.task_spec.env)
    num_threads = property(lambda self: self.task_spec.num_threads)
    title = property(lambda self: self.task_spec.title)
    as_row_name = property(lambda self: self.task_spec.as_row_name)

    @staticmethod
    def merge(measurements: Iterable[Measurement]) -> list[Measurement]:
        """One Measurement for each task, with the times of all of that task; each time then counts as one run."""
        groups: dict[TaskSpec, list[float]] = {}
        for m in measurements:
            groups.setdefault(m.task_spec, []).extend(m.times)
        return [Measurement(1, times, spec) for spec, times in groups.items()]

    def __repr__(self) -> str:
        name, unit = select_unit(self.median)
        n = len(self.raw_times)
        lines = [f"<Measurement of {self.number_per_run} run{'s' * (self.number_per_run != 1)}"
                 f"{f', {n} times' if n > 1 else ''}>", self.task_spec.summarize()]
        lines.append(f"  {'Median: ' if n > 1 else ''}{self.median / unit:.2f} {name}")
        if n > 1:
            low, high = self._quartiles()
            lines.append(f"  IQR:    {self.iqr / unit:.2f} {name} ({low / unit:.2f} to {high / unit:.2f})")
        lines.append(f"  {n} measurement{'s' * (n != 1)}, {self.number_per_run} runs{' per measurement' * (n != 1)}, "
                     f"{self.num_threads} thread{'s' * (self.num_threads != 1)}")
        if self.has_warnings:
            lines.append(f"  WARNING: the interquartile range is {self.iqr / self.median:.1%} of the median; something else may be "
                         "running")
        return "\n".join(lines)
