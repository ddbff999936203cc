"""Files that are either the old one or the complete new one, never something in between."""

import contextlib
import os
import secrets
import shutil


@contextlib.contextmanager
def replacing(path):
    """A binary file to write to that takes the place of `path` once it is complete and on disk.

    It is written beside `path` under a temporary name.  When anything fails, the temporary file is removed and the old
    file stays as it was; a killed process leaves the old file too.  Links are followed; a device or pipe is written
    directly.
    """
    target = os.path.realpath(path)
    if os.path.exists(target) and not os.path.isfile(target):
        with open(target, "wb") as out:
            yield out
        return
    folder, name = os.path.split(target)
    temporary = os.path.join(folder, f".{name[:200]}.{secrets.token_hex(6)}.tmp")
    try:
        with open(temporary, "xb") as out:
            yield out
            out.flush()
            os.fsync(out.fileno())
        if os.path.exists(target):
            shutil.copymode(target, temporary)
        os.replace(temporary, target)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
        raise
    _sync_folder(folder)


def _sync_folder(folder):
    """Make the new name survive a power cut, where the system can."""
    if hasattr(os, "O_DIRECTORY"):
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
