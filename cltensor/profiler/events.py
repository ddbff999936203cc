"""Events: what a profile tells of each call and each launch, and the averages of those that are alike; torch.profiler's names."""

from __future__ import annotations

import enum
import math
from collections.abc import Callable
from typing import Any

from ..base.errors import AssertedError
from .launches import launches, of_frame
from .table import table


class DeviceType(enum.IntEnum):
    """Where an event ran: on the host, or on an OpenCL device, for which torch's code says CUDA.

    Never raises.  Source: names of torch.autograd.DeviceType.

        >>> ct.profiler.DeviceType.CUDA is ct.profiler.DeviceType.OPENCL
        True
    """

    CPU = 0
    OPENCL = 1
    CUDA = 1


class Interval:
    """A stretch of time; start and end in microseconds since the profile's start.

        >>> ct.profiler.events.Interval(1.0, 3.5).elapsed_us()
        2.5
    """

    __slots__ = ("end", "start")

    def __init__(self, start: float, end: float):
        self.start, self.end = start, end

    def elapsed_us(self) -> float:
        """Its length in microseconds."""
        return self.end - self.start

    def __repr__(self):
        return f"Interval({self.start:.3f}, {self.end:.3f})"


class Kernel:
    """A launch as its call lists it: its name, its device's index, and its time on the device in microseconds."""

    __slots__ = ("device", "duration", "name")

    def __init__(self, name: str, device: int, duration: float):
        self.name, self.device, self.duration = name, device, duration

    def __repr__(self):
        return f"Kernel(name={self.name!r}, device={self.device}, duration={self.duration:.3f})"


class Times:
    """What single events and averages share: the average times and their texts; microseconds."""

    count = 1
    overload_name, node_id, is_async, is_remote, is_legacy, use_device = "", -1, False, False, False, "opencl"
    cpu_memory_usage = self_cpu_memory_usage = 0

    @property
    def cpu_time(self) -> float:
        """Time on the host of a call, with what it calls."""
        return self.cpu_time_total / self.count if self.count else 0.0

    @property
    def device_time(self) -> float:
        """Time on the device of a call, with what it calls."""
        return self.device_time_total / self.count if self.count else 0.0

    def _text(name):
        return property(lambda self: duration(getattr(self, name)), doc=f"{name} as text.")

    def _other(name):
        return property(lambda self: getattr(self, name), doc=f"{name}, under the name that it has for a CUDA device.")

    cpu_time_str, cpu_time_total_str, self_cpu_time_total_str = map(_text, ("cpu_time", "cpu_time_total", "self_cpu_time_total"))
    device_time_str, device_time_total_str = _text("device_time"), _text("device_time_total")
    self_device_time_total_str = _text("self_device_time_total")
    cuda_time, cuda_time_total, self_cuda_time_total = map(_other, ("device_time", "device_time_total", "self_device_time_total"))
    del _text, _other


class FunctionEvent(Times):
    """One call, or one launch on the device; times in microseconds, `time_range` since the profile's start.

    cpu_children, cpu_parent: the calls inside and around; kernels: the launches that it made itself; launches: their number;
    nbytes: what they touch; flops: their floating-point operations, 0 where unknown; stack: the user's lines, the innermost first;
    module: the path and class of the nn.Module that it is part of, where modules were recorded.
    """

    def __init__(self, id: int, name: str, thread: int, start: float, end: float, device_type: DeviceType = DeviceType.CPU):
        self.id, self.name, self.key, self.trace_name, self.thread, self.fwd_thread = id, name, name, name, thread, None
        self.time_range, self.device_type, self.device_index, self.kind = Interval(start, end), device_type, 0, "op"
        self.cpu_parent, self.cpu_children, self.kernels, self.stack = None, [], [], []
        self.input_shapes, self.input_dtypes, self.concrete_inputs = [], [], []
        self.sequence_nr, self.scope, self.is_user_annotation, self.module = -1, 0, False, ""
        self.flops = self.nbytes = self.launches = 0
        self.self_device_time_total = self.device_time_total = self.cpu_time_total = self.self_cpu_time_total = 0.0
        self.device_memory_usage = self.self_device_memory_usage = 0

    def __repr__(self):
        return (f"<FunctionEvent id={self.id} name={self.name} device_type={self.device_type.name} cpu_time={self.cpu_time_str} "
                f"device_time={self.device_time_str} start_us={self.time_range.start:.3f} end_us={self.time_range.end:.3f} "
                f"thread={self.thread} input_shapes={self.input_shapes} device_memory_usage={self.device_memory_usage}>")


