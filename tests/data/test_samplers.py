"""Orders: the indices each sampler gives; a seed repeats them."""

import numpy as np
import pytest

import cltensor
from cltensor.utils.data import (
    BatchSampler,
    RandomSampler,
    SequentialSampler,
    SubsetRandomSampler,
    WeightedRandomSampler,
)

DATA = "abcdefghij"
RANDOM = {
    "RandomSampler": lambda g: RandomSampler(DATA, generator=g),
    "with replacement": lambda g: RandomSampler(DATA, replacement=True, num_samples=25, generator=g),
    "more than once around": lambda g: RandomSampler(DATA, num_samples=25, generator=g),
    "SubsetRandomSampler": lambda g: SubsetRandomSampler([3, 5, 7, 9, 11, 13], generator=g),
    "WeightedRandomSampler": lambda g: WeightedRandomSampler([1, 2, 0, 4], 30, generator=g),
}
GENERATORS = {
    "int": lambda: 3,
    "numpy": lambda: np.random.default_rng(3),
    "cltensor": lambda: cltensor.Generator().manual_seed(3),
}


def test_sequence():
    assert list(SequentialSampler(DATA)) == list(range(10))
    assert len(SequentialSampler(DATA)) == 10


@pytest.mark.parametrize("generator", GENERATORS)
@pytest.mark.parametrize("name", RANDOM)
def test_a_seed_repeats_all_epochs_and_each_epoch_differs(name, generator):
    runs = [RANDOM[name](GENERATORS[generator]()) for _ in range(2)]
    epochs = [[list(s) for _ in range(3)] for s in runs]
    assert epochs[0] == epochs[1]
    assert epochs[0][0] != epochs[0][1]
    assert all(len(e) == len(runs[0]) for e in epochs[0])


@pytest.mark.parametrize("name", RANDOM)
def test_without_a_generator_the_global_seed_decides(name):
    epochs = []
    for _ in range(2):
        cltensor.manual_seed(7)
        epochs.append(list(RANDOM[name](None)))
    assert epochs[0] == epochs[1] != list(RANDOM[name](None))


def test_permutations_hold_each_index_once():
    assert sorted(RandomSampler(DATA, generator=0)) == list(range(10))
    assert sorted(SubsetRandomSampler([9, 3, 5], generator=0)) == [3, 5, 9]
    rounds = list(RandomSampler(DATA, num_samples=25, generator=0))
    assert [sorted(rounds[i:i + 10]) for i in (0, 10)] == [list(range(10))] * 2


def test_weights_set_the_frequencies():
    drawn = np.bincount(list(WeightedRandomSampler([1, 2, 0, 5], 20000, generator=0)), minlength=4) / 20000
    np.testing.assert_allclose(drawn, [1 / 8, 2 / 8, 0, 5 / 8], atol=0.015)
    assert sorted(WeightedRandomSampler([1, 2, 0, 5], 3, replacement=False, generator=0)) == [0, 1, 3]


@pytest.mark.parametrize(("size", "drop_last", "expected"), [
    (4, False, [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]), (4, True, [[0, 1, 2, 3], [4, 5, 6, 7]]), (5, True, [[0, 1, 2, 3, 4],
                                                                                                     [5, 6, 7, 8, 9]]),
])
def test_batches(size, drop_last, expected):
    batches = BatchSampler(SequentialSampler(DATA), size, drop_last)
    assert list(batches) == expected
    assert len(batches) == len(expected)


@pytest.mark.parametrize(("make", "error", "words"), [
    (lambda: RandomSampler([]), ValueError, "num_samples=0"),
    (lambda: RandomSampler(DATA, replacement=1), TypeError, "replacement=1"),
    (lambda: RandomSampler(DATA, generator="x"), TypeError, "int seed"),
    (lambda: BatchSampler(SequentialSampler(DATA), 0, False), ValueError, "batch_size=0"),
    (lambda: BatchSampler(SequentialSampler(DATA), 2, 3), ValueError, "drop_last=3"),
    (lambda: WeightedRandomSampler([[1.0]], 2), ValueError, "1d sequence"),
    (lambda: WeightedRandomSampler([1, -1], 2), ValueError, ">= 0"),
    (lambda: WeightedRandomSampler([1, 0, 2], 3, replacement=False), ValueError, "2 non-zero weights"),
])
def test_bad_arguments(make, error, words):
    with pytest.raises(error, match=words):
        make()
