"""The process's own folder: out of others' reach, where kernels can be loaded, gone with the process or soon after."""

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from cltensor.runtime import pocl, scratch

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no locks on folders")
ROOT = Path(__file__).resolve().parents[2]
USER = f"cltensor-{os.geteuid() if hasattr(os, 'geteuid') else 0}"


@pytest.fixture(autouse=True)
def places(monkeypatch, tmp_path):
    """A temporary folder and a cache folder of the test's own, and a process without its folder."""
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    monkeypatch.setenv("CLTENSOR_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setattr(scratch, "_mine", None)
    monkeypatch.setattr(scratch, "_moved", [])
    monkeypatch.setenv("POCL_WORK_GROUP_SPECIALIZATION", "0")
    monkeypatch.setenv("POCL_CACHE_DIR", "")
    monkeypatch.delenv("POCL_CACHE_DIR")
    yield tmp_path
    scratch.remove()


def test_it_is_this_users_alone_and_the_same_every_time(places):
    made = scratch.folder()
    assert made.parent == places / "temporary" / USER
    assert scratch.folder() == made
    assert [p.stat().st_mode & 0o777 for p in (made, made.parent)] == [0o700, 0o700]


def test_it_is_made_again_where_it_was_removed():
    made = scratch.folder()
    made.rmdir()
    assert scratch.folder().is_dir()


def test_a_folder_that_others_reach_is_passed_over(places):
    (places / "temporary" / USER).mkdir()
    (places / "temporary" / USER).chmod(0o777)
    assert scratch.folder().parent == places / "cache" / "processes"


def test_a_temporary_folder_where_others_exchange_files_is_passed_over(places):
    (places / "temporary").chmod(0o777)
    assert scratch.folder().parent == places / "cache" / "processes"
    scratch.remove()


def test_a_folder_where_no_kernel_can_be_written_is_passed_over(places, monkeypatch):
    monkeypatch.setattr(scratch, "_takes", lambda place: place.is_relative_to(places / "cache"))
    assert scratch.folder().parent == places / "cache" / "processes"


def test_a_full_disk_is_said(monkeypatch, places):
    class Full:
        f_flag, f_bavail, f_frsize = 0, 10, 4096

    monkeypatch.setattr(scratch.os, "statvfs", lambda path: Full)
    assert "has less than 4 MiB left; make room" in scratch.fault(places)
    Full.f_flag = os.ST_NOEXEC
    assert "noexec; set TMPDIR" in scratch.fault(places)


def run(code, **settings):
    return subprocess.run([sys.executable, "-c", "import os, signal\nfrom cltensor.runtime import scratch\n" + code], cwd=ROOT,
                          check=False, capture_output=True, text=True, timeout=60,
                          env={**os.environ, "TMPDIR": tempfile.tempdir, **settings})


def test_it_goes_with_the_process(places):
    done = run("print(scratch.folder())\nif os.fork() == 0: raise SystemExit\nos.wait()\nassert scratch.folder().is_dir()")
    assert done.returncode == 0, done.stderr
    assert not list((places / "temporary" / USER).iterdir())


def test_that_of_a_killed_process_goes_with_the_next_and_that_of_a_living_one_stays(places):
    done = run("scratch.folder()\nos.kill(os.getpid(), signal.SIGKILL)")
    assert done.returncode == -signal.SIGKILL
    left, = (places / "temporary" / USER).iterdir()
    made = scratch.folder()
    assert not left.exists()
    assert run("scratch.folder()").returncode == 0
    assert made.is_dir()


def test_a_limit_on_the_size_of_files_is_said():
    done = run("import resource\nresource.setrlimit(resource.RLIMIT_FSIZE, (1000, -1))\nprint(scratch.fault(scratch.folder()))")
    assert "no file of more than 1000 bytes" in done.stdout
    assert "ulimit -f" in done.stdout


def test_a_childs_folder_in_the_parents_is_the_parents_to_remove(places):
    mine = scratch.folder() / "child"
    mine.mkdir()
    scratch.adopt(mine)
    assert scratch.folder() == mine
    scratch.remove()
    assert mine.is_dir()


def test_where_the_disk_fills_up_what_is_there_moves_on(places, monkeypatch):
    """The path stays, since PoCL has read it once."""
    pocl.provide()
    path = Path(os.environ["POCL_CACHE_DIR"])
    assert path == scratch.folder() / "pocl"
    (path / "kernel.so").write_bytes(b"code")
    rooms = {places / "cache"}

    def fault(path):
        return None if any(room in Path(path).resolve().parents for room in rooms) else "no room; make some"

    monkeypatch.setattr(scratch, "fault", fault)
    assert pocl.fault() is None
    assert path.is_symlink()
    assert (path / "kernel.so").read_bytes() == b"code"
    assert places / "cache" in path.resolve().parents
    rooms.clear()
    assert pocl.fault() == "no room; make some"
    assert (path / "kernel.so").read_bytes() == b"code"
    scratch.remove()
    assert not list(places.rglob(f"{scratch.PREFIX}*"))
