"""Files and folders that only this user (or root) could have written.

This process later loads files from disk, partly as machine code.  So use a folder only if it belongs to this user or root
and nobody else may write to it; and a file only if it is a regular file under the same conditions.

To keep a small file in the cache folder:

    store(config.cache_dir() / "verdicts" / "pocl.json", data)   -> whether it was written; whole or not at all
    load(config.cache_dir() / "verdicts" / "pocl.json")          -> its bytes, or None if there is no trusted file
"""

import contextlib
import os
import shlex
import stat
import tempfile
import warnings
from pathlib import Path

from ..base import config

SMALL = 1 << 20  # bytes; the most that load() and store() take
TEMPORARY = ".new-"  # prefix of files that are being written
_OTHERS = stat.S_IWGRP | stat.S_IWOTH
_SAFELY = 0  # flags for os.open
for _flag in ("O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC", "O_BINARY"):  # where the system has them
    _SAFELY |= getattr(os, _flag, 0)
_warned = set()


class Untrusted(OSError):
    """Somebody else could have written a file or folder."""


def load(path, limit=SMALL):
    """The bytes of the file at `path` (pathlib.Path, in the cache folder); None if there is no trusted file.

    Refuses a file or folder that others may write, with a warning that names the cure.  Reads at most `limit` bytes.
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
    """Write bytes to the file at `path` (pathlib.Path, in the cache folder), for this user alone.  Returns whether it was written.

    Any number of processes may do so at once: a reader finds one of their files, whole.  If nothing can be written, one
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
    """Warn, unless there was a warning for the same cause."""
    if str(cause) not in _warned:
        _warned.add(str(cause))
        warnings.warn(text, RuntimeWarning, stacklevel=3)


def folder(path, top=None):
    """The real path of the folder `path`; makes it, for this user alone, if missing.

    Raises Untrusted as check() does, OSError if it cannot be made.
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
    """Raise Untrusted, with the cure, if somebody else could change the folder `path` or a parent up to `top`.

    top: by default the cache folder.  Missing folders pass.
    """
    real, top = Path(os.path.realpath(path)), Path(os.path.realpath(top or config.cache_dir()))
    parts = [real, *(p for p in real.parents if p == top or top in p.parents)]
    open_ones = []
    for part in reversed(parts):
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            info = os.stat(part)
            if stat.S_ISDIR(info.st_mode):  # there is nothing in anything else
                _check_owner(part, info)
                open_ones += [part] if _is_open(info, sticky=part != real) else []
    if open_ones:
        raise _writable(*open_ones)


def check_file(path):
    """Raise Untrusted if somebody else could change the file `path`, OSError if it is no regular file."""
    info = os.lstat(path)
    _regular(path, info, float("inf"))
    _check(path, info)


def _check(path, info):
    """Raise Untrusted unless only this user or root can change a file."""
    _check_owner(path, info)
    if _is_open(info):
        raise _writable(path)


def _check_owner(path, info):
    if hasattr(os, "geteuid") and info.st_uid not in (0, os.geteuid()):  # Windows protects each user's folders by other means
        raise Untrusted(f"{path} belongs to another user (number {info.st_uid}), who could run code in this process; set "
                        "CLTENSOR_CACHE_DIR to a folder of your own")


def _is_open(info, sticky=False):
    """Whether others may write to a file or folder.

    With `sticky`, a folder for all users passes if its sticky bit keeps them from replacing each other's files.
    """
    if not hasattr(os, "geteuid"):
        return False
    others = info.st_mode & _OTHERS
    if others == stat.S_IWGRP and info.st_gid == os.getegid() == os.geteuid() != 0:
        return False  # a private group, as many systems make for each user
    return bool(others) and not (sticky and info.st_mode & stat.S_ISVTX)


def _writable(*paths):
    close = " ".join(["chmod", "go-w", *(shlex.quote(str(p)) for p in paths)])
    return Untrusted(f"other users may write to {' and '.join(map(str, paths))}, and so run code in this process; close it with "
                     f"`{close}`")


def read(path, limit):
    """The bytes of a regular file of at most `limit` bytes.  Never waits, whatever lies at `path`.

    Raises Untrusted for a file that somebody else may write, OSError for no regular file or one too large.
    """
    _regular(path, os.lstat(path), limit)  # check before opening: opening a device can have effects
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
    """Replace the file at `path` atomically, in a folder that is made for this user alone.

    Raises Untrusted if others could change the folder, OSError if it cannot be written.
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
    """Open the file at `path`, made if missing, to hold a lock on.  Raises OSError if it is no regular file."""
    with contextlib.suppress(FileNotFoundError):
        _regular(path, os.lstat(path), SMALL)
    handle = os.open(path, os.O_RDWR | os.O_CREAT | _SAFELY, 0o600)
    with os.fdopen(handle, "r+b", buffering=0) as file:
        _regular(path, os.fstat(handle), SMALL)
        yield file
