"""Devices, streams, events and memory: the sibling of torch.cuda.

Wherever a function takes `device`, it may be None (the current device), an index, a name or a device.
"""

from __future__ import annotations

from .base.errors import ArgumentError
from .runtime import device as _devices
from .runtime import search, statistics
from .runtime.device import set_default_device
from .runtime.memory import readable
from .runtime.program import build_stats
from .runtime.stream import Event, Stream, current_stream, default_stream, set_stream, stream
from .runtime.stream import resolve as _resolve

__all__ = [
    "Event", "Stream", "build_stats", "current_device", "current_stream", "default_stream", "describe_search", "device",
    "device_count", "empty_cache", "get_device_name", "get_device_properties", "is_available", "max_memory_allocated",
    "max_memory_reserved", "mem_get_info", "memory_allocated", "memory_reserved", "memory_stats", "memory_summary",
    "reset_peak_memory_stats", "set_device", "set_per_process_memory_fraction", "set_stream", "stream", "synchronize",
]

describe_search = search.describe_search


def is_available():
    """Whether there is an OpenCL device to use.  Never raises."""
    try:
        return device_count() > 0
    except Exception:
        return False


def device_count():
    """The number of OpenCL devices; 0 when there is none."""
    return _devices.count()


def current_device():
    """The index of the current device."""
    return _devices.default_device().index


def set_device(device: device | str | int | None):
    """Make `device` the current one.  Raises DeviceError when there is no such device."""
    set_default_device(_resolve(device))


class device:
    """A context manager in which `device` is the current one; None changes nothing."""

    def __init__(self, device: device | str | int | None):
        self.chosen = _resolve(device)

    def __enter__(self):
        self.chosen.__enter__()
        return self

    def __exit__(self, *exception):
        self.chosen.__exit__(*exception)


def get_device_name(device: device | str | int | None = None):
    """The device's name, as its driver gives it."""
    return _resolve(device).name


class DeviceProperties:
    """A device's properties: name, type, compute_units, total_memory (bytes), fp16, fp64, platform, driver and more.

    Also has PyTorch's multi_processor_count; every other fact of the device's profile is an attribute too.
    """

    def __init__(self, profile):
        self._profile = profile
        self.type, self.total_memory = profile.kind, profile.global_memory
        self.multi_processor_count = profile.compute_units

    def __getattr__(self, name):
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self._profile, name)

    def __repr__(self):
        p = self._profile
        return (f"DeviceProperties(name='{p.name}', type='{p.kind}', compute_units={p.compute_units}, "
                f"total_memory={readable(p.global_memory)}, max_allocation={readable(p.max_allocation)}, "
                f"fp16={p.fp16}, fp64={p.fp64}, platform='{p.platform}', driver='{p.driver}')")


def get_device_properties(device: device | str | int | None = None):
    """The device's DeviceProperties."""
    return DeviceProperties(_resolve(device).profile)


def synchronize(device: device | str | int | None = None):
    """Wait until everything enqueued on the device, on any stream, is done."""
    _resolve(device).synchronize()


def memory_allocated(device: device | str | int | None = None):
    """Bytes in use by tensors."""
    return _resolve(device).memory.allocated()


def max_memory_allocated(device: device | str | int | None = None):
    """The largest memory_allocated() since the start, or since reset_peak_memory_stats()."""
    return _resolve(device).memory.peak


def memory_reserved(device: device | str | int | None = None):
    """Bytes reserved from the driver: in use by tensors, or kept for reuse."""
    return _resolve(device).memory.reserved()


def max_memory_reserved(device: device | str | int | None = None):
    """The largest memory_reserved() since the start, or since reset_peak_memory_stats()."""
    return _resolve(device).memory.max_reserved()


def reset_peak_memory_stats(device: device | str | int | None = None):
    """Restart both peaks from the current use."""
    _resolve(device).memory.reset_peaks()


def memory_stats(device: device | str | int | None = None):
    """All memory statistics, as a dict with torch.cuda's keys."""
    return statistics.memory_stats(_resolve(device).memory)


def memory_summary(device: device | str | int | None = None, abbreviated: bool = False):
    """The memory statistics as readable text; it is always the short form."""
    d = _resolve(device)
    return statistics.memory_summary(d.memory, f"Memory of {d}, {d.name}")


def empty_cache():
    """Return memory that no tensor uses to the drivers of all devices."""
    for d in _devices.opened():
        d.synchronize()
        d.memory.free_held()


def set_per_process_memory_fraction(fraction, device: device | str | int | None = None):
    """Limit what this process reserves on the device to `fraction` (0 to 1) of its memory; 1 removes the limit."""
    if isinstance(fraction, bool) or not isinstance(fraction, (int, float)) or not 0 <= fraction <= 1:
        raise ArgumentError(f"set_per_process_memory_fraction: fraction must be a number from 0 to 1, got {fraction!r}")
    d = _resolve(device)
    d.memory.set_fraction(fraction)
    d.refresh()


def mem_get_info(device: device | str | int | None = None):
    """(free, total) bytes.  Other processes are not counted, as OpenCL does not report them."""
    memory = _resolve(device).memory
    total = min(memory.total if memory.limit is None else memory.limit, memory.allowed.nbytes)
    return max(total - memory.reserved(), 0), memory.total
