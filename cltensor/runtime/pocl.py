"""Keeping PoCL's own folder of object files small: PoCL itself never deletes from it."""

import contextlib
import os
import shutil
import time
from pathlib import Path

DAY = 24 * 3600


def trim(folder, limit, now=None):
    """Bring PoCL's cache `folder` below `limit` bytes, oldest programs first.

    What was touched within a day stays, since a running process may still open it; leftovers of processes that ended
    early go in any case.  Layout: <folder>/<two letters>/<program>/, with a file last_accessed in each.
    """
    old = (time.time() if now is None else now) - DAY
    with contextlib.suppress(OSError):
        for leftover in [*folder.glob("tempfile_*"), *folder.glob("_UNCACHED_*")]:
            if _used(leftover) < old:
                _remove(leftover)
        programs = sorted((_used(p), p) for p in folder.glob("??/*"))
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
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
