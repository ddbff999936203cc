"""Table: events as text, with the columns of torch's tables."""

from ..base.errors import ArgumentError

_UNITS = {"s": 1e6, "ms": 1e3, "us": 1.0}
_FLOPS = ((1e12, "TFLOPs"), (1e9, "GFLOPs"), (1e6, "MFLOPs"), (1e3, "KFLOPs"), (1, "FLOPs"))
_OTHER_NAMES = ("cuda", "xpu", "privateuse1", "opencl")  # of the device, in what to sort by


class SortError(ArgumentError, AttributeError):
    """There is no such number to sort by."""


def table(events, sort_by, row_limit, src_width, name_width, shapes_width, header, top_level, time_unit, machine):
    """The text of EventList.table."""
    if time_unit is not None and time_unit not in _UNITS:
        raise ArgumentError(f"table: time_unit is {time_unit!r}; it must be 's', 'ms' or 'us'")
    if not events:
        return ""
    rows = list(events) if sort_by is None else sorted(events, key=_number(events, sort_by), reverse=True)
    if top_level:
        rows = [e for e in rows if e.cpu_parent is None]
    columns = _columns(events, name_width, shapes_width, src_width, time_unit, machine)
    shown = rows if row_limit < 0 else rows[:row_limit]
    cells = [[name for name, _, _ in columns], *([text(e) for _, text, _ in columns] for e in shown)]
    widths = [max(len(row[i]) for row in cells) for i in range(len(columns))]
    rule = "  ".join("-" * w for w in widths)
    lines = ["  ".join(c.ljust(w) if left else c.rjust(w) for c, w, (_, _, left) in zip(row, widths, columns, strict=True)).rstrip()
             for row in cells]
    ends = [f"Self CPU time total: {_time(events.self_cpu_time_total, time_unit)}"]
    if "device" in events.recorded:
        ends.append(f"Self device time total: {_time(events.self_device_time_total, time_unit)}")
    if events.wall:
        ends.append(f"Wall clock time total: {_time(events.wall, time_unit)}")
    return "\n".join([*([rule, header] if header else []), rule, lines[0], rule, *lines[1:], rule, *ends, ""])


def _number(events, sort_by):
    """The key to sort by."""
    name = sort_by
    for other in _OTHER_NAMES:
        name = name.replace(other, "device")
    if not isinstance(getattr(events[0], name, None), (int, float)):
        known = sorted(n for n in dir(events[0]) if not n.startswith("_") and isinstance(getattr(events[0], n), (int, float))
                       and not isinstance(getattr(events[0], n), bool) and "cuda" not in n)
        raise SortError(f"table: events have no number {sort_by!r} to sort by; there are {', '.join(known)}")
    return lambda e: getattr(e, name)


def _columns(events, name_width, shapes_width, src_width, unit, machine):
    """(title, event -> text, whether it stands on the left) of each column."""
    host, on_device = events.self_cpu_time_total, events.self_device_time_total
    made = [("Name", lambda e: _cut(e.key, name_width), True),
            ("Self CPU %", lambda e: _share(e.self_cpu_time_total, host), False),
            ("Self CPU", lambda e: _time(e.self_cpu_time_total, unit), False),
            ("CPU total %", lambda e: _share(e.cpu_time_total, host), False),
            ("CPU total", lambda e: _time(e.cpu_time_total, unit), False),
            ("CPU time avg", lambda e: _time(e.cpu_time, unit), False)]
    if "device" in events.recorded:
        made += [("Self Device", lambda e: _time(e.self_device_time_total, unit), False),
                 ("Self Device %", lambda e: _share(e.self_device_time_total, on_device), False),
                 ("Device total", lambda e: _time(e.device_time_total, unit), False),
                 ("Device time avg", lambda e: _time(e.device_time, unit), False)]
    if "memory" in events.recorded:
        made += [("Device Mem", lambda e: memory(e.device_memory_usage), False),
                 ("Self Device Mem", lambda e: memory(e.self_device_memory_usage), False)]
    made.append(("# of Calls", lambda e: str(e.count), False))
    if "device" in events.recorded:
        made.append(("Launches", lambda e: str(e.launches), False))
    if any(e.input_shapes for e in events):
        made.append(("Input Shapes", lambda e: _cut(str(e.input_shapes), shapes_width), True))
    if any(e.stack for e in events):
        made.append(("Source Location", lambda e: _tail(e.stack[0], src_width) if e.stack else "", True))
    if "flops" in events.recorded:
        scale, name = next((s, n) for s, n in _FLOPS if s == 1 or max(e.flops for e in events) >= s)
        made.append((f"Total {name}", lambda e: f"{e.flops / scale:.3f}" if e.flops else "--", False))
        made.append(("Bytes", lambda e: memory(e.nbytes) if e.nbytes else "--", False))
    if machine is not None:
        made.append(("Of the roofline", lambda e: of_roofline(_reached(e, machine)), False))
    return made


def _reached(e, machine):
    return machine.share(e.flops, e.nbytes, e.self_device_time_total * 1e-6)


def percent(share):
    """A share as text; "--" for None."""
    return "--" if share is None else f"{100 * share:.1f}%"


def of_roofline(share):
    """A share of what the device can do, as text; data from a cache comes faster than memory gives it."""
    return ">100%" if share is not None and share > 1 else percent(share)


def _time(us, unit):
    unit = unit or ("s" if us >= 1e6 else "ms" if us >= 1e3 else "us")
    return f"{us / _UNITS[unit]:.3f}{unit}"


def _share(part, whole):
    return f"{100 * part / whole:.2f}%" if whole else "NaN" if part else "0.00%"


def memory(nbytes):
    """Bytes as text, as in torch's tables: 1536 -> "1.50 KB"."""
    size = abs(nbytes)
    scale, name = next((s, n) for s, n in ((1 << 30, "GB"), (1 << 20, "MB"), (1 << 10, "KB"), (1, "B")) if s == 1 or size >= s)
    return f"{nbytes} B" if scale == 1 else f"{nbytes / scale:.2f} {name}"


def _cut(text, width):
    return text if width is None or len(text) <= width else text[: max(width - 3, 0)] + "..."


def _tail(text, width):
    return text if width is None or len(text) <= width else "..." + text[len(text) - max(width - 3, 0):]
