"""The layout other programs read and write: safetensors."""

import json
import struct

import numpy as np
import pytest

import cltensor
from cltensor.io import load, save

pytestmark = pytest.mark.device


def read(path):
    """(header, data) by the published layout, without any of our code."""
    data = path.read_bytes()
    n, = struct.unpack("<Q", data[:8])
    return json.loads(data[8:8 + n]), data[8 + n:]


def test_written_files_follow_the_layout(tmp_path):
    save({"w": cltensor.arange(6).reshape(2, 3).float(), "n": {"deep": [cltensor.ones(3, dtype=cltensor.uint8)]}}, tmp_path / "f")
    header, data = read(tmp_path / "f")
    assert (8 + len((tmp_path / "f").read_bytes()) - 8 - len(data)) % 8 == 0
    metadata = header.pop("__metadata__")
    assert all(isinstance(v, str) for v in metadata.values())
    assert header == {"w": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]},
                      "n.deep.0": {"dtype": "U8", "shape": [3], "data_offsets": [24, 27]}}
    np.testing.assert_array_equal(np.frombuffer(data[:24], "<f4").reshape(2, 3), np.arange(6).reshape(2, 3))


def test_names_that_meet_stay_apart(tmp_path):
    obj = {"a.b": cltensor.ones(1), "a": {"b": cltensor.zeros(1)}, "__metadata__": cltensor.ones(2), "": cltensor.zeros(2)}
    save(obj, tmp_path / "f")
    found = load(tmp_path / "f")
    assert [found["a.b"].tolist(), found["a"]["b"].tolist(), found["__metadata__"].tolist(), found[""].tolist()] == [
        [1], [0], [1, 1], [0, 0]]


def test_foreign_files_load_as_a_dict(tmp_path):
    values = np.arange(4, dtype="<i2")
    header = {"x": {"dtype": "I16", "shape": [2, 2], "data_offsets": [1, 9]}, "b": {"dtype": "BOOL", "shape": [1],
                                                                                  "data_offsets": [0, 1]},
              "__metadata__": {"format": "pt"}}
    text = json.dumps(header).encode() + b"   "
    (tmp_path / "f").write_bytes(struct.pack("<Q", len(text)) + text + b"\x02" + values.tobytes())
    found = load(tmp_path / "f")
    assert list(found) == ["x", "b"]
    assert (found["x"].tolist(), found["x"].dtype, found["b"].tolist()) == ([[0, 1], [2, 3]], cltensor.int16, [True])


def test_the_reference_implementation_reads_and_writes_the_same(tmp_path):
    reference = pytest.importorskip("safetensors.numpy")
    tensors = {"a": np.random.default_rng(0).random((3, 4)).astype(np.float32), "b": np.array([True, False]),
               "c": np.float16([1, 2])}
    save({k: cltensor.from_numpy(v) for k, v in tensors.items()}, tmp_path / "f")
    for key, value in reference.load_file(tmp_path / "f").items():
        np.testing.assert_array_equal(value, tensors[key])
    reference.save_file(tensors, tmp_path / "g")
    for key, value in load(tmp_path / "g").items():
        np.testing.assert_array_equal(value.numpy(), tensors[key])
