"""Type stubs: up to date, and what two type checkers say of programs with them.  The programs are in tests/typed_programs."""

import importlib
import json
import os
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

from cltensor.cli import main
from cltensor.cli.stubs import command

ROOT = Path(__file__).resolve().parent.parent
ACCEPTED = sorted((ROOT / "tests" / "typed_programs" / "accepted").glob("*.py"))
REJECTED = sorted((ROOT / "tests" / "typed_programs" / "rejected").glob("*.py"))


def test_stubs_are_up_to_date(capsys):
    assert main(["stubs", "--check"]) == 0, capsys.readouterr().out


def test_stubs_do_not_depend_on_what_was_imported():
    before = command.texts()
    for module in ("cltensor.selftest", "cltensor.autograd.trees", "cltensor.nn.aten", "cltensor.signal.periods"):
        importlib.import_module(module)
    assert command.texts() == before
    assert "import selftest" not in "".join(before.values())


def test_stubs_are_written_where_one_says(tmp_path, capsys):
    assert main(["stubs", str(tmp_path)]) == 0
    assert "class Tensor" in (tmp_path / "tensor" / "core" / "tensor.pyi").read_text()
    assert main(["stubs", "--check", str(tmp_path)]) == 0
    (tmp_path / "linalg.pyi").write_text("")
    capsys.readouterr()
    assert main(["stubs", "--check", str(tmp_path)]) == 1
    assert "linalg.pyi" in capsys.readouterr().out
    assert main(["stubs", str(tmp_path / "nowhere")]) == 1


@pytest.mark.device
@pytest.mark.any_style
@pytest.mark.parametrize("program", ACCEPTED, ids=lambda p: p.stem)
def test_the_accepted_programs_run(program, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    runpy.run_path(str(program), run_name="__main__")


def by_mypy(files, tmp_path):
    """{file name: errors} that mypy finds."""
    pytest.importorskip("mypy")
    options = ["--follow-imports=silent", "--no-error-summary", "--scripts-are-modules", "--cache-dir", str(tmp_path)]
    run = subprocess.run([sys.executable, "-m", "mypy", *options, *map(str, files)], capture_output=True, text=True, cwd=ROOT,
                         timeout=280, env={**os.environ, "MYPYPATH": str(ROOT)})
    assert run.returncode in (0, 1), run.stdout + run.stderr
    found = {f.name: [] for f in files}
    for line in run.stdout.splitlines():
        path, _, rest = line.partition(":")
        if " error: " in rest:
            found.setdefault(Path(path).name, []).append(rest)
    return found


def by_pyright(files, tmp_path):
    """{file name: errors} that pyright finds."""
    pytest.importorskip("pyright")
    options = ["--outputjson", "--pythonpath", sys.executable]
    run = subprocess.run([sys.executable, "-m", "pyright", *options, *map(str, files)], cwd=ROOT, timeout=280,
                         capture_output=True, text=True)
    found = {f.name: [] for f in files}
    for d in json.loads(run.stdout)["generalDiagnostics"]:
        if d["severity"] == "error":
            found.setdefault(Path(d["file"]).name, []).append(d["message"])
    return found


@pytest.mark.parametrize("checker", [by_mypy, by_pyright])
def test_type_checkers_accept_right_programs_and_see_what_is_wrong(checker, tmp_path):
    found = checker([*ACCEPTED, *REJECTED], tmp_path)
    assert {f.name: found[f.name] for f in ACCEPTED if found[f.name]} == {}
    assert [f.name for f in REJECTED if not found[f.name]] == []
    assert set(found) == {f.name for f in (*ACCEPTED, *REJECTED)}
