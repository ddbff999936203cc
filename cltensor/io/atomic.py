"""Files that are either the old or the complete new version, never something in between."""

import contextlib
import io
import os
import re
import secrets
import shutil

from ..base.errors import CLTensorError

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None



class MissingFolderError(CLTensorError, FileNotFoundError):
    """The folder that a file was to be written to is not there."""


_TEMPORARY = re.compile(r"\.cltensor-[0-9a-f]{12}\.tmp")


@contextlib.contextmanager
def replacing(path):
    """A binary file to write to; once it is complete and on disk, it replaces `path`.

    It is written beside `path` under a temporary name.  On any failure the temporary file is removed and the old file stays
    as it was.  A killed process leaves the old file and a temporary one; the next save in that folder removes the latter.
    Links are followed; a device or pipe is written directly.
    """
    target = os.path.realpath(path)
    if os.path.exists(target) and not os.path.isfile(target):
        with open(target, "wb") as out:
            yield out
        return
    folder = os.path.dirname(target)
    check_folder(target, "save")
    _remove_left(folder)
    temporary, out = _new(folder)
    try:
        with out:
            yield out
            out.flush()
            os.fsync(out.fileno())
            if os.path.exists(target):
                shutil.copymode(target, temporary)
            if fcntl:  # keep it locked, so that no other process removes it; Windows replaces no open file
                os.replace(temporary, target)
        if not fcntl:
            os.replace(temporary, target)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
        raise
    _sync_folder(folder)


def check_folder(path, call):
    """Raise MissingFolderError unless the folder that a file is to be written to is there."""
    folder = os.path.dirname(os.path.realpath(path))
    if not os.path.isdir(folder):
        raise MissingFolderError(f"{call}: the folder of {os.fspath(path)!r} is not there; make {folder!r} first")


def write_all(out, data):
    """Write all bytes of `data` to a file that may accept only a part at a time.  Raises OSError if it accepts no more."""
    left = memoryview(data)
    while left.nbytes:
        taken = out.write(left)
        if taken is None and not isinstance(out, io.RawIOBase):
            return  # a custom file object that does not return a count
        if not taken:
            raise BlockingIOError(f"save: the file took no more than a part of the data, {left.nbytes} bytes are left; give a file "
                                  "that blocks until it has taken everything")
        left = left[taken:]


def _new(folder):
    """(path, file open for writing) of a new temporary file, locked."""
    while True:
        path = os.path.join(folder, f".cltensor-{secrets.token_hex(6)}.tmp")
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666)
        _lock(handle)
        if os.path.exists(path):  # no other process removed it before it was locked
            return path, os.fdopen(handle, "wb")
        os.close(handle)


def _lock(file):
    """Mark a file as being written; return whether no other process has."""
    if fcntl is None:
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _remove_left(folder):
    """Remove temporary files in a folder whose writers have ended."""
    with contextlib.suppress(OSError):
        for name in filter(_TEMPORARY.fullmatch, os.listdir(folder)):
            path = os.path.join(folder, name)
            with contextlib.suppress(OSError):
                handle = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
                with os.fdopen(handle, "rb") as file:
                    if _lock(file):
                        os.unlink(path)


def _sync_folder(folder):
    """Make the new name survive a power failure, if the system can."""
    if hasattr(os, "O_DIRECTORY"):
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
