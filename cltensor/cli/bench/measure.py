"""Timing: batches long enough to time, libraries in turns."""

import time

BATCH = 0.03  # seconds for one batch
MOST = 500  # actions per batch at most: keeps the queue short
PAUSE = 0.02  # seconds between turns: OpenMP's threads keep their cores busy, looking for work, for some 8 ms after the last


def times(contenders, rounds, enqueue=False):
    """Seconds per action, one number for each batch, for each of `contenders`, measured A B A B.

    contenders: a list of (action, wait); rounds: batches of each; enqueue: stop the clock before waiting.
    """
    counts = [_count(action, wait) for action, wait in contenders]
    found = [[] for _ in contenders]
    for _ in range(rounds):
        for (action, wait), count, seen in zip(contenders, counts, found, strict=True):
            if len(contenders) > 1:
                time.sleep(PAUSE)
            batch(action, wait, max(1, count // 8))  # warm the caches again, and wake processors that rest
            seen.append(batch(action, wait, count, enqueue) / count)
    return found


def batch(action, wait, count, enqueue=False):
    """Seconds for `count` actions, until they are done or, with enqueue, until they are enqueued."""
    start = time.perf_counter()
    for _ in range(count):
        action()
    handed_over = time.perf_counter()
    wait()
    return (handed_over if enqueue else time.perf_counter()) - start


def _count(action, wait):
    """How many actions make a batch; also warms up."""
    batch(action, wait, 1)
    count = 1
    while count < MOST:
        spent = batch(action, wait, count)
        if spent >= BATCH / 2:
            return max(1, min(MOST, round(count * BATCH / spent)))
        count *= 4
    return MOST
