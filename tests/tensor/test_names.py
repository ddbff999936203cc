"""Constants, old constructors and small rules of PyTorch's main namespace."""

import inspect
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


#: what takes its arguments in several forms, and says so in its docstring
SEVERAL_FORMS = set("to random_ uniform_ adaptive_max_pool1d max_pool1d_with_indices gru lstm rnn_relu rnn_tanh map".split())


@pytest.mark.parametrize("owner", [ct, ct.Tensor], ids=["function", "method"])
def test_signatures_name_the_parameters(owner):
    vague = set()
    for name in dir(owner):
        f = getattr(owner, name)
        if callable(f) and not isinstance(f, type) and not name.startswith("_"):
            rest = [p for p in inspect.signature(f).parameters.values() if p.kind in (p.VAR_KEYWORD, p.VAR_POSITIONAL)]
            if any(p.name in ("args", "kwargs", "attrs", "options", "bounds") for p in rest):
                vague.add(name)
    assert vague <= SEVERAL_FORMS


@pytest.mark.parametrize(("name", "expected"), [
    ("sum", "(input, dim=None, keepdim=False, *, dtype=None, out=None)"), ("exp", "(input, *, out=None)"),
    ("atan2", "(input, other, *, out=None)"), ("matmul", "(input, other, *, out=None)")])
def test_signatures_are_pytorchs(name, expected):
    function = getattr(ct, name)
    assert (function.__name__, str(inspect.signature(function))) == (name, expected)


def test_arguments_may_be_named():
    x = ct.ones(2, 2)
    assert ct.matmul(input=x, other=x).tolist() == ct.matmul(x, other=x).tolist() == [[2, 2], [2, 2]]
