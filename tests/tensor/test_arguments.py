"""Further names and forms of arguments that PyTorch takes."""

import numpy as np
import pytest

import cltensor as ct

pytestmark = [pytest.mark.device, pytest.mark.any_style]


@pytest.fixture
def x():
    return ct.arange(6.0)


def listed(parts):
    return [p.tolist() for p in parts]


def test_names(x):
    m = x.view(size=(2, 3))
    assert m.shape == (2, 3)
    assert ct.swapaxes(m, axis0=0, axis1=1).shape == (3, 2)
    assert listed(ct.tensor_split(x, sections=2)) == listed(ct.tensor_split(x, indices=[3])) == [[0, 1, 2], [3, 4, 5]]
    assert listed(x.split(split_size=4)) == [[0, 1, 2, 3], [4, 5]]
    assert listed(ct.hsplit(x, indices=[1])) == [[0], [1, 2, 3, 4, 5]]
    assert x.clone().resize_(size=(2,)).tolist() == [0, 1]
    assert ct.scalar_tensor(s=2).item() == 2
    assert ct.linalg.matrix_rank(ct.eye(3) * ct.tensor([1.0, 1e-3, 0.0]), 0.01).item() == 1
    assert ct.cholesky_solve(ct.ones(1, 1), input2=ct.full((1, 1), 2.0)).item() == 0.25


def test_numbers_among_tensors(x):
    assert ct.result_type(x, 1) is ct.result_type(1, x) is ct.float32
    assert ct.result_type(1, 2.0) is ct.float32
    assert ct.result_type(scalar1=1, scalar2=True) is ct.int64
    assert ct.isin(1.0, x).item()
    assert ct.isin(x, 1.0).tolist() == [False, True, False, False, False, False]
    with pytest.raises(TypeError, match="copy_: expected a Tensor, got list"):
        x.copy_([1.0])


def test_generators(x):
    a, b = (ct.randint_like(x, high=100, generator=ct.Generator().manual_seed(3)) for _ in range(2))
    assert a.tolist() == b.tolist()


def test_shifts():
    x = ct.arange(4)
    assert (x << 1).tolist() == [0, 2, 4, 6]
    assert (1 << x).tolist() == [1, 2, 4, 8]
    assert (x >> 1).tolist() == [0, 0, 1, 1]
    x <<= 2
    assert x.tolist() == [0, 4, 8, 12]


def test_reversed_and_contains(x):
    assert reversed(x).tolist() == [5, 4, 3, 2, 1, 0]
    assert 2 in x
    with pytest.raises(TypeError, match="only supports Tensor or scalar"):
        _ = "a" in x


def test_asarray(x):
    assert ct.asarray(x) is x
    assert ct.asarray(obj=x, copy=True) is not x
    assert ct.asarray([1.0], requires_grad=True).requires_grad
    with pytest.raises(ValueError, match="copy=False"):
        ct.asarray(np.ones(2), copy=False)


def test_from_dlpack():
    assert ct.from_dlpack(np.arange(3), copy=True).tolist() == [0, 1, 2]
    with pytest.raises(BufferError, match="only a copy"):
        ct.from_dlpack(np.arange(3), copy=False)
    with pytest.raises(BufferError, match="bfloat16"):
        np.from_dlpack(ct.ones(2, dtype=ct.bfloat16))


def test_torch_tensors_are_taken_without_a_warning():
    torch = pytest.importorskip("torch")
    assert ct.tensor(torch.ones(2)).tolist() == [1, 1]
