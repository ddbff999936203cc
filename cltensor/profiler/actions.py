"""What a profile does at each step, and which activities it records; with torch.profiler's names."""

from __future__ import annotations

import enum
import warnings
from collections.abc import Callable

from ..base.errors import AssertedError
from ..runtime.device import count


class ProfilerAction(enum.Enum):
    """What a profile does in a step: nothing, record and forget, record, or record and hand over at the end of the step.

    Never raises.  Source: names of torch.profiler.ProfilerAction.

        >>> ct.profiler.ProfilerAction.RECORD.value
        2
    """

    NONE = 0
    WARMUP = 1
    RECORD = 2
    RECORD_AND_SAVE = 3


class ProfilerActivity(enum.Enum):
    """What is recorded: calls on the host, or launches on the device.  torch's names for kinds of device mean OpenCL's too.

    Never raises.  Source: names of torch.profiler.ProfilerActivity.

        >>> ct.profiler.ProfilerActivity.CUDA is ct.profiler.ProfilerActivity.OPENCL
        True
    """

    CPU = 0
    OPENCL = 1
    CUDA = XPU = MTIA = HPU = PrivateUse1 = OPENCL


def supported_activities() -> set[ProfilerActivity]:
    """Return the activities that can be recorded here: the host's, and the device's if there is one.

    Never raises.  Source: torch.profiler.supported_activities.

        >>> ct.profiler.ProfilerActivity.CPU in ct.profiler.supported_activities()
        True
    """
    return {ProfilerActivity.CPU, ProfilerActivity.OPENCL} if count() else {ProfilerActivity.CPU}


def schedule(*, wait: int, warmup: int, active: int, repeat: int = 0, skip_first: int = 0,
             skip_first_wait: int = 0) -> Callable[[int], ProfilerAction]:
    """Return the function step -> ProfilerAction of cycles: `wait` steps of nothing, `warmup` forgotten, `active` recorded.

    repeat: cycles at most, 0 for no limit; skip_first: steps before the first one; skip_first_wait: where not 0, the first cycle
    does not wait.  Warns without a warm-up, which the first launches of a program need.

    Raises AssertedError for numbers below 0, and without an active step.  Source: torch.profiler.schedule.

        >>> plan = ct.profiler.schedule(wait=1, warmup=1, active=2, repeat=1)
        >>> [plan(step).name for step in range(5)]
        ['NONE', 'WARMUP', 'RECORD', 'RECORD_AND_SAVE', 'NONE']
    """
    if min(wait, warmup, active - 1, repeat, skip_first) < 0:
        raise AssertedError(f"schedule: Invalid profiler schedule arguments. Got wait={wait} (need >= 0), warmup={warmup} "
                            f"(need >= 0), active={active} (need > 0), repeat={repeat} (need >= 0), "
                            f"skip_first={skip_first} (need >= 0).")
    if warmup == 0:
        warnings.warn("schedule: Profiler won't be using warmup, this can skew profiler results", UserWarning, stacklevel=2)

    def action(step: int) -> ProfilerAction:
        if step < 0:
            raise AssertedError(f"schedule: Step number must be non-negative. Got {step}.")
        step -= skip_first
        if step < 0:
            return ProfilerAction.NONE
        step += wait if skip_first_wait else 0
        length = wait + warmup + active
        if repeat and step >= repeat * length:
            return ProfilerAction.NONE
        at = step % length
        if at < wait:
            return ProfilerAction.NONE
        if at < wait + warmup:
            return ProfilerAction.WARMUP
        return ProfilerAction.RECORD if at < length - 1 else ProfilerAction.RECORD_AND_SAVE

    return action


def always(step: int) -> ProfilerAction:
    """The schedule of a profile without one: record all."""
    return ProfilerAction.RECORD
