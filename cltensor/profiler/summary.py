"""Summary: where the wall clock of a profile went, on the device and on the host."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

_APART = 20_000_000  # nanoseconds of Python in which no op runs: more than lies between the calls of a step
_PHASES = {"backward": "backward", "node": "backward", "optimizer": "optimizer", "data": "data", "replay": "captured"}


@dataclass(frozen=True)
class Work:
    """The launches of one op, or of one kind of command: seconds on the device, FLOPs (0 where unknown) and bytes.

    calls: launches that came with a count of bytes, the first of each call; float64: whether an operand had that dtype.
    Never raises.  Source: timestamps of events, OpenCL 1.2, section 5.12.

        >>> ct.profiler.Work("add", seconds=0.5, launches=10, calls=10, flops=100, nbytes=1200).each
        0.05
    """

    name: str
    seconds: float
    launches: int
    calls: int
    flops: int
    nbytes: int
    is_kernel: bool = True
    float64: bool = False

    @property
    def each(self) -> float:
        """Seconds of a launch."""
        return self.seconds / self.launches if self.launches else 0.0


@dataclass(frozen=True)
class Summary:
    """Where the time went; all times in seconds.

    wall: from start to stop.  busy: when some launch ran on the device.  idle: when none did, measured by the gaps between
    launches.  summed: all launches' times; more than `busy` where launches overlap.  of_ops: those of launches that belong to an
    op, an update or a named command.  launches, copies: how many kernels, and other commands.
    host: of the thread that started the profile, by what it did: "ops", "wait", "data", "python" (outside of everything recorded).
    phases: {"forward", "backward", "optimizer", "data", "captured" (replays): (seconds on the host, seconds on the device)}.
    works: what the device did, most time first.  waits: {name: (calls, seconds)} of what waited for the device.
    compiled: (programs, seconds) built by the compiler, and loaded: from the disk cache.
    starved: of `idle`, while the host was busy with ops and with the Python around them, neither waiting for data nor building
    programs.  apart: of `idle`, while it ran 20 ms or more of Python without any call recorded, as imports and drawing do.

    Never raises.  Source: timestamps of events, OpenCL 1.2, section 5.12.

        >>> with ct.profiler.profile() as prof:
        ...     y = ct.ones(1000) * 2
        >>> s = prof.summary()
        >>> 0 < s.busy <= s.wall
        True
    """

    wall: float
    busy: float
    idle: float
    summed: float
    of_ops: float
    launches: int
    copies: int
    host: dict[str, float]
    phases: dict[str, tuple[float, float]]
    works: tuple[Work, ...]
    waits: dict[str, tuple[int, float]]
    compiled: tuple[int, float]
    loaded: tuple[int, float]
    starved: float
    apart: float = 0.0

    @property
    def accounted(self) -> float:
        """The sum of all launches and of all gaps between them, as a share of the wall clock: 1 if launches do not overlap."""
        return (self.summed + self.idle) / self.wall if self.wall else 1.0

    @property
    def attributed(self) -> float:
        """The share of the device's time that belongs to an op or a named command."""
        return self.of_ops / self.summed if self.summed else 1.0


def summary(recording, events, launches):
    """The Summary of a Recording, its events (calls included) and its Launches."""
    wall, timed = recording.stop - recording.start, [x for x in launches if x.begin is not None]
    spans = [(max(x.begin, recording.start), min(x.end, recording.stop)) for x in timed]
    busy, gaps = _union(spans, recording.start, recording.stop)
    calls = [e for e in events if e.device_type == 0]
    main = [e for e in calls if e.thread == recording.main]
    host = _host(main, wall / 1e9)
    built = {origin: [s for _, _, o, s in recording.builds if o == origin] for origin in ("compiler", "disk")}
    taken = [_span(e, recording) for e in main if e.kind in ("data", "wait")]
    taken += [(t - int(s * 1e9), t) for t, _, _, s in recording.builds]
    _, silent = _union([_span(e, recording) for e in main if e.cpu_parent is None], recording.start, recording.stop)
    taken_or_apart = taken + [(a, b) for a, b in silent if b - a >= _APART]
    return Summary(
        wall / 1e9, busy / 1e9, sum(b - a for a, b in gaps) / 1e9, sum(x.duration for x in timed) / 1e9,
        sum(x.duration for x in timed if x.op != "outside of ops") / 1e9, sum(x.is_kernel for x in launches),
        sum(not x.is_kernel for x in launches), host, _phases(main, launches), _works(launches), _waits(calls),
        (len(built["compiler"]), sum(built["compiler"])), (len(built["disk"]), sum(built["disk"])),
        (sum(b - a for a, b in gaps) - _overlap(gaps, taken_or_apart)) / 1e9,
        (_overlap(gaps, taken_or_apart) - _overlap(gaps, taken)) / 1e9)


