"""Values, views and containers go from PyTorch's files to tensors here, and back, as they are."""

import collections
import io

import numpy as np
import pytest

import cltensor
from cltensor import nn
from cltensor.io import load, save

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.device
DTYPES = "bool uint8 int8 int16 int32 int64 float16 bfloat16 float32 float64".split()


def check(theirs, ours, path="obj"):
    """Compare a PyTorch object with its counterpart: types, layouts, values."""
    if isinstance(theirs, torch.Tensor):
        assert isinstance(ours, cltensor.Tensor), path
        assert isinstance(ours, nn.Parameter) == isinstance(theirs, torch.nn.Parameter), path
        assert (tuple(theirs.shape), theirs.stride(), theirs.storage_offset()) == (
            tuple(ours.shape), tuple(ours.stride()), ours.storage_offset()), path
        assert (str(theirs.dtype), theirs.requires_grad) == (f"torch.{ours.dtype.name}", ours.requires_grad), path
        assert theirs.detach().double().tolist() == ours.detach().double().tolist(), path
    elif isinstance(theirs, dict):
        assert type(theirs) is type(ours), path
        assert list(theirs) == list(ours), path
        for key in theirs:
            check(theirs[key], ours[key], f"{path}[{key!r}]")
    elif isinstance(theirs, (list, tuple)) and not isinstance(theirs, torch.Size):
        assert type(theirs) is type(ours), path
        assert len(theirs) == len(ours), path
        for i, (a, b) in enumerate(zip(theirs, ours, strict=True)):
            check(a, b, f"{path}[{i}]")
    elif isinstance(theirs, (torch.dtype, torch.layout)):
        assert str(theirs).removeprefix("torch.") == ours.name, path
    elif isinstance(theirs, np.ndarray):
        assert type(ours) is np.ndarray, path
        np.testing.assert_array_equal(ours, theirs, strict=theirs.dtype.isnative)
    else:
        assert theirs == ours, path
        assert type(theirs).__name__ == type(ours).__name__, path


def views():
    t = torch.arange(6.0)
    return [t, t[1:3], t.view(2, 3).T, t[::2], t.expand(2, 6), [t]]


def tensors():
    return {"parameter": torch.nn.Parameter(torch.ones(2)), "frozen": torch.nn.Parameter(torch.ones(2), requires_grad=False),
            "leaf": torch.ones(2, requires_grad=True), "number": torch.tensor(3.5), "empty": torch.empty(0),
            "none": torch.empty(2, 0, 3), "repeated": torch.ones(1).expand(3, 4), "channels": torch.ones(1, 2, 3, 4).to(
                memory_format=torch.channels_last)}


def dtypes():
    return {name: torch.tensor([0, 1, 3, -2.5] if "float" in name else [0, 1, 3, 100]).to(getattr(torch, name)) for name in DTYPES}


def plain():
    return [torch.float16, torch.bfloat16, torch.strided, torch.Size([1, 2]), {1, 2}, 1j, 10**30, -5, -(10**20), 300, 70_000, 2.5,
            float("inf"), b"abc", bytearray(b"x"), collections.Counter("aab"), None, True, False, "é\U0001f600", "", (), [], {},
            (1, (2, [3])), collections.OrderedDict(a=1, b=(2,)), {1: 2, None: 3, (1, "b"): 4, 2.5: 5}, "long " * 100]


def state():
    torch.manual_seed(0)
    return {"model": torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.BatchNorm1d(3)).state_dict(), "epoch": 3}


def shared_lists():
    inside = [1]
    return [inside, inside, {"a": inside}]


OBJECTS = {f.__name__: f for f in (views, tensors, dtypes, plain, state, shared_lists)}


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
@pytest.mark.parametrize("name", OBJECTS)
def test_from_pytorch(name, zipped, protocol):
    obj = OBJECTS[name]()
    out = io.BytesIO()
    torch.save(obj, out, pickle_protocol=protocol, _use_new_zipfile_serialization=zipped)
    check(obj, load(io.BytesIO(out.getvalue())))


