"""The command as a whole: exit statuses, errors of one line, help within 80 columns."""

import os
import subprocess
import sys

import pytest

from cltensor.base.errors import BuildError, ShapeError
from cltensor.cli import command, main
from cltensor.cli.command import in_one_line
from cltensor.version import __version__

COMMANDS = [[], ["doctor"], ["kernels"], ["kernels", "list"], ["kernels", "render"], ["kernels", "build"], ["bench"],
            ["profile"], ["tune"], ["cache"], ["cache", "info"], ["cache", "clear"]]


def run(*arguments, **options):
    command = [sys.executable, "-m", "cltensor", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, **options)


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_help_fits_80_columns(arguments, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    assert main([*arguments, "--help"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("usage: cltensor")
    assert max(map(len, lines)) < 80


@pytest.mark.parametrize("arguments", [
    [], ["doktor"], ["doctor", "--nothing"], ["doctor", "--timeout", "-1"], ["kernels"], ["cache"], ["bench"],
    ["kernels", "render"], ["kernels", "render", "nothing"], ["kernels", "build"], ["bench", "nothing"],
    ["bench", "matmul", "--sizes", "1x"], ["profile"], ["profile", "--top", "0", "x.py"], ["profile", "nowhere.py"],
], ids=" ".join)
def test_misuse_is_one_line_and_status_2(arguments, capsys):
    assert main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("cltensor")
    assert err.count("\n") == 1


def test_version(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"cltensor {__version__}\n"


def test_module_runs_as_a_program():
    assert run("--version").stdout == f"cltensor {__version__}\n"


@pytest.mark.parametrize(("error", "line"), [
    (ShapeError("sum: wrong\n  shape"), "cltensor: sum: wrong shape\n"),
    (ZeroDivisionError("by zero"), "cltensor: ZeroDivisionError: by zero (CLTENSOR_DEBUG=1 shows where)\n"),
    (FileNotFoundError(2, "No such file", "here.cl"), "cltensor: here.cl: No such file\n"),
])
def test_failure_is_one_line_and_status_1(error, line, capsys, monkeypatch):
    def fail():
        raise error

    monkeypatch.setattr(command, "parser", fail)
    monkeypatch.delenv("CLTENSOR_DEBUG", raising=False)
    assert main([]) == 1
    assert capsys.readouterr() == ("", line)


def test_debug_shows_the_traceback(capsys, monkeypatch):
    monkeypatch.setattr(command, "parser", lambda: 1 / 0)
    monkeypatch.setenv("CLTENSOR_DEBUG", "1")
    assert main([]) == 1
    assert "Traceback" in capsys.readouterr().err


def test_compiler_log_is_left_out():
    assert in_one_line(BuildError("kernel f does not compile:\n3: error\nsource")) == \
        "kernel f does not compile (CLTENSOR_DEBUG=1 shows the compiler's log)"


def test_interrupt_is_quiet(capsys, monkeypatch):
    def interrupt():
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "parser", interrupt)
    assert main([]) == 130
    assert capsys.readouterr() == ("", "")


@pytest.mark.skipif(os.name == "nt", reason="pipes close differently there")
def test_closed_pipe_is_quiet():
    program = f"import sys; from cltensor.cli import main; sys.stdin.read(); sys.exit(main({['kernels', 'list']}))"
    process = subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True)
    process.stdout.close()
    _, err = process.communicate()
    assert (process.returncode, err) == (141, "")
