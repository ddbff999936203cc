"""The devices of all platforms, found once, without duplicates, best first; and the default device."""

import threading
from dataclasses import replace

from ..base import config
from ..base.errors import DeviceError
from . import cure, search, trial, verdict
from .entry import describe
from .inline import paired
from .loader import pyopencl

_lock = threading.RLock()
_found = None


def entries():
    """All usable devices as Entry objects, best first.  Raises DeviceError when there is none."""
    global _found
    if _found is None:
        with _lock:
            if _found is None:
                found = discover()
                if not found:
                    raise DeviceError(search.nothing_found())
                _found = found
    return _found


def known():
    """The devices found so far, without a search."""
    return _found or []


def discover():
    """Search anew.  Leave out Oclgrind unless CLTENSOR_DEVICE names it."""
    asked = (config.setting("CLTENSOR_DEVICE") or "").lower()
    found = [e for e in every_entry() if not e.is_checker or (asked and e.matches(asked))]
    return _tried(sorted(found, key=lambda e: e.rank), asked)


def _tried(found, asked):
    """The Entries, CPU drivers in the order of their trials.  Run missing trials only if a CPU would be the default."""
    cpus = [e for e in found if trial.needed(e)]
    if not cpus:
        return found
    first = found.index(cpus[0])
    cpus = trial.ordered(cpus) if first == 0 and not asked else trial.by_verdict(cpus)
    return [*found[:first], *cpus, *found[first + len(cpus) :]]


def every_entry():
    """Every working device of every platform, in the loader's order; drop repeats of a platform listed twice."""
    cl = pyopencl()
    try:
        platforms = cl.get_platforms()
    except cl.Error:
        return []
    seen, result = set(), []
    for number, platform in enumerate(platforms):
        for i, entry in enumerate(_entries_of(cl, platform)):
            key = (entry.platform_name, entry.platform_version, entry.name, i)
            if key not in seen:
                seen.add(key)
                result.append(replace(entry, place=f"{number}.{i}"))
    return result


def _entries_of(cl, platform):
    """The platform's usable devices; empty if it has none or its driver fails."""
    try:
        return paired([describe(platform, d) for d in platform.get_devices() if d.available and d.compiler_available])
    except cl.Error:
        return []


def chosen_index():
    """The index of the device that CLTENSOR_DEVICE names; 0 when it is unset.

    Raises DeviceError when it names no device, and when it is unset and no driver works.
    """
    asked = config.setting("CLTENSOR_DEVICE")
    if asked is None:
        _refuse_broken(entries()[0])
        return 0
    text = asked.lower()
    for i, e in enumerate(entries()):
        if text in (f"opencl:{i}", e.kind):
            return i
    score, i = max((e.matches(text), -i) for i, e in enumerate(entries()))
    if score:
        return -i
    raise DeviceError(f"CLTENSOR_DEVICE is {asked!r}, which names no device. Set it to opencl:N, to gpu or cpu, or "
                      f"to a part of a device's or platform's name. {listing()}")


def _refuse_broken(best):
    """Raise DeviceError if the best device failed its trial: then all others have failed too."""
    found = verdict.known(best) if trial.needed(best) else None
    if found and not found.style:
        reasons = "\n".join(f"  {e.title}: {verdict.known(e).reason}" for e in entries() if trial.needed(e))
        driver = cure.cpu_driver({e.platform_name for e in entries()})
        raise DeviceError(f"no OpenCL device here works:\n{reasons}\nA driver that may: {driver}\nTo use one all the same, name it "
                          f"with CLTENSOR_DEVICE. {listing()}")


def listing(found=None):
    """A sentence that lists all devices, or those given."""
    named = [f"opencl:{i} is {e.name} ({e.kind.upper() if len(e.kind) == 3 else e.kind}, {e.platform_name})"
             for i, e in enumerate(entries() if found is None else found)]
    return f"There {'is one device' if len(named) == 1 else f'are {len(named)} devices'}: {'; '.join(named)}."
