"""The checks: each runs a family of kernels and compares with NumPy, in a child process, one check at a time.

The sizes need many work-groups and scratch memory, and are no multiples of a tile.
"""

import time

import numpy as np

from ..runtime import platforms
from ..runtime.device import get
from . import arithmetic as a
from . import detection as d
from . import layers as n
from . import moving as m
from . import speed

CHECKS = {f.__name__: f for f in (
    a.transfer, a.add, a.integers, a.exp, a.half, a.double, a.complex_numbers, a.reduction, a.scan, a.fourier,
    a.random, a.rejection,
    m.transpose, m.gather, m.scatter, m.sort, m.search, m.compact, m.counts, m.mode,
    n.matmul, n.convolution, n.pool, n.softmax, n.normalization, n.attention, n.optimizer,
    d.regions, d.deformed, d.suppression)}
MEASUREMENTS = {f.__name__: f for f in (speed.launch, speed.training)}


def names(item):
    """{"names": [...]}: the checks that apply to the device at a place."""
    fp64 = _device(item["place"]).profile.fp64
    return {"names": [name for name in CHECKS if name != "double" or fp64]}


def run(item):
    """Run one check or measurement: item is {"place": Entry.place, "check": name}.

    Returns {"seconds": with compilation} and the measurements; raises if the result is wrong.
    """
    device = _device(item["place"])
    start = time.perf_counter()
    measured = {**CHECKS, **MEASUREMENTS}[item["check"]](device, np.random.default_rng(7))
    return {"seconds": time.perf_counter() - start, **(measured or {})}


def _device(place):
    """The device at a place; raise LookupError if the machine has changed since the search."""
    for i, entry in enumerate(platforms.entries()):
        if entry.place == place:
            return get(i)
    raise LookupError(f"there is no device at {place}")
