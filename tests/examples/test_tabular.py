"""examples/tabular.py: one short run, and the scores."""

import numpy as np
import pytest

r2_score = pytest.importorskip("sklearn.metrics").r2_score


@pytest.fixture
def tabular(example):
    """The example as a module."""
    return example("tabular")


@pytest.mark.device
def test_short_run(tabular, tmp_path, capsys):
    found = tabular.main(["--epochs", "4", "--folds", "2", "--output", str(tmp_path)])
    assert found["wine"][0] > 0.6  # guessing the most frequent grower gives 0.4
    assert found["breast cancer"][0] > 0.8  # and 0.63
    assert found["diabetes"][0] > 0.1  # the mean gives 0
    assert min(linear for _, linear in found.values()) > 0.4
    assert capsys.readouterr().out.count("linear model") == 3
    assert (tmp_path / "tabular.png").read_bytes().startswith(b"\x89PNG")


def test_scores(tabular):
    wine, diabetes = tabular.Table("wine"), tabular.Table("diabetes")
    rows = np.arange(0, 178, 3)
    assert wine.score(rows, wine.target[rows]) == 1
    assert wine.score(rows, 0 * rows) == np.mean(wine.target[rows] == 0)
    assert diabetes.score(rows, np.full(len(rows), diabetes.target[rows].mean())) == pytest.approx(0)
    guesses = np.random.default_rng(0).normal(150, 50, len(rows))
    assert diabetes.score(rows, guesses) == pytest.approx(r2_score(diabetes.target[rows], guesses))
