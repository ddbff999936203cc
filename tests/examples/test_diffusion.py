"""examples/diffusion.py: a short run, the mixtures, and the way back from noise when the noise is known."""

import numpy as np
import pytest

import cltensor as ct


@pytest.fixture
def diffusion(example):
    """The example as a module."""
    return example("diffusion")


@pytest.mark.device
@pytest.mark.parametrize("more", [[], ["--compile"]])
def test_short_run(diffusion, tmp_path, monkeypatch, capsys, more):
    monkeypatch.setattr(diffusion, "STEPS", 25)
    share = diffusion.main(["--epochs", "6", "--drawings", "6", "--output", str(tmp_path), *more])
    assert share > 0.2  # guessing gives 0.1
    assert "square error of the noise" in capsys.readouterr().out
    assert (tmp_path / "diffusion.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.device
def test_mixtures(diffusion):
    schedule = diffusion.Schedule(ct.float32)
    images, noise = ct.rand(2, 1, 8, 8), ct.randn(2, 1, 8, 8)
    mixed = schedule.mix(images, noise, ct.tensor([0, diffusion.STEPS]))
    ct.testing.assert_close(mixed[0], images[0])
    assert ((mixed[1] - noise[1]).abs() < 0.1).all()
    assert (np.diff(schedule.kept) < 0).all()


@pytest.mark.device
def test_who_knows_the_noise_comes_back_to_the_image(diffusion):
    schedule, image = diffusion.Schedule(ct.float32), ct.rand(1, 1, 8, 8) * 2 - 1

    def knows(mixtures, at, names):
        kept = schedule.kept[at[0].item()]
        return (mixtures - kept**0.5 * image) / (1 - kept) ** 0.5

    drawn, stages = diffusion.draw(knows, schedule, ct.tensor([3, 4]), ct.float32, 1.0)
    np.testing.assert_allclose(drawn, image[0].expand(2, 8, 8).numpy(), atol=1e-4)
    assert len(stages) == diffusion.STEPS + 1
