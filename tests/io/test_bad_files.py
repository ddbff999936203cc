"""Files that are damaged, foreign or malicious: each is refused with its name, what is wrong, and the cure."""

import io
import json
import pickle
import struct
import tracemalloc
import zipfile

import pytest

import cltensor
from cltensor.io import load, save
from cltensor.io.safetensors import structure

pytestmark = pytest.mark.device
ONE = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}


def packed(header, data=b"\0" * 8, length=None):
    """A file of this header (text or an object) and data."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + data


def entry(**changes):
    return packed({"a": {**ONE, **changes}})


def described(tree, version=1):
    return packed({"__metadata__": {"cltensor": json.dumps({"version": version, "object": tree})}, "a": ONE})


def zipped():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as z:
        z.writestr("something/else", b"")
    return out.getvalue()


BAD = {
    "empty": (b"", "has 0 bytes.*truncated"),
    "short": (b"abc", "has 3 bytes.*truncated"),
    "text": (b"hello, this is no tensor file at all", "does not start with a length"),
    "zip": (zipped(), "zip archive without one data.pkl"),
    "pickle 2": (pickle.dumps({"a": 1}, protocol=2), "a pickle that torch.save did not write; loading it could run code"),
    "pickle 5": (pickle.dumps({"a": list(range(1000))}, protocol=5), "a pickle"),
    "gzip": (b"\x1f\x8b" + b"\xff" * 50, "gzip"),
    "header longer than the file": (packed({"a": ONE}, length=10**6), "should be 1000000 bytes long, but only .* truncated"),
    "header of absurd length": (packed({"a": ONE}, length=2**63), "should be 9223372036854775808 bytes long"),
    "data missing": (packed({"a": ONE}, b"\0" * 5), "truncated: its tensors take 8 bytes, 5 are there"),
    "data too long": (packed({"a": ONE}, b"\0" * 9), "1 bytes after the last tensor"),
    "not JSON": (packed(b"{abc}"), "not valid JSON"),
    "not UTF-8": (packed(b'{"\xff": 1}'), "not valid JSON"),
    "nested too deep": (packed(b'{"a":' + b"[" * 200000 + b"]" * 200000 + b"}"), "not valid JSON"),
    "a key twice": (packed(b'{"a": {"dtype": "F32", "dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}'), "appears twice"),
    "metadata of numbers": (packed({"__metadata__": {"a": 1}, "a": ONE}), "must map names to strings"),
    "entry of another form": (packed({"a": [1]}), "exactly dtype, shape and data_offsets"),
    "entry with more": (entry(more=1), "exactly dtype, shape and data_offsets"),
    "unknown dtype": (entry(dtype="F8_E4M3"), "dtype 'F8_E4M3', which is not one of BOOL, U8"),
    "dtype of another type": (entry(dtype=[1]), "which is not one of"),
    "negative size": (entry(shape=[-2]), "shape that is no list"),
    "size that is no int": (entry(shape=[2.0]), "shape that is no list"),
    "size that is a bool": (entry(shape=[True]), "shape that is no list"),
    "huge size": (entry(shape=[2**63]), "shape that is no list"),
    "too many dimensions": (entry(shape=[1] * 65), "at most 64"),
    "size that does not fit": (entry(shape=[3]), r"needs 12 bytes, its data_offsets \[0, 8\] hold 8"),
    "size past all bounds of no values": (packed({"a": {**ONE, "shape": [0, 2**63 - 1], "data_offsets": [0, 0]}}, b""),
                                         "larger than any that can be made"),
    "a tensor twice": (packed(b'{"a": {}, "a": {}}'), "exactly dtype|appears twice"),
    "more after the header": (packed(b'{} {}'), "more after its end"),
    "no comma": (packed(b'{"__metadata__": {} "a": 1}'), "expected one of ,}"),
    "metadata twice": (packed(b'{"__metadata__": {}, "__metadata__": {}}'), "appears twice"),
    "a key of the metadata twice": (packed(b'{"__metadata__": {"a": "", "a": ""}}'), "appears twice"),
    "metadata that are no object": (packed({"__metadata__": [1]}), "must map names to strings"),
    "offsets backwards": (entry(data_offsets=[8, 0]), "hold -8"),
    "offsets out of range": (entry(data_offsets=[8, 16]), "leaves a gap before it"),
    "three offsets": (entry(data_offsets=[0, 4, 8]), "two numbers"),
    "overlap": (packed({"a": ONE, "b": {**ONE, "data_offsets": [4, 12]}}, b"\0" * 12), "overlaps another tensor"),
    "gap": (packed({"a": ONE, "b": {**ONE, "data_offsets": [12, 20]}}, b"\0" * 20), "leaves a gap"),
    "description is no JSON": (packed({"__metadata__": {"cltensor": "{"}, "a": ONE}), "of the object is not valid JSON"),
    "description without an object": (packed({"__metadata__": {"cltensor": "{}"}, "a": ONE}), "does not describe an object"),
    "description of a later version": (described({"tensor": "a"}, 2), "version 2 of the format.*update cltensor"),
    "unknown tensor": (described({"tensor": "b"}), "names a tensor 'b' that the file does not hold"),
    "tensor name that is no string": (described({"tensor": 3}), "tensor name in the object's description is no str"),
    "unknown kind": (described({"module": "os"}), "unknown kind: 'module'"),
    "empty kind": (described({}), "unknown kind"),
    "unknown dtype name": (described({"dtype": "__class__"}), "unknown dtype"),
    "dict that is no list": (described({"dict": 3}), "is no list"),
    "dict of no pairs": (described({"dict": [[1, 2, 3]]}), "no list of pairs"),
    "dict with a list as key": (described({"dict": [[[1], 2]]}), "key of type list"),
    "float of another name": (described({"float": "1e999"}), "none of nan, inf"),
    "sizes of strings": (described({"Size": ["a"]}), "no list of ints"),
    "description nested too deep": (described(json.loads("[" * 500 + "]" * 500)), "nested more than"),
}


HOSTILE = {
    "values in the place of a tensor": (lambda n: packed(b'{"a":[' + b"[]," * (n // 3) + b"1]}"), "more than 4096 characters"),
    "sizes": (lambda n: packed(b'{"a":{"dtype":"F32","shape":[' + b"1," * (n // 2) + b'1],"data_offsets":[0,4]}}'),
              "more than 4096 characters"),
    "metadata": (lambda n: packed(b'{"__metadata__":{' + b",".join(b'"%d":""' % i for i in range(n // 12)) + b"}}"),
                 "more than 10000 entries"),
    "tensors": (lambda n: packed(b"{" + b",".join(b'"%d":{}' % i for i in range(n // 12)) + b"}"), "must have exactly"),
    "object": (lambda n: packed(b'{"__metadata__":{"cltensor":"[' + b"{}," * n + b'1]"}}', b""), "more than 4194304 values"),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_large_hostile_header_costs_little_memory(kind):
    make, words = HOSTILE[kind]
    text = make(5_000_000)
    data = io.BytesIO(text)
    tracemalloc.start()
    with pytest.raises(cltensor.SerializationError, match=words):
        load(data)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 6 * len(text)  # a JSON parser takes 20 times the text


@pytest.mark.parametrize("keys", [[i * (2**61 - 1) for i in range(300)],
                                  [{"tuple": [-1 - (i >> b & 1) for b in range(9)]} for i in range(512)]], ids=["ints", "tuples"])
def test_keys_that_were_chosen_to_collide_are_refused(keys):
    for kind in ("dict", "OrderedDict"):
        with pytest.raises(cltensor.SerializationError, match="chosen to take very long"):
            load(io.BytesIO(described({kind: [[key, 1] for key in keys]})))


def test_keys_that_collide_by_chance_are_kept():
    obj = {(i, j): 0 for i in range(-3, 3) for j in range(-3, 3)}
    data = io.BytesIO()
    save(obj, data)
    assert load(io.BytesIO(data.getvalue())) == obj


def test_many_commas_in_strings_are_no_values(monkeypatch):
    monkeypatch.setattr(structure, "MOST", 20)
    text = json.dumps({"a": ["[,]\\\"," * 50, "\\"]})
    assert structure.values_in(text) < 5
    assert structure.parse(text) == json.loads(text)
    with pytest.raises(cltensor.SerializationError, match="more than 20 values"):
        structure.parse(json.dumps([[]] * 20))


def test_a_text_file_is_named(tmp_path):
    (tmp_path / "file").write_text("text")
    with open(tmp_path / "file") as file, pytest.raises(TypeError, match="mode 'rb'"):
        load(file)


@pytest.mark.parametrize("name", BAD)
def test_refused(name, tmp_path):
    data, words = BAD[name]
    path = tmp_path / "weights.bin"
    path.write_bytes(data)
    with pytest.raises(cltensor.SerializationError, match=words) as caught:
        load(path)
    assert str(path) in str(caught.value)
    with pytest.raises(cltensor.SerializationError, match=words):
        load(io.BytesIO(data))


def test_every_truncation_and_every_damaged_byte_of_the_header_is_refused_or_harmless(tmp_path, rng):
    save({"a": cltensor.ones(3), "b": [1, {"c": cltensor.zeros(2)}]}, tmp_path / "file")
    data = (tmp_path / "file").read_bytes()
    for n in range(len(data)):
        with pytest.raises(cltensor.SerializationError):
            load(io.BytesIO(data[:n]))
    header_end = 8 + int.from_bytes(data[:8], "little")
    refused = 0
    for at in rng.choice(header_end, 200):
        damaged = bytearray(data)
        damaged[at] ^= 1 << int(rng.integers(8))
        try:
            load(io.BytesIO(bytes(damaged)))
        except cltensor.SerializationError:
            refused += 1
    assert refused > 100


def test_a_requires_grad_that_makes_no_sense(tmp_path):
    save({"a": cltensor.ones(2, dtype=cltensor.int32)}, tmp_path / "file")
    data = (tmp_path / "file").read_bytes()
    changed = data[8:].replace(b'{\\"tensor\\":\\"a\\"}', b'{\\"tensor\\":\\"a\\",\\"requires_grad\\":true}')
    extra = len(changed) + 8 - len(data)
    assert extra > 0
    with pytest.raises(cltensor.SerializationError, match="dtype int32 cannot require grad"):
        load(io.BytesIO(struct.pack("<Q", int.from_bytes(data[:8], "little") + extra) + changed))
