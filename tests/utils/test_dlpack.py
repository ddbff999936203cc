"""utils.dlpack: capsules to and from NumPy."""

import numpy as np
import pytest

import cltensor as ct
from cltensor.utils import dlpack

pytestmark = [pytest.mark.device, pytest.mark.any_style]


@pytest.mark.parametrize("dtype", ["float32", "float16", "int64", "uint8", "bool"])
def test_a_capsule_there_and_back(dtype):
    x = ct.tensor([[1, 0, 1], [0, 1, 1]]).to(getattr(ct, dtype)).T
    back = dlpack.from_dlpack(dlpack.to_dlpack(x))
    assert back.dtype is x.dtype
    assert back.tolist() == x.tolist()


def test_from_arrays_and_tensors():
    assert dlpack.from_dlpack(np.arange(3)).tolist() == [0, 1, 2]
    assert dlpack.from_dlpack(ct.ones(2)).tolist() == [1.0, 1.0]
    assert np.from_dlpack(ct.ones(2)).tolist() == [1.0, 1.0]
    assert ct.ones(1).__dlpack_device__() == (dlpack.DLDeviceType.kDLCPU, 0)
    assert ct.to_dlpack is dlpack.to_dlpack


def test_refusals():
    with pytest.raises(BufferError, match="require gradient"):
        dlpack.to_dlpack(ct.ones(2, requires_grad=True))
    with pytest.raises(BufferError, match="no bfloat16"):
        dlpack.to_dlpack(ct.ones(2, dtype=ct.bfloat16))
    with pytest.raises(BufferError, match="copy"):
        dlpack.from_dlpack(np.ones(2), copy=False)
    capsule = dlpack.to_dlpack(ct.ones(2))
    dlpack.from_dlpack(capsule)
    with pytest.raises(BufferError, match="was taken already"):
        dlpack.from_dlpack(capsule)
    with pytest.raises(TypeError, match="expected a DLPack capsule"):
        dlpack.from_dlpack(3)
