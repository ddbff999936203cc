"""The three transforms in both launch styles: every kind of length, layouts, all ways to cut a long one; against NumPy."""

import numpy as np
import pytest

from cltensor.ops.fft import direct, fourier, lines, transform
from ops.styled import run

pytestmark = [pytest.mark.device, pytest.mark.plain]
STYLES = pytest.mark.parametrize("style", ["cpu", "gpu"])
EXACT = {"float32": 4e-7, "float64": 1e-15}


def complex_array(rng, shape, real="float64"):
    made = np.empty(shape, np.result_type(real, np.complex64))
    made.real, made.imag = rng.standard_normal(shape), rng.standard_normal(shape)
    return made


def close(found, wanted, real="float64"):
    """Whether the error is a few roundings of the result's norm."""
    assert found.shape == wanted.shape
    assert np.linalg.norm(found - wanted) <= 2 * EXACT[real] * np.linalg.norm(wanted)


def all_of(x, style, dim, real="float64"):
    """Compare each transform along dim, in both directions, with NumPy's in float64."""
    wide, n = x.astype(complex), x.shape[dim]
    for inverse in (False, True):
        given = {"dim": dim, "inverse": inverse, "scale": 0.5}
        wanted = np.fft.ifft(wide, axis=dim) * n if inverse else np.fft.fft(wide, axis=dim)
        close(run(fourier.c2c, style, x, **given), wanted / 2, real)
        wanted = np.fft.rfft(wide.real, axis=dim) / 2
        close(run(fourier.r2c, style, x.real, **given, middle=1.0), wanted.conj() if inverse else wanted, real)
        wanted = np.fft.irfft(wide if inverse else wide.conj(), axis=dim, n=2 * n - 1) * (2 * n - 1) / 2
        close(run(fourier.c2r, style, x, **given, n=2 * n - 1, middle=1.0), wanted, real)
        if n > 1:
            wanted = np.fft.irfft(wide if inverse else wide.conj(), axis=dim) * (n - 1)
            close(run(fourier.c2r, style, x, **given, n=2 * n - 2, middle=1.0), wanted, real)


def _passes(monkeypatch):
    monkeypatch.setattr(direct, "SHORT", 0)
    monkeypatch.setattr(direct, "LITTLE", 0)
    for op in (fourier.c2c, fourier.r2c, fourier.c2r):
        monkeypatch.setattr(op, "plans", {})


@pytest.fixture
def passes(monkeypatch):
    """Transform short lines by passes too, as long ones."""
    _passes(monkeypatch)


@pytest.fixture(params=["direct", "passes"])
def way(request, monkeypatch):
    """Both ways to transform short lines."""
    if request.param == "passes":
        _passes(monkeypatch)


@STYLES
@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("n", [*range(1, 19), 20, 21, 25, 26, 33, 34, 49, 64, 77, 96, 97, 100, 121, 128])
def test_lengths(n, style, rng):
    all_of(complex_array(rng, (2, n)), style, 1)


@STYLES
@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("real", ["float32", "float64"])
@pytest.mark.parametrize(("shape", "dim"), [((9, 24), 1), ((24, 9), 0), ((17, 30), 1), ((2, 20, 8), 1), ((3, 256), 1),
                                            ((16, 128), 1), ((12, 16), 0)])
def test_shapes(shape, dim, real, style, rng):
    all_of(complex_array(rng, shape, real), style, dim, real)


@STYLES
@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("real", ["float32", "float64"])
def test_layouts(real, style, rng):
    x = complex_array(rng, (6, 5, 16, 9), real)
    for view in (x.transpose(3, 1, 2, 0), x[:, 1:4, ::2, 3:], x[1:, :, 1:, 1:].transpose(0, 2, 1, 3), x[:, :, :, :1], x[2, 3].T):
        for dim in (0, view.ndim - 1):
            all_of(view, style, dim, real)
    all_of(np.broadcast_to(x[:1, :1, 0, 0], (9, 5)), style, 1, real)


@pytest.fixture(params=["together", "apart", "thrice"])
def cut(request, passes, monkeypatch):
    """Transform lines of more than 16 elements as matrices: in one launch, in two, and with matrices inside of matrices."""
    for name in ("ONE_LEVEL", "ONE_AFTER_ANOTHER", "ABREAST"):
        monkeypatch.setattr(lines, name, 16)
    if request.param != "together":
        monkeypatch.setattr(lines, "SHARED", 1)
    monkeypatch.setattr(lines, "LEVEL", 16 if request.param == "thrice" else 4096)
    real = lines._capacity
    monkeypatch.setattr(lines, "_capacity", lambda work: 128 if request.param == "thrice" else min(real(work), 512))
    return request.param


@STYLES
@pytest.mark.parametrize("n", [36, 480, 525])
def test_matrices(cut, n, style, rng):
    all_of(complex_array(rng, (3, n), "float32"), style, 1, "float32")
    x = complex_array(rng, (n, 5))
    close(run(fourier.c2c, style, x, dim=0, inverse=True, scale=1.0), np.fft.ifft(x, axis=0) * n)


@pytest.mark.parametrize("n", [1 << 12, 1 << 20])
def test_long_ones_are_exact(n, device, rng):
    x = complex_array(rng, (n,), "float32")
    style = device.profile.style
    wanted = np.fft.fft(x.astype(complex))
    assert np.linalg.norm(run(fourier.c2c, style, x, dim=0, inverse=False, scale=1.0) - wanted) < 1e-6 * np.linalg.norm(wanted)


@STYLES
@pytest.mark.parametrize("n", [17, 62])
def test_chirps_without_tables(n, style, passes, rng, monkeypatch):
    monkeypatch.setattr(transform, "TABLED", 1)
    for real in ("float32", "float64"):
        all_of(complex_array(rng, (3, n), real), style, 1, real)


@pytest.mark.parametrize("n", [20000, 10007])
def test_lines_in_pieces(n, device, rng):
    all_of(complex_array(rng, (n,), "float32"), device.profile.style, 0, "float32")


def test_response_of_the_chirp():
    """Bluestein's convolution, in NumPy, with the tables that the kernels read."""
    for n in (17, 31, 46):
        x = np.arange(n) + 1j
        c, response = transform._chirp(n), transform._response(n)
        y = np.fft.ifft(np.fft.fft(x * c, len(response)) * response, norm="forward")[:n] * c
        assert np.allclose(y, np.fft.fft(x))


@pytest.mark.oclgrind
@pytest.mark.usefixtures("way")
@pytest.mark.parametrize(("shape", "dim"), [((2, 8), 1), ((9, 6), 1), ((4, 9), 0), ((2, 17), 1), ((5, 7), 1), ((72,), 0)])
def test_memory(shape, dim, device, rng):
    x = complex_array(rng, shape, "float32")
    all_of(x, device.profile.style, dim, "float32")


@pytest.mark.oclgrind
def test_memory_of_matrices(cut, device, rng):
    x = complex_array(rng, (2, 20), "float32")
    close(run(fourier.c2c, device.profile.style, x, dim=1, inverse=False, scale=1.0), np.fft.fft(x), "float32")


@pytest.mark.oclgrind
def test_memory_of_chirps(device, passes, rng, monkeypatch):
    monkeypatch.setattr(transform, "TABLED", 1)
    x = complex_array(rng, (2, 11), "float32")
    close(run(fourier.c2c, device.profile.style, x, dim=1, inverse=True, scale=1.0), np.fft.ifft(x) * 11, "float32")
