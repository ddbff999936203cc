"""cltensor.fft: values against NumPy and SciPy, arguments, errors, gradients."""

import numpy as np
import pytest

import cltensor as ct
from cltensor.autograd.gradcheck import gradcheck, gradgradcheck

pytestmark = [pytest.mark.device, pytest.mark.plain]
COMPLEX, REAL = ("fft", "ifft", "irfft", "hfft"), ("rfft", "ihfft")
COMPLEX_N, REAL_N = ("fft2", "ifft2", "irfft2", "fftn", "ifftn", "irfftn"), ("rfft2", "rfftn")
NORMS = (None, "backward", "ortho", "forward")


def array(rng, *shape):
    return rng.standard_normal(shape) + 1j * rng.standard_normal(shape)


def close(found, wanted):
    assert tuple(found.shape) == wanted.shape
    np.testing.assert_allclose(found.numpy(), wanted, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("name", COMPLEX + REAL)
def test_one_dimension(name, norm, rng):
    x = array(rng, 3, 6, 2)
    x = x.real if name in REAL else x
    for n in (None, 1, 4, 5, 9):
        for dim in (1, -3):
            close(getattr(ct.fft, name)(ct.tensor(x), n, dim, norm), getattr(np.fft, name)(x, n, dim, norm))


@pytest.mark.parametrize("name", COMPLEX_N + REAL_N)
def test_several_dimensions(name, rng):
    x = array(rng, 3, 4, 5)
    x = x.real if name in REAL_N else x
    for s, dim in ((None, None), ((4, 6), None), ((2, 7), (0, 2)), ((6, 3), (2, 1)), (None, (1, 0))):
        if dim is None and name.endswith("2"):
            dim = (-2, -1)
        axes = dim if dim or s is None else tuple(range(-len(s), 0))
        for norm in ("ortho", "backward"):
            close(getattr(ct.fft, name)(ct.tensor(x), s, dim, norm), getattr(np.fft, name)(x, s, axes, norm))


def test_symmetric_ones_of_several_dimensions(rng):
    """hfftn and ihfftn, which NumPy lacks, by what defines them; hfft2 and ihfft2 by those."""
    x, r = array(rng, 4, 5), rng.standard_normal((4, 6))
    close(ct.fft.hfftn(ct.tensor(x), (3, 7)), np.fft.hfft(np.fft.fft(x, 3, 0), 7, 1))
    close(ct.fft.ihfftn(ct.tensor(r), norm="ortho"), np.fft.ifft(np.fft.ihfft(r, None, 1, "ortho"), None, 0, "ortho"))
    assert ct.equal(ct.fft.hfft2(ct.tensor(x)), ct.fft.hfftn(ct.tensor(x)))
    assert ct.equal(ct.fft.ihfft2(ct.tensor(r)), ct.fft.ihfftn(ct.tensor(r)))


def test_scipy_agrees(rng):
    fft = pytest.importorskip("scipy.fft")
    x = array(rng, 4, 6)
    close(ct.fft.hfftn(ct.tensor(x)), fft.hfftn(x))
    close(ct.fft.ihfft2(ct.tensor(x.real)), fft.ihfft2(x.real))


@pytest.mark.parametrize("name", ["fft", "ifft", "rfft", "irfft", "fftn", "rfftn"])
def test_round_trips_of_single_precision(name, rng):
    x = rng.standard_normal((5, 48)).astype(np.float32)
    back = {"fft": "ifft", "ifft": "fft", "rfft": "irfft", "irfft": "rfft", "fftn": "ifftn", "rfftn": "irfftn"}[name]
    y = getattr(ct.fft, back)(getattr(ct.fft, name)(ct.tensor(x)))
    assert y.dtype in (ct.float32, ct.complex64)
    np.testing.assert_allclose(y.numpy(), x, atol=2e-6)


def test_dtypes():
    for d in (ct.int32, ct.bool):
        assert ct.fft.fft(ct.ones(4, dtype=d)).tolist() == [4, 0, 0, 0]
        assert ct.fft.rfft(ct.ones(4, dtype=d)).dtype is ct.complex64
    assert ct.fft.irfft(ct.ones(3, dtype=ct.float64)).dtype is ct.float64
    for d in (ct.float16, ct.bfloat16, ct.complex32):
        with pytest.raises(ct.DTypeError, match=f"Unsupported dtype {d.name}"):
            ct.fft.fft(ct.ones(4).to(d))


def test_empty_batches():
    x = ct.ones(0, 4)
    assert ct.fft.fft(x).shape == (0, 4)
    assert ct.fft.rfft(x).shape == (0, 3)
    assert ct.fft.irfft(x).shape == (0, 6)
    assert ct.fft.fftn(ct.tensor(3.0)).item() == 3


def test_dim_empty_copies():
    x = ct.ones(2, 2)
    y = ct.fft.fftn(x, dim=())
    assert y.dtype is ct.complex64
    assert ct.equal(y.real, x)
    assert y.data_ptr() != x.data_ptr()


def test_out():
    x, out = ct.tensor([1.0, 2.0, 3.0]), ct.empty(3, dtype=ct.complex64)
    assert ct.fft.fft(x, out=out) is out
    np.testing.assert_allclose(out.numpy(), np.fft.fft([1, 2, 3]), rtol=1e-6)
    with pytest.raises(ct.DTypeError):
        ct.fft.fft(x, out=ct.empty(3))


@pytest.mark.parametrize(("call", "error", "match"), [
    (lambda x: ct.fft.fft(x, 0), ct.ArgumentError, r"^fft: Invalid number of data points \(0\)"),
    (lambda x: ct.fft.fft(x, -1), ct.ArgumentError, r"Invalid number of data points \(-1\)"),
    (lambda x: ct.fft.rfft(x, 2.5), ct.ArgumentTypeError, "argument 'n' must be int, not float"),
    (lambda x: ct.fft.ifft(x[:, :0]), ct.ArgumentError, r"^ifft: Invalid number of data points \(0\)"),
    (lambda x: ct.fft.irfft(x[:, :1]), ct.ArgumentError, r"^irfft: Invalid number of data points \(0\)"),
    (lambda x: ct.fft.fft(x, dim=2), ct.DimensionError, "Dimension out of range"),
    (lambda x: ct.fft.fft(x[0, 0]), ct.DimensionError, "tensor has no dimensions"),
    (lambda x: ct.fft.fft2(x[0]), ct.DimensionError, "Dimension out of range"),
    (lambda x: ct.fft.fft2(x[0, 0]), ct.DimensionError, "tensor has no dimensions"),
    (lambda x: ct.fft.fft(x, norm="x"), ct.ArgumentError, 'Invalid normalization mode: "x"'),
    (lambda x: ct.fft.fftn(x, dim=(), norm="x"), ct.ArgumentError, 'Invalid normalization mode: "x"'),
    (lambda x: ct.fft.rfft(x * 1j), ct.DTypeError, "^rfft expects a real input tensor, but got complex64; use fft"),
    (lambda x: ct.fft.rfft2(x * 1j), ct.DTypeError, "^rfft2 expects a real input tensor, but got complex64; use fftn"),
    (lambda x: ct.fft.ihfft(x * 1j), ct.DTypeError, "^ihfft expects a real input tensor"),
    (lambda x: ct.fft.fftn(x, dim=(0, -2)), ct.ShapeError, "dims must be unique"),
    (lambda x: ct.fft.fftn(x, (2, 3), 0), ct.ArgumentError, "must have the same length"),
    (lambda x: ct.fft.fftn(x, (2, 3, 4)), ct.ArgumentError, "Got shape with 3 values but input tensor only has 2"),
    (lambda x: ct.fft.ifftn(x, (2, 0)), ct.ArgumentError, r"Invalid number of data points \(0\)"),
    (lambda x: ct.fft.fftn(x, "ab"), ct.ArgumentTypeError, "argument 's' must be an int or a tuple of ints, not str"),
    (lambda x: ct.fft.rfftn(x, dim=()), ct.ArgumentError, "rfftn must transform at least one axis"),
    (lambda x: ct.fft.irfftn(x, dim=()), ct.ArgumentError, "irfftn must transform at least one axis"),
    (lambda x: ct.fft.fft([1.0]), ct.ArgumentTypeError, "argument 'input' must be Tensor, not list"),
    (lambda x: ct.fft.fftfreq(-1), ct.ArgumentError, "cannot be negative, got -1"),
    (lambda x: ct.fft.rfftfreq(4, dtype=ct.int32), ct.DTypeError, "rfftfreq requires a floating point dtype, got int32"),
    (lambda x: ct.fft.fftfreq(2.0), ct.ArgumentTypeError, "argument 'n' must be int, not float"),
])
def test_errors(call, error, match):
    with pytest.raises(error, match=match):
        call(ct.ones(2, 4))


@pytest.mark.parametrize("n", [0, 1, 4, 5])
def test_frequencies(n):
    if n:
        np.testing.assert_allclose(ct.fft.fftfreq(n, 0.5), np.fft.fftfreq(n, 0.5), rtol=1e-6)
        np.testing.assert_allclose(ct.fft.rfftfreq(n, 0.5, dtype=ct.float64), np.fft.rfftfreq(n, 0.5), rtol=1e-15)
    x = np.arange(3.0 * n).reshape(3, n)
    for dim in (None, 1, (0, 1)):
        np.testing.assert_array_equal(ct.fft.fftshift(ct.tensor(x), dim), np.fft.fftshift(x, dim))
        np.testing.assert_array_equal(ct.fft.ifftshift(ct.tensor(x), dim), np.fft.ifftshift(x, dim))


@pytest.mark.parametrize(("name", "shape", "given"), [
    ("fft", (2, 5), {}), ("ifft", (4, 2), {"dim": 0, "n": 3}), ("rfft", (2, 5), {}), ("rfft", (6,), {"n": 8, "norm": "ortho"}),
    ("irfft", (2, 4), {}), ("irfft", (3,), {"n": 5}), ("hfft", (3,), {}), ("ihfft", (4,), {}), ("fft2", (2, 3), {}),
    ("rfftn", (3, 4), {}), ("irfftn", (3, 3), {}), ("hfftn", (2, 3), {}), ("ihfftn", (2, 4), {})])
def test_gradients(name, shape, given, rng):
    x = array(rng, *shape)
    x = ct.tensor(x.real if name.removeprefix("i").removesuffix("n") in ("rfft", "hfft") and name not in (
        "irfft", "hfft", "irfftn", "hfftn") else x, requires_grad=True)

    def f(x):
        return getattr(ct.fft, name)(x, **given)

    assert gradcheck(f, x, fast_mode=True)
    assert gradgradcheck(f, x, fast_mode=True)


def test_gradient_of_real_numbers_taken_for_complex_ones(rng):
    x = ct.tensor(rng.standard_normal(6), requires_grad=True)
    assert gradcheck(lambda x: ct.fft.fft(x), x)
    assert gradcheck(lambda x: ct.fft.hfft(x), x)


def test_vmap(rng):
    x = ct.tensor(array(rng, 3, 4, 5))
    for f, of in ((lambda x: ct.fft.fft(x, dim=0), x), (ct.fft.irfft, x), (ct.fft.fft2, x), (ct.fft.rfft, x.real)):
        for dim in (0, 2):
            y = ct.func.vmap(f, in_dims=dim)(of)
            np.testing.assert_allclose(y.numpy(), np.stack([f(part).numpy() for part in of.unbind(dim)]), atol=1e-12)


def test_the_array_api(rng):
    x = array(rng, 3, 4)
    xp = ct.ones(1).__array_namespace__()
    z, r = xp.asarray(x), xp.asarray(x.real)
    for name in ("fft", "ifft", "irfft", "hfft"):
        close(getattr(xp.fft, name)(z, n=5, axis=0, norm="ortho"), getattr(np.fft, name)(x, n=5, axis=0, norm="ortho"))
    for name in ("rfft", "ihfft"):
        close(getattr(xp.fft, name)(r, axis=0), getattr(np.fft, name)(x.real, axis=0))
    for name in ("fftn", "ifftn", "irfftn"):
        close(getattr(xp.fft, name)(z, s=(2, 6), axes=(0, 1)), getattr(np.fft, name)(x, s=(2, 6), axes=(0, 1)))
    close(xp.fft.rfftn(r), np.fft.rfftn(x.real))
    close(xp.fft.fftshift(z, axes=1), np.fft.fftshift(x, axes=1))
    close(xp.fft.ifftshift(z), np.fft.ifftshift(x))
    close(xp.fft.fftfreq(5, dtype=xp.float64), np.fft.fftfreq(5))
    close(xp.fft.rfftfreq(5, d=2.0, dtype=xp.float64), np.fft.rfftfreq(5, 2.0))
    for call in (lambda: xp.fft.fft(r), lambda: xp.fft.rfft(z), lambda: xp.fft.fftshift(xp.asarray([1]))):
        with pytest.raises(ct.DTypeError):
            call()


def test_layout_of_frequencies():
    assert ct.fft.fftfreq(4, layout=ct.strided).tolist() == [0, 0.25, -0.5, -0.25]
    with pytest.raises(ct.base.errors.AbsentError, match="this makes dense tensors only"):
        ct.fft.rfftfreq(4, layout=ct.sparse_coo)
