"""Where loaded storages go: map_location as a device, a dict or a function, and files that are mapped into memory."""

import io

import numpy as np
import pytest

import cltensor
from cltensor.io import load, save
from cltensor.serialization import get_default_mmap_options, set_default_mmap_options
from hostile_files.pickles import archive, legacy, pushed, storage, tensor, view, whole

pytestmark = pytest.mark.device
FILES = {"zip": archive(view(storage(location="cuda:1"))), "legacy": legacy(tensor(storage(location="cuda:1")))}


@pytest.mark.parametrize("kind", FILES)
def test_locations(kind, device):
    def loaded(where):
        return load(io.BytesIO(FILES[kind]), where)

    for where in (None, device, str(device), {"cuda:1": str(device)}, {"cpu": "gpu:99"}, lambda storage, location: None,
                  lambda storage, location: storage):
        assert loaded(where).tolist() == [0, 1, 2, 3]
        assert loaded(where).device is device
    with pytest.raises(cltensor.DeviceError, match="99"):
        loaded({"cuda:1": "opencl:99"})
    with pytest.raises(cltensor.DeviceError):
        loaded("opencl:99")


@pytest.mark.parametrize("kind", FILES)
def test_a_function_is_told_the_location_and_may_replace_the_storage(kind):
    seen, fresh = [], cltensor.zeros(4)

    def place(storage, location):
        seen.append((storage.nbytes(), location))
        return fresh.untyped_storage()

    assert load(io.BytesIO(FILES[kind]), place).untyped_storage() is fresh.untyped_storage()
    assert seen == [(16, "cuda:1")]
    for wrong in (lambda storage, location: 3, lambda storage, location: cltensor.zeros(1).untyped_storage()):
        with pytest.raises(cltensor.ArgumentTypeError, match="map_location returned"):
            load(io.BytesIO(FILES[kind]), wrong)


def test_every_format_knows_places():
    for write in (lambda obj, out: save(obj, out), lambda obj, out: np.savez(out, a=obj["a"].numpy())):
        out = io.BytesIO()
        write({"a": cltensor.ones(2)}, out)
        seen = []
        load(io.BytesIO(out.getvalue()), lambda storage, location: seen.append(location))  # noqa: B023
        assert seen == ["cpu"]


def test_a_storage_is_placed_once():
    seen = []
    load(io.BytesIO(archive(whole(pushed((tensor(), tensor(), storage()))))), lambda storage, location: seen.append(location))
    assert seen == ["cpu"]


def test_mapping(tmp_path):
    obj = {"a": cltensor.arange(1000.0), "b": [cltensor.ones(2, 3), "text"]}
    for form in ("safetensors", "torch"):
        save(obj, tmp_path / form, format=form)
        found = load(tmp_path / form, mmap=True)
        assert (found["a"].sum().item(), found["b"][0].tolist(), found["b"][1]) == (499500, [[1] * 3] * 2, "text")
    (tmp_path / "torch").unlink()  # it may be removed at once
    with pytest.raises(cltensor.ArgumentTypeError, match="mmap=True maps a file by its path"):
        load(io.BytesIO(b""), mmap=True)
    (tmp_path / "empty").write_bytes(b"")
    with pytest.raises(cltensor.SerializationError, match="has 0 bytes"):
        load(tmp_path / "empty", mmap=True)


def test_mapping_by_default(tmp_path):
    save([1], tmp_path / "f")
    assert not get_default_mmap_options()
    with set_default_mmap_options(True):
        assert get_default_mmap_options()
        assert load(tmp_path / "f") == [1]
        assert load(io.BytesIO((tmp_path / "f").read_bytes())) == [1]
    assert not get_default_mmap_options()


def test_a_file_is_read_from_where_it_is(tmp_path):
    out = io.BytesIO()
    save([1, 2], out, format="torch")
    (tmp_path / "f").write_bytes(b"before" + out.getvalue())
    with open(tmp_path / "f", "rb") as file:
        file.seek(6)
        assert load(file) == [1, 2]
    with open(tmp_path / "f", "rb", buffering=0) as file:
        file.seek(6)
        assert load(file) == [1, 2]
