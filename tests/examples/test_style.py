"""examples/style.py: a short run, and the distance against one that is known."""

import numpy as np
import pytest

import cltensor as ct


@pytest.fixture
def style(example):
    """The example as a module."""
    pytest.importorskip("skimage")
    return example("style")


@pytest.mark.device
@pytest.mark.parametrize("more", [[], ["--compile"]])
def test_short_run(style, tmp_path, monkeypatch, capsys, more):
    monkeypatch.setattr(style, "SIZES", (20, 40))
    monkeypatch.setattr(style, "RATES", (0.03, 0.03))
    assert style.main(["--epochs", "12", "--output", str(tmp_path), *more]) < 0.8
    assert "On average the distance fell" in capsys.readouterr().out
    assert (tmp_path / "style.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.device
def test_distance_of_pictures_with_the_same_patches_is_nothing(style):
    picture = ct.rand(1, 3, 12, 12)
    assert style.distance(picture, picture, 5).item() == 0


@pytest.mark.device
def test_distance_of_plain_pictures_by_hand(style):
    ct.manual_seed(3)
    found = style.distance(ct.full((1, 3, 9, 9), 0.75), ct.full((1, 3, 9, 9), 0.25), 5).item()
    ct.manual_seed(3)
    filters = ct.randn(5, 3, style.PATCH, style.PATCH).numpy().astype(float).reshape(5, -1)
    assert found == pytest.approx(np.mean(np.abs(filters.sum(1) / np.linalg.norm(filters, axis=1))) / 2, rel=1e-4)


@pytest.mark.device
def test_tones_keep_their_order_and_take_the_values_of_the_style(style):
    ct.manual_seed(0)
    portrait, other = ct.rand(1, 3, 24, 24), ct.rand(1, 3, 24, 24)
    found, before, values = (tones.numpy().ravel() for tones in
                             (style.tones_like(portrait, other), style.tones(portrait), style.tones(other)))
    np.testing.assert_array_equal(found.argsort(), before.argsort())
    np.testing.assert_array_equal(np.sort(found), np.sort(values))
