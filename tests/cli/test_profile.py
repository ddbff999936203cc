"""cltensor profile: the report, the program's output, errors and exit status, and the files."""

import json
import re
import subprocess
import sys

import pytest

from cltensor.cli import main

pytestmark = [pytest.mark.device, pytest.mark.plain]

TRAINING = """
import sys
import cltensor as ct
from cltensor import nn

def main():
    net = nn.Linear(4, 2)
    optimizer = ct.optim.SGD(net.parameters(), lr=0.1)
    for _ in range(20):
        loss = net(ct.ones(8, 4)).pow(2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        loss.item()
    print("arguments", sys.argv[1:], __name__, __file__)

if __name__ == "__main__":
    main()
"""


@pytest.fixture
def program(tmp_path):
    def write(text):
        path = tmp_path / "program.py"
        path.write_text(text)
        return str(path)

    return write


def test_a_program_is_run_and_reported(program, capsys, tmp_path):
    path, page, trace = program(TRAINING), tmp_path / "page.html", tmp_path / "trace.json"
    before = sys.argv[:], sys.path[:], sys.modules["__main__"]
    assert main(["profile", "--memory", "--html", str(page), "--trace", str(trace), "--top", "3", path, "--steps", "3"]) == 0
    assert (sys.argv, sys.path, sys.modules["__main__"]) == before
    out, err = capsys.readouterr()
    assert err == ""
    lines = out.splitlines()
    assert lines[0] == f"arguments ['--steps', '3'] __main__ {path}"
    assert max(map(len, [line for line in lines[1:] if path not in line])) < 80
    assert "On the device" in out
    assert "On the host" in out
    assert "Memory: at most" in out
    assert "What to do about it:" in out
    assert re.search(r"device     busy \d+ %, forward \d+ %", out)
    at = next(i for i, line in enumerate(lines) if line.startswith("On the device"))
    assert lines[at + 5] == ""
    assert "<canvas" in page.read_text(encoding="utf-8")
    assert json.loads(trace.read_text())["traceEvents"]


@pytest.mark.parametrize(("text", "status", "message"), [
    ("raise SystemExit(3)", 3, ""), ("raise SystemExit", 0, ""), ("raise SystemExit('stopped')", 1, "stopped\n"),
    ("import sys; sys.exit(0)", 0, ""),
])
def test_exit_statuses_are_kept(program, capsys, text, status, message):
    assert main(["profile", program(text)]) == status
    out, err = capsys.readouterr()
    assert err == message
    assert "Profile of" in out


def test_errors_are_shown_as_python_shows_them(program):
    path = program("def f():\n    1 / 0\n\nf()\n")
    plain = subprocess.run([sys.executable, path], capture_output=True, text=True, check=False)
    ours = subprocess.run([sys.executable, "-m", "cltensor", "profile", path], capture_output=True, text=True, check=False)
    assert plain.returncode == ours.returncode == 1
    assert ours.stderr == plain.stderr
    assert "nothing stands out." in ours.stdout


def test_syntax_errors_are_too(program):
    path = program("x = (\n")
    plain = subprocess.run([sys.executable, path], capture_output=True, text=True, check=False)
    ours = subprocess.run([sys.executable, "-m", "cltensor", "profile", path], capture_output=True, text=True, check=False)
    assert ours.stderr == plain.stderr
    assert ours.returncode == plain.returncode == 1


def test_an_interrupt(program, capsys):
    assert main(["profile", program("raise KeyboardInterrupt")]) == 130
    assert "KeyboardInterrupt" in capsys.readouterr().err


def test_a_module(tmp_path, capsys, monkeypatch):
    (tmp_path / "module_to_profile.py").write_text("import sys\nprint(__name__, sys.argv[1:])\n")
    monkeypatch.chdir(tmp_path)
    assert main(["profile", "-m", "module_to_profile", "x"]) == 0
    assert capsys.readouterr().out.startswith("__main__ ['x']\n")


@pytest.mark.parametrize("arguments", [["nowhere.py"], ["-m", "no_such_module"], ["-m", "no.such.module"]])
def test_what_is_not_there(arguments, capsys):
    assert main(["profile", *arguments]) == 2
    assert "there is no" in capsys.readouterr().err


def test_workers_import_the_program(program, capsys):
    path = program("import multiprocessing\n\ndef f(x):\n    return x * 2\n\nif __name__ == '__main__':\n"
                   "    with multiprocessing.get_context('spawn').Pool(1) as pool:\n        print(pool.map(f, [1, 2]))\n")
    assert main(["profile", path]) == 0
    assert capsys.readouterr().out.startswith("[2, 4]\n")
