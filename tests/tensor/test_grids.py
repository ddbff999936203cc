"""Combinations: equal to itertools', computed without lists; an error before any work if the result cannot fit."""

import itertools

import numpy as np
import pytest

import cltensor as ct
from cltensor.runtime import host_memory

pytestmark = pytest.mark.device


@pytest.mark.parametrize("again", [False, True])
@pytest.mark.parametrize(("n", "r"), [(0, 1), (0, 2), (1, 1), (1, 2), (3, 0), (4, 1), (4, 2), (5, 3), (5, 5), (4, 6), (7, 4)])
def test_combinations(n, r, again):
    choose = itertools.combinations_with_replacement if again else itertools.combinations
    rows = [] if r == 0 else list(choose(range(n), r))
    found = ct.combinations(ct.arange(n) + 10, r, again)
    assert found.shape == ((0,) if r == 0 else (len(rows), r))
    assert found.tolist() == [[10 + i for i in row] for row in rows]


def test_combinations_pass_gradients_on():
    x = ct.tensor([1.0, 2.0, 3.0], requires_grad=True)
    ct.combinations(x, 2, True).prod(1).sum().backward()
    assert x.grad.tolist() == [7, 8, 9]


@pytest.mark.parametrize(("n", "r"), [(10_000, 3), (1000, 500), (100, 7)])
def test_what_cannot_fit_is_refused_at_once(n, r):
    with pytest.raises(ct.OutOfMemoryError, match=r"GiB|TiB"):
        ct.combinations(ct.arange(n), r)


def test_what_the_host_cannot_hold_is_refused(monkeypatch):
    large = ct.zeros(3 * 10**7)
    monkeypatch.setattr(host_memory, "room", lambda: host_memory.Room(100 << 20, "control group"))
    with pytest.raises(ct.OutOfMemoryError, match=r"combinations of 3 of 400 elements .* control group leaves 100 MiB"):
        ct.combinations(ct.arange(400), 3)
    with pytest.raises(ct.OutOfMemoryError, match="control group leaves 100 MiB"):
        ct.arange(10**7)
    with pytest.raises(ct.OutOfMemoryError, match="reading a tensor takes"):
        large.numpy()
    assert ct.arange(5).numpy().tolist() == np.arange(5).tolist()
