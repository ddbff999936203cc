"""Programs that were changed at random, with a checksum that fits: what a reader meets that trusts nobody."""

import copy

import numpy as np

from cltensor.base import dtypes
from cltensor.export.container import bytes_of, read, write
from cltensor.io import source

_STRANGE = (0, 1, -1, 3, 64, 2**31, 2**32 + 1, 2**62, 2**63, 10**30, 0.5, -1e300, True, False, None, "", "n", "x" * 50, "1/0",
            "(" * 500, "2 ** 2 ** 60", "min(1)", "a if b else c", "__import__('os')", [], {}, [[]], [1, 2, 3], {"kernel": 1},
            {"dict": [[1, 2]]})


def parts_of(path):
    """(program, {name: (dtype, shape, bytes)}) of a file, for `write`."""
    with source.opened(path) as given:
        program, entries, start = read(given)
        return program, {name: (e.dtype, e.shape, bytes_of(given, start, e).copy()) for name, e in entries.items()}


def mutated(program, rng, sources=False):
    """A copy of a program with one to three parts changed; sources: also kernels."""
    made = copy.deepcopy(program)
    for _ in range(int(rng.integers(1, 4))):
        owner, key = _place(made, rng, sources)
        if owner is None:
            continue
        kind = rng.integers(6)
        if kind == 0:
            del owner[key]
        elif kind == 1 and isinstance(owner, list):
            owner.insert(key, copy.deepcopy(owner[int(rng.integers(len(owner)))]))
        elif kind == 2 and type(owner[key]) is int:
            owner[key] += int(rng.choice([-1, 1, 7, 1000]))
        elif kind == 3 and isinstance(owner[key], list):
            rng.shuffle(owner[key])
        else:
            owner[key] = copy.deepcopy(_STRANGE[int(rng.integers(len(_STRANGE)))])
    return made


def _place(value, rng, sources):
    """(a list or dict, a key of it) somewhere in plain data."""
    owner = key = None
    for _ in range(int(rng.integers(1, 9))):
        if not isinstance(value, (list, dict)) or not value:
            break
        keys = [k for k in value if sources or k != "sources"] if isinstance(value, dict) else range(len(value))
        owner, key = value, list(keys)[int(rng.integers(len(keys)))]
        value = owner[key]
    return owner, key


def written(path, program, tensors):
    """Write a program; the path."""
    write(path, program, tensors or {"nothing": (dtypes.uint8, (0,), np.empty(0, np.uint8))})
    return path