@pytest.mark.parametrize("name", OBJECTS)
@pytest.mark.parametrize("mmap", [False, True], ids=["read", "mapped"])
def test_there_and_back(name, mmap, tmp_path):
    torch.save(OBJECTS[name](), tmp_path / "theirs.pt")
    ours = load(tmp_path / "theirs.pt", mmap=mmap)
    save(ours, tmp_path / "ours.pt", format="torch")
    check(torch.load(tmp_path / "ours.pt", weights_only=True, mmap=mmap), ours)
    check(OBJECTS[name](), load(tmp_path / "ours.pt"))


def test_views_share_their_storage_again_on_both_sides():
    out = io.BytesIO()
    torch.save(views(), out)
    ours = load(io.BytesIO(out.getvalue()))
    out = io.BytesIO()
    save(ours, out, format="torch")
    for found in (ours, torch.load(io.BytesIO(out.getvalue()), weights_only=True)):
        found[0].fill_(7)
        assert [t.tolist() for t in found[1:4]] == [[7, 7], [[7, 7]] * 3, [7, 7, 7]]
        assert found[5][0] is found[0]


def test_a_storage_seen_as_two_dtypes():
    t = cltensor.tensor([1.0, 2.0])
    for obj in ([t, t.view(cltensor.int32)], [t.view(cltensor.int32), t], [t[:1].view(cltensor.int16), t, t.untyped_storage()]):
        out = io.BytesIO()
        save(obj, out, format="torch")
        theirs, ours = torch.load(io.BytesIO(out.getvalue()), weights_only=True), load(io.BytesIO(out.getvalue()))
        check(theirs[:2], ours[:2])
        ours[0].fill_(0)
        theirs[0].fill_(0)
        check(theirs[:2], ours[:2])


@pytest.mark.filterwarnings("ignore:TypedStorage is deprecated")
def test_storages_by_themselves():
    t = torch.arange(3.0)
    out = io.BytesIO()
    torch.save([t, t.storage()], out)
    ours = load(io.BytesIO(out.getvalue()))
    assert (ours[1].tolist(), ours[1].dtype) == ([0, 1, 2], cltensor.float32)
    assert ours[1].untyped() is ours[0].untyped_storage()
    out = io.BytesIO()
    torch.save(t.untyped_storage(), out)
    ours = [load(io.BytesIO(out.getvalue())), ours[1]]
    assert isinstance(ours[0], cltensor.Storage)
    out = io.BytesIO()
    save(ours, out, format="torch")
    theirs = torch.load(io.BytesIO(out.getvalue()), weights_only=True)
    assert [theirs[0].tolist(), theirs[1].tolist()] == [t.untyped_storage().tolist(), [0, 1, 2]]


def test_attributes_and_buffers():
    p, t = torch.nn.Parameter(torch.ones(2)), torch.ones(2)
    p.tag, t.note = 3, ["x"]
    out = io.BytesIO()
    torch.save([p, t, torch.nn.Buffer(torch.ones(2), persistent=False)], out)
    ours = load(io.BytesIO(out.getvalue()))
    assert (ours[0].tag, ours[1].note) == (3, ["x"])
    assert (type(ours[0]), type(ours[1]), type(ours[2]), ours[2].persistent) == (nn.Parameter, cltensor.Tensor, nn.Buffer, False)
    out = io.BytesIO()
    save(ours, out, format="torch")
    theirs = torch.load(io.BytesIO(out.getvalue()), weights_only=True)
    assert (theirs[0].tag, theirs[1].note, theirs[2].persistent) == (3, ["x"], False)
    assert isinstance(theirs[2], torch.nn.Buffer)


def test_a_metadata_of_versions_survives():
    ours = nn.Sequential(nn.BatchNorm1d(2)).state_dict()
    out = io.BytesIO()
    save(ours, out, format="torch")
    assert torch.load(io.BytesIO(out.getvalue()), weights_only=True)._metadata == ours._metadata
    assert load(io.BytesIO(out.getvalue()))._metadata == ours._metadata


def test_a_lazily_negated_tensor():
    out = io.BytesIO()
    torch.save(torch._neg_view(torch.arange(3.0)), out)
    assert load(io.BytesIO(out.getvalue())).tolist() == [0, -1, -2]


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_numpy_numbers_and_arrays(protocol):
    obj = [np.float64(3), np.int8(2), np.bool_(True), np.ones((2, 3)), np.arange(6, dtype=">i4").reshape(2, 3).T, np.zeros((0, 2)),
           np.float32(1.5)]
    out = io.BytesIO()
    torch.save(obj, out, pickle_protocol=protocol)
    check(obj, load(io.BytesIO(out.getvalue())))


