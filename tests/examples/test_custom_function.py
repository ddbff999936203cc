"""examples/custom_function.py: one short run, and sparsemax against its definition."""

import numpy as np
import pytest

import cltensor as ct

optimize = pytest.importorskip("scipy.optimize")


@pytest.fixture
def custom_function(example):
    """The example as a module."""
    return example("custom_function")


@pytest.mark.device
def test_short_run(custom_function, tmp_path, capsys):
    found = custom_function.main(["--epochs", "3", "--output", str(tmp_path)])
    assert found > 0.8  # guessing gives 0.1
    assert capsys.readouterr().out.count("agree with finite differences") == 2
    assert (tmp_path / "custom_function.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.device
def test_sparsemax_is_the_nearest_point(custom_function):
    scores = 2 * np.random.default_rng(0).standard_normal((20, 6))
    found = custom_function.Sparsemax.apply(ct.tensor(scores)).numpy()
    for row, ours in zip(scores, found, strict=True):
        threshold = optimize.brentq(lambda t, row=row: np.maximum(row - t, 0).sum() - 1, row.min() - 1, row.max())
        np.testing.assert_allclose(ours, np.maximum(row - threshold, 0), atol=1e-9)
    assert (found == 0).mean() > 0.3
