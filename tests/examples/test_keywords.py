"""examples/keywords.py: one short run, and the spectrogram against SciPy's."""

import numpy as np
import pytest

import cltensor as ct


@pytest.fixture
def keywords(example):
    """The example as a module."""
    return example("keywords")


@pytest.mark.device
def test_short_run(keywords, tmp_path, capsys):
    found = keywords.main(["--epochs", "6", "--sounds", "512", "--output", str(tmp_path)])
    assert found > 0.3  # guessing gives 0.125
    assert "mean spectrum" in capsys.readouterr().out
    assert (tmp_path / "keywords.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.device
def test_spectrogram(keywords):
    sound, labels = keywords.sounds(np.random.default_rng(0), 2)
    assert sound.shape == (2, keywords.RATE)
    assert set(labels) <= set(range(8))
    found = keywords.Spectrogram().double()(ct.tensor(sound)).numpy()
    padded = np.pad(sound, ((0, 0), (keywords.WINDOW // 2,) * 2), mode="reflect")
    frames = np.lib.stride_tricks.sliding_window_view(padded, keywords.WINDOW, axis=1)[:, :: keywords.HOP]
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(keywords.WINDOW) / keywords.WINDOW)
    expected = np.log(np.abs(np.fft.rfft(frames * window)) + 1e-2).transpose(0, 2, 1)[:, None]
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)
