"""A file in the cache folder is read only if nobody else could have written it; a read never waits."""

import os
import stat
import sys
import warnings

import pytest

from cltensor.runtime import trusted

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no owners and modes of this kind")
as_root = pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can give files away")


@pytest.fixture(autouse=True)
def _fresh(monkeypatch, tmp_path):
    monkeypatch.setattr(trusted, "_warned", set())
    monkeypatch.setenv("CLTENSOR_CACHE_DIR", str(tmp_path / "cache"))


@pytest.fixture
def path(tmp_path):
    """A file that was stored."""
    path = tmp_path / "cache" / "verdicts" / "one.json"
    assert trusted.store(path, b"whole")
    return path


def refused(path):
    """Whether load gives nothing for `path` and says so once, with the cure."""
    with pytest.warns(RuntimeWarning, match=r"chmod go-w|set CLTENSOR_CACHE_DIR") as seen:
        assert trusted.load(path) is None
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert trusted.load(path) is None
    return len(seen) == 1


def test_what_is_stored_is_for_this_user_alone(path):
    assert trusted.load(path) == b"whole"
    modes = [stat.S_IMODE(p.stat().st_mode) for p in (path, path.parent, path.parent.parent)]
    assert modes == [0o600, 0o700, 0o700]
    assert os.listdir(path.parent) == ["one.json"]


def test_a_missing_file_is_no_news(tmp_path):
    assert trusted.load(tmp_path / "cache" / "nothing") is None
    assert not (tmp_path / "cache").exists()


@pytest.mark.parametrize("part", ["one.json", ".", ".."])
@pytest.mark.parametrize("mode", [0o777, 0o707, 0o770])
def test_what_others_may_write_is_refused(path, part, mode):
    (path.parent / part if part == ".." else path.parent.joinpath(part)).resolve().chmod(mode)
    assert refused(path)


@as_root
@pytest.mark.parametrize("part", ["one.json", ".", ".."])
def test_what_belongs_to_another_user_is_refused(path, part):
    os.chown((path.parent / part).resolve(), 1234, 1234)
    assert refused(path)


def test_a_folder_that_protects_the_files_in_it_may_be_above(path):
    path.parent.parent.chmod(0o1777)
    assert trusted.load(path) == b"whole"


@pytest.mark.parametrize("make", [
    os.mkfifo, os.mkdir, lambda p: os.symlink("/dev/zero", p), lambda p: os.symlink("elsewhere", p),
    lambda p: os.symlink(p.name, p)], ids=["fifo", "folder", "device", "link", "circle"])
def test_what_is_no_file_gives_nothing(path, make):
    (path.parent / "elsewhere").write_bytes(b"another's")
    path.unlink()
    make(path)
    assert trusted.load(path) is None


def test_no_more_is_read_or_written_than_allowed(path):
    assert trusted.load(path, limit=4) is None
    with pytest.warns(RuntimeWarning, match="6 bytes are more than the 5"):
        assert not trusted.store(path, b"longer", limit=5)
    assert trusted.load(path) == b"whole"


def test_a_folder_that_cannot_be_made_is_said_once(tmp_path):
    (tmp_path / "cache").write_text("a file where the folder should be")
    with pytest.warns(RuntimeWarning, match="cannot be written: .*CLTENSOR_CACHE_DIR"):
        assert not trusted.store(tmp_path / "cache" / "one.json", b"x")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert not trusted.store(tmp_path / "cache" / "one.json", b"x")
        assert trusted.load(tmp_path / "cache" / "one.json") is None


def test_a_failed_write_leaves_the_old_file_alone(path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(trusted.os, "fsync", full)
    with pytest.warns(RuntimeWarning, match="No space left on device"):
        assert not trusted.store(path, b"new")
    assert os.listdir(path.parent) == ["one.json"]
    assert trusted.load(path) == b"whole"


def test_a_link_in_the_place_of_a_file_is_replaced_not_followed(path, tmp_path):
    (tmp_path / "mine").write_bytes(b"mine")
    path.unlink()
    path.symlink_to(tmp_path / "mine")
    assert trusted.store(path, b"new")
    assert (trusted.load(path), (tmp_path / "mine").read_bytes()) == (b"new", b"mine")
