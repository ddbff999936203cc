"""Pickles that are damaged or malicious: each is refused with what is wrong, in little memory, and nothing is run."""

import io
import os
import pickle
import struct
import tempfile
import tracemalloc
from pathlib import Path

import pytest

import cltensor
from cltensor.io import load, save
from cltensor.io.pytorch import machine
from hostile_files.pickles import archive, called, legacy, named, pushed, storage, tensor, text, view, whole
from hostile_files.zips import zipped

pytestmark = pytest.mark.device
NEVER = Path(tempfile.gettempdir(), f"cltensor-hostile-{os.getpid()}")


SPARSE = called("torch.serialization", "_get_layout", "torch.sparse_coo")


def sparse(size=(4, 4), ordered=False):
    """Instructions for a sparse tensor of two values at (0, 3) and (0, 3), with the strides (1, 0)."""
    places = tensor(storage(named("torch", "LongStorage"), numel=2), 0, (2, 2), (1, 0))
    values = tensor(storage(named("torch", "FloatStorage"), key="1"), 0, (2,), (1,))
    return called("torch._utils", "_rebuild_sparse_tensor", SPARSE, (places, values, size, ordered))


def with_sparse(**changes):
    """An archive of a sparse tensor."""
    data = struct.pack("<2q", 0, 3)
    return zipped({"archive/data.pkl": whole(sparse(**changes)), "archive/data/0": data, "archive/data/1": data})


LONG = b"\x8b" + struct.pack("<i", 1000) + b"\x7f" * 1000
FLOAT64 = called("numpy", "dtype", "f8", False, True)


class Runs:
    """Runs a command where it is unpickled."""

    def __reduce__(self):
        return os.system, (f"echo > {NEVER}",)


def dumped(value, protocol=2):
    return archive(pickle.dumps(value, protocol=protocol))


