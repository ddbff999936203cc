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
    """Return whether there is an OpenCL device to use.  Never raises.

    Source: torch.cuda.is_available.

        >>> ct.opencl.is_available()
        True
    """
    try:
        return device_count() > 0
    except Exception:
        return False


def device_count():
    """Return the number of OpenCL devices; 0 where there is none.

    Never raises for want of a driver.  Source: torch.cuda.device_count.

        >>> ct.opencl.device_count() > 0
        True
    """
    return _devices.count()


def current_device():
    """Return the index of this thread's current device.

    Raises DeviceError for a device that does not exist, or where there is none.  Source: torch.cuda.current_device.

        >>> ct.opencl.current_device() == ct.ones(1).device.index
        True
    """
    return _devices.real_default().index


def set_device(device: device | str | int | None):
    """Make `device` this thread's current one: new tensors are made there.

    Raises DeviceError for a device that does not exist, or where there is none.  Source: torch.cuda.set_device.

        >>> ct.opencl.set_device(ct.opencl.current_device())
    """
    set_default_device(_resolve(device))


class device:
    """A context manager in which `device` is this thread's current one; None changes nothing.

    Raises DeviceError for a device that does not exist, or where there is none.  Source: torch.cuda.device.

        >>> with ct.opencl.device(ct.opencl.current_device()):
        ...     x = ct.ones(2)
    """

    def __init__(self, device: device | str | int | None):
        self.chosen = _resolve(device)

    def __enter__(self):
        self.chosen.__enter__()
        return self

    def __exit__(self, *exception):
        self.chosen.__exit__(*exception)


def get_device_name(device: device | str | int | None = None):
    """Return the device's name, as its driver gives it.

    Raises DeviceError for a device that does not exist, or where there is none.  Source: torch.cuda.get_device_name; CL_DEVICE_NAME
    of OpenCL 1.2.

        >>> ct.opencl.get_device_name() == ct.opencl.get_device_properties().name
        True
    """
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
    """Return the device's properties: name, type, compute units, bytes of memory, 16-bit and 64-bit floats, platform, driver.

    Raises DeviceError for a device that does not exist, or where there is none.  Source: torch.cuda.get_device_properties;
    clGetDeviceInfo of OpenCL 1.2.

        >>> properties = ct.opencl.get_device_properties()
        >>> properties.compute_units > 0, properties.total_memory > 0
        (True, True)
    """
    return DeviceProperties(_resolve(device).profile)


def synchronize(device: device | str | int | None = None):
    """Wait until everything enqueued on the device, on any stream, is done.

    Raises DeviceError for a device that does not exist, or where there is none.  An index out of range that a kernel met before is
    raised where values are read, not here.  Source: torch.cuda.synchronize.

        >>> y = ct.ones(3) * 2
        >>> ct.opencl.synchronize()
    """
    _resolve(device).synchronize()


def memory_allocated(device: device | str | int | None = None):
    """Return the bytes of the device's memory that tensors use.

    Raises DeviceError for a device that does not exist, or where there is none.  Source: torch.cuda.memory_allocated.

        >>> before = ct.opencl.memory_allocated()
        >>> x = ct.ones(1000)
        >>> ct.opencl.memory_allocated() - before >= 4000
        True
    """
    return _resolve(device).memory.allocated()


def max_memory_allocated(device: device | str | int | None = None):
    """Return the largest memory_allocated() since the start, or since reset_peak_memory_stats().

    Raises DeviceError for a device that does not exist, or where there is none.  Source: torch.cuda.max_memory_allocated.

        >>> ct.opencl.max_memory_allocated() >= ct.opencl.memory_allocated()
        True
    """
    return _resolve(device).memory.peak


def memory_reserved(device: device | str | int | None = None):
    """Return the bytes reserved from the driver: in use by tensors, or kept for reuse.

    Raises DeviceError for a device that does not exist, or where there is none.  Source: torch.cuda.memory_reserved.

        >>> ct.opencl.memory_reserved() >= ct.opencl.memory_allocated()
        True
    """
    return _resolve(device).memory.reserved()


def max_memory_reserved(device: device | str | int | None = None):
    """Return the largest memory_reserved() since the start, or since reset_peak_memory_stats().

    Raises DeviceError for a device that does not exist, or where there is none.  Source: torch.cuda.max_memory_reserved.

        >>> ct.opencl.max_memory_reserved() >= ct.opencl.memory_reserved()
        True
    """
    return _resolve(device).memory.max_reserved()


def reset_peak_memory_stats(device: device | str | int | None = None):
    """Restart both peaks from the current use.

    Raises DeviceError for a device that does not exist, or where there is none.  Source: torch.cuda.reset_peak_memory_stats.

        >>> ct.opencl.reset_peak_memory_stats()
    """
    _resolve(device).memory.reset_peaks()


def memory_stats(device: device | str | int | None = None):
    """Return all memory statistics, as a dict with torch.cuda's keys.

    Raises DeviceError for a device that does not exist, or where there is none.  Source: torch.cuda.memory_stats.

        >>> ct.opencl.memory_stats()["allocated_bytes.all.current"] == ct.opencl.memory_allocated()
        True
    """
    return statistics.memory_stats(_resolve(device).memory)


def memory_summary(device: device | str | int | None = None, abbreviated: bool = False):
    """Return the memory statistics as readable text.

    abbreviated is accepted; the text is always the short form.
    Raises DeviceError for a device that does not exist, or where there is none.  Source: torch.cuda.memory_summary.

        >>> ct.opencl.memory_summary().startswith("Memory of opencl:")
        True
    """
    d = _resolve(device)
    return statistics.memory_summary(d.memory, f"Memory of {d}, {d.name}")


def empty_cache():
    """Return memory that no tensor uses to the drivers of all devices; this waits for what is under way.

    Raises DeviceError where a driver reports a failure of work enqueued before.  Source: torch.cuda.empty_cache.

        >>> ct.opencl.empty_cache()
    """
    for d in _devices.opened():
        d.synchronize()
        d.memory.free_held()


def set_per_process_memory_fraction(fraction, device: device | str | int | None = None):
    """Limit what this process reserves on the device to `fraction` (0 to 1) of its memory; 1 removes the limit.

    Raises ArgumentError for a fraction outside 0 to 1; DeviceError for a device that does not exist.  A tensor that does not fit
    raises OutOfMemoryError.  Source: torch.cuda.set_per_process_memory_fraction.

        >>> ct.opencl.set_per_process_memory_fraction(1.0)
    """
    if isinstance(fraction, bool) or not isinstance(fraction, (int, float)) or not 0 <= fraction <= 1:
        raise ArgumentError(f"set_per_process_memory_fraction: fraction must be a number from 0 to 1, got {fraction!r}")
    d = _resolve(device)
    d.memory.set_fraction(fraction)
    d.refresh()


def mem_get_info(device: device | str | int | None = None):
    """Return (free, total) bytes of the device.  Other processes are not counted, as OpenCL does not report them.

    Raises DeviceError for a device that does not exist, or where there is none.  Source: torch.cuda.mem_get_info.

        >>> free, total = ct.opencl.mem_get_info()
        >>> 0 <= free <= total
        True
    """
    memory = _resolve(device).memory
    total = min(memory.total if memory.limit is None else memory.limit, memory.allowed.nbytes)
    return max(total - memory.reserved(), 0), memory.total


def __dir__():
    return sorted(__all__)
