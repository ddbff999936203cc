"""cltensor.random: the default generator's names, and that fork_rng leaves it as it was."""

import threading

import pytest

import cltensor as ct
from cltensor import random

pytestmark = pytest.mark.device


def test_numbers_after_the_block_are_those_without_it():
    ct.manual_seed(3)
    expected = ct.randn(4).tolist()
    ct.manual_seed(3)
    with random.fork_rng():
        ct.manual_seed(99)
        ct.randn(100)
    assert random.initial_seed() == 3
    assert ct.randn(4).tolist() == expected


def test_an_error_and_a_nested_block():
    ct.manual_seed(3)
    with pytest.raises(KeyError):
        _seeds_and_fails()
    assert random.initial_seed() == 3


def _seeds_and_fails():
    with random.fork_rng(devices=[0], device_type="opencl"):
        random.seed()
        with random.fork_rng():
            ct.manual_seed(5)
        assert random.initial_seed() != 5
        raise KeyError


def test_disabled_it_changes_the_generator():
    with random.fork_rng(enabled=False):
        random.manual_seed(11)
    assert random.initial_seed() == 11


def test_states():
    state = random.get_rng_state()
    first = ct.rand(3).tolist()
    random.set_rng_state(state)
    assert ct.rand(3).tolist() == first
    other = ct.Generator().manual_seed(5)
    mine = other.graphsafe_get_state()
    assert ct.rand(3, generator=other).tolist() == ct.rand(3, generator=mine).tolist()


def test_threads_share_the_default_generator():
    def draw():
        found.append(ct.rand(50, generator=random.thread_safe_generator()))

    found = []
    threads = [threading.Thread(target=draw) for _ in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert ct.cat(found).unique().numel() == 200


def test_refusals():
    with pytest.raises(TypeError, match="iterable of devices"), random.fork_rng(devices=3):
        pass
    with pytest.raises(TypeError, match=r"expected a cltensor\.Generator"):
        ct.Generator().graphsafe_set_state(ct.get_rng_state())
    with pytest.raises(ValueError, match="uint8 tensor of 16 bytes"):
        random.set_rng_state(ct.zeros(3))
