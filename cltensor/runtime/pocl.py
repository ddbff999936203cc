"""PoCL's folder of object files: PoCL needs to write to it and load from it, and never deletes from it."""

import contextlib
import os
import shutil
import time
from pathlib import Path

from ..base import config
from . import scratch, trusted

DAY = 24 * 3600


def provide():
    """Make PoCL keep its files in this process's own folder, unless the user has chosen another."""
    chosen = os.environ.get("POCL_CACHE_DIR")
    if chosen is None or scratch.is_in_one(chosen):  # a parent's folder is removed when the parent ends
        folder = _lasting() or scratch.folder() / "pocl"
        folder.mkdir(exist_ok=True)
        os.environ["POCL_CACHE_DIR"] = str(folder)


def _lasting():
    """A lasting folder, if PoCL compiles more than its binaries hold (for local sizes) and nobody else can write to it; or None."""
    if os.environ.get("POCL_WORK_GROUP_SPECIALIZATION") == "0" or not config.cache_limit():
        return None
    with contextlib.suppress(OSError):
        folder = trusted.folder(config.cache_dir() / "pocl")
        for place, _, files in os.walk(folder):
            trusted.check(place)
            for name in files:
                trusted.check_file(os.path.join(place, name))
        return folder if scratch.fault(folder) is None else None
    return None


def fault():
    """Why PoCL cannot write and load kernels, with the cure, or None.  PoCL would abort the process when it tries."""
    chosen = os.environ.get("POCL_CACHE_DIR")
    if chosen is None:
        return None
    if not scratch.is_in_one(chosen):
        reason = scratch.fault(chosen) if os.path.isdir(chosen) else None
        return reason and f"{reason.rpartition('; ')[0]}; unset POCL_CACHE_DIR"
    with contextlib.suppress(OSError):
        os.makedirs(chosen, 0o700, exist_ok=True)
    reason = scratch.fault(chosen)
    return scratch.fault(chosen) if reason and scratch.move(Path(chosen)) else reason


def trim(folder, limit, now=None):
    """Trim a PoCL cache folder, as earlier versions kept, to `limit` bytes; delete the least recently used programs first.

    Keep everything used within a day, since a running process may still open it.  Always delete older leftovers of killed
    processes.  Layout: <folder>/<two letters>/<program>/, with a file last_accessed in each.
    """
    old = (time.time() if now is None else now) - DAY
    with contextlib.suppress(OSError):
        for leftover in [*folder.glob("tempfile_*"), *folder.glob("_UNCACHED_*")]:
            if _used(leftover) < old:
                _remove(leftover)
        programs = sorted((_used(p), p) for p in folder.glob("??/*") if p.parent.name.isupper())
        sizes = {p: _size(p) for _, p in programs}
        total = sum(sizes.values())
        for used, program in programs:
            if total <= limit or used >= old:
                return
            _remove(program)
            total -= sizes[program]


def _used(path):
    mark = path / "last_accessed"
    with contextlib.suppress(OSError):
        return (mark if mark.exists() else path).stat().st_mtime
    return 0.0


def _size(path):
    total = 0
    for folder, _, files in os.walk(path):
        for name in files:
            with contextlib.suppress(OSError):
                total += (Path(folder) / name).stat().st_size
    return total


def _remove(path):
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
