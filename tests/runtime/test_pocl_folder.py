"""PoCL's folder is kept small without touching what a running process may need."""

import os

import pytest

from cltensor.runtime import pocl
from cltensor.runtime.cache import KernelCache

NOW = 1_000_000_000
OLD, RECENT = NOW - 2 * pocl.DAY, NOW - 100


@pytest.fixture
def program(tmp_path):
    """Make a program folder as PoCL does: 1000 bytes of code, and a file that says when it was last used."""

    def make(name, used):
        folder = tmp_path / name[:2] / name[2:]
        (folder / "kernel" / "0-0-0").mkdir(parents=True)
        (folder / "kernel" / "0-0-0" / "kernel.so").write_bytes(bytes(1000))
        (folder / "last_accessed").touch()
        os.utime(folder / "last_accessed", (used, used))
        return folder

    return make


def test_oldest_programs_go_first(tmp_path, program):
    oldest, older, old = (program(f"A{i}X", OLD - 10 + i) for i in range(3))
    pocl.trim(tmp_path, 2000, NOW)
    assert [p.exists() for p in (oldest, older, old)] == [False, True, True]


def test_recently_used_programs_stay(tmp_path, program):
    old, recent = program("AAX", OLD), program("ABX", RECENT)
    pocl.trim(tmp_path, 0, NOW)
    assert not old.exists()
    assert recent.exists()


def test_small_folder_is_left_alone(tmp_path, program):
    old = program("AAX", OLD)
    pocl.trim(tmp_path, 1000, NOW)
    assert old.exists()


def test_old_leftovers_go(tmp_path):
    for name, when in (("tempfile_old", OLD), ("tempfile_new", RECENT)):
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (when, when))
    (tmp_path / "_UNCACHED_x").mkdir()
    (tmp_path / "_UNCACHED_x" / "build.log").touch()
    os.utime(tmp_path / "_UNCACHED_x", (OLD, OLD))
    pocl.trim(tmp_path, 2**20, NOW)
    assert [p.name for p in tmp_path.iterdir()] == ["tempfile_new"]


def test_missing_folder_is_no_error(tmp_path):
    pocl.trim(tmp_path / "nowhere", 0, NOW)


def test_cache_leaves_another_folder_of_the_users_alone(tmp_path, program, monkeypatch):
    cache = KernelCache(tmp_path.parent / "kernels", 0)
    old = program("AAX", OLD)
    monkeypatch.setenv("POCL_CACHE_DIR", str(tmp_path))  # the user's own
    cache.trim_pocl()
    assert old.exists()


def test_cache_trims_the_folder_beside_it(tmp_path, monkeypatch):
    folder = tmp_path / "pocl" / "AA" / "X"
    folder.mkdir(parents=True)
    (folder / "last_accessed").touch()
    (folder / "program.bc").write_bytes(bytes(1000))
    os.utime(folder / "last_accessed", (OLD, OLD))
    monkeypatch.setenv("POCL_CACHE_DIR", str(tmp_path / "pocl"))
    KernelCache(tmp_path / "kernels", 500).trim_pocl()
    assert not folder.exists()
