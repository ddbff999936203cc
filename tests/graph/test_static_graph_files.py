"""Files of static graphs: what was saved runs again, and damaged or hostile files give one clear error."""

import contextlib
import io

import numpy as np
import pytest

import cltensor as ct
from cltensor import nn
from cltensor.base.errors import GraphError, SerializationError
from cltensor.graph import Graph

pytestmark = [pytest.mark.device, pytest.mark.any_style]


def model():
    """A graph with every kind of node and argument."""
    g, rng = Graph(), np.random.default_rng(0)
    with g:
        x = g.placeholder((None, 4), name="x")
        tokens = g.placeholder((None,), ct.int64, name="tokens")
        w = g.variable(rng.standard_normal((4, 3), dtype=np.float32), name="w")
        h = ct.einsum("ij,jk->ik", x, w) + g.constant([0.5, 1.0, 1.5])
        h = nn.functional.layer_norm(h, (3,), eps=1e-3).to(ct.float64)[..., :2].float()
        h = ct.cat([h, h[:, None, 0]], dim=1) * float("inf")
        h = nn.functional.softmax(ct.nan_to_num(h, posinf=2.0, neginf=-2.0), dim=-1, dtype=None)
        h = h.reshape(x.shape[0] * 3).reshape(-1, 3).contiguous(memory_format=ct.contiguous_format)
        h = h + ct.tensor(np.array([1.0, 2.0, 3.0], np.float32)) + ct.zeros(3, device=g.device)
        loss = nn.functional.cross_entropy(h, tokens)
        values, places = h.max(1)
        (gw,) = g.gradients(loss, [w])
        step = w.assign(w - 0.1 * gw)
        turned = (h * 1j * (1 + 2j)).abs()
    return g, {"h": h, "loss": loss, "values": values, "places": places, "step": step, "turned": turned}


def feeds():
    return {"x": np.arange(20, dtype=np.float32).reshape(5, 4) / 10, "tokens": [0, 1, 2, 0, 1]}


def test_a_graph_goes_on_where_it_was(tmp_path):
    g, outputs = model()
    g.run(outputs["step"], feeds())
    g.save(tmp_path / "m.graph", outputs)
    again = Graph.load(tmp_path / "m.graph")
    assert list(again.placeholders) == ["x", "tokens"]
    assert again.placeholders["x"].sizes() == (None, 4)
    assert list(again.outputs) == list(outputs)
    for _ in range(2):
        wanted, found = g.run(outputs, feeds()), again.run(again.outputs, feeds())
        for name in outputs:
            np.testing.assert_array_equal(found[name].numpy(), wanted[name].numpy())
    np.testing.assert_array_equal(again.variables["w"].value.numpy(), g.variables["w"].value.numpy())
    with again:
        assert (again.outputs["h"] * 2).shape == (None, 3)


def test_a_saved_graph_that_was_loaded_is_the_same_file():
    g, outputs = model()
    first, second = io.BytesIO(), io.BytesIO()
    g.save(first, outputs)
    again = Graph.load(io.BytesIO(first.getvalue()))
    again.save(second, again.outputs)
    assert first.getvalue() == second.getvalue()


def test_what_a_file_cannot_hold():
    g = Graph()
    x = g.placeholder((2,), name="x")
    y = ct.bernoulli(x * 0, generator=ct.Generator())
    with pytest.raises(SerializationError, match=r"cannot hold the argument .* of a call at .*test_static_graph_files.py"):
        g.save(io.BytesIO(), {"y": y})
    for outputs in ({"y": 1}, {1: x}, {"y": Graph().placeholder((1,))}):
        with pytest.raises(GraphError, match="outputs must be symbols of this graph by name"):
            g.save(io.BytesIO(), outputs)


def written(nodes, outputs=None, **more):
    """A file of these nodes."""
    file = io.BytesIO()
    ct.save({"format": "cltensor.graph", "version": 1, "nodes": nodes, "outputs": outputs or {}, **more}, file)
    return file


