"""docs/command-line.md tells the truth: the keys of every --json, and the examples there and in every --help."""

import dataclasses
import json
import re
import shlex
from pathlib import Path

import pytest

import cltensor as ct
from cltensor.cli import main
from cltensor.cli.command import parser
from cltensor.cli.doctor import command as doctor
from cltensor.onnx.reading.info import Info
from cltensor.runtime.cache import kernel_cache

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "command-line.md").read_text(encoding="utf-8")
OPTIONAL = {"refused"}  # keys that are there only where something is wrong


def documented(command):
    """The keys in the table under the heading of a command, and the words in backticks of the whole section."""
    section = re.search(rf"^### `{re.escape(command)}`\n(.*?)(?=^#|\Z)", PAGE, re.M | re.S)[1]
    keys = {key for row in re.findall(r"^\| (`.*?) \|", section, re.M) for key in re.findall(r"`(\w+)`", row)}
    return keys, set(re.findall(r"`(\w+)`", section))


def said(capsys, *arguments, status=0):
    capsys.readouterr()
    assert main(list(arguments)) == status
    out, err = capsys.readouterr()
    assert err == ""
    return json.loads(out)


@pytest.fixture
def _folder(tmp_path, monkeypatch):
    monkeypatch.setenv("CLTENSOR_CACHE_DIR", str(tmp_path / "cache"))


@pytest.mark.usefixtures("_folder")
def test_cache(capsys):
    kernel_cache().put("ab" * 32, b"binary")
    assert set(said(capsys, "cache", "info", "--json")) == documented("cltensor cache info --json")[0] - OPTIONAL
    assert set(said(capsys, "cache", "clear", "--json")) == documented("cltensor cache clear --json")[0]


def test_kernels(capsys):
    [entry] = said(capsys, "kernels", "list", "softmax", "--json")
    assert set(entry) == documented("cltensor kernels list --json")[0]
    assert entry["parameters"].keys() == entry["allowed"].keys()
    assert said(capsys, "kernels", "list", "--ops", "--json")["matmul"] == "kernel"
    found = said(capsys, "kernels", "build", "softmax", "--json")
    keys, words = documented("cltensor kernels build --json")
    assert set(found) | set(found["kernels"][0]) <= keys | words
    assert set(found) <= keys


def test_doctor(capsys, monkeypatch):
    described = {"device": "opencl:0", "place": "0.0", "naming": None, "name": "A CPU", "kind": "cpu", "platform": "Maker",
                 "driver": "1", "version": "OpenCL 3.0", "profile": {"style": "cpu"}}
    looked = {"search": {"loader": "x", "vendor_folders": {}, "platforms": [], "environment": {}, "error": None}, "unloadable": {},
              "devices": [described], "default": {"device": "opencl:0", "reason": "the only device"}}
    monkeypatch.setattr(doctor, "_look", lambda *_, **__: looked)
    monkeypatch.setattr(doctor, "check", lambda *_: {"cpu": {"add": {"seconds": 1}}})
    monkeypatch.setenv("CLTENSOR_CACHE_DIR", "/dev/null")
    found = said(capsys, "doctor", "--json", status=1)
    keys, words = documented("cltensor doctor --json")
    assert set(found) == keys
    assert set(found["devices"][0]) <= words
    assert set(found["problems"][0]) == {"what", "cure"}


def test_onnx():
    assert {field.name for field in dataclasses.fields(Info)} == documented("cltensor onnx info --json")[0]


@pytest.mark.device
@pytest.mark.any_style
def test_export(capsys, tmp_path):
    file = str(tmp_path / "double.ctp")
    ct.export.save(lambda x: x * 2, file, (ct.ones(3),))
    for name in ("info", "check", "run"):
        found = said(capsys, "export", name, file, "--json")
        assert set(found) == documented(f"cltensor export {name} --json")[0]
    assert main(["export", "run", file, "--output", str(tmp_path / "nowhere" / "y")]) == 2
    assert "there is no folder" in capsys.readouterr().err


@pytest.mark.device
@pytest.mark.any_style
def test_bench(capsys):
    found = said(capsys, "bench", "overhead", "--sizes", "8", "--rounds", "1", "--json", "-")
    keys, words = documented("cltensor bench --json FILE")
    assert set(found) == keys
    assert set(found["cltensor"]) | set(found["results"][0]) <= words


@pytest.mark.device
@pytest.mark.any_style
@pytest.mark.usefixtures("_folder")
def test_tune(capsys, tmp_path):
    found = said(capsys, "tune", "bmm", "--sizes", "2", "--seconds", "4", "--json")
    keys, words = documented("cltensor tune --json")
    others = {"imported", "exported"}
    assert set(found) == keys - others
    assert {k for r in found["results"] for k in r} <= words
    if found["results"] and not found["results"][0]["error"]:
        assert set(said(capsys, "tune", "--export", str(tmp_path / "f"), "--json")) == {"exported"}
        assert set(said(capsys, "tune", "--import", str(tmp_path / "f"), "--json")["imported"]) == {"device", "results", "database"}


def test_all_commands_are_on_the_page():
    commands = {p.prog for p in parser().descendants() if p.prog.count(" ") == 1}
    assert set(re.findall(r"^\| `(cltensor \w+)`", PAGE, re.M)) == commands
    with_json = {p.prog for p in parser().descendants() if "--json" in p._option_string_actions}
    described = {re.sub(r" --json.*", "", c) for c in re.findall(r"^### `(.*?)`", PAGE, re.M)}
    assert with_json == described | {"cltensor kernels render"}  # on a page of its own, docs/kernels.md


# --- examples ---------------------------------------------------------------------------------------------------------


def in_help():
    """(command, line) of the examples in every --help."""
    made = parser()
    for p in (made, *made.descendants()):
        text = p.epilog or ""
        yield from ((p.prog, line.strip()) for line in text.splitlines() if line.startswith("  cltensor "))


EXAMPLES = sorted({line for _, line in in_help()})


def test_commands_that_need_an_example_have_one():
    assert {"cltensor bench", "cltensor tune", "cltensor kernels render", "cltensor kernels recipe", "cltensor profile"} <= {
        prog for prog, _ in in_help()}


@pytest.mark.parametrize("line", EXAMPLES)
def test_examples_of_the_help_are_understood(line, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    arguments = shlex.split(line)[1:]
    options = parser().parse_args(arguments)
    assert callable(options.run)
    if options.command == "kernels":
        assert main(arguments) == 0
