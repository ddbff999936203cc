"""NumPy's names of arguments, and NumPy's own functions that call a tensor's method."""

import numpy as np
import pytest

import cltensor as ct

pytestmark = [pytest.mark.device, pytest.mark.any_style]

VALUES = np.arange(6, dtype=np.float32).reshape(2, 3)


@pytest.fixture
def x():
    return ct.tensor(VALUES)


@pytest.mark.parametrize("name", ["sum", "mean", "prod", "amax", "any", "argmax"])
def test_reductions(x, name):
    expected = getattr(np, name)(VALUES, axis=1, keepdims=True)
    np.testing.assert_allclose(getattr(ct, name)(x, axis=1, keepdims=True), expected)
    np.testing.assert_allclose(getattr(x, name)(axis=1, keepdims=True), expected)


def test_others(x):
    assert x.max(axis=0).values.tolist() == [3, 4, 5]
    assert ct.stack([x, x], axis=2).shape == (2, 3, 2)
    assert ct.cat([x, x], axis=1).shape == (2, 6)
    assert x.unsqueeze(axis=0).shape == (1, 2, 3)
    assert x.softmax(axis=1).sum(axis=1).tolist() == pytest.approx([1, 1])
    assert x.cumsum(axis=0).tolist() == np.cumsum(VALUES, axis=0).tolist()
    assert [p.shape for p in x.split(1, axis=0)] == [(1, 3), (1, 3)]
    assert x.norm(p=1, axis=1).tolist() == [3, 12]


def test_numpy_functions_that_call_the_method(x):
    assert np.sum(x).item() == 15
    assert np.mean(x, axis=0).tolist() == VALUES.mean(0).tolist()
    assert np.max(x).item() == 5
    assert np.argmin(x).item() == 0
    assert np.cumsum(x, axis=1).tolist() == np.cumsum(VALUES, axis=1).tolist()


def test_both_names_are_one_too_many(x):
    with pytest.raises(TypeError):
        x.sum(dim=0, axis=1)
