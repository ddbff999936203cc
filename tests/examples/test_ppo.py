"""examples/ppo.py: one short run, and the advantages."""

import numpy as np
import pytest


@pytest.fixture
def ppo(example):
    """The example as a module."""
    pytest.importorskip("gymnasium")
    return example("ppo")


@pytest.mark.device
def test_short_run(ppo, tmp_path, capsys):
    found = ppo.main(["--epochs", "8", "--output", str(tmp_path)])
    assert found > 40  # chance gives some 20
    assert "At first the pole stood for" in capsys.readouterr().out
    assert (tmp_path / "ppo.png").read_bytes().startswith(b"\x89PNG")


def test_advantages(ppo, monkeypatch):
    monkeypatch.setattr(ppo, "CARTS", 3)
    monkeypatch.setattr(ppo, "PUSHES", 4)
    rng = np.random.default_rng(0)
    values, no = rng.standard_normal((5, 3)), np.zeros((4, 3), bool)
    fallen, time_up, counted = no.copy(), no.copy(), ~no
    fallen[1, 1] = time_up[1, 2] = True
    counted[2, 1:] = False  # they start again
    found = ppo.advantages(values, counted, fallen, time_up)
    d, k = ppo.DISCOUNT, ppo.DISCOUNT * ppo.TRACE
    surprise = ppo.REWARD + d * values[1:] - values[:-1]
    np.testing.assert_allclose(found[0, 0], sum(k**t * surprise[t, 0] for t in range(4)))
    np.testing.assert_allclose(found[0, 1], surprise[0, 1] + k * (ppo.REWARD - values[1, 1]))  # nothing follows a fall
    np.testing.assert_allclose(found[0, 2], surprise[0, 2] + k * surprise[1, 2])  # what would follow, the critic says
    np.testing.assert_allclose(found[2:, 1], [0, surprise[3, 1]])


def test_lengths_of_episodes(ppo):
    carts = ppo.Carts(0)
    counted = [carts.push(np.zeros(ppo.CARTS, int))[0] for _ in range(40)]
    carts.environment.close()
    assert 8 <= min(carts.lengths) <= max(carts.lengths) <= 12  # always to the left
    assert np.sum(counted) == sum(carts.lengths) + carts.length.sum()
    first = ppo.first_episodes(ppo.Carts(1), lambda states: np.zeros(ppo.CARTS, int))
    assert 8 <= first.min() <= first.max() <= 12
