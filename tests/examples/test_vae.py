"""examples/vae.py: a short run, and the loss against its definition."""

import numpy as np
import pytest

import cltensor as ct


@pytest.fixture
def vae(example):
    """The example as a module."""
    return example("vae")


@pytest.mark.device
@pytest.mark.parametrize("more", [[], ["--compile"]])
def test_short_run(vae, tmp_path, more):
    assert vae.main(["--epochs", "6", "--output", str(tmp_path), *more]) < 1.1  # untrained it is above 2
    assert (tmp_path / "vae.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.device
def test_loss_by_hand(vae, monkeypatch):
    ct.manual_seed(1)
    model, images = vae.VAE(hidden=8), ct.rand(5, 64)
    monkeypatch.setattr(vae.Normal, "rsample", lambda self: self.mean)
    drawing, telling = (part.item() for part in vae.loss_of(model, images))
    with ct.no_grad():
        cloud = model.encode(images)
        mean, spread = cloud.mean.numpy().astype(float), cloud.stddev.numpy().astype(float)
        drawn, true = model.decode(cloud.mean).numpy().astype(float), images.numpy().astype(float)
    assert drawing == pytest.approx(-(true * np.log(drawn) + (1 - true) * np.log(1 - drawn)).sum() / 5, rel=1e-5)
    assert telling == pytest.approx(((mean**2 + spread**2 - 1) / 2 - np.log(spread)).sum() / 5, rel=1e-4)
