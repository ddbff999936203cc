"""stft and istft: against sums written out, SciPy's windows of a signal, and each other."""

import numpy as np
import pytest

import cltensor as ct
from cltensor.autograd.gradcheck import gradcheck

pytestmark = [pytest.mark.device, pytest.mark.plain]


def spectra(x, n, hop, window, onesided=True):
    """The definition, for one signal: (frequencies, windows)."""
    frames = [x[t:t + n] * window for t in range(0, len(x) - n + 1, hop)]
    return np.array([(np.fft.rfft if onesided else np.fft.fft)(f) for f in frames]).T


@pytest.mark.parametrize(("n", "hop", "size"), [(8, 3, 8), (9, 2, 6), (16, 4, 16)])
def test_values(n, hop, size, rng):
    x, w = rng.standard_normal((2, 40)), rng.uniform(0.5, 1, size)
    left = (n - size) // 2
    wide = np.pad(w, (left, n - size - left))
    for mode in ("reflect", "constant", "replicate", "circular"):
        padded = np.pad(x, ((0, 0), (n // 2, n // 2)), {"replicate": "edge", "circular": "wrap"}.get(mode, mode))
        y = ct.stft(ct.tensor(x), n, hop, size, ct.tensor(w), pad_mode=mode, return_complex=True)
        np.testing.assert_allclose(y.numpy(), [spectra(p, n, hop, wide) for p in padded], atol=1e-12)
    y = ct.tensor(x[0]).stft(n, hop, size, ct.tensor(w), center=False, normalized=True, onesided=False, return_complex=False)
    wanted = spectra(x[0], n, hop, wide, onesided=False) / np.sqrt(n)
    np.testing.assert_allclose(y.numpy(), np.stack([wanted.real, wanted.imag], -1), atol=1e-12)


def test_defaults(rng):
    x = rng.standard_normal(30)
    y = ct.stft(ct.tensor(x), 8, return_complex=True)
    np.testing.assert_allclose(y.numpy(), spectra(np.pad(x, 4, "reflect"), 8, 2, np.ones(8)), atol=1e-12)
    z = ct.stft(ct.tensor(1j * x), 8)
    np.testing.assert_allclose(z.numpy(), 1j * spectra(np.pad(x, 4, "reflect"), 8, 2, np.ones(8), onesided=False), atol=1e-12)
    aligned = ct.stft(ct.tensor(x), 8, 2, 4, ct.ones(4, dtype=ct.float64), center=False, return_complex=True, align_to_window=True)
    assert aligned.shape == (5, 1 + (30 - 4) // 2)


def test_scipy_agrees(rng):
    signal = pytest.importorskip("scipy.signal")
    x, w = rng.standard_normal(64), np.hanning(17)[:16]
    _, _, wanted = signal.stft(x, window=w, nperseg=16, noverlap=12, boundary=None, padded=False)
    found = ct.stft(ct.tensor(x), 16, 4, window=ct.tensor(w), center=False, return_complex=True)
    np.testing.assert_allclose(found.numpy() / w.sum(), wanted, atol=1e-12)


@pytest.mark.parametrize(("n", "hop"), [(8, 3), (9, 2), (8, 8), (16, 1)])
def test_round_trip(n, hop, rng):
    x, w = rng.standard_normal((2, 50)), ct.tensor(rng.uniform(0.5, 1, n))
    for given in ({}, {"center": False}, {"normalized": True, "onesided": False}):
        y = ct.stft(ct.tensor(x), n, hop, window=w, return_complex=True, **given)
        for length in (None, 20):
            back = ct.istft(y, n, hop, window=w, length=length, **given)
            np.testing.assert_allclose(back.numpy(), x[:, :back.shape[1]], atol=1e-12)
            assert back.shape[1] == length if length else back.shape[1] > 50 - hop - 1
    y = ct.stft(ct.tensor(x[0] * 1j), n, hop, window=w)
    np.testing.assert_allclose(ct.istft(y, n, hop, window=w, return_complex=True).numpy()[:40], 1j * x[0, :40], atol=1e-12)
    longer = ct.istft(ct.stft(ct.tensor(x[0]), n, hop, window=w, return_complex=True), n, hop, window=w, length=60)
    assert longer.shape == (60,)
    assert longer[-2:].tolist() == [0, 0]


def test_gradients(rng):
    x = ct.tensor(rng.standard_normal(12), requires_grad=True)
    w = ct.tensor(rng.uniform(0.5, 1, 4), requires_grad=True)
    assert gradcheck(lambda x, w: ct.stft(x, 6, 2, 4, w, return_complex=True), (x, w), fast_mode=True)
    y = ct.stft(x, 6, 2, 4, w, return_complex=True).detach().requires_grad_()
    assert gradcheck(lambda y, w: ct.istft(y, 6, 2, 4, w), (y, w), fast_mode=True)


def test_single_precision(rng):
    x = ct.tensor(rng.standard_normal(400).astype(np.float32))
    w = ct.hann_window(64)
    y = ct.stft(x, 64, window=w, return_complex=True)
    assert y.dtype is ct.complex64
    np.testing.assert_allclose(ct.istft(y, 64, window=w, length=400).numpy(), x.numpy(), atol=1e-5)


def spectrum():
    return ct.ones(5, 6, dtype=ct.complex64)


@pytest.mark.parametrize(("call", "error", "match"), [
    (lambda x: ct.stft(x, 8), ct.ArgumentError, "stft requires the return_complex parameter"),
    (lambda x: ct.stft(x * 1j, 8, onesided=True), ct.ArgumentError, "Cannot have onesided output"),
    (lambda x: ct.stft(x, 8, return_complex=True, align_to_window=True), ct.ArgumentError, "only be set when center"),
    (lambda x: ct.stft(x, 0, return_complex=True, center=False), ct.ArgumentError, "expected 0 < n_fft <= 30.*got n_fft=0"),
    (lambda x: ct.stft(x, 31, return_complex=True, center=False), ct.ArgumentError, "got n_fft=31"),
    (lambda x: ct.stft(x, 80, return_complex=True), ct.ShapeError, "Padding size should be less"),
    (lambda x: ct.stft(x, 8, 0, return_complex=True), ct.ArgumentError, "expected hop_length > 0, but got hop_length=0"),
    (lambda x: ct.stft(x, 8, win_length=9, return_complex=True), ct.ArgumentError, "expected 0 < win_length <= n_fft"),
    (lambda x: ct.stft(x, 8, window=ct.ones(7), return_complex=True), ct.ShapeError, r"equal to win_length=8.*size \[7\]"),
    (lambda x: ct.stft(x, 8, pad_mode="x", return_complex=True), ct.ArgumentError, "Unrecognised padding mode 'x'"),
    (lambda x: ct.stft(x.int(), 8, return_complex=True), ct.DTypeError, "floating point or complex values, got int32"),
    (lambda x: ct.stft(x.half(), 8, return_complex=True), ct.DTypeError, "stft: Unsupported dtype float16"),
    (lambda x: ct.stft(x.reshape(1, 5, 6), 2, return_complex=True), ct.ShapeError, "expected a 1D or 2D tensor"),
    (lambda x: ct.istft(x.reshape(5, 6), 8), ct.DTypeError, "istft requires a complex-valued input tensor"),
    (lambda x: ct.istft(spectrum(), 10), ct.ShapeError, "to be 6 or 10 for n_fft=10, but got 5"),
    (lambda x: ct.istft(spectrum(), 8, onesided=False), ct.ShapeError, "to be 8 for n_fft=8, but got 5"),
    (lambda x: ct.istft(spectrum()[0], 8), ct.DimensionError, "2 or 3 dimensions, but got 1"),
    (lambda x: ct.istft(spectrum()[:, :0], 8), ct.ShapeError, "cannot be empty"),
    (lambda x: ct.istft(spectrum(), 8, return_complex=True), ct.ArgumentError, "Cannot have onesided output"),
    (lambda x: ct.istft(spectrum(), 8, window=ct.ones(8) * 1j), ct.ArgumentError, "Complex windows"),
    (lambda x: ct.istft(spectrum(), 8, 9), ct.ArgumentError, "expected 0 < hop_length <= win_length"),
    (lambda x: ct.istft(spectrum(), 8, window=ct.hann_window(8), center=False), ct.ArgumentError, "window overlap add min"),
    (lambda x: ct.istft(spectrum(), 8, length=0), ct.ArgumentError, "window overlap add min"),
])
def test_errors(call, error, match):
    with pytest.raises(error, match=match):
        call(ct.ones(30))


WINDOWS = {"bartlett": np.bartlett, "blackman": np.blackman, "hamming": np.hamming, "hann": np.hanning,
           "kaiser": lambda n: np.kaiser(n, 12.0)}


@pytest.mark.parametrize("name", WINDOWS)
def test_windows(name):
    window = getattr(ct, f"{name}_window")
    for n in (0, 1, 2, 5, 8):
        np.testing.assert_allclose(window(n, periodic=False, dtype=ct.float64), WINDOWS[name](n), atol=1e-15)
        if n > 1:
            np.testing.assert_allclose(window(n), WINDOWS[name](n + 1)[:-1], atol=1e-7)
    assert window(4, dtype=ct.float16, requires_grad=True).requires_grad
    assert window(4, dtype=ct.bfloat16).dtype is ct.bfloat16
    with pytest.raises(ct.ArgumentError, match=f"^{name}_window requires non-negative window_length, got window_length=-1"):
        window(-1)
    with pytest.raises(ct.ArgumentError, match=f"^{name}_window expects floating point dtypes, got: int32"):
        window(4, dtype=ct.int32)
    with pytest.raises(ct.ArgumentTypeError, match="argument 'window_length' must be int, not float"):
        window(4.0)
