"""End processes within a bounded time: ask, then send SIGTERM, then SIGKILL, which no process can ignore."""

import time

_GRACE = 1.0  # seconds to end after the request, and again after SIGTERM
_LAST = 5.0  # seconds for a killed process to disappear
_PACE = 0.005  # seconds between two polls


def end(processes):
    """End multiprocessing.Process objects that were asked to end; kill one that is stopped or ignores signals."""
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
    """The processes still alive after at most `seconds`."""
    deadline = time.monotonic() + seconds
    while (left := [p for p in processes if p.is_alive()]) and time.monotonic() < deadline:
        time.sleep(_PACE)
    return left
