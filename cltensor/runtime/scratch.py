"""This process's private folder, for files that libraries load by name.

PoCL runs the object files in its folder, and the OpenCL loader runs the library that an .icd file names.  Between a check of
such a file and its loading, somebody could replace it.  So keep them in a folder of this process that nobody else can reach:

    <temporary folder>/cltensor-<user's number>/cltensor-process-<random>/

It is removed at exit.  The process holds a lock on it.  The next process to start removes the folders without a lock: those
of killed processes.
"""

import atexit
import contextlib
import os
import shutil
import tempfile
from pathlib import Path

from ..base import config
from . import trusted

try:
    import fcntl
    import resource
except ImportError:  # Windows
    fcntl = resource = None

PREFIX = "cltensor-process-"
LARGEST = 256 << 10  # bytes; more than any file that a compiler writes for a kernel
ROOM = 4 << 20  # bytes; more than one program takes
_mine = None  # (process id, folder, whether this process removes it)
_moved = []  # folders elsewhere that hold parts of it
_locks = []  # open folders; keeping a folder open keeps its lock


def folder():
    """This process's folder (pathlib.Path).  Raises OSError where none can be made."""
    global _mine
    if _mine is None or _mine[0] != os.getpid():
        _mine = os.getpid(), _made(), True
    _mine[1].mkdir(0o700, parents=True, exist_ok=True)  # again, if somebody has cleaned up
    return _mine[1]


def adopt(path):
    """Use the folder `path`, which the parent process made inside its own and will remove."""
    global _mine
    _mine = os.getpid(), Path(path), False


def remove():
    """Remove this process's folder and those of killed children.  Does nothing in a forked child."""
    if _mine and _mine[0] == os.getpid() and _mine[2]:
        for own in (_mine[1], *_moved):
            shutil.rmtree(own, ignore_errors=True)
        _remove_left(_mine[1].parent)


def is_in_one(path):
    """Whether a path lies in such a folder, of this process or another."""
    return any(part.startswith(PREFIX) for part in Path(path).parts)


def fault(path):
    """Why kernels cannot be written to and loaded from the folder `path`, with the cure, or None.  Takes some microseconds."""
    try:
        if hasattr(os, "statvfs"):
            known = os.statvfs(path)
            if known.f_flag & getattr(os, "ST_NOEXEC", 0):
                return f"{path} is on a file system mounted with noexec; set TMPDIR to a folder on another one"
            if known.f_bavail * known.f_frsize < ROOM:
                return f"{path} has less than {ROOM >> 20} MiB left; make room there, or set TMPDIR to another folder"
    except OSError as e:
        return f"{path}: {e.strerror}; set TMPDIR to a folder that can be used"
    allowed = resource.getrlimit(resource.RLIMIT_FSIZE)[0] if resource else -1
    if 0 <= allowed < LARGEST:
        return (f"this process may write no file of more than {allowed} bytes, a kernel may take {LARGEST}; raise the limit on the "
                "size of files (ulimit -f)")
    return None


def _takes(path):
    """Whether a kernel's file can be written in the folder `path` (quotas may forbid it) and loaded from it."""
    with contextlib.suppress(OSError), tempfile.TemporaryFile(dir=path) as file:
        file.write(bytes(LARGEST))
        return fault(path) is None
    return False


def move(path):
    """Move a folder inside this process's to a place with more room and leave a link.  Returns whether there was one."""
    for place in filter(_takes, _usable()):
        with contextlib.suppress(OSError):
            _moved.append(_new(place))
            shutil.copytree(path, _moved[-1] / path.name)
            before = path.rename(path.with_name(f"{path.name}-{len(_moved)}"))
            path.symlink_to(_moved[-1] / path.name)
            shutil.rmtree(before, ignore_errors=True)
            return True
    return False


def _made():
    """A new folder, preferably in a place that has room and allows kernels to be loaded."""
    for place in sorted(_usable(), key=_takes, reverse=True):
        with contextlib.suppress(OSError):
            return _new(place)
    return _new(None)


def _usable():
    """The places that no other user can change."""
    found = []
    for place in _places():
        with contextlib.suppress(OSError):
            found.append(trusted.folder(place, top=place.anchor))
            _remove_left(found[-1])
    return found


def _places():
    """Places for the folder, best first."""
    name = f"cltensor-{os.geteuid()}" if hasattr(os, "geteuid") else "cltensor"
    with contextlib.suppress(OSError):
        yield Path(os.path.realpath(tempfile.gettempdir()), name)
    yield Path(os.path.realpath(config.cache_dir()), "processes")
    if os.path.isdir("/dev/shm"):
        yield Path("/dev/shm", name)


def _new(place):
    """A new locked folder in `place`.  Retry if another process takes it for a leftover before it is locked."""
    for _ in range(10):
        made = tempfile.mkdtemp(prefix=PREFIX, dir=place)
        handle = _lock(made)
        if handle is None or os.path.exists(made):
            break
        os.close(handle)
    if handle is not None:
        _locks.append(handle)
    return Path(made)


def _remove_left(place):
    """Remove the folders in `place` whose processes have ended."""
    for left in place.glob(f"{PREFIX}*"):
        handle = _lock(left)
        if handle is not None:
            if os.fstat(handle).st_uid == os.geteuid():
                shutil.rmtree(left, ignore_errors=True)
            os.close(handle)


def _lock(path):
    """Open and lock the folder at `path`; closing the handle unlocks it.  None if that fails."""
    if fcntl is None:
        return None
    handle = None
    try:
        handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return handle
    except OSError:
        if handle is not None:
            os.close(handle)
        return None


atexit.register(remove)  # registered before device.py's exit handler, so that it runs after it
