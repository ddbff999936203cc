"""Page: one HTML file that shows a profile: a timeline, a table of ops, memory over time, and advice."""

import html
import json
import threading
from pathlib import Path

from ..version import __version__
from .events import DeviceType
from .memory import curve

_POINTS = 4000  # of the memory curve, at most
_KINDS = ("op", "node", "backward", "optimizer", "update", "module", "user", "step", "data", "replay", "wait", "kernel", "copy")


def write(path, recording, events, launches, summary, advice, machine):
    """Write the page of a Recording."""
    Path(path).write_text(text(recording, events, launches, summary, advice, machine), encoding="utf-8")


def text(recording, events, launches, summary, advice, machine):
    """The page as text: page.html with the facts in it."""
    names = {}
    facts = {
        "wall": summary.wall * 1e6, "version": __version__, "kinds": _KINDS,
        "devices": [f"{w.device} {w.device.name}" for w in recording.watches],
        "totals": {"busy": summary.busy, "idle": summary.idle, "launches": summary.launches, "copies": summary.copies,
                   "accounted": summary.accounted, "attributed": summary.attributed, "host": summary.host,
                   "phases": summary.phases},
        "advice": [{"fact": a.fact, "cure": a.cure, "weight": a.weight} for a in advice],
        "works": [[w.name, w.seconds, w.launches, w.flops, w.nbytes,
                   None if machine is None else machine.share(w.flops, w.nbytes, w.seconds), "kernel" if w.is_kernel else "copy"]
                  for w in summary.works],
        "calls": _calls(events), "tracks": _tracks(recording, events, launches, names), "memory": _memory(recording)}
    facts["names"] = list(names)
    page = Path(__file__).with_name("page.html").read_text(encoding="utf-8")
    data = json.dumps(facts, separators=(",", ":")).replace("<", "\\u003c")
    return page.replace("@TITLE@", html.escape("profile")).replace("@FACTS@", data)


def _calls(events):
    """A row for each name of what ran on the host."""
    calls = type(events)([e for e in events if e.device_type is DeviceType.CPU])
    return [[a.key, a.kind, a.count, a.self_cpu_time_total / 1e6, a.cpu_time_total / 1e6, a.device_time_total / 1e6, a.launches,
             a.device_memory_usage] for a in calls.key_averages()]


def _tracks(recording, events, launches, names):
    """A track for each thread and each device: [[name's number, start, length, depth, kind's number]], in microseconds."""
    alive, found, depths = {t.ident: t.name for t in threading.enumerate()}, {}, {}
    for e in events:
        if e.device_type is DeviceType.CPU:
            parent = e.cpu_parent
            depth = depths[e.id] = depths.get(parent.id, -1) + 1 if parent is not None and parent.thread == e.thread else 0
            track = found.setdefault(("host", e.thread), [])
            track.append(_box(names, e.name, e.time_range.start, e.time_range.elapsed_us(), depth, e.kind))
    for x in launches:
        if x.begin is not None:
            track = found.setdefault(("device", x.device.index), [])
            kind = "kernel" if x.is_kernel else "copy"
            track.append(_box(names, x.name, (x.begin - recording.start) / 1e3, x.duration / 1e3, 0, kind))
    return [{"name": f"device {key}" if place == "device" else alive.get(key, f"thread {key}"), "place": place, "boxes": boxes}
            for (place, key), boxes in sorted(found.items(), key=lambda item: item[0][0] == "device")]


def _box(names, name, start, length, depth, kind):
    return [names.setdefault(name, len(names)), round(start, 2), round(length, 2), depth, _KINDS.index(kind)]


def _memory(recording):
    """[[microseconds, bytes in use]], thinned to the highest of each part; empty where memory was not recorded."""
    if not recording.memory:
        return []
    points = curve(recording)
    step = -(-len(points) // _POINTS)
    parts = [points[i: i + step] for i in range(0, len(points), step)]
    return [[round((t - recording.start) / 1e3, 1), n] for t, n in (max(p, key=lambda point: point[1]) for p in parts)]