def test_numpy_numbers_are_saved_as_pythons():
    out = io.BytesIO()
    save([np.float32(1.5), np.int64(2), np.bool_(True)], out, format="torch")
    assert torch.load(io.BytesIO(out.getvalue()), weights_only=True) == [1.5, 2, True]


def test_an_archive_of_the_other_byte_order():
    import zipfile

    from hostile_files.zips import zipped

    out = io.BytesIO()
    torch.save(dtypes(), out)
    with zipfile.ZipFile(io.BytesIO(out.getvalue())) as z:
        members = {name: z.read(name) for name in z.namelist()}
    members["archive/byteorder"] = b"big"
    for i, name in enumerate(DTYPES):
        size = torch.empty(0, dtype=getattr(torch, name)).element_size()
        raw = np.frombuffer(members[f"archive/data/{i}"], f"u{size}")
        members[f"archive/data/{i}"] = raw.byteswap().tobytes()
    check(dtypes(), load(io.BytesIO(zipped(members))))
    del members["archive/byteorder"]
    with pytest.raises(AssertionError):
        check(dtypes(), load(io.BytesIO(zipped(members))))


def test_devices_become_the_one_that_is_asked_for():
    out = io.BytesIO()
    torch.save([torch.device("cuda", 1), torch.device("cpu")], out)
    assert load(io.BytesIO(out.getvalue())) == [cltensor.device()] * 2


@pytest.mark.parametrize(("make", "words"), [
    (lambda: torch.ones(2).to(torch.float8_e5m2), "float8_e5m2, which has no counterpart"),
    (lambda: torch.quantize_per_tensor(torch.ones(2), 1.0, 0, torch.qint8), "a quantized tensor|QInt8Storage"),
    (lambda: torch.ones(2, device="meta"), "a tensor without data"),
    (lambda: torch.nn.Linear(2, 2), "a whole module"),
    (lambda: {"f": torch.relu}, "names builtins.getattr"),
    (lambda: collections.deque([1]), "names collections.deque"),
])
@pytest.mark.filterwarnings("ignore")
def test_what_has_no_counterpart_is_named(make, words):
    out = io.BytesIO()
    torch.save(make(), out)
    with pytest.raises(cltensor.PickleError, match=words):
        load(io.BytesIO(out.getvalue()))


def test_a_default_dictionary():
    out = io.BytesIO()
    torch.save(collections.defaultdict(list, a=[1]), out)
    found = load(io.BytesIO(out.getvalue()))
    assert (type(found), found["a"], found["b"]) == (collections.defaultdict, [1], [])


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
@pytest.mark.parametrize("make", [
    lambda c: c, lambda c: c.conj(), lambda c: c.conj().imag, lambda c: torch.view_as_real(c), lambda c: c.to(torch.complex128),
    lambda c: c.to(torch.complex32), lambda c: c.clone().requires_grad_(), lambda c: c.unsqueeze(0).to_sparse(),
])
@pytest.mark.filterwarnings("ignore:ComplexHalf support")
def test_complex_numbers(make, zipped):
    theirs, out, back = make(torch.tensor([1 + 2j, 3 - 4j])), io.BytesIO(), io.BytesIO()
    torch.save(theirs, out, _use_new_zipfile_serialization=zipped)
    ours = load(io.BytesIO(out.getvalue()))
    save(ours, back, format="torch")
    again = torch.load(io.BytesIO(back.getvalue()), weights_only=True)
    assert f"torch.{ours.dtype.name}" == str(theirs.dtype) == str(again.dtype)
    assert ours.requires_grad == theirs.requires_grad == again.requires_grad
    expected = theirs.detach().to_dense().to(torch.complex64).tolist()
    assert ours.detach().to_dense().to(cltensor.complex64).tolist() == expected
    assert again.detach().to_dense().to(torch.complex64).tolist() == expected


def test_complex_numbers_and_their_parts_share_a_storage():
    c = cltensor.tensor([1 + 2j])
    out = io.BytesIO()
    save([c, cltensor.view_as_real(c)], out, format="torch")
    for found in (load(io.BytesIO(out.getvalue())), torch.load(io.BytesIO(out.getvalue()), weights_only=True)):
        found[0].fill_(0)
        assert found[1].tolist() == [[0, 0]]