BAD = {
    "a command": (dumped(Runs()), "names (posix|nt).system.*add_safe_globals"),
    "eval": (archive(whole(called("builtins", "eval", "1+1"))), "names builtins.eval"),
    "getattr": (archive(whole(called("__builtin__", "getattr", "a", "b"))), "names builtins.getattr"),
    "a global that is not there": (archive(whole(named("a" * 500, "b"))), "names aaaa.*weights_only=False"),
    "a whole module": (archive(whole(named("torch.nn.modules.linear", "Linear"))), "a whole module .*PyTorch's: load it where"),
    "a module of ours": (archive(whole(named("cltensor.nn.linear", "Linear"))), "a whole module .*weights_only=False"),
    "TorchScript": (archive(whole(named("__torch__.Net", "Net"))), "TorchScript"),
    "a quantized tensor": (archive(whole(named("torch._utils", "_rebuild_qtensor"))), "a quantized tensor; save it dequantized"),
    "a nested tensor": (archive(whole(named("torch._utils", "_rebuild_nested_tensor"))), "a nested tensor; save its parts"),
    "a dtype without counterpart": (archive(whole(named("torch", "float8_e5m2"))), "torch.float8_e5m2, which has no counterpart"),
    "a storage without counterpart": (archive(whole(named("torch", "QInt8Storage"))), "QInt8Storage, which has no counterpart"),
    "a call of a number": (archive(whole(pushed(3) + pushed(()) + b"R")), "calls int, which is no function"),
    "a call of a dtype": (archive(whole(named("torch", "float32") + pushed(()) + b"R")), "calls dtype, which is no function"),
    "a call with a list": (archive(whole(named("torch", "Size") + b"]R")), "which is no function"),
    "a call of a class": (archive(whole(called("torch", "Tensor"))), "calls a class that is only named"),
    "too many arguments": (archive(whole(called("torch", "Size", 1, 2, 3))), "damaged at byte"),
    "an object of a function": (archive(whole(named("torch._utils", "_rebuild_tensor_v2") + b")\x81")), "makes an object of torch"),
    "an object of a number": (archive(whole(b"K\x01)\x81")), "makes an object of int"),
    "a state for a list": (archive(whole(b"]}b")), "gives a state to list"),
    "a state for a number": (archive(whole(b"K\x01}b")), "gives a state to int"),
    "a method replaced": (archive(whole(called("collections", "OrderedDict") + b"}" + text("items") + b"Nsb")),
                          "attributes that are none"),
    "an extension": (archive(whole(b"\x82\x01")), "instruction b'.x82', which no checkpoint needs"),
    "an old instance": (archive(whole(b"(iposix\nsystem\n")), "instruction b'i'"),
    "an old object": (archive(whole(b"(cposix\nsystem\no")), "names posix.system"),
    "a buffer outside": (archive(whole(b"\x97")), "instruction b'.x97'"),
    "protocol 99": (archive(b"\x80\x63N."), "no protocol 99"),
    "nothing": (archive(b""), "ends too early"),
    "an empty stack": (archive(b"\x80\x02."), "ends with 0 values"),
    "values left over": (archive(b"\x80\x02NN."), "ends with 2 values"),
    "a mark left over": (archive(b"\x80\x02(N."), "ends with 1 values"),
    "a tuple without a mark": (archive(whole(b"t")), "there is no mark"),
    "a pop from nothing": (archive(whole(b"0")), "there is no mark"),
    "a pair of nothing": (archive(whole(b"\x86")), "2 values are wanted"),
    "an append to nothing": (archive(whole(b"Na")), "damaged at byte"),
    "an append to a tuple": (archive(whole(b")Na")), "appended to tuple"),
    "items of a list": (archive(whole(b"](NNu")), "put into list"),
    "a key without value": (archive(whole(b"}(Nu")), "1 keys and values"),
    "items added to a dict": (archive(whole(b"}(N\x90")), "added to dict"),
    "a list as a key": (archive(whole(b"}]Ns")), "unhashable"),
    "a memo that is not there": (archive(whole(b"h\x05")), "damaged at byte"),
    "a memo of nothing": (archive(whole(b"q\x05")), "damaged at byte"),
    "a text that is too long": (archive(whole(b"X\xff\xff\xff\xff")), "announces 4294967295 bytes"),
    "bytes that are too long": (archive(whole(b"\x8e" + b"\xff" * 8)), "announces"),
    "an int that is too long": (archive(whole(b"\x8b\xff\xff\xff\x7f")), "announces 2147483647 bytes"),
    "a negative length": (archive(whole(b"\x8b\xff\xff\xff\xff")), "announces -1 bytes"),
    "a frame that is too long": (archive(whole(b"\x95" + b"\xff" * 8)), "announces"),
    "a text that is no UTF-8": (archive(whole(b"X\x01\0\0\0\xff")), "damaged at byte.*UnicodeDecodeError"),
    "digits without end": (archive(whole(b"L" + b"9" * 100_000 + b"L\n")), "damaged at byte.*digits"),
    "a line without end": (archive(whole(b"c" + b"a" * 5000)), "does not end"),
    "names that are numbers": (archive(whole(b"K\x01K\x02\x93")), "name is no text"),
    "a persistent id of another kind": (archive(whole(pushed(("module", 1, 2, 3, 4)) + b"Q")), "that is no storage"),
    "a persistent id that is a number": (archive(whole(b"K\x01Q")), "that is no storage"),
    "a persistent id in text": (archive(whole(b"Pabc\n")), "instruction b'P'"),
    "a storage of a dtype": (archive(whole(storage(kind=named("torch", "float32")))), "that is no storage"),
    "a storage with a number for a key": (archive(whole(storage(key=0))), "a key, location or size that is none"),
    "a storage of a negative size": (archive(whole(storage(numel=-4))), "size that is none"),
    "a storage of an enormous size": (archive(whole(storage(numel=2**62))), "size that is none"),
    "a storage that is not there": (archive(whole(storage(key="1"))), "storage 'archive/data/1', which the archive does not hold"),
    "a storage elsewhere": (archive(whole(storage(key="../data.pkl"))), "which the archive does not hold"),
    "a storage that is larger": (archive(view(storage(numel=5))), "should hold 5 float32, 20 bytes, but its entry .* has 16"),
    "a storage named twice": (archive(whole(pushed((storage(), storage(numel=3))))), "16 bytes, it is named as one of 3"),
    "a tensor of a number": (archive(whole(called("torch._utils", "_rebuild_tensor_v2", 1, 0, (1,), (1,), False, None))),
                             "something else than a typed storage"),
    "a negative offset": (archive(view(offset=-1)), "offset that are not at most 64 numbers"),
    "an offset past the end": (archive(view(offset=1)), "reaches to element 5 of a storage of 4"),
    "an offset of nothing": (archive(view(offset=5, size=(0,))), "element 5 of a storage of 4"),
    "a negative size": (archive(view(size=(-1,))), "sizes that are not"),
    "a size that is too large": (archive(view(size=(5,))), "reaches to element 5"),
    "sizes that overflow": (archive(view(size=(2**40, 2**40), stride=(0, 0))), "fit no tensor"),
    "a size that is no int": (archive(view(size=(True,))), "sizes that are not"),
    "too many dimensions": (archive(view(size=(1,) * 65, stride=(1,) * 65)), "at most 64"),
    "a negative stride": (archive(view(stride=(-1,))), "strides that are not"),
    "a stride that is too large": (archive(view(size=(2,), stride=(2**62,))), "reaches to element"),
    "more strides than sizes": (archive(view(stride=(1, 1))), "fit no tensor"),
    "requires_grad of another kind": (archive(view(requires_grad="yes")), "not True or False"),
    "an int tensor that requires grad": (archive(view(storage(named("torch", "IntStorage")), requires_grad=True)),
                                         "int32 cannot require grad"),
    "unknown metadata": (archive(whole(tensor(storage(), 0, (4,), (1,), False, b"}" + text("x") + b"Ns"))),
                         "metadata of an unknown kind"),
    "a parameter of a number": (archive(whole(called("torch._utils", "_rebuild_parameter", 1, True, None))),
                                "parameter is made of int"),
    "a storage as a parameter": (archive(whole(called("torch._utils", "_rebuild_parameter", storage(), True, None))),
                                 "made of TypedStorage"),
    "attributes that are tensors' own": (archive(whole(tensor() + b"}" + text("_storage") + b"Nsb")),
                                         "named '_storage', which tensors"),
    "methods of tensors": (archive(whole(tensor() + b"}" + text("shape") + b"Nsb")), "named 'shape', which tensors"),
    "a tensor made by something else": (archive(whole(called("torch._tensor", "_rebuild_from_type_v2", named("torch", "Size"),
                                                             named("torch", "Tensor"), (), None))),
                                         "something else than PyTorch's"),
    "a dtype that is none": (archive(whole(called("torch._utils", "_rebuild_tensor_v3", storage(), 0, (4,), (1,), False, None, 3))),
                             "has the dtype 3, which is none"),
    "a size of texts": (archive(whole(called("torch", "Size", ("a",)))), "something else than ints"),
    "an unknown layout": (archive(whole(called("torch.serialization", "_get_layout", "torch.__class__"))), "there is none of"),
    "an unknown encoding": (archive(whole(called("_codecs", "encode", "a", "rot13"))), "encoded as 'rot13'"),
    "a defaultdict of code": (archive(whole(called("collections", "defaultdict", called("builtins", "set")))),
                              "which checkpoints may not"),
    "NumPy objects": (archive(whole(called("numpy", "dtype", "O8", False, True))), "only numbers are read"),
    "a NumPy number of no bytes": (archive(whole(called("numpy.core.multiarray", "scalar", FLOAT64,
                                                        called("_codecs", "encode", "a", "latin1")))), "do not fit its dtype"),
    "a NumPy array of another size": (archive(whole(
        called("numpy.core.multiarray", "_reconstruct", named("numpy", "ndarray"), (0,), "b")
        + pushed((1, (2**40,), FLOAT64, False, called("_codecs", "encode", "a", "latin1"))) + b"b")),
        "bytes do not fit"),
    "legacy: another protocol": (legacy(tensor(), protocol=1002), "its protocol is 1002"),
    "legacy: no order of bytes": (legacy(tensor(), facts={}), "does not say the order"),
    "legacy: names in the facts": (b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.cposix\nsystem\n.",
                                   "where plain numbers are expected"),
    "legacy: a command": (legacy(called("posix", "system", "true"), keys=[], data=b""), "names posix.system"),
    "legacy: truncated": (legacy(tensor(), data=struct.pack("<q2f", 4, 0, 1)), "more than are left|bytes .* were asked"),
    "legacy: an enormous storage": (legacy(storage(numel=2**40)), "holds 4 elements, it is used as one of 1099511627776"),
    "legacy: other keys": (legacy(tensor(), keys=["1"]), "not that of the storages"),
    "legacy: a key twice": (legacy(tensor(), keys=["0", "0"]), "not that of the storages"),
    "legacy: another count": (legacy(tensor(), data=struct.pack("<q4f", 3, 0, 1, 2, 3)),
                              "holds 3 elements, it is used as one of 4"),
    "legacy: an enormous count": (legacy(storage(numel=2**40), data=struct.pack("<q4f", 2**40, 0, 1, 2, 3)), "it is truncated"),
    "a sparse tensor of other parts": (archive(whole(called("torch._utils", "_rebuild_sparse_tensor", SPARSE, (1, 2)))),
                                       "only COO and CSR are read"),
    "a sparse tensor of numbers": (archive(whole(called("torch._utils", "_rebuild_sparse_tensor", SPARSE, (1, 2, (3,), True)))),
                                   "made of the wrong parts"),
    "a sparse tensor beyond its size": (with_sparse(size=(1, 1)), "do not fit together: .*but found index 3"),
    "a sparse tensor of a negative size": (with_sparse(size=(-1, 1)), "the size .* which is none"),
    "a sparse tensor that is not in order": (with_sparse(ordered=True), "not in order, each once"),
    "legacy: a negative count": (legacy(tensor(), data=struct.pack("<q4f", -4, 0, 1, 2, 3)), "holds -4 elements"),
    "legacy: a part of a storage": (legacy(pushed(("storage", named("torch", "FloatStorage"), "0", "cpu", 4, ("v", 1, 2))) + b"Q"),
                                    "PyTorch before 0.4"),
}


