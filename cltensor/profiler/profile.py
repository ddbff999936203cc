"""profile: record what a program does, look at it as a table, and write it down; with torch.profiler's names."""

from __future__ import annotations

import json
import os
import socket
import time
import uuid
import warnings
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

from ..base.errors import ArgumentError, ArgumentTypeError, AssertedError
from ..runtime.device import device
from . import memory, page, trace
from .actions import ProfilerAction, ProfilerActivity, always, supported_activities
from .advice import Advice, advice
from .events import EventList, FunctionEventAvg, events_of
from .machine import Machine
from .recording import Recording
from .summary import Summary, summary

_RECORDS = (ProfilerAction.RECORD, ProfilerAction.RECORD_AND_SAVE)


class profile:
    """Record what a program does between the start and the end of a block: calls on the host, launches on the device, memory.

    activities: ProfilerActivity.CPU, .OPENCL or both, which is the default; schedule: a function step -> ProfilerAction, for
    step(); on_trace_ready: called with the profile when a recording is complete.  record_shapes: list the shapes of operands;
    profile_memory: what calls take and free on the device; with_stack: the lines of the program; with_flops: floating-point
    operations and bytes; with_modules: which nn.Module calls are part of, gradients too.  acc_events: keep the events of earlier
    cycles of the schedule.  experimental_config, execution_trace_observer, use_cuda, custom_trace_id_callback and
    post_processing_timeout_s are accepted for PyTorch's sake.

    It hears of all threads, and of forked processes nothing.  Compiled functions run launch by launch in it, and queues record
    timestamps: it waits for the device when it starts and when it stops.

    Raises CLTensorError at the start while another profile runs, AssertedError for activities that are none.
    Source: torch.profiler.profile; times on the device are those of events, OpenCL 1.2, section 5.12.

        >>> x = ct.ones(64, 64)
        >>> with ct.profiler.profile(with_flops=True) as prof:
        ...     y = x @ x
        >>> [e.flops for e in prof.key_averages() if e.key == "matmul"]
        [524288]
    """

    def __init__(self, *, activities: Iterable[ProfilerActivity] | dict[ProfilerActivity, list[str]] | None = None,
                 schedule: Callable[[int], ProfilerAction] | None = None, on_trace_ready: Callable[..., Any] | None = None,
                 record_shapes: bool = False, profile_memory: bool = False, with_stack: bool = False, with_flops: bool = False,
                 with_modules: bool = False, experimental_config: Any = None, execution_trace_observer: Any = None,
                 acc_events: bool = False, use_cuda: bool | None = None,
                 custom_trace_id_callback: Callable[[], str] | None = None, post_processing_timeout_s: float | None = None):
        self.activities = supported_activities() if activities is None else set(activities)
        if not self.activities or not all(isinstance(a, ProfilerActivity) for a in self.activities):
            raise AssertedError(f"profile: No valid profiler activities found: activities is {activities!r}; list members of "
                                "ProfilerActivity, such as [ProfilerActivity.CPU, ProfilerActivity.OPENCL]")
        if use_cuda:
            self.activities.add(ProfilerActivity.OPENCL)
        for name, given in (("schedule", schedule), ("on_trace_ready", on_trace_ready)):
            if given is not None and not callable(given):
                raise ArgumentTypeError(f"profile: {name} must be a function, got {type(given).__name__}")
        self.schedule, self.on_trace_ready = schedule or always, on_trace_ready
        self.record_steps = schedule is not None
        self.record_shapes, self.profile_memory, self.with_stack = record_shapes or with_flops, profile_memory, with_stack
        self.with_flops, self.with_modules, self.acc_events = with_flops, with_modules, acc_events
        self.experimental_config, self.execution_trace_observer = experimental_config, execution_trace_observer
        self.custom_trace_id_callback, self.use_device = custom_trace_id_callback, "opencl"
        self.step_num, self.current_action = 0, ProfilerAction.NONE
        self._shapes, self._step, self._running, self._recording = record_shapes, None, None, None
        self._events = self._calls = self._launches = None
        self._metadata: dict[str, Any] = {}
        self._trace_id = ""

    # --- start, step and stop ------------------------------------------------------------------------------------------------

    def __enter__(self) -> profile:
        self.start()
        return self

    def __exit__(self, exc_type: Any, exc_val: Any, exc_tb: Any) -> None:
        self.stop()

    def start(self) -> None:
        """Start, with the schedule's first step.  Raises CLTensorError while another profile runs."""
        self._move(self.schedule(self.step_num))
        self._begin_step()

    def stop(self) -> None:
        """Stop, and hand what is recorded over.  Raises AssertedError if it was not started."""
        if self._recording is None and self._running is None and not self.record_steps:
            raise AssertedError("profile: Profiler must be initialized before stopping trace; call start() first")
        self._end_step()
        recorded = self._running is not None and self.current_action in _RECORDS
        self._move(ProfilerAction.NONE, stopping=True)
        if recorded and self.on_trace_ready is not None:
            self.on_trace_ready(self)

    def step(self) -> None:
        """Say that a step is over: what the schedule has for the next one begins."""
        self._end_step()
        self.step_num += 1
        before = self.current_action
        now = self.schedule(self.step_num)
        if before is ProfilerAction.RECORD_AND_SAVE:
            self._move(ProfilerAction.NONE)
            if self.on_trace_ready is not None:
                self.on_trace_ready(self)
        self._move(now)
        self._begin_step()

    def start_trace(self) -> None:
        """Start recording, whatever the schedule says."""
        self._move(ProfilerAction.RECORD)

    def stop_trace(self) -> None:
        """Stop recording, without a call of on_trace_ready."""
        self._move(ProfilerAction.NONE, stopping=True)

    def prepare_trace(self) -> None:
        """Get ready to record: what happens until start_trace() is forgotten."""
        self._move(ProfilerAction.WARMUP)

    def toggle_collection_dynamic(self, enable: bool, activities: Iterable[ProfilerActivity]) -> None:
        """Stop to record some activities, or go on, while the profile runs.  Raises AssertedError where it does not."""
        if self._running is None:
            raise AssertedError("toggle_collection_dynamic: no recording runs; call it between start() and stop()")
        chosen = set(activities)
        self._running.toggle(bool(enable), ProfilerActivity.CPU in chosen, ProfilerActivity.OPENCL in chosen)

    def _begin_step(self):
        if self.record_steps and self._running is not None:
            self._step = self._running.enter("step", f"ProfilerStep#{self.step_num}")

    def _end_step(self):
        if self._step is not None and self._running is not None:
            self._running.leave(self._step)
        self._step = None

    def _move(self, action, stopping=False):
        """Go from what is done now to another action."""
        before, self.current_action = self.current_action, action
        if action is ProfilerAction.NONE:
            if self._running is not None:
                if before in (ProfilerAction.WARMUP, ProfilerAction.RECORD) and not stopping:
                    warnings.warn(f"profile: Incorrect schedule: {before.name} followed by NONE; end each cycle with "
                                  "RECORD_AND_SAVE", UserWarning, stacklevel=4)
                running, self._running = self._running, None
                running.finish()
                if before is not ProfilerAction.WARMUP:
                    self._keep(running)
        elif self._running is None:
            running = Recording(ProfilerActivity.OPENCL in self.activities, self.profile_memory, self.with_stack, self.with_modules)
            running.begin()
            self._running = running
            self._trace_id = self.custom_trace_id_callback() if self.custom_trace_id_callback else uuid.uuid4().hex.upper()
        elif before is ProfilerAction.WARMUP and action in _RECORDS:
            self._running.clear()

    def _keep(self, recording):
        """Take over a complete Recording."""
        flags = {"shapes": self._shapes, "memory": self.profile_memory, "stack": self.with_stack, "flops": self.with_flops,
                 "device": ProfilerActivity.OPENCL in self.activities}
        recorded = frozenset(name for name, on in flags.items() if on)
        earlier = self._events if self.acc_events else None
        self._recording = recording
        self._calls, self._launches = events_of(recording, recorded, True, self.export_chrome_trace)
        listed = self._calls if ProfilerActivity.CPU in self.activities else [e for e in self._calls if e.device_type != 0]
        self._events = EventList(listed, self._calls.wall, recorded, self.export_chrome_trace)
        if earlier is not None:
            both = [*earlier, *self._events]
            self._events = EventList(both, earlier.wall + self._events.wall, recorded, self.export_chrome_trace)

    # --- what was recorded ---------------------------------------------------------------------------------------------------

    def _complete(self, what):
        if self._events is None:
            state, cure = "didn't finish running", "call stop() first"
            if self._running is None:
                state, cure = "must be initialized", "use it as a context manager, or call start() and stop()"
            raise AssertedError(f"profile: Profiler {state} before {what}; {cure}")
        return self._events

    def events(self) -> EventList:
        """Each call and each launch, in the order in which they began.  Raises AssertedError before the end."""
        return self._complete("accessing events")

    def key_averages(self, group_by_input_shape: bool = False, group_by_stack_n: int = 0,
                     group_by_overload_name: bool = False) -> EventList:
        """The events summed by name; also by shapes and by the innermost lines.  Raises AssertedError before the end."""
        return self._complete("getting key averages").key_averages(group_by_input_shape, group_by_stack_n)

    def total_average(self) -> FunctionEventAvg:
        """The sum over all events.  Raises AssertedError before the end."""
        return self._complete("getting averages").total_average()

    def summary(self) -> Summary:
        """Where the wall clock went: busy and idle on the device, ops and Python on the host, by phase and by op."""
        self._complete("summing up")
        return summary(self._recording, self._calls, self._launches)

    def advice(self, machine: Machine | None = None) -> list[Advice]:
        """What the profile says should be changed, the weightiest first.  machine: what the device can do, from machine()."""
        return advice(self.summary(), machine)

    @property
    def busiest_device(self) -> device | None:
        """The device that had most launches; None if no device was used."""
        self._complete("looking for the busiest device")
        used = Counter(x.device for x in self._launches)
        return max(used, key=used.__getitem__) if used else None

    def memory_peaks(self) -> tuple[int, int]:
        """(most bytes in use at a time, most bytes reserved from the driver); 0 without profile_memory."""
        self._complete("looking for peaks")
        notes = self._recording.allocations()
        return max((n[4] for n in notes), default=0), max((n[5] for n in notes), default=0)

    # --- files -------------------------------------------------------------------------------------------------------------

    def export_chrome_trace(self, path: str, use_python_export: bool = False) -> None:
        """Write a trace for Perfetto (ui.perfetto.dev) and chrome://tracing, compressed if the path ends in .gz.

        use_python_export: accepted; there is one way.
        """
        self._complete("exporting a trace")
        trace.write(path, self._recording, self._calls, self._launches, {**self._metadata, "trace_id": self._trace_id})

    def export_stacks(self, path: str, metric: str = "self_cpu_time_total") -> None:
        """Write a line for each stack, for flame graphs; metric: "self_cpu_time_total" or "self_device_time_total".

        Raises AssertedError without with_stack=True, and for another metric.
        """
        if not self.with_stack:
            raise AssertedError("export_stacks() requires with_stack=True")
        self._complete("exporting stacks").export_stacks(str(path), metric)

    def export_memory_timeline(self, path: str, device: str | None = None) -> None:  # device: a name of PyTorch's
        """Write the memory in use over time, by what it is for, in the form of the path's ending: .html, .json or .json.gz.

        A file that ends in .raw.json.gz lists what is taken and freed one by one.  device: accepted; all devices are written.
        Raises ArgumentError without record_shapes, profile_memory and with_stack, which PyTorch asks for.
        """
        if not (self._shapes and self.profile_memory and self.with_stack):
            raise ArgumentError("export_memory_timeline: record_shapes=True, profile_memory=True, with_stack=True required for "
                                "memory profiling.")
        self._complete("exporting memory")
        if str(path).endswith(".html"):
            self.export_html(path)
        else:
            memory.write(path, self._recording)

    def export_html(self, path: str, machine: Machine | None = None) -> None:
        """Write one page that needs nothing else: a timeline, a table of ops, memory over time, and advice.

        machine: what the device can do, from machine(), for each op's share of it.
        """
        self._complete("exporting a page")
        page.write(path, self._recording, self._calls, self._launches, self.summary(), self.advice(machine), machine)

    def add_metadata(self, key: str, value: str) -> None:
        """Add a text to the traces that are written."""
        self._metadata[key] = str(value)

    def add_metadata_json(self, key: str, value: str) -> None:
        """Add a value, given as JSON, to the traces that are written.  Raises ArgumentError for what is none."""
        try:
            self._metadata[key] = json.loads(value)
        except ValueError as error:
            raise ArgumentError(f"add_metadata_json: {value!r} is not JSON: {error}") from None

    def preset_metadata_json(self, key: str, value: str) -> None:
        """add_metadata_json, before the start."""
        self.add_metadata_json(key, value)

    def get_trace_id(self) -> str:
        """What tells this recording from others; empty before the start."""
        return self._trace_id

    def set_custom_trace_id_callback(self, callback: Callable[[], str]) -> None:
        """Take trace ids from a function."""
        self.custom_trace_id_callback = callback


def tensorboard_trace_handler(dir_name: str, worker_name: str | None = None, use_gzip: bool = False,
                              use_python_export: bool = False) -> Callable[[profile], None]:
    """Return a function for on_trace_ready that writes each trace into a folder, named as TensorBoard's plugin looks for them.

    worker_name: the first part of the files' names, by default of host and process; use_gzip: compress them.

    Raises OSError, when called, for a folder that cannot be made.  Source: torch.profiler.tensorboard_trace_handler.

        >>> import tempfile, pathlib
        >>> folder = tempfile.mkdtemp()
        >>> with ct.profiler.profile(on_trace_ready=ct.profiler.tensorboard_trace_handler(folder)):
        ...     y = ct.ones(3) + 1
        >>> len(list(pathlib.Path(folder).glob("*.pt.trace.json")))
        1
    """

    def handler(prof: profile) -> None:
        os.makedirs(dir_name, exist_ok=True)
        name = worker_name or f"{socket.gethostname()}_{os.getpid()}"
        path = os.path.join(dir_name, f"{name}.{time.time_ns()}.pt.trace.json{'.gz' if use_gzip else ''}")
        prof.export_chrome_trace(path)

    return handler
