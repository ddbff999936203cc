"""How much more memory this process may use: the least of the machine's, its control groups' (of containers) and its limits'.

CPU drivers hand out memory that does not exist; the system kills the process when it is used.

Source: https://docs.kernel.org/admin-guide/cgroup-v2.html and cgroup-v1/memory.html; getrlimit(2); proc(5).
"""

import contextlib
import os
from pathlib import Path
from typing import NamedTuple

from ..base.errors import OutOfMemoryError

try:
    import resource
except ImportError:  # Windows
    resource = None

CGROUPS, PROC = Path("/sys/fs/cgroup"), Path("/proc")
_NO_QUESTION = 64 << 20  # bytes; smaller requests are not checked
_FOR_OTHERS = 256 << 20  # bytes left to the rest of the machine
_UNLIMITED = 1 << 60  # cgroup version 1 writes "no limit" as the largest multiple of a page


class Room(NamedTuple):
    """Bytes this process may still use, and what sets the bound: "machine", "control group", "ulimit -v" or "ulimit -d"."""

    nbytes: float
    bound: str

    @classmethod
    def smallest(cls, *rooms):
        return min((r for r in rooms if r is not None), default=cls(float("inf"), "machine"))


def room():
    """The Room for memory that will be used; infinite where the system does not tell."""
    return Room.smallest(_of_machine(), *_of_groups())


def address_room():
    """The Room for address space, used or not, within RLIMIT_AS and RLIMIT_DATA."""
    return Room.smallest(*(_of_limit(*limit) for limit in (("RLIMIT_AS", 0), ("RLIMIT_DATA", 5))))


def allowance():
    """The Room left by the limits of this process and its control groups, whatever else the machine runs."""
    return Room.smallest(address_room(), *_of_groups())


def _of_machine():
    """Memory that is free or can be freed without loss, swap space included."""
    with contextlib.suppress(OSError, ValueError, KeyError):
        lines = [line.split() for line in (PROC / "meminfo").read_text().splitlines()]
        known = {words[0].rstrip(":"): int(words[1]) << 10 for words in lines if len(words) > 1}
        return Room(max(known["MemAvailable"] + known.get("SwapFree", 0) - _FOR_OTHERS, 0), "machine")
    return None


def _of_limit(name, column):
    """The Room left by a limit of getrlimit; column: the column of /proc/self/statm that counts towards it."""
    if resource is None or not hasattr(resource, name):
        return None
    allowed = resource.getrlimit(getattr(resource, name))[0]
    if allowed == resource.RLIM_INFINITY:
        return None
    return Room(max(allowed - _own(column), 0), "ulimit -v" if name == "RLIMIT_AS" else "ulimit -d")


def require(nbytes, what):
    """Raise OutOfMemoryError if the host cannot give this process nbytes more; `what` names the use in the message."""
    if nbytes < _NO_QUESTION:
        return
    left = Room.smallest(room(), address_room())
    if nbytes > left.nbytes:
        raise OutOfMemoryError(f"{what} takes {nbytes >> 20} MiB of the host's memory, of which the {left.bound} leaves "
                               f"{int(left.nbytes) >> 20} MiB; work on smaller parts")


def resident():
    """Bytes of the machine's memory that this process uses; 0 where the system does not tell."""
    return _own(1)


def _own(column):
    """A column of /proc/self/statm in bytes, 0 where there is none."""
    with contextlib.suppress(OSError, ValueError):
        return int((PROC / "self" / "statm").read_text().split()[column]) * os.sysconf("SC_PAGE_SIZE")
    return 0


def _of_groups():
    """The Room left by each control group of this process."""
    for folder, names in _groups():
        found = _of_group(folder, *names)
        if found is not None:
            yield found


def _groups():
    """(folder, names of its limit, usage and reclaimable usage) of every control group of this process."""
    with contextlib.suppress(OSError):
        for line in (PROC / "self" / "cgroup").read_text().splitlines():
            number, controllers, path = line.split(":", 2)
            if number == "0":
                top, names = CGROUPS, ("memory.max", "memory.current", "inactive_file")
            elif "memory" in controllers.split(","):
                top, names = CGROUPS / "memory", ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
            else:
                continue
            inside = top / path.lstrip("/")  # in a container this may be the host's path, which is not visible
            for folder in (inside, *inside.parents):
                if folder == top or top in folder.parents:
                    yield folder, names


def _of_group(folder, limit, use, reclaimable):
    with contextlib.suppress(OSError, ValueError):
        allowed = (folder / limit).read_text().strip()
        if allowed == "max" or int(allowed) > _UNLIMITED:
            return None
        used = int((folder / use).read_text())
        with contextlib.suppress(OSError, ValueError):
            for line in (folder / "memory.stat").read_text().splitlines():
                name, _, value = line.partition(" ")
                if name == reclaimable:
                    used -= int(value)
        return Room(max(int(allowed) - max(used, 0), 0), "control group")
    return None
