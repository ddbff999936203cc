"""examples/reinforce.py: one short run, and the returns."""

import numpy as np
import pytest


@pytest.fixture
def reinforce(example):
    """The example as a module."""
    pytest.importorskip("gymnasium")
    return example("reinforce")


@pytest.mark.device
def test_short_run(reinforce, tmp_path, capsys):
    found = reinforce.main(["--epochs", "14", "--output", str(tmp_path)])
    assert found > 40  # chance gives some 20
    assert "Before learning the pole stood for" in capsys.readouterr().out
    assert (tmp_path / "reinforce.png").read_bytes().startswith(b"\x89PNG")


def test_returns(reinforce):
    alive = np.zeros((5, 16), bool)
    alive[:3, 0] = alive[:5, 1] = True
    found = reinforce.returns(alive)
    d = reinforce.DISCOUNT
    np.testing.assert_allclose(found[:, 0], [1 + d + d**2, 1 + d, 1, 0, 0], rtol=1e-6)
    np.testing.assert_allclose(found[:, 1], [sum(d**k for k in range(n)) for n in (5, 4, 3, 2, 1)], rtol=1e-6)
    assert not found[:, 2:].any()


def test_episodes_end_when_a_pole_falls(reinforce):
    environment = reinforce.carts()
    states, pushes, alive = reinforce.episodes(environment, lambda state: np.ones(16, int), seed=0)  # always to the right
    environment.close()
    assert states.shape == (len(alive), 16, 4)
    assert pushes.shape == alive.shape
    assert alive[0].all()
    assert 8 <= alive.sum(0).min() <= alive.sum(0).max() == len(alive) <= 12
    assert (np.diff(alive.astype(int), axis=0) <= 0).all()
