"""Creation: every dtype filled and read back, values from Python and NumPy, and where PyTorch puts dtypes."""

import numpy as np
import pytest

import cltensor as ct
from cltensor.base import dtypes

pytestmark = pytest.mark.device
ALL = [pytest.param(d, id=d.name) for d in dtypes.ALL]


@pytest.mark.parametrize("dtype", ALL)
def test_filled(dtype):
    for make, value in ((ct.zeros, 0), (ct.ones, 1), (lambda *s, dtype: ct.full(s, 1, dtype=dtype), 1)):
        t = make(3, 41, dtype=dtype)
        assert t.dtype is dtype
        assert t.tolist() == [[value] * 41] * 3
        assert t._version == 0


@pytest.mark.parametrize("dtype", ALL)
def test_filled_in_place(dtype):
    t = ct.zeros(4, 6, dtype=dtype)
    t[1:3, ::2].fill_(1)
    expected = np.zeros((4, 6))
    expected[1:3, ::2] = 1
    assert t.tolist() == expected.tolist()
    assert t.zero_().sum().item() == 0


@pytest.mark.parametrize("dtype", ALL)
def test_there_and_back(dtype):
    values = [0, 1, 1] if dtype is dtypes.bool_ else [0, 1, 100]
    t = ct.tensor(values, dtype=dtype)
    assert t.tolist() == values
    assert t.abs().to(dtypes.float32).tolist() == values
    assert t.clone().dtype is dtype


@pytest.mark.parametrize("dtype", [d for d in dtypes.ALL if d is dtypes.numpy_form(d)], ids=lambda d: d.name)
def test_numpy(dtype, rng):
    array = (rng.random((3, 4)) * 100).astype(dtype.numpy)
    for layout in (array, array.T, array[::2, 1:], np.asfortranarray(array), array[:0], array[0, 0]):
        t = ct.tensor(layout)
        assert t.dtype is dtype
        np.testing.assert_array_equal(t.numpy(), layout)
    assert ct.from_numpy(array).shape == (3, 4)


def test_a_copy_is_independent(rng):
    array = rng.random(3)
    t = ct.tensor(array)
    array[0] = 5
    t.numpy()[1] = 7
    assert 5 not in t.tolist()
    assert 7 not in t.tolist()


@pytest.mark.parametrize(("data", "dtype"), [
    (1, ct.int64), (1.5, ct.float32), (True, ct.bool), ([1, 2.5], ct.float32), ([[True], [False]], ct.bool), ([], ct.float32),
    (np.float64(1), ct.float64), (np.ones(2, np.float16), ct.float16), (np.int32(3), ct.int32), ([np.float64(2)], ct.float64),
    ([np.int32(2)], ct.int32), ([[np.float16(2), 1.5]], ct.float32), ([np.ones(2, np.int16)], ct.int16),
])
def test_inferred_dtype(data, dtype):
    assert ct.tensor(data).dtype is dtype


def test_default_dtype():
    ct.set_default_dtype(ct.float64)
    try:
        assert ct.tensor(1.5).dtype is ct.float64
        assert ct.zeros(2).dtype is ct.float64
        assert (ct.tensor(3) / 2).dtype is ct.float64
    finally:
        ct.set_default_dtype(ct.float32)


@pytest.mark.parametrize(("arguments", "expected"), [
    ((5,), [0, 1, 2, 3, 4]), ((1, 4), [1, 2, 3]), ((1, 2, 0.25), [1, 1.25, 1.5, 1.75]), ((3, 0, -1), [3, 2, 1]), ((2, 2), []),
])
def test_arange(arguments, expected):
    found = ct.arange(*arguments)
    assert found.tolist() == expected
    assert found.dtype is (ct.float32 if any(isinstance(a, float) for a in arguments) else ct.int64)


def test_sequences():
    np.testing.assert_allclose(ct.linspace(-1, 1, 5).tolist(), [-1, -0.5, 0, 0.5, 1])
    assert ct.linspace(3, 4, 1).tolist() == [3]
    assert ct.eye(2, 3).tolist() == [[1, 0, 0], [0, 1, 0]]


def test_like(rng):
    t = ct.tensor(rng.random((3, 4, 5)), dtype=ct.float16).permute(2, 0, 1)
    for made in (ct.zeros_like(t), ct.ones_like(t), ct.empty_like(t), ct.full_like(t, 2)):
        assert (made.shape, made.dtype, made.stride()) == (t.shape, t.dtype, t.stride())
    assert ct.zeros_like(t, dtype=ct.int32).dtype is ct.int32
    assert t.new_ones(2).dtype is ct.float16
    assert t.new_tensor([1, 2]).dtype in (ct.int64, ct.float16)


def test_requires_grad():
    assert ct.zeros(2, requires_grad=True).is_leaf
    assert ct.tensor([1.0], requires_grad=True).requires_grad
