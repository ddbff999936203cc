"""One process at a time: a lock that the system gives back even when its holder is killed."""

import contextlib

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None


@contextlib.contextmanager
def held(path):
    """Hold the lock file `path`, waiting for other holders.  It is left behind, empty."""
    with open(path, "ab") as file:
        _acquire(file)
        try:
            yield
        finally:
            _release(file)


if fcntl:

    def _acquire(file):
        fcntl.flock(file, fcntl.LOCK_EX)

    def _release(file):
        fcntl.flock(file, fcntl.LOCK_UN)

else:
    import msvcrt

    def _acquire(file):
        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_LOCK, 1)

    def _release(file):
        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_UNLCK, 1)
