"""The tuning database: merging, deny lists, damage, simultaneous writers, and the file of each device."""

import json
import multiprocessing
import warnings

import pytest

from cltensor.base.errors import SerializationError
from cltensor.tune import database, lookup
from cltensor.tune.database import Database, Device
from cltensor.tune.key import Key

DEVICE = Device("a platform", "A CPU", "1.0")
KERNEL = "matmul_blocked cpu float32"
HEAD = b'{"format": "cltensor tuning 1", '
KEY = Key(KERNEL, "M512 N512 K512")


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("CLTENSOR_CACHE_DIR", str(tmp_path))
    monkeypatch.delenv("CLTENSOR_TUNE", raising=False)
    lookup.forget()
    yield tmp_path / "tuning"
    lookup.forget()


def entry(when, **values):
    return {"values": values, "seconds": 1.0, "default_seconds": 2.0, "call": "matmul", "when": when}


def made(shape, when, **values):
    found = Database(DEVICE)
    found.record(Key(KERNEL, shape), entry(when, **values))
    return found


def stored():
    return database.load(database.path_of(DEVICE))


class Profile:
    platform, name, driver = DEVICE


def test_later_result_counts():
    database.update(made("M1", "2026-01-02", MR=4))
    database.update(made("M1", "2026-01-01", MR=8))
    database.update(made("M2", "2026-01-03", MR=6))
    assert stored().values() == {Key(KERNEL, "M1"): {"MR": 4}, Key(KERNEL, "M2"): {"MR": 6}}
    database.update(made("M1", "2026-01-04", MR=8))
    assert stored().values()[Key(KERNEL, "M1")] == {"MR": 8}


def test_denied_values_are_not_used_for_any_shape():
    database.update(made("M1", "2026-01-01", MR=8, KC=64))
    refusal = Database(DEVICE)
    refusal.deny(KERNEL, {"MR": 8, "KC": 64}, "was ended by SIGABRT")
    database.update(refusal)
    database.update(made("M2", "2026-01-09", MR=8, KC=64))
    assert stored().is_denied(KERNEL, {"MR": 8, "KC": 64})
    assert not stored().is_denied(KERNEL, {"MR": 8, "KC": 128})
    assert stored().values() == {}


def test_file_is_for_people_and_round_trips():
    database.update(made("M512 N512 K512", "2026-01-01", MR=4, COPY_B=None))
    text = database.path_of(DEVICE).read_text()
    assert '      "M512 N512 K512": {"values": {"MR": 4, "COPY_B": null}' in text
    assert database.parse(text, "here").as_json() == text
    assert json.loads(text)["device"]["name"] == "A CPU"


def test_every_driver_has_a_file_of_its_own():
    paths = {database.path_of(d) for d in (DEVICE, DEVICE._replace(driver="1.1"), DEVICE._replace(name="A  CPU"))}
    assert len(paths) == 3
    assert all(p.name.startswith("a-cpu-a-platform-1.") for p in paths)


@pytest.mark.parametrize("damage", [
    b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"format": "something else"}', b'{"format": "cltensor tuning 1"}',
    HEAD + b'"device": {"platform": 1, "name": "", "driver": ""}, "results": {}, "denied": {}}',
    HEAD + b'"device": {"platform": "", "name": "", "driver": ""}, "results": {"k": {"s": 3}}, "denied": {}}',
    HEAD + b'"device": {"platform": "", "name": "", "driver": ""}, "results": {}, "denied": {"k": 1}}',
])
def test_damaged_file_is_set_aside_with_one_warning(damage):
    database.update(made("M1", "2026-01-01", MR=4))
    path = database.path_of(DEVICE)
    path.write_bytes(damage)
    with pytest.warns(RuntimeWarning, match="no tuning database|not used") as seen:
        assert lookup.tuned(Profile, KEY) is None
    assert len(seen) == 1
    assert path.with_name(path.name + ".damaged").read_bytes() == damage
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        database.update(made("M512 N512 K512", "2026-01-01", MR=6))
        lookup.forget()
        assert lookup.tuned(Profile, KEY) == {"MR": 6}


def test_what_is_no_database_is_refused_by_name():
    with pytest.raises(SerializationError, match=r"given\.json is no tuning database: 'device' is missing"):
        database.parse('{"format": "cltensor tuning 1"}', "given.json")
    with pytest.raises(SerializationError, match="its format is 'x', not 'cltensor tuning 1'"):
        database.parse('{"format": "x"}', "given.json")


def _write(number):
    for i in range(10):
        database.update(made(f"M{number}x{i}", "2026-01-01", MR=number))


def test_writers_at_once_lose_nothing(folder):
    context = multiprocessing.get_context("spawn")
    with context.Pool(2) as pool:
        pool.map(_write, [1, 2])
    assert len(stored().values()) == 20
    assert sorted(p.suffix for p in folder.iterdir()) == [".json", ".lock"]


def test_setting_ignores_databases(monkeypatch):
    database.update(made("M512 N512 K512", "2026-01-01", MR=4))
    assert lookup.tuned(Profile, KEY) == {"MR": 4}
    monkeypatch.setenv("CLTENSOR_TUNE", "0")
    assert lookup.tuned(Profile, KEY) is None
