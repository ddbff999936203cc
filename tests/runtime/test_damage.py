"""Damage to every kind of file: no read gives wrong values or waits, damaged files are made again, files of other owners stay.

`ci/fuzz` does the same for longer, see ci/fuzz_files.py.
"""

import random

import pytest

import fuzz_files


@pytest.fixture
def folder(tmp_path):
    """A cache folder, used under the settings that point to it."""
    place = tmp_path / "cache"
    with fuzz_files._quiet(), fuzz_files._settings(CLTENSOR_CACHE_DIR=str(place), CLTENSOR_CACHE_LIMIT="1"):
        yield fuzz_files.CacheFolder(place, random.Random(0))
    fuzz_files._gone(place)


def test_nothing_is_wrong_with_a_whole_folder(folder):
    for key, payload in folder.payloads.items():
        assert folder.cache().get(key) == payload
    folder.check()
    folder.mend()


@pytest.mark.parametrize("name", sorted({**fuzz_files.OF_FILES, **fuzz_files.OF_FOLDERS}))
def test_damage_of_each_kind_to_each_file(folder, name):
    targets = [path for path, damages in folder.targets() if name in damages]
    assert targets
    for path in targets:
        folder.damage(path, name, [])
        folder.check()
        folder.mend()
    folder.clear()


@pytest.mark.parametrize("seed", range(20))
def test_several_at_once(seed):
    fuzz_files.once(fuzz_files.damaged_cache, seed)


@pytest.mark.device
@pytest.mark.parametrize("seed", range(20))
def test_models(seed):
    fuzz_files.once(fuzz_files.damaged_model, seed)


@pytest.mark.device
@pytest.mark.parametrize("limit", [0, 100_000])
def test_processes(tmp_path, limit):
    fuzz_files.damaged_process(tmp_path, random.Random(limit), [], limit)
