"""DataLoader: order, batching, workers and their errors; tests of worker processes are in test_workers.py."""

import multiprocessing
import os
import time

import numpy as np
import pytest

import cltensor
from cltensor.utils.data import DataLoader, Dataset, IterableDataset, TensorDataset, get_worker_info

pytestmark = pytest.mark.device
FORKS = pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="this system does not fork")
KINDS = ["thread", pytest.param("fork", marks=FORKS)]


class Numbers(Dataset):
    """Sample i: three times i as float32, and i.  `fault` names what goes wrong at sample 5."""

    def __init__(self, n=10, fault=None):
        self.n, self.fault = n, fault

    def __len__(self):
        return self.n

    def __getitem__(self, index):
        if self.fault and index == 5:
            FAULTS[self.fault]()
        return np.full(3, index, np.float32), index


def key_error():
    raise KeyError("no sample 5")


class OnlyHere(Exception):
    def __init__(self, a, b):
        super().__init__(a, b)


def odd_error():
    raise OnlyHere("a", "b")


FAULTS = {"key": key_error, "odd": odd_error, "die": lambda: os._exit(3), "hang": lambda: time.sleep(5)}


class Shares(IterableDataset):
    """0 to 10, divided among the workers."""

    def __iter__(self):
        info = get_worker_info()
        return iter(range(11)) if info is None else iter(range(info.id, 11, info.num_workers))


def ids(loader):
    return [batch[1].tolist() for batch in loader]


def as_lists(samples):
    return [index for _, index in samples]


def test_batches_in_order():
    loader = DataLoader(Numbers(), batch_size=4)
    assert len(loader) == 3
    assert ids(loader) == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
    assert [b[0].shape for b in loader] == [(4, 3), (4, 3), (2, 3)]
    assert ids(DataLoader(Numbers(), 4, drop_last=True)) == [[0, 1, 2, 3], [4, 5, 6, 7]]
    assert DataLoader(Numbers(), 4, collate_fn=as_lists).__iter__().__next__() == [0, 1, 2, 3]


def test_own_sampler_batch_sampler_and_single_samples():
    assert ids(DataLoader(Numbers(), 2, sampler=[7, 1, 3])) == [[7, 1], [3]]
    assert ids(DataLoader(Numbers(), batch_sampler=[[7, 1, 3], (0,)])) == [[7, 1, 3], [0]]
    x, index = next(iter(DataLoader(Numbers(), batch_size=None, sampler=[4])))
    assert (x.tolist(), index) == ([4, 4, 4], 4)


def test_seeded_order_repeats_and_does_not_depend_on_workers():
    epochs = [[ids(loader) for _ in range(2)] for loader in (
        DataLoader(Numbers(), 4, shuffle=True, generator=3),
        DataLoader(Numbers(), 4, shuffle=True, generator=3, pin_memory=True),
        DataLoader(Numbers(), 4, shuffle=True, generator=3, num_workers=2, multiprocessing_context="thread"))]
    assert epochs[0] == epochs[1] == epochs[2]
    assert epochs[0][0] != epochs[0][1]


def test_tensor_dataset():
    data = TensorDataset(cltensor.arange(10).float(), cltensor.arange(10))
    batches = list(DataLoader(data, 4, shuffle=True, generator=0))
    assert sorted(i for _, y in batches for i in y.tolist()) == list(range(10))
    assert all(x.tolist() == y.tolist() for x, y in batches)


def test_streams():
    assert [b.tolist() for b in DataLoader(Shares(), 4)] == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10]]
    assert list(DataLoader(Shares(), batch_size=None)) == list(range(11))
    assert [b.tolist() for b in DataLoader(Shares(), 4, drop_last=True)] == [[0, 1, 2, 3], [4, 5, 6, 7]]


@pytest.mark.parametrize("kind", KINDS)
class TestWorkers:
    def test_batches(self, kind):
        loader = DataLoader(Numbers(23), 4, num_workers=3, multiprocessing_context=kind)
        assert ids(loader) == ids(DataLoader(Numbers(23), 4))

    def test_persistent_workers_and_an_epoch_given_up(self, kind):
        loader = DataLoader(Numbers(23), 4, num_workers=2, persistent_workers=True, multiprocessing_context=kind)
        expected = ids(DataLoader(Numbers(23), 4))
        assert ids(loader) == expected
        pool = loader._pool
        epoch = iter(loader)
        next(epoch)
        epoch.close()
        assert ids(loader) == expected
        assert loader._pool is pool

    def test_streams_take_turns(self, kind):
        loader = DataLoader(Shares(), 3, num_workers=2, multiprocessing_context=kind)
        assert [b.tolist() for b in loader] == [[0, 2, 4], [1, 3, 5], [6, 8, 10], [7, 9]]

    def test_own_collate_function(self, kind):
        loader = DataLoader(Numbers(), 4, num_workers=1, collate_fn=as_lists, multiprocessing_context=kind)
        assert list(loader) == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]

    def test_an_error_comes_out_with_its_traceback(self, kind):
        loader = DataLoader(Numbers(fault="key"), 2, num_workers=2, multiprocessing_context=kind)
        with pytest.raises(KeyError) as caught:
            list(loader)
        assert "Caught KeyError in DataLoader worker 0" in str(caught.value)
        assert "in key_error" in str(caught.value)

    def test_an_error_that_takes_other_arguments_becomes_a_runtime_error(self, kind):
        loader = DataLoader(Numbers(fault="odd"), 2, num_workers=1, multiprocessing_context=kind)
        with pytest.raises(RuntimeError, match="Caught OnlyHere"):
            list(loader)

    def test_timeout(self, kind):
        seconds = 0.3 if kind == "thread" else 1
        loader = DataLoader(Numbers(fault="hang"), 2, num_workers=1, timeout=seconds, multiprocessing_context=kind)
        with pytest.raises(RuntimeError, match=f"timed out after {seconds} seconds"):
            list(loader)


@FORKS
def test_a_worker_that_dies_is_noticed():
    with pytest.raises(RuntimeError, match="exited unexpectedly with exit code 3"):
        list(DataLoader(Numbers(fault="die"), 2, num_workers=1))


def test_what_cannot_be_sent_to_a_process():
    class Local(Numbers):
        pass

    with pytest.raises(TypeError, match="'fork' or 'thread', or num_workers=0"):
        list(DataLoader(Local(), num_workers=1, multiprocessing_context="spawn"))


@pytest.mark.parametrize(("options", "words"), [
    ({"shuffle": True, "sampler": [1]}, "mutually exclusive with shuffle"),
    ({"batch_size": 2, "batch_sampler": [[1]]}, "mutually exclusive with batch_size"),
    ({"batch_size": None, "drop_last": True}, "mutually exclusive with drop_last"),
    ({"num_workers": -1}, "non-negative"), ({"prefetch_factor": 2}, "num_workers > 0"),
    ({"persistent_workers": True}, "num_workers > 0"), ({"timeout": -1}, "non-negative"),
    ({"num_workers": 1, "multiprocessing_context": "frok"}, "valid start method in .*'spawn'.*'thread'.*'frok'"),
])
def test_options_that_exclude_each_other(options, words):
    with pytest.raises(ValueError, match=words):
        DataLoader(Numbers(), **options)


def test_a_stream_decides_its_own_order_and_settings_are_fixed():
    with pytest.raises(ValueError, match="unspecified shuffle option"):
        DataLoader(Shares(), shuffle=True)
    with pytest.raises(TypeError, match="has no len"):
        len(DataLoader(Shares()))
    with pytest.raises(ValueError, match="should not be set after"):
        DataLoader(Numbers()).batch_size = 3
