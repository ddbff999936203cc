"""Indexes of several files: written so that they always name files that belong together, read for both formats of parts."""

import io
import json
import os

import pytest

import cltensor
from cltensor.io import load, save
from cltensor.io.safetensors import shards

pytestmark = pytest.mark.device
NAME = "model.safetensors.index.json"


def tensors(value=1.0):
    layers = {f"layer.{i}": cltensor.full((10,), value + i) for i in range(5)}
    return {**layers, "tied": cltensor.ones(1), "empty": cltensor.empty(0)}


def same(a, b):
    return list(a) == list(b) and all(a[k].tolist() == b[k].tolist() for k in a)


@pytest.mark.parametrize(("size", "parts"), [(100, 3), ("0.1KB", 3), (1, 7), ("5GB", 1), ("1 MiB", 1)])
def test_written_and_read(tmp_path, size, parts):
    save(tensors(), tmp_path / NAME, max_shard_size=size)
    names = sorted(os.listdir(tmp_path))
    assert names == sorted([NAME, *(f"model-{i + 1:05d}-of-{parts:05d}.safetensors" for i in range(parts))])
    index = json.loads((tmp_path / NAME).read_text())
    assert index["metadata"] == {"total_size": 204}
    assert set(index["weight_map"].values()) == set(names) - {NAME}
    for mmap in (False, True):
        assert same(load(tmp_path / NAME, mmap=mmap), tensors())


def test_parts_are_safetensors_files_of_other_programs(tmp_path):
    save(tensors(), tmp_path / NAME, max_shard_size=100)
    found = {}
    for path in tmp_path.glob("*.safetensors"):
        found.update(load(path))
        assert b'"format":"pt"' in path.read_bytes()
    assert same({k: found[k] for k in tensors()}, tensors())


def test_saved_again_the_old_files_go_and_the_users_stay(tmp_path):
    (tmp_path / "model-00001-of-00009.safetensors").write_bytes(b"the user's")
    for value in (1.0, 2.0, 3.0):
        save(tensors(value), tmp_path / NAME, max_shard_size=100)
        assert same(load(tmp_path / NAME), tensors(value))
        assert len(os.listdir(tmp_path)) == 5
    assert (tmp_path / "model-00001-of-00009.safetensors").read_bytes() == b"the user's"


def test_a_save_that_is_killed_leaves_the_old_object(tmp_path, monkeypatch):
    save(tensors(1.0), tmp_path / NAME, max_shard_size=100)
    fresh, real, left = tensors(2.0), shards.replacing, [2]

    def stops(path):
        left[0] -= 1
        if not left[0]:
            raise KeyboardInterrupt
        return real(path)

    monkeypatch.setattr(shards, "replacing", stops)
    with pytest.raises(KeyboardInterrupt):
        save(fresh, tmp_path / NAME, max_shard_size=100)
    assert same(load(tmp_path / NAME), tensors(1.0))


def test_an_index_of_pytorchs_files(tmp_path):
    save({"a": cltensor.ones(2), "more": cltensor.zeros(1)}, tmp_path / "pytorch_model-00001-of-00002.bin", format="torch")
    save({"b": cltensor.zeros(3)}, tmp_path / "pytorch_model-00002-of-00002.bin", format="torch")
    places = {"b": "pytorch_model-00002-of-00002.bin", "a": "pytorch_model-00001-of-00002.bin"}
    (tmp_path / "pytorch_model.bin.index.json").write_text(json.dumps({"metadata": {}, "weight_map": places}))
    assert same(load(tmp_path / "pytorch_model.bin.index.json"), {"b": cltensor.zeros(3), "a": cltensor.ones(2)})


def index(tmp_path, places):
    text = places if isinstance(places, str) else json.dumps({"weight_map": places})
    (tmp_path / NAME).write_text(text)
    return tmp_path / NAME


@pytest.mark.parametrize(("places", "words"), [
    ('{"a": ', "not valid JSON"), ('{"weight_map": 3}', 'no "weight_map"'), ("{}", 'no "weight_map"'),
    ('{"weight_map": {"a": "x", "a": "x"}}', "appears twice"), ('{"weight_map": {"a": 3}}', "something else than a string"),
    ({"a": "../x"}, "names the file '../x'; only files in its own folder"), ({"a": "/etc/passwd"}, "only files in its own folder"),
    ({"a": ".."}, "only files in its own folder"), ({"a": "C:x"}, "only files in its own folder"),
    ({"a": ""}, "only files in its own folder"), ({"a": "missing"}, "which is not there; copy or download it too"),
    ({"a": NAME}, "it is an index itself"), ({"a": "part"}, "part' holds the tensor 'a', but it does not"),
    ({"n": "part"}, "holds the tensor 'n', but it does not"), ({"a": "list"}, "but it does not"),
    ({"a": "text"}, "text: this is no file"),
    ({"a": "pipe"}, "this is a pipe"), ('{"weight_map": ' + "[" * 100_000, "not valid JSON"),
])
def test_refused(tmp_path, places, words):
    save({"b": cltensor.ones(1), "n": 3}, tmp_path / "part")
    save([cltensor.ones(1)], tmp_path / "list")
    (tmp_path / "text").write_text("text, which is longer than a header")
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe")
    with pytest.raises(cltensor.SerializationError, match=words) as caught:
        load(index(tmp_path, places))
    assert NAME in str(caught.value)


def test_an_index_in_memory_has_no_folder():
    with pytest.raises(cltensor.SerializationError, match="give its path"):
        load(io.BytesIO(b'{"weight_map": {"a": "b"}}'))


@pytest.mark.parametrize("obj", [{"a": 1}, {1: cltensor.Tensor}, [1], {"a": {"b": 1}}], ids=str)
def test_an_index_holds_tensors_only(tmp_path, obj):
    with pytest.raises(cltensor.SerializationError, match="a flat dict from names to tensors"):
        save(obj, tmp_path / NAME)
    assert not os.listdir(tmp_path)


@pytest.mark.parametrize("size", [0, -1, "much", True, 2.5])
def test_sizes_that_are_none(tmp_path, size):
    with pytest.raises(cltensor.ArgumentError, match="max_shard_size is"):
        save({}, tmp_path / NAME, max_shard_size=size)
