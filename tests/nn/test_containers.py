"""Containers behave as the list or dict they stand for, and register what they hold."""

from collections import OrderedDict

import pytest

import cltensor
from cltensor import nn

pytestmark = pytest.mark.device


def labels(modules):
    return [m.p if isinstance(m, nn.Dropout) else type(m).__name__ for m in modules]


def dropouts(*ps):
    return [nn.Dropout(p) for p in ps]


@pytest.mark.parametrize("make", [lambda ms: nn.Sequential(*ms), nn.ModuleList])
def test_lists(make):
    m = make(dropouts(0, 0.1, 0.2))
    assert labels(m) == [0, 0.1, 0.2]
    assert (m[1].p, m[-1].p, len(m)) == (0.1, 0.2, 3)
    assert isinstance(m[1:], type(m))
    assert labels(m[1:]) == [0.1, 0.2]
    m[0] = nn.Dropout(0.9)
    m.append(nn.Identity())
    m.insert(1, nn.Dropout(0.5))
    assert labels(m) == [0.9, 0.5, 0.1, 0.2, "Identity"]
    assert list(m._modules) == ["0", "1", "2", "3", "4"]
    del m[1:3]
    assert m.pop(0).p == 0.9
    assert labels(m) == [0.2, "Identity"]
    m += dropouts(0.3)
    assert labels(m.extend(dropouts(0.4))) == [0.2, "Identity", 0.3, 0.4]
    assert labels(m + make(dropouts(0.6))) == [0.2, "Identity", 0.3, 0.4, 0.6]
    for wrong in (4, -5):
        with pytest.raises(IndexError, match="out of range"):
            m[wrong]
    with pytest.raises(TypeError, match="int is not a Module subclass"):
        m.append(3)


def test_sequential_calls_in_order_and_takes_names():
    net = nn.Sequential(OrderedDict(a=nn.Flatten(), b=nn.ReLU()))
    assert net.a is net[0]
    assert net(cltensor.tensor([[[-1.0, 2.0]]])).tolist() == [[0, 2]]
    assert labels(nn.Sequential(nn.Identity()) * 2) == ["Identity", "Identity"]


def test_dict():
    d = nn.ModuleDict({"a": nn.ReLU()})
    d["b"] = nn.Identity()
    d.update([("c", nn.Tanh())])
    assert (list(d), len(d), "b" in d) == (["a", "b", "c"], 3, True)
    assert isinstance(d.pop("a"), nn.ReLU)
    assert labels(d.values()) == ["Identity", "Tanh"]
    d.clear()
    assert dict(d.items()) == {}


def test_parameter_list_and_dict():
    items = nn.ParameterList([cltensor.ones(2), nn.Parameter(cltensor.ones(3)), "text"])
    items.append(cltensor.zeros(1))
    assert [n for n, _ in items.named_parameters()] == ["0", "1", "3"]
    assert (len(items), items[-1].tolist(), items[2]) == (4, [0], "text")
    assert isinstance(items[0], nn.Parameter)
    assert [len(p) for p in items[:2]] == [2, 3]
    items[0] = cltensor.zeros(5)
    assert items[0].shape == (5,)
    named = nn.ParameterDict({"a": cltensor.ones(2)})
    named["b"] = cltensor.ones(3)
    assert [n for n, _ in named.named_parameters()] == ["a", "b"]
    assert (named.get("c"), "a" in named, list(named)) == (None, True, ["a", "b"])
    assert named.pop("a").shape == (2,)
    assert [len(v) for v in named.values()] == [3]
    with pytest.raises(KeyError):
        named["a"]