class FunctionEventAvg(Times):
    """The sums over events that are alike; `cpu_time` and `device_time` are averages of a call.  Microseconds and bytes."""

    _SUMS = ("cpu_time_total", "self_cpu_time_total", "device_time_total", "self_device_time_total", "device_memory_usage",
             "self_device_memory_usage", "flops", "nbytes", "launches", "count")

    def __init__(self, key: str | None = None):
        self.key, self.count, self.cpu_children, self.cpu_parent, self.device_type = key, 0, [], None, DeviceType.CPU
        self.input_shapes = self.stack = None
        self.scope, self.is_user_annotation, self.kind = 0, False, "op"
        self.cpu_time_total = self.self_cpu_time_total = self.device_time_total = self.self_device_time_total = 0.0
        self.device_memory_usage = self.self_device_memory_usage = self.flops = self.nbytes = self.launches = 0

    def add(self, other: FunctionEvent | FunctionEventAvg) -> FunctionEventAvg:
        """Add an event or other sums, and take its key if there is none yet.  Returns itself."""
        if self.key is None:
            self.key = other.key
        if not self.count:
            self.device_type, self.scope, self.kind, self.cpu_parent = other.device_type, other.scope, other.kind, other.cpu_parent
            self.is_user_annotation, self.input_shapes, self.stack = other.is_user_annotation, other.input_shapes, other.stack
        self.cpu_children.extend(other.cpu_children)
        for name in self._SUMS:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        return self

    __iadd__ = add

    def __repr__(self):
        return (f"<FunctionEventAvg key={self.key} self_cpu_time={self.self_cpu_time_total_str} cpu_time={self.cpu_time_str} "
                f"self_device_time={self.self_device_time_total_str} device_time={self.device_time_str} "
                f"input_shapes={self.input_shapes} device_memory_usage={self.device_memory_usage}>")


class EventList(list):
    """Events of a profile, or their averages.

    wall: microseconds from its start to its stop; recorded: names of what was asked for, among "shapes", "memory", "stack",
    "flops", "device".
    """

    def __init__(self, events: Any = (), wall: float = 0.0, recorded: frozenset[str] = frozenset(),
                 trace: Callable[..., Any] | None = None):
        super().__init__(events)
        self.wall, self.recorded, self._trace = wall, recorded, trace

    @property
    def self_cpu_time_total(self) -> float:
        """Microseconds of all calls, each counted once."""
        return sum(e.self_cpu_time_total for e in self if e.device_type is DeviceType.CPU)

    @property
    def self_device_time_total(self) -> float:
        """Microseconds of all launches on the device."""
        on_device = [e for e in self if e.device_type is not DeviceType.CPU]
        return sum(e.self_device_time_total for e in on_device)

    def key_averages(self, group_by_input_shapes: bool = False, group_by_stack_n: int = 0,
                     group_by_overload_name: bool = False) -> EventList:
        """The events summed by name; also by shapes and by the innermost lines of the user's program."""
        found: dict[Any, FunctionEventAvg] = {}
        for e in self:
            key = [e.key, e.device_type, e.is_user_annotation]
            key += [str(e.input_shapes)] if group_by_input_shapes else []
            key += e.stack[:group_by_stack_n]
            found.setdefault(tuple(key), FunctionEventAvg()).add(e)
        for average in found.values():
            average.stack = average.stack[:group_by_stack_n]
            if not group_by_input_shapes:
                average.input_shapes = ""
        return EventList(found.values(), self.wall, self.recorded, self._trace)

    def total_average(self) -> FunctionEventAvg:
        """The sum over all events."""
        total = FunctionEventAvg("Total")
        for e in self:
            total.add(e)
        total.key = "Total"
        return total

    def table(self, sort_by: str | None = None, row_limit: int = 100, max_src_column_width: int = 75,
              max_name_column_width: int = 55, max_shapes_column_width: int = 80, header: str | None = None,
              top_level_events_only: bool = False, time_unit: str | None = None, machine: Any = None) -> str:
        """The events as text, a row each.

        sort_by: the name of a number of theirs, such as "self_cpu_time_total" or "self_device_time_total"; row_limit: rows at most,
        -1 for all; top_level_events_only: leave out what is called by others; time_unit: "s", "ms" or "us"; machine: a Machine, for
        a column with the share of what the device can do at best.
        Raises ArgumentError for a number or a unit that there is not.
        """
        return table(self, sort_by, row_limit, max_src_column_width, max_name_column_width, max_shapes_column_width, header,
                     top_level_events_only, time_unit, machine)

    def __str__(self):
        return self.table()

    def export_chrome_trace(self, path: str) -> None:
        """Write the events for Perfetto and chrome://tracing."""
        self._trace(path)

    def supported_export_stacks_metrics(self) -> list[str]:
        """The numbers that export_stacks takes."""
        return ["self_cpu_time_total", "self_device_time_total", "self_cuda_time_total"]

    def export_stacks(self, path: str, metric: str) -> None:
        """Write a line for each stack, "outermost;...;innermost microseconds", for flame graphs.  Raises AssertedError."""
        if metric not in self.supported_export_stacks_metrics():
            raise AssertedError(f"export_stacks: metric should be one of: {self.supported_export_stacks_metrics()}, not {metric!r}")
        sums: dict[str, float] = {}
        for e in self:
            if e.stack:
                line = ";".join(s.translate(str.maketrans(" ;\t\n", "____")) for s in reversed(e.stack))
                sums[line] = sums.get(line, 0) + getattr(e, metric)
        with open(path, "w", encoding="utf-8") as file:
            file.writelines(f"{line} {int(value)}\n" for line, value in sums.items() if int(value) > 0)


