"""NumPy's .npy files load as tensors, .npz archives as dicts of them."""

import io

import numpy as np
import pytest

import cltensor
from cltensor.base import dtypes
from cltensor.io import load

pytestmark = pytest.mark.device
NAMES = [d.numpy for d in dtypes.ALL if d is not dtypes.bfloat16 and d.numpy.kind in "biufc"]


def loaded(array):
    out = io.BytesIO()
    np.save(out, array)
    return load(io.BytesIO(out.getvalue()))


@pytest.mark.parametrize("dtype", NAMES, ids=str)
@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 0, 3), (2, 3, 4)])
def test_arrays(dtype, shape, rng):
    array = (rng.random(shape) * 100).astype(dtype)
    for values in (array, array.copy(order="F"), array.astype(dtype.newbyteorder(">"))):
        found = loaded(values)
        assert (found.shape, found.is_contiguous()) == (shape, True)
        np.testing.assert_array_equal(found.numpy(), array, strict=True)


@pytest.mark.parametrize("write", [np.savez, np.savez_compressed])
def test_archives(write, tmp_path):
    write(tmp_path / "f.npz", a=np.arange(1000.0), b=np.float32(2), c=np.array([[True, False]]))
    for mmap in (False, True):
        found = load(tmp_path / "f.npz", mmap=mmap)
        assert {k: (v.dtype.name, tuple(v.shape)) for k, v in found.items()} == {
            "a": ("float64", (1000,)), "b": ("float32", ()), "c": ("bool", (1, 2))}
        assert found["a"].sum().item() == 499500


def test_an_archive_of_nothing_is_named(tmp_path):
    np.savez(tmp_path / "f.npz")
    with pytest.raises(cltensor.SerializationError, match="an empty zip archive"):
        load(tmp_path / "f.npz")
