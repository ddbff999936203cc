"""What PyTorch has and cltensor has not says so in one clear error."""

import numpy as np
import pytest

import cltensor as ct

pytestmark = [pytest.mark.device, pytest.mark.any_style]

COMPLEX = {
    "complex64": lambda x: ct.complex64,
    "zeros": lambda x: ct.zeros(2, dtype=ct.complex64),
    "dtype=complex": lambda x: ct.zeros(2, dtype=complex),
    "tensor": lambda x: ct.tensor(1j),
    "tensor of list": lambda x: ct.tensor([1.0, 2j]),
    "from_numpy": lambda x: ct.from_numpy(np.ones(2, complex)),
    "full": lambda x: ct.full((2,), 1j),
    "fill_": lambda x: x.fill_(1j),
    "mul": lambda x: x * 1j,
    "rsub": lambda x: 1j - x,
    "eq": lambda x: x == 1j,
    "to": lambda x: x.to(ct.cfloat),
    "method cfloat": lambda x: x.cfloat(),
    "imag": lambda x: x.imag,
    "fft": lambda x: ct.fft.fft(x),
    "rfft2": lambda x: ct.fft.rfft2(x),
    "stft": lambda x: ct.stft(x, 2),
    "eig": lambda x: ct.linalg.eig(x),
    "view_as_complex": lambda x: ct.view_as_complex(x),
    "view_as_real": lambda x: ct.view_as_real(x),
    "polar": lambda x: ct.polar(x, x),
}


@pytest.mark.parametrize("name", COMPLEX)
def test_complex(name):
    with pytest.raises(ct.DTypeError, match="no complex dtypes"):
        COMPLEX[name](ct.ones(2, 2))


@pytest.mark.parametrize(("fetch", "reason"), [
    (lambda: ct.sparse_bsr_tensor, "sparse tensors are COO or CSR"),
    (lambda: ct.ones(2).to_sparse_csc(), "sparse tensors are COO or CSR"),
    (lambda: ct.nested, "no nested tensors; pad the parts"),
    (lambda: ct.quantize_per_tensor, "no quantized dtypes"),
    (lambda: ct.uint16, "use int32 or int64"),
])
def test_other_absences(fetch, reason):
    with pytest.raises(ct.AbsentError, match=reason):
        fetch()


def test_hasattr_is_false():
    assert not hasattr(ct, "complex64")
    assert not hasattr(ct.ones(1), "imag")
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
