"""The disk cache: an entry comes back unaltered or not at all, and a fault of the cache never stops a program."""

import os
import shutil
import warnings
from concurrent.futures import ThreadPoolExecutor

import pytest

from cltensor.runtime import cache as cache_module
from cltensor.runtime import trusted
from cltensor.runtime.cache import KernelCache, kernel_cache

KEY = "ab" + "0" * 62
OTHER = "cd" + "0" * 62


@pytest.fixture(autouse=True)
def _fresh(monkeypatch):
    monkeypatch.setattr(trusted, "_warned", set())


@pytest.fixture
def cache(tmp_path):
    return KernelCache(tmp_path / "kernels", 2**20)


def test_gives_back_what_was_put(cache):
    for payload in (b"", b"binary\0code", bytes(range(256)) * 100):
        cache.put(KEY, payload)
        assert cache.get(KEY) == payload
    assert cache.path(KEY).parent.name == "ab"


def test_missing_key_is_none(cache):
    assert cache.get(KEY) is None


def test_another_cache_on_the_same_folder_sees_it(cache):
    cache.put(KEY, b"one")
    assert KernelCache(cache.folder, 1).get(KEY) == b"one"


@pytest.mark.parametrize("length", [0, 4, 8, 20, 47, 48, 52])
def test_truncated_entry_is_deleted(cache, length):
    cache.put(KEY, b"binary")
    path = cache.path(KEY)
    path.write_bytes(path.read_bytes()[:length])
    assert cache.get(KEY) is None
    assert not path.exists()


@pytest.mark.parametrize("position", [0, 7, 8, 30, 40, 47, 48, 53])
def test_entry_with_one_altered_byte_is_deleted(cache, position):
    cache.put(KEY, b"binary")
    path = cache.path(KEY)
    data = bytearray(path.read_bytes())
    data[position] ^= 1
    path.write_bytes(data)
    assert cache.get(KEY) is None
    assert not path.exists()


def test_entry_with_bytes_appended_is_deleted(cache):
    cache.put(KEY, b"binary")
    with cache.path(KEY).open("ab") as f:
        f.write(b"x")
    assert cache.get(KEY) is None


def test_deleted_entry_can_be_put_again(cache):
    cache.put(KEY, b"old")
    cache.path(KEY).write_bytes(b"rubbish")
    assert cache.get(KEY) is None
    cache.put(KEY, b"new")
    assert cache.get(KEY) == b"new"


def test_no_temporary_file_is_left(cache):
    cache.put(KEY, b"one")
    assert [p.name for p in cache.path(KEY).parent.iterdir()] == [KEY]


def test_failed_write_leaves_no_temporary_file(cache, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(cache_module.os, "fsync", full)
    with pytest.warns(RuntimeWarning, match="No space left on device"):
        cache.put(KEY, b"one")
    assert list(cache.path(KEY).parent.iterdir()) == []
    assert cache.get(KEY) is None


def test_folder_that_cannot_be_written_warns_once(tmp_path):
    (tmp_path / "kernels").write_text("a file where the folder should be")
    cache = KernelCache(tmp_path / "kernels", 2**20)
    with pytest.warns(RuntimeWarning, match="CLTENSOR_CACHE_DIR"):
        cache.put(KEY, b"one")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        cache.put(OTHER, b"two")
        assert cache.get(KEY) is None


def test_eviction_removes_what_was_used_longest_ago(tmp_path):
    cache = KernelCache(tmp_path, 12 * 1048)
    keys = [f"{i:02x}" + "0" * 62 for i in range(12)]
    for i, key in enumerate(keys):
        cache.put(key, bytes(1000))
        os.utime(cache.path(key), ns=(i, i))
    assert cache.get(keys[0]) is not None  # using it makes it the newest
    cache.limit = 10 * 1048
    cache.evict()
    left = [key for key in keys if cache.path(key).exists()]
    assert left == [keys[0], *keys[4:]]


def test_cache_stays_bounded_without_being_told(tmp_path):
    cache = KernelCache(tmp_path, 20_000)
    for i in range(40):  # from the first write on
        cache.put(f"{i:064x}", bytes(1000))
        assert sum(p.stat().st_size for p in tmp_path.rglob("*") if p.is_file()) <= 20_000
    cache.put(KEY, bytes(20_000))  # never fits
    assert cache.get(KEY) is None
    assert cache.get(f"{39:064x}") is not None


def test_limit_zero_reads_and_writes_nothing(tmp_path):
    KernelCache(tmp_path, 2**20).put(KEY, b"one")
    cache = KernelCache(tmp_path, 0)
    assert cache.get(KEY) is None
    cache.put(OTHER, b"two")
    assert not cache.path(OTHER).exists()


def test_many_writers_of_one_entry(cache):
    payloads = [bytes([i]) * 5000 for i in range(8)]

    def write_and_read(payload):
        for _ in range(20):
            cache.put(KEY, payload)
            found = cache.get(KEY)
            assert found in payloads  # whole, from one writer or another
        return True

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(write_and_read, payloads))


