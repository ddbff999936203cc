"""Whether layouts have places in common: compared with NumPy's exact answer and with lists of places."""

import itertools

import numpy as np
import pytest

from cltensor.base import overlap

STRIDES = [0, 1, 1, 2, 3, 4, 5, 7, 12, 20]


def layouts(rng, dims, longest=5):
    """A random shape, now and then with a 0, and strides."""
    n = int(rng.integers(0, dims + 1))
    return (tuple(int(k) for k in rng.integers(0 if rng.random() < 0.1 else 1, longest + 1, n)),
            tuple(int(s) for s in rng.choice(STRIDES, n)))


def places(shape, strides):
    return [sum(map(np.multiply, index, strides)) for index in itertools.product(*map(range, shape))]


def test_two_layouts(rng):
    memory = np.zeros(4000, np.uint8)
    for _ in range(3000):
        (shape, strides), (other, other_strides) = layouts(rng, 4), layouts(rng, 4)
        size, other_size = (int(rng.choice([2, 4, 4, 4, 8])) for _ in range(2))
        start, other_start = int(rng.integers(0, 30)) * size, int(rng.integers(0, 30)) * other_size
        views = [np.lib.stride_tricks.as_strided(memory[at:], (*n, z), (*(z * t for t in s), 1))
                 for at, n, s, z in ((start, shape, strides, size), (other_start, other, other_strides, other_size))]
        found = overlap.meet(other_start - start, shape, strides, size, other, other_strides, other_size)
        assert found == np.shares_memory(*views), (start, shape, strides, size, other_start, other, other_strides, other_size)


def test_one_layout(rng):
    for _ in range(3000):
        shape, strides = layouts(rng, 4)
        found = places(shape, strides)
        assert overlap.repeats(shape, strides) == (len(set(found)) < len(found)), (shape, strides)
        assert overlap.packed(shape, strides) == (sorted(found) == list(range(len(found)))), (shape, strides)
        assert overlap.extent(shape, strides) == (1 + max(found) if found else 0)


@pytest.mark.parametrize(("columns", "other"), [(range(4), range(4, 8)), (range(0, 8, 2), range(1, 8, 2))])
def test_interleaved_columns_have_nothing_in_common(columns, other):
    step = columns.step
    assert not overlap.meet(4 * (other.start - columns.start), (1000, 4), (8, step), 4, (1000, 4), (8, step), 4)
    assert overlap.meet(4 * step, (1000, 4), (8, step), 4, (1000, 4), (8, step), 4)


def test_hard_cases_get_a_careful_answer():
    """Layouts made to be hard are given up after a bounded number of steps, which counts as overlapping."""
    strides = tuple(2**20 + p for p in (7, 29, 101, 337, 1009, 3001))
    for distance in range(3, 50, 7):
        assert overlap.meet(distance * 4, (50,) * 6, strides, 4, (50,) * 6, strides[::-1], 4)
