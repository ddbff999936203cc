"""examples/unet.py: a short run, and the measure."""

import numpy as np
import pytest


@pytest.fixture
def unet(example):
    """The example as a module."""
    pytest.importorskip("skimage")
    return example("unet")


@pytest.mark.device
@pytest.mark.parametrize("more", [[], ["--compile"]])
def test_short_run(unet, tmp_path, monkeypatch, capsys, more):
    monkeypatch.setattr(unet, "BATCH", 8)
    assert unet.main(["--epochs", "1", "--output", str(tmp_path), *more]) > 0.4  # all pixels give 0.36
    assert "In bad light" in capsys.readouterr().out
    assert (tmp_path / "unet.png").read_bytes().startswith(b"\x89PNG")


def test_iou(unet):
    left, middle = np.array([1, 1, 1, 0], bool), np.array([0, 1, 1, 1], bool)
    assert unet.iou(left, middle) == 0.5
    assert unet.iou(left, left) == 1


def test_crops_keep_images_and_coins_together(unet, monkeypatch):
    monkeypatch.setattr(unet, "spoil", lambda images, generator: images)
    pixels = np.random.default_rng(0).random((90, 120))
    images, coins = unet.crops(pixels, pixels > 0.5, np.random.default_rng(1))
    assert images.shape == coins.shape == (unet.BATCH, unet.SIDE, unet.SIDE)
    assert ((images > 0.5) == coins).all()
