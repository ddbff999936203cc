"""What runs code: whole objects by pickle, loaded only where weights_only=False says so, and names that the program allows."""

import argparse
import io
import os
import pickle
from collections import deque

import pytest

import cltensor
from cltensor import nn, optim, serialization
from cltensor.io import load, save
from hostile_files.pickles import archive, called, legacy, named, tensor, whole

pytestmark = pytest.mark.device


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer, self.norm, self.rnn = nn.Linear(2, 3), nn.BatchNorm1d(3), nn.LSTM(3, 4)
        self.tied = self.layer.weight

    def forward(self, x):
        return self.rnn(self.norm(self.layer(x)).unsqueeze(0))[0]


class Slotted:
    __slots__ = ("a",)


class Stateful:
    def __init__(self, a=None):
        self.a = a

    def __setstate__(self, state):
        self.a = ("set", state["a"])


def pickled(obj):
    out = io.BytesIO()
    save(obj, out, format="pickle")
    return out.getvalue()


def test_a_module_and_its_optimiser():
    net = Net()
    step = optim.Adam(net.parameters())
    x = cltensor.randn(5, 2)
    net(x).sum().backward()
    step.step()
    net.eval()
    found, other = load(io.BytesIO(pickled((net, step))), weights_only=False)
    assert (type(found), found.training) == (Net, False)
    assert found(x).tolist() == net(x).tolist()
    assert found.tied is found.layer.weight
    assert other.param_groups[0]["params"][0] is found.layer.weight
    assert list(other.state[found.layer.weight]) == list(step.state[net.layer.weight])


def test_tensors_keep_their_views_and_attributes():
    t = cltensor.arange(6.0)
    t.note = "x"
    p = nn.Parameter(t[:2])
    found = load(io.BytesIO(pickled([t, t[1:3], p, nn.Buffer(t), t.view(2, 3).mT, {1: t}])), weights_only=False)
    assert (found[0].note, type(found[2]), found[2].requires_grad, type(found[3]), found[3].persistent) == (
        "x", nn.Parameter, True, nn.Buffer, True)
    found[0].fill_(7)
    assert [v.tolist() for v in found[1:3]] == [[7, 7], [7, 7]]
    assert (found[4].stride(), found[5][1] is found[0]) == ((1, 3), True)


def test_it_is_refused_where_only_weights_are_asked_for(tmp_path):
    save(Net(), tmp_path / "f", format="pickle")
    for settings in ({}, {"weights_only": True}, {"weights_only": None}):
        with pytest.raises(cltensor.PickleError, match=r"test_whole_objects\.Net.*add_safe_globals|a whole module"):
            load(tmp_path / "f", **settings)


def test_what_cannot_be_pickled_leaves_the_old_file(tmp_path):
    (tmp_path / "f").write_text("old")
    for obj in (lambda: 0, [(i for i in [])]):
        with pytest.raises(cltensor.CLTensorError, match=r"cannot be pickled"):
            save(obj, tmp_path / "f", format="pickle")
    assert (tmp_path / "f").read_text() == "old"


def test_a_tensor_with_a_history_is_saved_as_a_leaf(tmp_path):
    save(cltensor.ones(1, requires_grad=True) * 2, tmp_path / "f", format="pickle")
    found = load(tmp_path / "f", weights_only=False)
    assert (found.tolist(), found.requires_grad, found.is_leaf) == ([2], True, True)


def test_formats_that_are_none(tmp_path):
    with pytest.raises(cltensor.ArgumentError, match="no format 'zip'; it must be one of safetensors, torch, pickle"):
        save({}, tmp_path / "f", format="zip")
    with pytest.raises(cltensor.ArgumentTypeError, match="expected a path or a binary file"):
        save({}, 3, format="torch")
    with pytest.raises(cltensor.ArgumentError, match="pickle_module runs the code"):
        load(tmp_path / "f", pickle_module=pickle)


def test_another_pickle_module():
    assert load(io.BytesIO(pickled([1, deque([2])])), pickle_module=pickle, weights_only=False) == [1, deque([2])]


def test_code_that_fails_is_named():
    data = archive(whole(called("builtins", "int", "x")))
    with pytest.raises(cltensor.SerializationError, match="its pickle cannot be run: ValueError"):
        load(io.BytesIO(data), weights_only=False)


def test_classes_of_pytorch_are_refused_even_then():
    data = archive(whole(named("torch.nn.modules.linear", "Linear") + b")\x81"))
    with pytest.raises(cltensor.PickleError, match="PyTorch's: load it where PyTorch is installed"):
        load(io.BytesIO(data), weights_only=False)


@pytest.mark.parametrize("file", [archive(whole(tensor())), legacy(tensor())], ids=["zip", "legacy"])
def test_files_of_data_load_then_too(file):
    assert load(io.BytesIO(file), weights_only=False).tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize("make", [lambda: nn.Linear(1, 1), object, lambda: {"a": [print]}, deque],
                         ids=["a module", "an object", "a function", "a deque"])
def test_pytorchs_format_names_the_place_of_what_it_cannot_hold(make, tmp_path):
    obj = make()
    with pytest.raises(cltensor.SerializationError, match=r"obj.* of type .*PyTorch does not read with weights_only=True; "):
        save(obj, tmp_path / "f", format="torch")
    assert not os.listdir(tmp_path)


