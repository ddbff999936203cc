"""Files and folders that arguments name are tried out before anything runs."""

import os
import subprocess
import sys

import pytest

from cltensor.cli import main

TAKE_A_FILE = [["bench", "overhead", "--json"], ["tune", "matmul", "--export"], ["profile", "--html"], ["profile", "--trace"],
               ["kernels", "render", "softmax", "-o"]]
TAKE_A_FOLDER = [["kernels", "build", "softmax", "-o"], ["kernels", "recipe", "matmul", "--m", "2", "--n", "2", "--k", "2", "-o"]]


@pytest.fixture
def program(tmp_path):
    (tmp_path / "program.py").write_text(f"open({str(tmp_path / 'was_run')!r}, 'w')\n")
    return str(tmp_path / "program.py")


def refused(capsys, arguments, target, program, tmp_path):
    behind = [program] if arguments[0] == "profile" else []
    assert main([*arguments, str(target), *behind]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert not (tmp_path / "was_run").exists()
    return err


@pytest.mark.parametrize("arguments", TAKE_A_FILE, ids=" ".join)
def test_files_are_checked_before_anything_runs(arguments, program, tmp_path, capsys):
    assert "there is no folder" in refused(capsys, arguments, tmp_path / "nowhere" / "file", program, tmp_path)
    assert "is a folder; name a file in it" in refused(capsys, arguments, tmp_path, program, tmp_path)
    assert "cannot be written" in refused(capsys, arguments, "/proc/file", program, tmp_path)
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.parametrize("arguments", TAKE_A_FOLDER, ids=" ".join)
def test_folders_are_checked_before_anything_runs(arguments, program, tmp_path, capsys):
    (tmp_path / "file").touch()
    assert "is a file; name a folder" in refused(capsys, arguments, tmp_path / "file", program, tmp_path)
    assert "there can be no folder" in refused(capsys, arguments, tmp_path / "file" / "inside", program, tmp_path)
    assert "cannot be written" in refused(capsys, arguments, "/proc/folder", program, tmp_path)
    assert (tmp_path / "file").read_text() == ""


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can become another user")
def test_a_folder_without_permission(tmp_path):
    closed = tmp_path / "closed"
    closed.mkdir(0o555)
    for part in (tmp_path, tmp_path.parent, tmp_path.parent.parent):
        part.chmod(0o755)
    program = ("import argparse, os; from cltensor.cli.values import new_file; import tempfile\n"
               f"os.chdir({str(closed)!r}); os.setuid(65534)\n"
               "try:\n    new_file('f.json')\nexcept argparse.ArgumentTypeError as e:\n    print(e)")
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert "'f.json' cannot be written: Permission denied; choose another folder" in run.stdout + run.stderr


def test_a_file_is_the_old_or_the_new_one(tmp_path, capsys, monkeypatch):
    target = tmp_path / "kernel.cl"
    target.write_text("old")
    link = tmp_path / "link.cl"
    link.symlink_to(target)
    monkeypatch.setattr(os, "replace", lambda *_: (_ for _ in ()).throw(OSError(5, "broken")))
    assert main(["kernels", "render", "softmax", "-o", str(link)]) == 1
    assert target.read_text() == "old"
    monkeypatch.undo()
    assert main(["kernels", "render", "softmax", "-o", str(link)]) == 0
    assert link.is_symlink()
    assert target.read_text().startswith("// ct_softmax")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["kernel.cl", "link.cl"]
    capsys.readouterr()
    assert main(["kernels", "render", "softmax", "-o", os.devnull]) == 0