def _union(spans, start, stop):
    """(length of the union of spans, the gaps between them from start to stop)."""
    length, at, gaps = 0, start, []
    for a, b in sorted(spans):
        if a > at:
            gaps.append((at, a))
        if b > at:
            length += b - max(a, at)
            at = b
    return length, [*gaps, (at, stop)] if stop > at else gaps


def _overlap(gaps, spans):
    """The length of what spans cover of gaps, which are in order and apart."""
    _, holes = _union(spans, gaps[0][0], gaps[-1][1]) if gaps else (0, [])
    free, i = 0, 0
    for a, b in gaps:
        while i < len(holes) and holes[i][1] <= a:
            i += 1
        j = i
        while j < len(holes) and holes[j][0] < b:
            free += min(b, holes[j][1]) - max(a, holes[j][0])
            j += 1
    return sum(b - a for a, b in gaps) - free


def _span(e, recording):
    return recording.start + int(e.time_range.start * 1e3), recording.start + int(e.time_range.end * 1e3)


def _host(main, wall):
    """What the thread did, in seconds: ops, wait, data, python."""
    found = dict.fromkeys(("ops", "wait", "data", "python"), 0.0)
    for e in main:
        kind = "ops" if e.kind in ("op", "update", "replay", "node") else e.kind
        found[kind if kind in found else "python"] += e.self_cpu_time_total / 1e6
    found["python"] += wall - sum(e.cpu_time_total for e in main if e.cpu_parent is None) / 1e6
    return found


def _phase(frame):
    while frame is not None:
        if frame.kind in _PHASES:
            return _PHASES[frame.kind]
        frame = frame.parent
    return "forward"


def _phases(main, launches):
    found = {name: [0.0, 0.0] for name in ("forward", "backward", "optimizer", "data", "captured")}
    for e in main:
        if e.kind in _PHASES and (e.cpu_parent is None or e.cpu_parent.kind not in _PHASES):
            found[_PHASES[e.kind]][0] += e.cpu_time_total / 1e6
    found["forward"][0] = sum(e.cpu_time_total for e in main if e.kind == "op" and not _inside(e)) / 1e6
    for x in launches:
        found[_phase(x.frame)][1] += x.duration / 1e9
    return {name: tuple(times) for name, times in found.items()}


def _inside(e):
    """Whether an op is part of another one, or of a phase with a name."""
    parent = e.cpu_parent
    while parent is not None:
        if parent.kind == "op" or parent.kind in _PHASES:
            return True
        parent = parent.cpu_parent
    return False


def _works(launches):
    """The Works by op."""
    groups: dict[Any, list[Any]] = {}
    for x in launches:
        groups.setdefault((x.op, True) if x.is_kernel else (x.name, False), []).append(x)
    made = [Work(name, sum(x.duration for x in xs) / 1e9, len(xs), sum(bool(x.nbytes) for x in xs), sum(x.flops or 0 for x in xs),
                 sum(x.nbytes for x in xs), is_kernel, any(_is_double(x) for x in xs)) for (name, is_kernel), xs in groups.items()]
    return tuple(sorted(made, key=lambda w: -w.seconds))


def _is_double(launch):
    frame = launch.frame
    return frame is not None and any(s is not None and s.dtype.to_real().name == "float64" for s in (*frame.inputs, *frame.outs))


def _waits(calls):
    found: dict[str, tuple[int, float]] = {}
    for e in calls:
        if e.kind == "wait":
            count, seconds = found.get(e.name, (0, 0.0))
            found[e.name] = count + 1, seconds + e.cpu_time_total / 1e6
    return found