def test_an_object_that_holds_itself_through_tuples_is_refused(tmp_path):
    inside = []
    inside.append((inside,))
    save(inside, tmp_path / "f", format="torch")
    assert load(tmp_path / "f")[0][0] is not None
    deep = ()
    for _ in range(300):
        deep = (deep,)
    with pytest.raises(cltensor.SerializationError, match="nested more than"):
        save(deep, tmp_path / "f", format="torch")


# --- names that the program allows -----------------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def _nothing_allowed():
    yield
    serialization.clear_safe_globals()


def pickle_of(obj):
    return archive(pickle.dumps(obj, protocol=2))


@pytest.mark.parametrize("obj", [argparse.Namespace(a=1, b=[2]), Stateful(3)], ids=lambda obj: type(obj).__name__)
def test_allowed_classes(obj):
    with pytest.raises(cltensor.PickleError, match="add_safe_globals"):
        load(io.BytesIO(pickle_of(obj)))
    with serialization.safe_globals([type(obj)]):
        found = load(io.BytesIO(pickle_of(obj)))
    assert type(found) is type(obj)
    assert getattr(found, "a", None) == (("set", 3) if isinstance(obj, Stateful) else getattr(obj, "a", None))
    with pytest.raises(cltensor.PickleError, match="add_safe_globals"):
        load(io.BytesIO(pickle_of(obj)))


def test_slots():
    obj = Slotted()
    obj.a = 3
    serialization.add_safe_globals([Slotted])
    assert load(io.BytesIO(pickle_of(obj))).a == 3


def test_functions_and_names_of_their_own():
    serialization.add_safe_globals([(int, "other.package.count"), len])
    data = archive(whole(called("other.package", "count", "12")))
    assert load(io.BytesIO(data)) == 12
    assert serialization.get_safe_globals() == [(int, "other.package.count"), len]
    serialization.add_safe_globals([len])
    assert len(serialization.get_safe_globals()) == 2
    serialization.clear_safe_globals()
    assert serialization.get_safe_globals() == []


@pytest.mark.parametrize(("values", "error"), [(3, TypeError), ([3], ValueError), ([(len, 3)], ValueError)])
def test_what_cannot_be_allowed(values, error):
    for call in (serialization.add_safe_globals, serialization.safe_globals):
        with pytest.raises(error, match="expected"):
            call(values)


def test_the_names_that_a_file_would_need(tmp_path):
    (tmp_path / "f").write_bytes(pickle_of([argparse.Namespace(a=deque()), cltensor.float32]))
    found = serialization.get_unsafe_globals_in_checkpoint(tmp_path / "f")
    assert "argparse.Namespace" in found
    assert "collections.deque" in found
    assert serialization.get_unsafe_globals_in_checkpoint(io.BytesIO(legacy(tensor()))) == []
    save([1], tmp_path / "g")
    assert serialization.get_unsafe_globals_in_checkpoint(tmp_path / "g") == []
    (tmp_path / "f").write_bytes(archive(b"\x80\x02X"))
    with pytest.raises(cltensor.SerializationError, match=r"get_unsafe_globals_in_checkpoint: .*ends too early"):
        serialization.get_unsafe_globals_in_checkpoint(tmp_path / "f")


# --- old files -------------------------------------------------------------------------------------------------------


def test_text_of_python_2():
    data = archive(whole(b"U\x02\xc3\xa9T\x01\0\0\0a\x86S'b\\n'\n\x86"))
    assert load(io.BytesIO(data)) == (("é", "a"), "b\n")
    assert load(io.BytesIO(data), encoding="bytes") == ((b"\xc3\xa9", b"a"), b"b\n")
    assert load(io.BytesIO(data), encoding="latin1") == (("Ã©", "a"), "b\n")
    bad = archive(whole(b"U\x01\xff"))
    assert load(io.BytesIO(bad), errors="replace") == "\ufffd"
    with pytest.raises(cltensor.SerializationError, match="UnicodeDecodeError"):
        load(io.BytesIO(bad))


def test_the_oldest_protocols():
    for protocol in range(2):
        obj = [1, -(10**20), 2.5, "é\n", True, None, (1, 2), {"a": [3]}]
        assert load(io.BytesIO(archive(pickle.dumps(obj, protocol=protocol)))) == obj


def test_the_order_of_bytes_where_the_file_does_not_say():
    data = archive(whole(tensor()), byteorder=None)
    kinds = serialization.LoadEndianness
    try:
        for kind, first in ((kinds.LITTLE, 1.0), (None, 1.0), (kinds.NATIVE, 1.0), (kinds.BIG, 4.6006e-41)):
            serialization.set_default_load_endianness(kind)
            assert serialization.get_default_load_endianness() is kind
            assert load(io.BytesIO(data))[1].item() == pytest.approx(first, rel=1e-3)
    finally:
        serialization.set_default_load_endianness(None)
    with pytest.raises(cltensor.ArgumentTypeError, match="expected a LoadEndianness"):
        serialization.set_default_load_endianness("big")
