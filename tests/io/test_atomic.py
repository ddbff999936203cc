"""A write that fails or is interrupted leaves the old file; one that succeeds leaves the complete new one."""

import errno
import io
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from cltensor.io.atomic import replacing, write_all

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def target(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"old")
    return path


def only(target):
    """Whether nothing but target lies in its folder."""
    return [p.name for p in target.parent.iterdir()] == [target.name]


def test_replaces_and_keeps_the_mode(target):
    target.chmod(0o640)
    with replacing(target) as out:
        out.write(b"new")
        assert target.read_bytes() == b"old"
    assert target.read_bytes() == b"new"
    assert target.stat().st_mode & 0o777 == 0o640
    assert only(target)


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt(), ValueError()])
def test_an_error_while_writing_leaves_the_old_file_and_nothing_else(target, error):
    def fails_half_way():
        with replacing(target) as out:
            out.write(b"half")
            raise error

    with pytest.raises(type(error)):
        fails_half_way()
    assert target.read_bytes() == b"old"
    assert only(target)


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_an_error_at_the_end_leaves_the_old_file_and_nothing_else(target, monkeypatch, step):
    def fails(*args):
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, step, fails)
    with pytest.raises(OSError, match="Input/output error"), replacing(target) as out:
        out.write(b"new")
    monkeypatch.undo()
    assert target.read_bytes() == b"old"
    assert only(target)


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
def test_a_killed_process_leaves_the_old_file(target):
    text = ("import os, signal, sys\nfrom cltensor.io.atomic import replacing\n"
            "with replacing(sys.argv[1]) as out:\n    out.write(b'half' * 100000)\n    os.kill(os.getpid(), signal.SIGKILL)\n")
    done = subprocess.run([sys.executable, "-c", text, str(target)], cwd=ROOT, check=False)
    assert done.returncode == -signal.SIGKILL
    assert target.read_bytes() == b"old"


def test_links_are_followed(target):
    link = target.parent / "link"
    link.symlink_to(target)
    with replacing(link) as out:
        out.write(b"new")
    assert link.is_symlink()
    assert target.read_bytes() == b"new"


@pytest.mark.skipif(not os.path.exists(os.devnull) or sys.platform == "win32", reason="needs a device file")
def test_a_device_is_written_to_and_stays_one():
    with replacing(os.devnull) as out:
        out.write(b"new")
    assert not os.path.isfile(os.devnull)


def test_a_folder_that_is_not_there(tmp_path):
    for kind in (FileNotFoundError, RuntimeError):
        with pytest.raises(kind, match=r"save: the folder of '.*file' is not there; make '.*no' first"), \
                replacing(tmp_path / "no" / "file"):
            pass


@pytest.mark.parametrize("name", ["é" * 120, "x" * 250, "\U0001f600" * 60], ids=["two bytes each", "long", "four bytes each"])
def test_any_legal_name_will_do(tmp_path, name):
    with replacing(tmp_path / name) as out:
        out.write(b"new")
    assert (tmp_path / name).read_bytes() == b"new"


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
def test_what_a_killed_process_left_goes_with_the_next_save_and_what_is_being_written_stays(target):
    test_a_killed_process_leaves_the_old_file(target)
    assert len(list(target.parent.iterdir())) == 2
    with replacing(target.parent / "another") as out:
        out.write(b"first")
        with replacing(target) as other:
            other.write(b"second")
    assert sorted(p.name for p in target.parent.iterdir()) == ["another", "file"]
    assert (target.read_bytes(), (target.parent / "another").read_bytes()) == (b"second", b"first")


class Sparing(io.RawIOBase):
    """A file that takes at most a few bytes at a time, and only so many."""

    def __init__(self, room):
        self.taken, self.room = b"", room

    def writable(self):
        return True

    def write(self, data):
        part = bytes(data[: min(7, self.room - len(self.taken))])
        self.taken += part
        return len(part) or None


def test_a_file_that_takes_a_part_at_a_time_gets_everything():
    out = Sparing(1000)
    write_all(out, bytes(range(200)))
    assert out.taken == bytes(range(200))


def test_a_file_that_takes_no_more_is_an_error():
    with pytest.raises(BlockingIOError, match="no more than a part of the data, 150 bytes are left"):
        write_all(Sparing(50), bytes(200))


def test_a_file_that_does_not_count_is_trusted():
    class Silent:
        def write(self, data):
            self.taken = bytes(data)

    out = Silent()
    write_all(out, b"all")
    assert out.taken == b"all"


@pytest.mark.skipif(not hasattr(os, "O_NONBLOCK") or sys.platform == "win32", reason="needs a pipe that does not wait")
def test_a_full_pipe_is_an_error():
    read, write = os.pipe()
    os.set_blocking(write, False)
    with os.fdopen(read, "rb", 0), os.fdopen(write, "wb", 0) as out, pytest.raises(BlockingIOError, match="bytes are left"):
        write_all(out, bytes(10**6))