def test_settings_choose_folder_and_limit(tmp_path, monkeypatch):
    monkeypatch.setenv("CLTENSOR_CACHE_DIR", str(tmp_path))
    monkeypatch.setenv("CLTENSOR_CACHE_LIMIT", "1.5")
    cache = kernel_cache()
    assert cache.folder == tmp_path / "kernels"
    assert cache.limit == 3 * 2**19


def test_entry_of_another_key_is_refused(cache):
    cache.put(KEY, b"one")
    cache.put(OTHER, b"other")
    cache.path(OTHER).write_bytes(cache.path(KEY).read_bytes())
    assert cache.get(OTHER) is None
    assert not cache.path(OTHER).exists()
    assert cache.get(KEY) == b"one"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no FIFOs")
@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir, lambda p: os.symlink("/dev/zero", p), lambda p: os.symlink("/dev/null", p)],
                         ids=["fifo", "folder", "zeros without end", "nothing"])
def test_what_is_no_file_is_neither_waited_for_nor_kept(cache, make):
    cache.put(KEY, b"one")
    cache.path(KEY).unlink()
    make(cache.path(KEY))
    assert cache.get(KEY) is None
    assert not os.path.lexists(cache.path(KEY))
    cache.put(KEY, b"again")
    assert cache.get(KEY) == b"again"


@pytest.mark.parametrize("part", ["kernels", "kernels/ab"])
def test_a_folder_that_others_may_write_is_refused_with_one_warning(cache, part):
    cache.put(KEY, b"one")
    (cache.folder.parent / part).chmod(0o777)
    again = KernelCache(cache.folder, 2**20)
    with pytest.warns(RuntimeWarning, match=f"is not used: .*close it with `chmod go-w .*{part}`"):
        assert again.get(KEY) is None
    again.put(KEY, b"two")  # without another warning, which would be an error
    again.put(OTHER, b"two")
    assert not cache.path(OTHER).exists()
    (cache.folder.parent / part).chmod(0o700)
    assert cache.get(KEY) == b"one"


def test_only_the_caches_own_files_are_deleted(cache):
    cache.put(KEY, b"one")
    mine = [cache.folder / "src" / "my.cl", cache.path(KEY).with_name("notes"), cache.folder / "cd" / KEY[:10]]
    for path in mine:
        path.parent.mkdir(exist_ok=True)
        path.write_text("the user's")
    left = cache.path(KEY).with_name(f"{trusted.TEMPORARY}of a writer that was killed")
    left.touch()
    cache.limit = 1
    cache.evict()
    assert cache.entries() == []
    cache.limit = 2**20
    cache.put(KEY, b"one")
    assert cache.clear() == (1, 51)
    assert not left.exists()
    assert all(path.exists() for path in mine)


def test_a_folder_removed_in_between_is_made_again(cache):
    cache.put(KEY, b"one")
    shutil.rmtree(cache.folder)
    assert cache.get(KEY) is None
    cache.put(KEY, b"two")
    assert cache.get(KEY) == b"two"