def duration(us: float, unit: str | None = None) -> str:
    """Microseconds as text, as in torch's tables: 12.500us, 3.100ms."""
    unit = unit or ("s" if us >= 1e6 else "ms" if us >= 1e3 else "us")
    return f"{us / {'s': 1e6, 'ms': 1e3, 'us': 1.0}[unit]:.3f}{unit}"


def events_of(recording, recorded, cpu=True, trace=None):
    """(EventList of a Recording, its Launches).  cpu: whether calls are listed, besides launches."""
    start, found, by_frame = recording.start, [], {}
    for frame in recording.frames:
        begin = max(frame.start, start)
        e = FunctionEvent(len(found), frame.name, frame.thread, (begin - start) / 1e3, (max(frame.end, begin) - start) / 1e3)
        _describe(e, frame, recorded)
        parent = by_frame.get(id(frame.parent))
        if parent is not None:
            e.cpu_parent = parent
            parent.cpu_children.append(e)
        found.append(e)
        by_frame[id(frame)] = e
    made = launches(recording)
    on_device = [_launched(launch, by_frame.get(id(launch.frame)), start, len(found) + i) for i, launch in enumerate(made)]
    for e in reversed(found):  # children come after their parents
        _sum_up(e)
    for e, frame in zip(found, recording.frames, strict=True):
        e.flops += _work(e, frame) if "flops" in recorded else 0
    if recording.modules:
        _place(found)
    listed = ([*found] if cpu else []) + (on_device if "device" in recorded else [])
    return EventList(listed, (recording.stop - start) / 1e3, recorded, trace), made


def _describe(e, frame, recorded):
    e.kind, e.sequence_nr, e.is_user_annotation = frame.kind, frame.sequence, frame.kind in ("user", "step")
    e.scope = {"op": 0, "node": 1, "user": 7, "step": 7}.get(frame.kind, 0)
    if "shapes" in recorded:
        e.input_shapes = [[] if s is None else list(s.shape) for s in frame.inputs]
        e.input_dtypes = ["Scalar" if s is None else s.dtype.name for s in frame.inputs]
    if "memory" in recorded:
        e.device_memory_usage = frame.memory
    e.stack = [f"{code.co_filename}({line}): {code.co_name}" for code, line in frame.stack]


def _launched(launch, parent, start, id):
    """The event of a Launch; its call counts it too."""
    begin = launch.enqueued if launch.begin is None else launch.begin
    end = begin + launch.duration
    e = FunctionEvent(id, launch.name, launch.thread, (begin - start) / 1e3, (end - start) / 1e3, DeviceType.OPENCL)
    e.device_index, e.cpu_parent, e.kind = launch.device.index, parent, "kernel" if launch.is_kernel else "copy"
    e.self_device_time_total = e.device_time_total = launch.duration / 1e3
    e.launches, e.nbytes = int(launch.is_kernel), launch.nbytes
    if launch.replayed:
        e.flops = launch.flops or 0
    if parent is not None:
        parent.kernels.append(Kernel(launch.name, e.device_index, launch.duration / 1e3))
        parent.self_device_time_total += launch.duration / 1e3
        parent.launches += e.launches
        parent.nbytes += launch.nbytes
        parent.flops += e.flops
    return e


def _sum_up(e):
    """The totals of a call, from its own and those of its children, which are summed up."""
    e.cpu_time_total = e.time_range.elapsed_us()
    e.self_cpu_time_total = e.cpu_time_total - sum(c.cpu_time_total for c in e.cpu_children if c.thread == e.thread)
    e.device_time_total = e.self_device_time_total + sum(c.device_time_total for c in e.cpu_children)
    e.self_device_memory_usage = e.device_memory_usage - sum(c.device_memory_usage for c in e.cpu_children)


def _work(e, frame):
    """The FLOPs of a call that has made launches."""
    return of_frame(frame)[0] or 0 if e.launches and frame.kind in ("op", "update") else 0


def _place(found):
    """Set `module`: for a gradient that of the call which recorded it, and for what is inside that of what is around."""
    of = {}
    for e in found:
        around = "" if e.cpu_parent is None else e.cpu_parent.module
        if e.kind == "module":
            e.module = e.name
        elif e.kind == "node":
            e.module = of.get(e.sequence_nr, around)
        else:
            e.module = around
            if e.sequence_nr >= 0:
                of.setdefault(e.sequence_nr, around)
        if e.kind == "module":
            e.name = e.key = e.trace_name = f"nn.Module: {e.name}"


def finite(value):
    """A number for JSON."""
    return value if math.isfinite(value) else 0
