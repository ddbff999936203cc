"""Profiling, with torch.profiler's names: what calls and launches take, and what to do about it; see docs/profiling.md."""

from .actions import ProfilerAction, ProfilerActivity, schedule, supported_activities
from .advice import Advice
from .events import DeviceType
from .machine import Machine, machine
from .profile import profile, tensorboard_trace_handler
from .record_function import record_function
from .summary import Summary, Work

__all__ = ["Advice", "DeviceType", "Machine", "ProfilerAction", "ProfilerActivity", "Summary", "Work", "machine", "profile",
           "record_function", "schedule", "supported_activities", "tensorboard_trace_handler"]


def __dir__():
    return sorted(__all__)
