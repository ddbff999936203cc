"""examples/super_resolution.py: a short run, and the measure."""

import pytest

import cltensor as ct


@pytest.fixture
def super_resolution(example):
    """The example as a module."""
    return example("super_resolution")


@pytest.mark.device
@pytest.mark.parametrize("more", [[], ["--compile"]])
def test_short_run(super_resolution, tmp_path, monkeypatch, capsys, more):
    whole = super_resolution.pieces
    monkeypatch.setattr(super_resolution, "pieces", lambda photographs: whole(photographs)[::3])
    assert super_resolution.main(["--epochs", "4", "--output", str(tmp_path), *more]) > 0.02  # decibels above bicubic
    assert "The network gains" in capsys.readouterr().out
    assert (tmp_path / "super_resolution.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.device
def test_nothing_of_the_test_is_learned_from(super_resolution):
    image = ct.zeros(1, 3, 96, 352)
    image[..., super_resolution.TEST] = 1
    found = super_resolution.pieces([image])
    assert found.shape[1:] == (3, super_resolution.SIDE, super_resolution.SIDE)
    assert (found == 0).all()


@pytest.mark.device
def test_psnr(super_resolution):
    assert super_resolution.psnr(ct.full((2, 2), 0.6), ct.full((2, 2), 0.5)) == pytest.approx(20, abs=1e-3)
