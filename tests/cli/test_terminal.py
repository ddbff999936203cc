"""Closed streams, full disks, narrow terminals: no traceback, nothing lost, columns that do not collide."""

import json
import os
import re
import subprocess
import sys

import pytest

from cltensor.cli import main
from cltensor.cli.bench import cases, plan, rows
from cltensor.cli.output import Table, fields, table
from cltensor.cli.terminal import columns

POSIX = pytest.mark.skipif(os.name == "nt", reason="a shell's way to close streams")
QUICK = ["kernels list softmax", "--help"]


def shell(line, **settings):
    program = f"'{sys.executable}' -m cltensor {line}"
    return subprocess.run(["bash", "-c", program], capture_output=True, text=True, check=False, env={**os.environ, **settings})


@POSIX
@pytest.mark.parametrize("line", QUICK)
def test_closed_standard_output_is_no_error(line):
    run = shell(f"{line} >&-")
    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")


@POSIX
def test_a_closed_stream_keeps_the_status_and_lends_its_number_to_no_file(tmp_path):
    run = shell("kernels list nothing 2>&-")
    assert (run.returncode, run.stdout) == (2, "")
    folder = tmp_path / "out"
    run = shell(f"kernels recipe matmul --m 4 --n 4 --k 4 -o '{folder}' >&- 2>&-")
    assert run.returncode == 0
    assert "runs 1 kernel" not in "".join(p.read_text() for p in folder.glob("*.c*"))


@POSIX
@pytest.mark.parametrize("line", QUICK[1:])
def test_a_pipe_that_is_closed_early_is_quiet(line):
    run = shell(f"{line} | head -c 0; exit ${{PIPESTATUS[0]}}")
    assert run.returncode in (0, 141)
    assert run.stderr == ""


@POSIX
def test_a_character_that_a_stream_cannot_hold_is_escaped(tmp_path):
    run = shell("cache info", PYTHONIOENCODING="ascii", CLTENSOR_CACHE_DIR=str(tmp_path / "Platz für Kerne"))
    assert (run.returncode, run.stderr) == (0, "")
    assert "f\\xfcr" in run.stdout


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no full disk to write to")
@pytest.mark.parametrize("line", QUICK)
@pytest.mark.parametrize("language", ["C.UTF-8", "en_GB.UTF-8", "C"])  # Python writes strictly in some, in others not
def test_a_full_disk_is_one_line(line, language):
    run = shell(f"{line} >/dev/full", LANG=language)
    assert run.returncode == 1
    assert run.stderr == "cltensor: what was to be printed could not be written: No space left on device\n"


@pytest.mark.skipif(os.name == "nt", reason="terminals are opened differently there")
def test_no_escape_sequences_on_a_terminal():
    import pty

    primary, secondary = pty.openpty()
    process = subprocess.Popen([sys.executable, "-m", "cltensor", "--help"], stdout=secondary, stderr=secondary,
                               env={**os.environ, "NO_COLOR": "1", "TERM": "dumb"})
    assert process.wait(60) == 0
    os.close(secondary)
    assert b"\x1b" not in os.read(primary, 1 << 16)
    os.close(primary)


@pytest.mark.parametrize(("given", "found"), [("40", 40), ("200", 80), ("1", 20), ("0", 80), ("wide", 80), ("", 80)])
def test_the_width_is_the_terminals(given, found, monkeypatch):
    monkeypatch.setenv("COLUMNS", given)
    assert columns() == found


@pytest.mark.parametrize("width", [20, 40, 79, 80])
@pytest.mark.parametrize("arguments", [["--help"], ["bench", "--help"], ["kernels", "list", "softmax"],
                                       ["kernels", "build", "softmax"], ["kernels", "list", "--ops"]], ids=" ".join)
def test_text_keeps_to_the_terminal_and_loses_no_word(arguments, width, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    assert main(arguments) == 0
    wide = set(re.findall(r"\w{3,}", capsys.readouterr().out))
    monkeypatch.setenv("COLUMNS", str(width))
    assert main(arguments) == 0
    out = capsys.readouterr().out
    if width in (40, 79):
        long = [line for line in out.splitlines() if len(line) >= width and len(line.split()) > 3 and "-" * 9 not in line]
        assert long == []
    assert wide <= set(re.findall(r"\w{3,}", out))


LONG = [("a short one", "8x8", "1.00 us"), ("generate, a token of the GPT", "1024x1024x1024", "12.3456 ms and more")]


@pytest.mark.parametrize("width", ["20", "40", "80"])
def test_columns_do_not_collide(width, monkeypatch):
    monkeypatch.setenv("COLUMNS", width)
    made = Table(("case", "size", "time"), (4, 4, 4), right=(1, 2))
    for cells in LONG:
        text = "\n".join([*made.head(), *made.row(cells)])
        for cell in cells:
            assert re.search(rf"(?m)(^|  ){re.escape(cell)}(  |$)", text) or width == "20"


def test_a_narrow_terminal_gets_a_rows_cells_below_each_other(monkeypatch):
    monkeypatch.setenv("COLUMNS", "30")
    lines = table(("case", "size", "time"), LONG, right=(1, 2))
    assert lines[:5] == ["case", "----", "a short one", "    size  8x8", "    time  1.00 us"]


def test_a_last_column_of_text_is_wrapped(monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    lines = table(("name", "remark"), [("softmax", "word " * 12)])
    assert max(map(len, lines)) < 40
    assert lines[2].startswith("softmax  word")
    assert lines[3].startswith("         word")


def test_fields_of_long_names_stand_above_their_values(monkeypatch):
    monkeypatch.setenv("COLUMNS", "24")
    assert fields([("a rather long name", "and its value")]) == ["  a rather long name", "    and its value"]


@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize("peer", [None, "torch"])
def test_rows_of_every_benchmark_fit_80_columns(compiled, peer, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    for family in cases.FAMILIES:
        chosen = plan.plan([family], None)
        made = rows.Rows(chosen, peer, compiled)
        names = ["seconds", *["compiled_seconds"] * compiled]
        times = dict.fromkeys([*names, *(f"peer_{name}" for name in names if peer)], 0.123)
        for _, case, size in chosen:
            given = {"case": case.name, "size": size, "gflops": 1234.0, "difference": None, **times}
            lines = made.row({**given, "ratio": 12.3} if peer or compiled else given)
            assert max(map(len, lines)) < 80
            assert re.match(rf"{re.escape(case.name)}($|  )", lines[0])


def test_titles_tell_layouts_apart():
    from cltensor.cli.tune.calls import shown

    def call(shape, strides):
        return shown({"op": "matmul", "inputs": [{"shape": shape, "strides": strides}, None]})

    assert call([4, 8], [8, 1]) == "matmul (4, 8)"
    assert call([4, 8], [1, 4]) == "matmul (4, 8) by columns"
    assert call([2, 4, 8], [32, 1, 4]) == "matmul (2, 4, 8) by columns"
    assert call([4, 8], [16, 2]) == "matmul (4, 8) with strides (16, 2)"
    assert call([4, 1], [1, 7]) == "matmul (4, 1)"
    assert call([], []) == "matmul ()"


def test_json_has_no_number_that_json_has_not():
    from cltensor.cli.output import as_json

    text = as_json({"a": [float("nan"), 1.5], "b": float("inf")})
    assert json.loads(text, parse_constant=pytest.fail) == {"a": [None, 1.5], "b": None}
