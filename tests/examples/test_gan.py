"""examples/gan.py: a short run, and the measure of variety."""

import numpy as np
import pytest


@pytest.fixture
def gan(example):
    """The example as a module."""
    return example("gan")


@pytest.mark.device
@pytest.mark.parametrize("more", [[], ["--compile"]])
def test_short_run(gan, tmp_path, capsys, more):
    share = gan.main(["--epochs", "8", "--output", str(tmp_path), *more])
    assert share > 0.2  # guessing gives 0.1
    assert "Drawings of a digit differ" in capsys.readouterr().out
    assert (tmp_path / "gan.png").read_bytes().startswith(b"\x89PNG")


def test_variety(gan):
    digits = np.arange(10).repeat(4)
    same = digits[:, None] * np.ones((1, 64))
    assert gan.variety(same, digits) == 0
    noise = np.random.default_rng(0).standard_normal((40_000, 64))
    assert gan.variety(noise, np.arange(10).repeat(4000)) == pytest.approx(1, abs=0.02)
