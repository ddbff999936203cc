"""Memory: what tensors take on the devices over time, by what they are for."""

import gzip
import json

from ..base.context import context

#: what memory is for, as torch's memory timelines number it
CATEGORIES = ("UNKNOWN", "PARAMETER", "OPTIMIZER_STATE", "INPUT", "TEMPORARY", "ACTIVATION", "GRADIENT", "AUTOGRAD_DETAIL")
_OF_KIND = {"optimizer": "OPTIMIZER_STATE", "update": "OPTIMIZER_STATE", "backward": "GRADIENT", "node": "GRADIENT",
            "data": "INPUT"}


def category_of(frame):
    """What the result of an op is for, by what the op runs in.

    An optimiser's are its state, those of a backward pass gradients, a DataLoader's inputs; of others, activations where gradients
    are recorded, else temporary.
    """
    while frame is not None:
        if frame.kind in _OF_KIND:
            return _OF_KIND[frame.kind]
        frame = frame.parent
    return "ACTIVATION" if context.grad else "TEMPORARY"


def curve(recording):
    """[(time in nanoseconds, bytes in use)] over all devices: after each allocation, and at the end of each op."""
    first = [(recording.start, sum(recording.in_use.values()))]
    return first + sorted([(a[0], a[4]) for a in recording.allocations()] + recording.samples)


def timeline(recording):
    """(times in microseconds, bytes by category at each): torch's form of a memory timeline, with a 0 before the categories.

    What was in use before counts as PARAMETER; what is no result of an op, such as a launch's own memory, as UNKNOWN.
    """
    before = sum(recording.in_use.values())
    events = [(t, 0, n, None) for t, n in curve(recording)] + [(t, 1, n, c) for t, n, c in recording.changes]
    events.sort(key=lambda e: e[:2])
    of, total, times, sizes = dict.fromkeys(CATEGORIES, 0), before, [], []
    of["PARAMETER"] = before
    for t, _, nbytes, category in events:
        if category is None:
            total = nbytes
        else:
            of[category] += nbytes
        rest = total - sum(n for c, n in of.items() if c != "UNKNOWN")
        times.append((t - recording.start) / 1e3)
        sizes.append([0, *(max(rest, 0) if c == "UNKNOWN" else of[c] for c in CATEGORIES)])
    return times, sizes


def write(path, recording):
    """Write a memory timeline: [times, sizes] as JSON, its changes one by one for .raw.json.gz."""
    path = str(path)
    if path.endswith(".raw.json.gz"):
        data = [[t - recording.start, 1 if n > 0 else 2, abs(n), CATEGORIES.index(c)] for t, n, c in recording.changes]
    else:
        data = timeline(recording)
    text = json.dumps(data)
    if path.endswith(".gz"):
        with gzip.open(path, "wt", encoding="utf-8") as file:
            file.write(text)
    else:
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
