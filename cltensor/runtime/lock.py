"""One process at a time: a file lock that the system releases even when its holder is killed."""

import contextlib
import time

from . import trusted

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

PATIENCE = 30  # seconds to wait for the holder, which needs a few milliseconds unless it was stopped


@contextlib.contextmanager
def held(path, patience=PATIENCE):
    """Hold a lock on the file `path`, waiting for other holders.  The file stays, empty.

    Raises TimeoutError if the lock is not free within `patience` seconds, OSError if `path` is no regular file.
    """
    with trusted.open_to_lock(path) as file:
        _acquire(file, patience)
        try:
            yield
        finally:
            _release(file)


def _acquire(file, patience):
    deadline = time.monotonic() + patience
    while not _try(file):
        if time.monotonic() > deadline:
            raise TimeoutError(f"another process has held {file.name} for {patience} s; end that process, or continue it if it "
                               "was stopped")
        time.sleep(0.01)


if fcntl:

    def _try(file):
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        return False

    def _release(file):
        fcntl.flock(file, fcntl.LOCK_UN)

else:
    import msvcrt

    def _try(file):
        file.seek(0)
        with contextlib.suppress(OSError):
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
            return True
        return False

    def _release(file):
        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_UNLCK, 1)
