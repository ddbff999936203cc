"""`--help` of the scripts in ci/: it names every option, and makes no environment."""

import argparse
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SCRIPTS = sorted(p.name for p in (ROOT / "ci").iterdir() if p.is_file() and not p.suffix)
WITH_PYTHON = {"drivers", "oclgrind"}  # their help is argparse's, of a program that needs nothing but Python itself

pytestmark = pytest.mark.skipif(os.name == "nt", reason="the scripts are for bash")


@pytest.fixture
def clone(tmp_path):
    shutil.copytree(ROOT / "ci", tmp_path / "ci", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def helped(clone, name, *arguments):
    python = sys.executable if name in WITH_PYTHON else "/bin/false"
    env = {**os.environ, "PYTHON": python, "PYTHONDONTWRITEBYTECODE": "1", "COLUMNS": "80"}
    return subprocess.run([clone / "ci" / name, *arguments], capture_output=True, text=True, check=False, env=env, cwd=clone)


@pytest.mark.parametrize("flag", ["-h", "--help"])
@pytest.mark.parametrize("name", SCRIPTS)
def test_help_makes_no_environment(name, flag, clone):
    run = helped(clone, name, flag)
    assert (run.returncode, run.stderr) == (0, "")
    assert f"ci/{name}" in run.stdout
    assert [p.name for p in clone.iterdir()] == ["ci"]


@pytest.mark.parametrize(("name", "arguments"), [("demo", ["--epochs", "1", "-h"]), ("fuzz", ["--minutes", "1", "--help"])])
def test_help_is_found_behind_other_arguments(name, arguments, clone):
    assert helped(clone, name, *arguments).stdout == helped(clone, name, "--help").stdout


def test_a_processor_is_needed(clone):
    run = helped(clone, "emulated")
    assert run.returncode == 2
    assert "ci/emulated Haswell" in run.stdout


def options(parse, monkeypatch):
    """The options of the first ArgumentParser that a function uses."""
    found = []

    def note(parser, *_):
        found.extend(o for action in parser._actions for o in action.option_strings)
        raise SystemExit

    monkeypatch.setattr(argparse.ArgumentParser, "parse_args", note)
    with pytest.raises(SystemExit):
        parse()
    return set(found)


def head(name):
    lines = (ROOT / "ci" / name).read_text(encoding="utf-8").splitlines()
    head = lines[1:next(i for i, line in enumerate(lines) if line[:1] != "#")]
    return set(re.findall(r"(?<!\S)--?[a-z][a-z-]*", "\n".join(head)))


def test_the_demo_names_the_options_of_its_program(monkeypatch):
    pytest.importorskip("sklearn")
    pytest.importorskip("matplotlib")
    monkeypatch.syspath_prepend(str(ROOT / "examples"))
    import digits

    assert head("demo") == options(lambda: digits.main([]), monkeypatch)


def test_fuzz_names_the_options_of_its_program(monkeypatch):
    pytest.importorskip("torch")
    monkeypatch.syspath_prepend(str(ROOT / "ci"))
    from fuzzing import __main__ as fuzz

    assert head("fuzz") == options(lambda: fuzz._parse([]), monkeypatch)


@pytest.mark.parametrize("name", ["layers", "docstrings"])
def test_checks_have_help_too(name, monkeypatch, capsys):
    monkeypatch.syspath_prepend(str(ROOT / "ci"))
    module = __import__(name)
    assert module.main(["--help"]) == 0
    assert f"python3 ci/{name}.py" in capsys.readouterr().out
