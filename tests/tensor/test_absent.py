"""What PyTorch has and cltensor has not says so in one clear error."""

import numpy as np
import pytest

import cltensor as ct

pytestmark = [pytest.mark.device, pytest.mark.any_style]

TRANSFORMS = {
    "fft": lambda x: ct.fft.fft(x),
    "rfft2": lambda x: ct.fft.rfft2(x),
    "stft": lambda x: ct.stft(x, 2),
}


@pytest.mark.parametrize("name", TRANSFORMS)
def test_transforms(name):
    with pytest.raises(ct.DTypeError, match="no Fourier transforms yet"):
        TRANSFORMS[name](ct.ones(2, 2))


@pytest.mark.parametrize(("fetch", "reason"), [
    (lambda: ct.sparse_bsr_tensor, "sparse tensors are COO or CSR"),
    (lambda: ct.ones(2).to_sparse_csc(), "sparse tensors are COO or CSR"),
    (lambda: ct.nested, "no nested tensors; pad the parts"),
    (lambda: ct.quantize_per_tensor, "no quantized dtypes"),
])
def test_other_absences(fetch, reason):
    with pytest.raises(ct.AbsentError, match=reason):
        fetch()


def test_hasattr_is_false():
    assert not hasattr(ct, "stft")
    assert not hasattr(ct.ones(1), "to_sparse")
    with pytest.raises(AttributeError, match="'Tensor' object has no attribute 'nonsense'"):
        ct.ones(1).nonsense  # noqa: B018


def test_real_numbers_pass():
    x = ct.ones(2)
    assert x.real is x
    assert ct.real(x) is x
    assert x.conj() is x
    assert not x.is_conj()
    assert not x.is_neg()
    assert not ct.is_complex(x)


@pytest.mark.parametrize("n", [0, 1, 4, 5])
def test_frequencies(n):
    if n:
        np.testing.assert_allclose(ct.fft.fftfreq(n, 0.5), np.fft.fftfreq(n, 0.5), rtol=1e-6)
        np.testing.assert_allclose(ct.fft.rfftfreq(n, 0.5), np.fft.rfftfreq(n, 0.5), rtol=1e-6)
    x = np.arange(3.0 * n).reshape(3, n)
    for dim in (None, 1, (0, 1)):
        np.testing.assert_array_equal(ct.fft.fftshift(ct.tensor(x), dim), np.fft.fftshift(x, dim))
        np.testing.assert_array_equal(ct.fft.ifftshift(ct.tensor(x), dim), np.fft.ifftshift(x, dim))
