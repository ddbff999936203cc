"""Ending processes within a bounded time: by asking, then SIGTERM, then SIGKILL, which nothing can ignore."""

import time

_GRACE = 1.0  # seconds to end after being asked, and again after SIGTERM
_LAST = 5.0  # seconds for a killed process to be gone
_PACE = 0.005  # seconds between two looks


def end(processes):
    """End multiprocessing.Process objects that have been asked to; a stopped one, or one that ignores signals, is killed."""
    left = _after(processes, _GRACE)
    for process in left:
        process.terminate()
    left = _after(left, _GRACE) if left else left
    for process in left:
        process.kill()
    left = _after(left, _LAST) if left else left
    for process in processes:
        if process not in left:
            process.close()


def _after(processes, seconds):
    """Those still alive after so long at most."""
    deadline = time.monotonic() + seconds
    while (left := [p for p in processes if p.is_alive()]) and time.monotonic() < deadline:
        time.sleep(_PACE)
    return left
