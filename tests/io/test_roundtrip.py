"""What save writes, load gives back: nesting, types, dtypes, shared memory, modules and optimisers."""

import io
import math
from collections import OrderedDict

import numpy as np
import pytest

import cltensor
from cltensor import nn, optim
from cltensor.base import dtypes
from cltensor.io import load, save

pytestmark = pytest.mark.device


@pytest.fixture
def again(tmp_path):
    """Save an object and load it again."""

    def run(obj):
        save(obj, tmp_path / "file")
        return load(tmp_path / "file")

    return run


def same(a, b):
    """Whether two nested objects agree in types and values."""
    if isinstance(a, cltensor.Tensor):
        return type(a) is type(b) and a.dtype is b.dtype and a.shape == b.shape and a.tolist() == b.tolist()
    if isinstance(a, dict):
        return type(a) is type(b) and list(a) == list(b) and all(same(a[k], b[k]) for k in a)
    if isinstance(a, (list, tuple)):
        return type(a) is type(b) and len(a) == len(b) and all(map(same, a, b))
    return type(a) is type(b) and (a == b or a != a)


@pytest.mark.parametrize("obj", [
    None, True, 3, -(10**30), 2.5, math.pi, math.inf, -math.inf, math.nan, "text é \U0001f600 \ud800", "", [], (), {},
    [1, (2, [3.0, None], {}), "x"], {"a": {1: 2, None: 3, (1, "b"): 4, 2.5: 5}, "b": {True: 6}},
    OrderedDict([("z", 1), ("a", [2])]),
    cltensor.Size([2, 3]), [dtypes.float16, dtypes.bool_], {"dict": [1], "tensor": "name"}, [{"__metadata__": {"cltensor": 1}}],
], ids=repr)
def test_plain_values(again, obj):
    assert same(again(obj), obj)


@pytest.mark.parametrize("dtype", dtypes.ALL, ids=repr)
@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 0, 3), (2, 3, 4)])
def test_every_dtype(again, dtype, shape, rng):
    t = cltensor.from_numpy(np.asarray(rng.random(shape) * 100, np.float32)).to(dtype)
    assert same(again({"t": t}), {"t": t})


def test_dtypes_mixed_in_one_file_keep_their_alignment(again):
    tensors = {d.name: cltensor.ones(3).to(d) for d in dtypes.ALL}
    assert same(again(tensors), tensors)


def test_numpy_numbers_become_python_numbers(again):
    assert same(again([np.float64(1.5), np.float32(0.25), np.int8(3), np.bool_(True)]), [1.5, 0.25, 3, True])


def test_bits_of_floats_survive(again):
    values = np.array([np.nan, -0.0, np.inf, 1e-45, 3.4028235e38, 0.1], np.float32)
    assert again(cltensor.from_numpy(values)).numpy().tobytes() == values.tobytes()


def test_shared_memory_is_shared_again(again):
    t = cltensor.zeros(4)
    a, b, views = again([t, {"same": t.detach()}, [t[1:3], t[:2]]])
    assert a is b["same"]
    a.fill_(1)
    assert [v.tolist() for v in views] == [[0, 0], [0, 0]]


def test_views_are_saved_as_data_of_their_own(tmp_path):
    save({"small": cltensor.zeros(10000)[:2]}, tmp_path / "file")
    assert (tmp_path / "file").stat().st_size < 1000
    turned = cltensor.arange(6).reshape(2, 3).mT
    save(turned, tmp_path / "file")
    assert load(tmp_path / "file").tolist() == turned.tolist()


def test_requires_grad_and_parameters(again):
    p, frozen = nn.Parameter(cltensor.ones(2)), nn.Parameter(cltensor.ones(2), requires_grad=False)
    leaf, computed = cltensor.ones(2, requires_grad=True), p * 2
    kinds = [(type(t), t.requires_grad, t.is_leaf) for t in again([p, frozen, leaf, computed])]
    assert kinds == [(nn.Parameter, True, True), (nn.Parameter, False, True), (cltensor.Tensor, True, True),
                     (cltensor.Tensor, False, True)]


def network():
    m = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 3))
    m.tied = nn.Linear(3, 4)
    m.tied.weight = m[0].weight
    return m


def test_module_and_optimizer(again):
    m = network()
    o = optim.Adam([{"params": m[0].parameters()}, {"params": m[2].parameters(), "lr": 0.1}], amsgrad=True)
    m(cltensor.ones(5, 3)).sum().backward()
    o.step()
    saved = {"model": m.state_dict(), "optimizer": o.state_dict(), "epoch": 3}
    found = again(saved)
    assert same(found, saved)
    assert found["model"]._metadata == m.state_dict()._metadata
    assert found["model"]["0.weight"] is found["model"]["tied.weight"]
    fresh = network()
    fresh.load_state_dict(found["model"])
    assert all(same(a, b) for a, b in zip(fresh.parameters(), m.parameters(), strict=True))
    other = optim.Adam([{"params": fresh[0].parameters()}, {"params": fresh[2].parameters()}])
    other.load_state_dict(found["optimizer"])
    assert same(other.state_dict(), o.state_dict())


def test_files_in_memory_and_open_files(tmp_path):
    out = io.BytesIO(b"before")
    out.seek(6)
    save({"a": cltensor.ones(2)}, out)
    out.seek(6)
    assert load(out)["a"].tolist() == [1, 1]
    with open(tmp_path / "file", "wb") as f:
        save([1, 2], f)
    with open(tmp_path / "file", "rb") as f:
        assert load(f) == [1, 2]


@pytest.mark.parametrize(("obj", "place"), [
    ({"opt": [0, 0, 0, object()]}, r"obj\['opt'\]\[3\]"), ([np.ones(2)], r"obj\[0\] .*cltensor.from_numpy"),
    ({"a": (1, {2})}, r"obj\['a'\]\[1\]"), ([nn.ReLU()], r"obj\[0\] .*state_dict\(\)"), ({frozenset(): 1}, "has the key"),
    ({1: {"x": print}}, r"obj\[1\]\['x'\]"), (1j, "obj is of type builtins.complex"),
    ([OrderedDict.fromkeys("a").keys()], "odict_keys"),
])
def test_what_cannot_be_saved_is_named(obj, place, tmp_path):
    with pytest.raises(cltensor.SerializationError, match=place):
        save(obj, tmp_path / "file")
    assert not list(tmp_path.iterdir())


def test_an_object_that_holds_itself(tmp_path):
    loop = []
    loop.append(loop)
    with pytest.raises(cltensor.SerializationError, match="does a container hold itself"):
        save(loop, tmp_path / "file")


def test_wrong_arguments():
    for fn in (lambda: save([], 3), lambda: load(3)):
        with pytest.raises(TypeError, match="expected a path or a binary file"):
            fn()
    with pytest.raises(FileNotFoundError):
        load("no/such/file")
