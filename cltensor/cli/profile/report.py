"""The report: where the time went, by phase and by op, and what to do about it."""

from ...profiler.table import memory, of_roofline, percent
from ..output import digits, duration, fields, plural, table, wrapped

_NAME = 26  # columns of an op's name


def report(options, prof, machine):
    """The lines of the report of a profile."""
    s = prof.summary()
    where = f" on {prof.busiest_device.name}" if prof.busiest_device else ""
    lines = ["", *wrapped(f"Profile of {options.program}: {duration(s.wall)}{where}"), "", *fields(_times(s))]
    if s.works:
        lines += ["", *_works(s, machine, options.top)]
    lines += ["", *_calls(prof, options.top)]
    if options.memory:
        lines += ["", *_memory(prof, options.top)]
    lines += ["", "What to do about it:"]
    found = prof.advice(machine)
    for i, a in enumerate(found, 1):
        lines += wrapped(f"{i}. {a.fact} {a.cure}", "   ")
    return lines + ([] if found else ["nothing stands out."])


def _percent(part, whole):
    return f"{100 * part / whole:.0f} %" if whole else "-"


def _times(s):
    """(name, text) of where the wall clock went."""
    on_host = {"ops": "ops", "wait": "waiting for the device", "data": "waiting for data", "python": "Python"}
    phases = [f"{name} {_percent(seconds, s.wall)}" for name, (_, seconds) in s.phases.items() if seconds]
    yield "device", ", ".join([f"busy {_percent(s.busy, s.wall)}", *phases, f"idle {_percent(s.idle, s.wall)}"])
    yield "host", ", ".join(f"{on_host[kind]} {_percent(seconds, s.wall)}" for kind, seconds in s.host.items() if seconds > 0)
    yield "launches", f"{plural(s.launches, 'kernel')}, {plural(s.copies, 'copy or fill', 'copies and fills')}"
    ways = (s.compiled, "compiled"), (s.loaded, "from the disk cache")
    built = [f"{n} {how} ({duration(seconds)})" for (n, seconds), how in ways if n]
    if built:
        yield "programs", ", ".join(built)
    yield "accounted", (f"{percent(s.attributed)} of the device's time belongs to an op; launches and gaps sum up to "
                        f"{percent(s.accounted)} of the wall clock")


def _works(s, machine, top):
    rows = []
    for w in s.works[:top]:
        rows.append((_cut(w.name), duration(w.seconds), _percent(w.seconds, s.summed), w.launches, duration(w.each),
                     digits(w.flops / w.seconds / 1e9) if w.flops and w.seconds else "-",
                     digits(w.nbytes / w.seconds / 1e9) if w.nbytes and w.seconds else "-",
                     of_roofline(machine.share(w.flops, w.nbytes, w.seconds)) if machine else "--"))
    return table(("On the device", "Time", "Share", "Launches", "Each", "GFLOP/s", "GB/s", "Roofline"), rows, range(1, 8))


def _calls(prof, top):
    calls = [a for a in prof.key_averages() if a.device_type == 0]
    total = sum(a.self_cpu_time_total for a in calls)
    rows = [(_cut(a.key), duration(a.self_cpu_time_total / 1e6), _percent(a.self_cpu_time_total, total), a.count,
             duration(a.self_cpu_time_total / 1e6 / a.count)) for a in sorted(calls, key=lambda a: -a.self_cpu_time_total)[:top]]
    return table(("On the host, without calls inside", "Time", "Share", "Calls", "Each"), rows, range(1, 5)) if rows else []


def _memory(prof, top):
    peak, reserved = prof.memory_peaks()
    calls = sorted((a for a in prof.key_averages() if a.device_type == 0), key=lambda a: -abs(a.self_device_memory_usage))
    rows = [(_cut(a.key), memory(a.self_device_memory_usage), a.count) for a in calls[:top] if a.self_device_memory_usage]
    return [f"Memory: at most {memory(peak)} in use, {memory(reserved)} reserved.",
            *(table(("Takes memory, less what it frees", "Bytes", "Calls"), rows, (1, 2)) if rows else [])]


def _cut(text):
    return text if len(text) <= _NAME else text[: _NAME - 3] + "..."