@pytest.mark.parametrize("name", BAD)
def test_refused(name, tmp_path):
    data, words = BAD[name]
    path = tmp_path / "weights.pt"
    path.write_bytes(data)
    for given in (path, io.BytesIO(data)):
        with pytest.raises(cltensor.SerializationError, match=words) as caught:
            load(given)
    assert not NEVER.exists()
    assert "load: " in str(caught.value)


def test_refused_names_are_pickle_errors_too():
    with pytest.raises(pickle.UnpicklingError, match=r"(posix|nt)\.system"):
        load(io.BytesIO(dumped(Runs())))


def doubled(n):
    """Instructions for a tuple that holds two of the last one, n times."""
    return b")q\x00" + b"".join(b"h" + bytes([i]) + b"h" + bytes([i]) + b"\x86q" + bytes([i + 1]) for i in range(n))


def colliding(values):
    return whole(b"}(" + b"".join(pushed(value) + b"N" for value in values) + b"u")


BOMBS = {
    "empty dicts": (lambda: whole(b"](" + b"}" * 1_000_000 + b"e"), "more than 8 MiB"),
    "sets of a few bytes": (lambda: whole(b"](" + b"\x8f" * 1_000_000 + b"e"), "more than 8 MiB"),
    "copies of bytes": (lambda: whole(called("_codecs", "encode", "a" * 1_000_000, "latin1") + b"q\x00]("
                                      + (named("builtins", "bytearray") + b"h\x00\x85R") * 200 + b"e"), "more than 8 MiB"),
    "copies of a list": (lambda: whole(b"]("
                                       + b"N" * 100_000 + b"eq\x00](" + (named("builtins", "set") + b"h\x00\x85R") * 1000 + b"e"),
                         "more than 8 MiB|same hash"),
    "a key of many values": (lambda: whole(doubled(60) + b"0}h\x3cNs"), "more than 1000 values, chosen"),
    "a set of many values": (lambda: whole(doubled(60) + b"0\x8f(h\x3c\x90"), "more than 1000 values, chosen"),
    "ints that collide": (lambda: colliding([i * (2**61 - 1) for i in range(1, 300)]), "same hash, chosen"),
    "tuples that collide": (lambda: colliding([tuple(-1 - (i >> b & 1) for b in range(9)) for i in range(512)]),
                            "same hash, chosen"),
    "a key of many digits": (lambda: whole(b"}" + LONG + b"Ns"), "an int of 7999 bits, chosen"),
    "such a key in a tuple": (lambda: whole(b"}" + LONG + b"\x85Ns"), "an int of 7999 bits"),
    "a memo at the end": (lambda: whole(b"Nr\xff\xff\xff\xff]0" + b"h\x00"), "damaged at byte"),
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_small_pickle_that_makes_much_is_refused_early(name, monkeypatch):
    monkeypatch.setattr(machine, "_MOST", 8 << 20)
    make, words = BOMBS[name]
    data = io.BytesIO(archive(make()))
    tracemalloc.start()
    with pytest.raises(cltensor.SerializationError, match=words):
        load(data)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 24 << 20


def test_deep_nesting_needs_no_stack():
    found = load(io.BytesIO(archive(whole(b"]" * 50_000 + b"a" * 49_999))))
    for _ in range(49_999):
        found, = found
    assert found == []


def test_a_list_that_holds_itself():
    found = load(io.BytesIO(archive(whole(b"]q\x00h\x00a"))))
    assert found[0] is found


def test_empty_views_and_expanded_ones_are_whole():
    found = load(io.BytesIO(archive(whole(pushed((tensor(None, 4, (0,), (1,)), tensor(None, 3, (2, 5), (0, 0))))))))
    assert [t.tolist() for t in found] == [[], [[3.0] * 5] * 2]


@pytest.mark.parametrize("kind", ["torch", "legacy"])
def test_every_truncation_and_damage_is_refused_or_harmless(kind, rng):
    data = legacy(tensor())
    if kind == "torch":
        out = io.BytesIO()
        save({"a": cltensor.ones(3), "b": [1, (2.5, {"c": cltensor.zeros(2, 2)})]}, out, format="torch")
        data = out.getvalue()
    for n in rng.choice(len(data), 150):
        with pytest.raises(cltensor.SerializationError):
            load(io.BytesIO(data[:n]))
    for at in rng.choice(len(data), 300):
        damaged = bytearray(data)
        damaged[at] ^= 1 << int(rng.integers(8))
        try:
            load(io.BytesIO(bytes(damaged)))
        except cltensor.SerializationError:
            continue
