"""Constants, old constructors and small rules of PyTorch's main namespace."""

import math

import pytest

import cltensor as ct

pytestmark = [pytest.mark.device, pytest.mark.any_style]


def test_constants():
    assert (ct.pi, ct.e, ct.inf) == (math.pi, math.e, math.inf)
    assert math.isnan(ct.nan)
    assert ct.ones(3)[:, ct.newaxis].shape == (3, 1)


def test_constructors():
    assert ct.Tensor(2, 3).shape == (2, 3)
    assert ct.Tensor(4).shape == (4,)
    assert ct.Tensor().shape == (0,)
    assert ct.Tensor([1, 2]).tolist() == [1.0, 2.0]
    assert ct.Tensor((2, 3)).tolist() == [2.0, 3.0]
    assert ct.FloatTensor([1, 2]).dtype is ct.float32
    assert ct.LongTensor([1, 2]).tolist() == [1, 2]
    assert ct.ByteTensor(2, 3).shape == (2, 3)
    assert ct.BoolTensor().shape == (0,)
    with pytest.raises(TypeError, match="expected a sequence of values, or sizes"):
        ct.Tensor([1], [2])


def test_broadcast_shapes():
    assert ct.broadcast_shapes((2, 1), (3,), 1) == (2, 3)
    assert isinstance(ct.broadcast_shapes((2,)), ct.Size)
    with pytest.raises(RuntimeError, match="do not broadcast"):
        ct.broadcast_shapes((2,), (3,))


@pytest.mark.parametrize("call", [lambda x: x ** -1, lambda x: x.pow(-2), lambda x: ct.pow(x, -1), lambda x: x.pow_(-1)])
def test_integers_to_negative_powers(call):
    with pytest.raises(RuntimeError, match="Integers to negative integer powers are not allowed"):
        call(ct.tensor([1, 2]))


def test_powers():
    x = ct.tensor([1, 2])
    assert (x ** 2).tolist() == [1, 4]
    assert (2 ** x).tolist() == [2, 4]
    assert (x ** -1.0).tolist() == [1.0, 0.5]
    assert ct.pow(2, x).tolist() == [2, 4]
    x **= 3
    assert x.tolist() == [1, 8]
    out = ct.empty(2)
    assert ct.pow(ct.tensor([1.0, 2.0]), 2, out=out) is out
    assert out.tolist() == [1, 4]
    with pytest.raises(TypeError):
        x ** "a"
