"""Datasets: indexing, joining, splitting, and reading a batch of tensors at once."""

import numpy as np
import pytest

import cltensor
from cltensor.utils.data import (
    ChainDataset,
    ConcatDataset,
    DataLoader,
    Dataset,
    IterableDataset,
    StackDataset,
    Subset,
    TensorDataset,
    random_split,
)


class Squares(Dataset):
    def __init__(self, start, stop):
        self.values = [n * n for n in range(start, stop)]

    def __len__(self):
        return len(self.values)

    def __getitem__(self, index):
        return self.values[index]


class Stream(IterableDataset):
    def __init__(self, *values):
        self.values = values

    def __iter__(self):
        return iter(self.values)

    def __len__(self):
        return len(self.values)


def test_concatenation():
    joined = Squares(0, 3) + Squares(3, 5)
    assert isinstance(joined, ConcatDataset)
    assert [joined[i] for i in range(5)] == [0, 1, 4, 9, 16]
    assert joined[-1] == 16
    assert len(joined) == 5
    for outside in (5, -6):
        with pytest.raises(IndexError, match="out of range for 5 samples"):
            joined[outside]


def test_chain_and_stack():
    chain = Stream(1, 2) + Stream(3)
    assert isinstance(chain, ChainDataset)
    assert (list(chain), len(chain)) == ([1, 2, 3], 3)
    assert StackDataset(Squares(0, 3), "abc")[2] == (4, "c")
    assert StackDataset(n=Squares(0, 3), c="abc")[1] == {"n": 1, "c": "b"}
    with pytest.raises(ValueError, match="Size mismatch"):
        StackDataset(Squares(0, 3), "ab")


@pytest.mark.parametrize(("lengths", "expected"), [([7, 3], [7, 3]), ([0.5, 0.5], [5, 5]), ([0.33, 0.33, 0.34], [4, 3, 3])])
def test_random_split(lengths, expected):
    parts = random_split(Squares(0, 10), lengths, generator=1)
    assert [len(p) for p in parts] == expected
    assert sorted(p[i] for p in parts for i in range(len(p))) == [n * n for n in range(10)]
    again = random_split(Squares(0, 10), lengths, generator=1)
    assert [p.indices for p in parts] == [p.indices for p in again]


def test_random_split_refuses_lengths_that_do_not_add_up():
    for lengths in ([3, 3], [0.5, 0.6], [-1, 11]):
        with pytest.raises(ValueError, match="Sum of input lengths"):
            random_split(Squares(0, 10), lengths)
    with pytest.warns(UserWarning, match="index 1 is empty"):
        random_split(Squares(0, 3), [0.9, 0.1], generator=0)


@pytest.mark.device
class TestTensors:
    @pytest.fixture
    def dataset(self):
        rows = np.arange(12, dtype=np.float32).reshape(6, 2)
        return TensorDataset(cltensor.from_numpy(rows), cltensor.arange(6))

    def test_sample(self, dataset):
        x, y = dataset[4]
        assert (x.tolist(), y.tolist(), len(dataset)) == ([8, 9], 4, 6)

    def test_batch_is_one_tensor_per_column_and_reads_as_samples(self, dataset):
        batch = dataset.__getitems__([5, -6, 2])
        assert [c.tolist() for c in batch.columns] == [[[10, 11], [0, 1], [4, 5]], [5, 0, 2]]
        assert len(batch) == 3
        assert [[part.tolist() for part in sample] for sample in batch] == [[[10, 11], 5], [[0, 1], 0], [[4, 5], 2]]

    def test_out_of_range(self, dataset):
        with pytest.raises(IndexError, match="6 samples have indices from -6 to 5, got 0 to 6"):
            dataset.__getitems__([0, 6])

    def test_subset_reads_batches_of_its_parent(self, dataset):
        loader = DataLoader(Subset(dataset, [5, 0, 1]), batch_size=2)
        assert [[c.tolist() for c in batch] for batch in loader] == [[[[10, 11], [0, 1]], [5, 0]], [[[2, 3]], [1]]]

    def test_sizes_must_agree(self):
        with pytest.raises(AssertionError, match=r"Size mismatch between tensors: \(3,\), \(4,\)"):
            TensorDataset(cltensor.ones(3), cltensor.ones(4))
        with pytest.raises(TypeError, match="at least one tensor"):
            TensorDataset(np.ones(3))


def test_older_names_of_concatenation():
    joined = ConcatDataset([[1, 2], [3]])
    assert ConcatDataset.cumsum(joined.datasets) == [2, 3]
    with pytest.warns(DeprecationWarning, match="renamed to `cumulative_sizes`"):
        assert joined.cummulative_sizes == [2, 3]


@pytest.mark.device
def test_the_context_of_workers_can_be_set():
    loader = DataLoader([1, 2], num_workers=1)
    assert loader.multiprocessing_context is None
    loader.multiprocessing_context = "thread"
    assert [batch.tolist() for batch in loader] == [[1], [2]]
    with pytest.raises(cltensor.base.errors.ArgumentError, match="valid start method"):
        loader.multiprocessing_context = "no such way"
    assert loader.multiprocessing_context == "thread"