X = {"placeholder": "x", "shape": [2, None], "dtype": "float32"}


def call(name, *args, kwargs=None):
    return {"call": name, "args": {"tuple": list(args)}, "kwargs": {"dict": kwargs or []}}


def ref(of, place=0):
    return {"of": of, "place": place}


HOSTILE = [
    [call("os.system", "true")], [call("cltensor.load", "/etc/passwd")], [call("cltensor.Tensor.__reduce_ex__", ref(0))],
    [call("builtins.eval", "1")], [call("cltensor.overrides.functions")], [call("cltensor.Tensor.apply_", ref(0), "x")],
    [call("cltensor.Tensor.item", ref(0))], [X, call("cltensor.Tensor.add_", ref(0), 1)], [X, call("cltensor.relu", ref(5))],
    [X, call("cltensor.relu", ref(-1))], [X, call("cltensor.relu", ref(0, 1))], [X, call("cltensor.relu", ref("0"))],
    [X, call("cltensor.relu", ref(True))], [call("cltensor.relu", 1)], [X, X], [{**X, "shape": [-1]}], [{**X, "shape": ["n"]}],
    [{**X, "shape": 3}], [{**X, "dtype": "float33"}], [{**X, "placeholder": 3}],
    [{"variable": "v"}], [{}], [None], ["x"], [3], [[X]], 3, None, "nodes", [X, call("cltensor.matmul", ref(0), ref(0))],
    [X, call("assign", ref(0), ref(0))], [X, call("gradients", [ref(0)], [ref(0)])], [X, call("gradients", 1, 2)],
    [X, {"call": "cltensor.relu", "args": ref(0), "kwargs": {"dict": []}}], [X, {"call": "cltensor.relu"}],
    [X, call("cltensor.reshape", ref(0), {"slice": [1]})], [X, call("cltensor.reshape", ref(0), {"__init__": 1})],
    [X, call("cltensor.reshape", ref(0), {"tuple": 1, "list": 2})],
    [X, call("cltensor.zeros_like", ref(0), kwargs=[["dtype", {"dtype": "x"}]])],
    [X, call("cltensor.relu", ref(0), kwargs=[[{"tuple": []}, 1]])], [X, call("size.add", 1, "a")],
]


@pytest.mark.parametrize("nodes", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_files(nodes):
    with pytest.raises(SerializationError, match=r"Graph\.load: .* is damaged, or was not written by Graph.save: "):
        Graph.load(io.BytesIO(written(nodes).getvalue()))


def test_other_files(tmp_path):
    (tmp_path / "text").write_text("no graph")
    ct.save({"w": ct.ones(2)}, tmp_path / "state")
    for name in ("text", "state"):
        with pytest.raises(SerializationError, match=r"text|holds no static graph; write one with Graph.save"):
            Graph.load(tmp_path / name)
    with pytest.raises(SerializationError, match="is of version 2, and this cltensor reads version 1"):
        Graph.load(io.BytesIO(written([], version=2).getvalue()))
    with pytest.raises(SerializationError, match="is damaged"):
        Graph.load(io.BytesIO(written([X], outputs={"y": 3}).getvalue()))
    with pytest.raises(FileNotFoundError):
        Graph.load(tmp_path / "missing")


def test_truncated_and_changed_files():
    g, outputs = model()
    file = io.BytesIO()
    g.save(file, outputs)
    whole, rng = file.getvalue(), np.random.default_rng(1)
    for cut in rng.integers(0, len(whole), 15):
        with pytest.raises(SerializationError):
            Graph.load(io.BytesIO(whole[:cut]))
    for at in rng.integers(0, len(whole) * 3 // 4, 40):
        changed = bytearray(whole)
        changed[at] ^= 1 << int(rng.integers(8))
        with contextlib.suppress(SerializationError):  # a changed value of a variable is no damage that a reader can see
            Graph.load(io.BytesIO(bytes(changed)))
