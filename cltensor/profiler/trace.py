"""Trace: a profile in the Trace Event Format, which Perfetto and chrome://tracing read."""

import gzip
import json
import os
import threading

from .events import DeviceType

_CATEGORIES = {"op": "cpu_op", "user": "user_annotation", "step": "user_annotation", "kernel": "kernel", "copy": "gpu_memcpy",
               "module": "python_function", "wait": "cuda_runtime"}


def write(path, recording, events, launches, metadata):
    """Write the trace; a path that ends in .gz is compressed."""
    text = json.dumps(trace(recording, events, launches, metadata), separators=(",", ":"))
    if str(path).endswith(".gz"):
        with gzip.open(path, "wt", encoding="utf-8") as file:
            file.write(text)
    else:
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)


def trace(recording, events, launches, metadata):
    """The trace as a dictionary.  Times in microseconds of the host's clock."""
    made, base = [], recording.start / 1e3
    calls = [e for e in events if e.device_type is DeviceType.CPU]
    of_device = [e for e in events if e.device_type is not DeviceType.CPU]
    for e in calls:
        made.append(_complete(e, base, os.getpid(), e.thread))
    for e, launch in zip(of_device, launches, strict=False):
        if launch.begin is None:
            continue
        at = {"pid": _device(launch.device), "tid": 0}
        made.append({**_complete(e, base, **at), "args": {"grid": list(launch.grid), "bytes": launch.nbytes, "op": launch.op}})
        arrow = {"cat": "ac2g", "name": "ac2g", "id": e.id}
        made.append({"ph": "s", **arrow, "pid": os.getpid(), "tid": launch.thread, "ts": launch.enqueued / 1e3})
        made.append({"ph": "f", "bp": "e", **arrow, **at, "ts": launch.begin / 1e3})
    for watch in recording.watches:
        for t, thread, _, nbytes, in_use, reserved in watch.allocations:
            made.append({"ph": "i", "s": "t", "name": "[memory]", "cat": "cpu_instant_event", "pid": os.getpid(), "tid": thread,
                         "ts": t / 1e3, "args": {"Bytes": nbytes, "Total Allocated": in_use, "Total Reserved": reserved}})
            made.append({"ph": "C", "name": "memory", "pid": _device(watch.device), "ts": t / 1e3, "args": {"in use": in_use}})
    for t, names, origin, seconds in recording.builds:
        made.append({"ph": "X", "cat": "build", "name": f"build {names}", "pid": os.getpid(), "tid": recording.main,
                     "ts": t / 1e3 - seconds * 1e6, "dur": seconds * 1e6, "args": {"from": origin}})
    return {"schemaVersion": 1, "displayTimeUnit": "ms", "deviceProperties": [_properties(w.device) for w in recording.watches],
            **metadata, "traceEvents": [*_names(recording, calls), *made]}


def _complete(e, base, pid, tid):
    args = {"Sequence number": e.sequence_nr} if e.sequence_nr >= 0 else {}
    for name, value in (("Input Dims", e.input_shapes), ("Input type", e.input_dtypes), ("Call stack", ";".join(e.stack)),
                        ("Module Hierarchy", e.module), ("FLOPs", e.flops)):
        if value:
            args[name] = value
    return {"ph": "X", "cat": _CATEGORIES.get(e.kind, "cpu_op"), "name": e.name, "pid": pid, "tid": tid,
            "ts": base + e.time_range.start, "dur": e.time_range.elapsed_us(), "args": args}


def _device(device):
    """The process number of a device: its index."""
    return device.index


def _properties(device):
    p = device.profile
    return {"id": device.index, "name": p.name, "totalGlobalMem": p.global_memory, "numSms": p.compute_units}


def _names(recording, calls):
    alive = {t.ident: t.name for t in threading.enumerate()}
    yield _name("process_name", "python", os.getpid())
    for thread in dict.fromkeys(e.thread for e in calls):
        yield _name("thread_name", alive.get(thread, f"thread {thread}"), os.getpid(), tid=thread)
    for watch in recording.watches:
        yield _name("process_name", f"{watch.device} {watch.device.name}", _device(watch.device))
        yield _name("thread_name", "queue", _device(watch.device), tid=0)


def _name(what, name, pid, **more):
    return {"ph": "M", "name": what, "pid": pid, **more, "args": {"name": name}}
