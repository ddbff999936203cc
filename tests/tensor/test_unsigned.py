"""uint16, uint32 and uint64: what PyTorch defines for them, against NumPy; the largest numbers too; what is refused."""

import io
import pickle

import numpy as np
import pytest

import cltensor as ct

pytestmark = pytest.mark.device
NAMES = ["uint16", "uint32", "uint64"]


@pytest.fixture(params=NAMES)
def numbers(request):
    """(array, tensor) of small, large and equal numbers."""
    top = np.iinfo(request.param).max
    array = np.array([[3, 0, top, top // 2 + 1], [1, top - 1, 3, top // 2]], request.param)
    return array, ct.from_numpy(array)


def same(tensor, array):
    assert tensor.dtype.name == array.dtype.name
    np.testing.assert_array_equal(tensor.numpy(), array)


OPS = {
    "mul": lambda m, x, y: x * y, "mul by a number": lambda m, x, y: x * 3,
    "eq": lambda m, x, y: x == y, "ne": lambda m, x, y: x != y,
    "and": lambda m, x, y: x & y, "or": lambda m, x, y: x | y, "xor": lambda m, x, y: x ^ y, "not": lambda m, x, y: ~x,
    "index": lambda m, x, y: x[1, ::2], "rows": lambda m, x, y: x[[1, 0, 1]], "mask": lambda m, x, y: x[x == y],
    "where": lambda m, x, y: m.where(x == y, x, y), "stack": lambda m, x, y: m.stack([x, y]),
    "transposed": lambda m, x, y: m.stack([x.T, y.T]), "flip": lambda m, x, y: m.flip(x, (1,)), "any": lambda m, x, y: x.any(),
    "all": lambda m, x, y: x.all(),
}


@pytest.mark.parametrize("name", OPS)
def test_ops(name, numbers):
    array, tensor = numbers
    other = array[:, ::-1].copy()
    with np.errstate(over="ignore"):
        expected = np.asarray(OPS[name](np, array, other))
    same(OPS[name](ct, tensor, ct.from_numpy(other)), expected)


@pytest.mark.parametrize("to", ["float32", "float64", "int64", "int8", "bool", "uint8", *NAMES])
def test_conversions(to, numbers):
    if to == "float64" and not ct.get_default_device().profile.fp64:
        pytest.skip("no float64 on this device")
    array, tensor = numbers
    same(tensor.to(getattr(ct, to)), array.astype(to))
    same(ct.zeros(2, 4, dtype=getattr(ct, to)).copy_(tensor), array.astype(to))


def test_conversions_from_others():
    negative = ct.tensor([-1, 70000])
    for name in NAMES:
        same(negative.to(getattr(ct, name)), np.array([-1, 70000]).astype(name))
        same(ct.tensor([3.7, 250.0]).to(getattr(ct, name)), np.array([3, 250], name))


@pytest.mark.parametrize("name", NAMES)
def test_creation(name):
    dtype, top = getattr(ct, name), int(np.iinfo(name).max)
    same(ct.tensor([0, top], dtype=dtype), np.array([0, top], name))
    same(ct.full((2,), top, dtype=dtype), np.array([top, top], name))
    same(ct.full((2,), -1, dtype=dtype), np.array([top, top], name))
    same(ct.tensor([[-1]], dtype=dtype), np.array([[top]], name))
    same(ct.zeros(2, dtype=dtype).fill_(top), np.array([top, top], name))
    same(ct.arange(3, dtype=dtype), np.arange(3, dtype=name))
    same(ct.ones(2, dtype=dtype).new_zeros(3), np.zeros(3, name))
    drawn = ct.randint(2, 5, (100,), dtype=dtype)
    assert set(drawn.tolist()) == {2, 3, 4}
    assert (ct.iinfo(dtype).min, ct.iinfo(dtype).max, dtype.is_signed, dtype.itemsize) == (0, top, False, np.dtype(name).itemsize)
    with pytest.raises(ValueError, match="without overflow"):
        ct.full((2,), top + 1, dtype=dtype)


def test_numbers_beyond():
    with pytest.raises(ValueError, match="does not fit uint64"):
        ct.tensor([2**64], dtype=ct.uint64)
    with pytest.raises(ValueError, match="does not fit int64"):
        ct.tensor([2**64 - 1])


def test_order(numbers):
    array, tensor = numbers
    values, indices = tensor.sort(1)
    same(values, np.sort(array, 1))
    np.testing.assert_array_equal(np.take_along_axis(array, indices.numpy(), 1), values.numpy())
    same(tensor.sort(0, descending=True).values, np.sort(array, 0)[::-1])
    same(tensor.unique(), np.unique(array))
    same((tensor == tensor.flatten()[2].item()), array == array.flatten()[2])


def test_sums(numbers):
    array, tensor = numbers
    with np.errstate(over="ignore"):
        same(tensor.sum(), np.asarray(array.astype(np.int64).sum()))
        same(tensor.prod(1), array.astype(np.int64).prod(1))
        same(tensor.cumsum(1), array.astype(np.int64).cumsum(1))


def test_writes(numbers):
    array, tensor = numbers
    array, tensor = array.copy(), tensor.clone()
    for x in (array, tensor):
        x[0, 1] = 9
        x[1] = x[0]
        x[:, 3][x[:, 3] == 9] = 1
    tensor[ct.tensor([0]), ct.tensor([2])] = ct.tensor([7], dtype=tensor.dtype)
    array[[0], [2]] = 7
    same(tensor, array)


def test_text_and_files(numbers):
    array, tensor = numbers
    assert f"dtype=cltensor.{array.dtype.name}" in repr(tensor)
    assert str(array.max()) in repr(tensor)
    assert tensor.tolist() == array.tolist()
    same(pickle.loads(pickle.dumps(tensor)), array)
    file = io.BytesIO()
    ct.save({"x": tensor}, file)
    file.seek(0)
    same(ct.load(file)["x"], array)
    assert tensor.view(ct.uint8).shape == (2, 4 * array.itemsize)
    assert tensor.type() == f"cltensor.UInt{8 * array.itemsize}Tensor"


def test_promotion():
    x = ct.ones(2, dtype=ct.uint16)
    assert (x * 2).dtype is ct.uint16
    assert (x * 1.5).dtype is ct.float32
    assert (x * ct.ones(2, dtype=ct.float16)).dtype is ct.float16
    assert ct.promote_types(ct.uint32, ct.uint32) is ct.uint32
    for other in (ct.uint32, ct.uint8, ct.int64, ct.bool):
        with pytest.raises(TypeError, match="Promotion for uint16, uint32, uint64 types is not supported"):
            x.eq(ct.ones(2, dtype=other))


@pytest.mark.parametrize("op", [lambda x: x + x, lambda x: x < x, lambda x: -x, lambda x: x << 1, lambda x: x.amax()])
def test_what_is_not_defined(op):
    with pytest.raises(NotImplementedError, match="not defined for uint32"):
        op(ct.ones(2, dtype=ct.uint32))
