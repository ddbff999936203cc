"""Files and folders that nobody else could have put there.

What is kept on disk is loaded into this process later, partly as machine code.  So a folder is used only where it belongs
to this user and nobody else may write to it, and a file only where it is a regular one of this user's, or root's, that
nobody else may write.

The way for a small file in the cache folder:

    store(config.cache_dir() / "verdicts" / "pocl.json", data)   -> whether it was written; whole or not at all
    load(config.cache_dir() / "verdicts" / "pocl.json")          -> its bytes, or None where there are none to be trusted
"""

import contextlib
import os
import stat
import tempfile
import warnings
from pathlib import Path

from ..base import config

SMALL = 1 << 20  # bytes; the most that load() and store() take
TEMPORARY = ".new-"  # how the names of files begin that are being written
_OTHERS = stat.S_IWGRP | stat.S_IWOTH
_SAFELY = 0  # how files are opened
for _flag in ("O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC", "O_BINARY"):  # where the system has them
    _SAFELY |= getattr(os, _flag, 0)
_warned = set()


class Untrusted(OSError):
    """Somebody else could have written what is in a file or folder."""


def load(path, limit=SMALL):
    """The bytes of the file at `path` (pathlib.Path, in the cache folder); None where there is none that can be trusted.

    A file or folder that others may write is refused with a warning that names the cure; no more than `limit` bytes are read.
    """
    try:
        check(path.parent)
        return read(path, limit)
    except Untrusted as e:
        warn_once(f"{path} is not used: {e}", e)
    except OSError:
        pass
    return None


def store(path, data, limit=SMALL):
    """Put bytes into the file at `path` (pathlib.Path, in the cache folder), for this user alone; returns whether that was done.

    Any number of processes may do so at once: a reader finds one of their files, whole.  Where nothing can be written, one
    warning says why.
    """
    try:
        if len(data) > limit:
            raise OSError(f"{len(data)} bytes are more than the {limit} it may have")
        write(path, data)
        return True
    except OSError as e:
        warn_once(f"{path} cannot be written: {e}. Set CLTENSOR_CACHE_DIR to a folder that can be", e)
        return False


def warn_once(text, cause):
    """Give a warning, unless one was given for the same cause."""
    if str(cause) not in _warned:
        _warned.add(str(cause))
        warnings.warn(text, RuntimeWarning, stacklevel=3)


def folder(path, top=None):
    """The real path of the folder `path`, made where it is missing, for this user alone.

    Raises Untrusted as check() does, OSError where it cannot be made.
    """
    real = Path(os.path.realpath(path))
    check(real, top)
    for part in reversed((real, *real.parents)):
        with contextlib.suppress(FileExistsError):
            if not part.exists():
                part.mkdir(0o700)
    if not real.is_dir():
        raise NotADirectoryError(f"{real} is not a folder")
    check(real, top)
    return real


def check(path, top=None):
    """Raise Untrusted, with the cure, where somebody else could change the folder `path`, or one above it up to `top`.

    top: by default the cache folder.  What does not exist yet is no fault.
    """
    real, top = Path(os.path.realpath(path)), Path(os.path.realpath(top or config.cache_dir()))
    parts = [real, *(p for p in real.parents if p == top or top in p.parents)]
    for part in reversed(parts):
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            _check(part, os.stat(part), sticky=part != real)


def check_file(path):
    """Raise Untrusted where somebody else could change the file `path`, OSError where it is no regular file."""
    info = os.lstat(path)
    _regular(path, info, float("inf"))
    _check(path, info)


def _check(path, info, sticky=False):
    """Raise Untrusted unless a file or folder is this user's alone.

    With `sticky`, a folder for all will do where the system keeps its users from replacing each other's files.
    """
    if not hasattr(os, "geteuid"):
        return  # Windows keeps each user's folders apart by other means
    if info.st_uid not in (0, os.geteuid()):
        raise Untrusted(f"{path} belongs to another user (number {info.st_uid}), who could run code in this process; set "
                        "CLTENSOR_CACHE_DIR to a folder of your own")
    others = info.st_mode & _OTHERS
    if others == stat.S_IWGRP and info.st_gid == os.getegid() == os.geteuid() != 0:
        return  # a group with one member, as many systems make for each user
    if others and not (sticky and info.st_mode & stat.S_ISVTX):
        raise Untrusted(f"other users may write to {path}, and so run code in this process; close it with `chmod go-w {path}`")


def read(path, limit):
    """The bytes of a regular file of at most `limit` bytes.  Never waits, whatever lies at `path`.

    Raises Untrusted for a file that somebody else may write, OSError for what is no file or too large.
    """
    _regular(path, os.lstat(path), limit)  # before anything is opened: opening a device can do something
    handle = os.open(path, os.O_RDONLY | _SAFELY)
    try:
        info = os.fstat(handle)
        _regular(path, info, limit)
        _check(path, info)
        with os.fdopen(handle, "rb", closefd=False) as file:
            return file.read(limit)
    finally:
        os.close(handle)


def _regular(path, info, limit):
    if not stat.S_ISREG(info.st_mode):
        raise OSError(f"{path} is no regular file")
    if info.st_size > limit:
        raise OSError(f"{path} has {info.st_size} bytes, more than the {limit} it may have")


def write(path, data):
    """Put bytes into the file at `path`, which is the old one or the new one at any time, in a folder made for this user alone.

    Raises Untrusted where others could change the folder, OSError where it cannot be written.
    """
    place = folder(path.parent)
    handle, temporary = tempfile.mkstemp(dir=place, prefix=TEMPORARY)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, place / path.name)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise


@contextlib.contextmanager
def open_to_lock(path):
    """The file at `path`, made where it is missing, to hold a lock on.  Raises OSError for what is no regular file."""
    with contextlib.suppress(FileNotFoundError):
        _regular(path, os.lstat(path), SMALL)
    handle = os.open(path, os.O_RDWR | os.O_CREAT | _SAFELY, 0o600)
    with os.fdopen(handle, "r+b", buffering=0) as file:
        _regular(path, os.fstat(handle), SMALL)
        yield file
