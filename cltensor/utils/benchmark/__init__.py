"""Timing code with torch.utils.benchmark's names: Timer measures, Measurement says what was found, Compare sets it side by side."""

from .compare import Colorize, Compare
from .measurement import Measurement, TaskSpec, select_unit, trim_sigfig
from .timer import Language, Timer, timer

__all__ = ["Colorize", "Compare", "Language", "Measurement", "TaskSpec", "Timer", "select_unit", "timer", "trim_sigfig"]


def __dir__():
    return sorted(__all__)
