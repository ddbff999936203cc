"""Misuse of the command line: which command an error names, and what it advises."""

import json

import pytest

from cltensor.cli import main

NO_FAMILY = "there is no 'matml'; did you mean matmul?"


def complaint(capsys, *arguments):
    assert main(list(arguments)) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    return err


@pytest.mark.parametrize(("arguments", "text"), [
    ("doctor --jsn", "cltensor doctor: there is no option --jsn; did you mean --json?; see cltensor doctor --help"),
    ("doctor --seconds 3", "cltensor doctor: there is no option --seconds; cltensor tune has it; see cltensor doctor --help"),
    ("cache info --top=3", "cltensor cache info: there is no option --top; cltensor profile has it; see cltensor cache info"),
    ("cache info --bar extra", "cltensor cache info: there is no option --bar; see cltensor cache info --help"),
    ("cache info extra", "cltensor cache info: there is no place for 'extra'; see cltensor cache info --help"),
    ("--json doctor", "cltensor: --json belongs behind the command: cltensor doctor --json; see cltensor --help"),
    ("cache --json clear", "cltensor cache: --json belongs behind the command: cltensor cache clear --json; see cltensor cache"),
    ("doktor", "cltensor: argument COMMAND: there is no 'doktor'; did you mean doctor?; see cltensor --help"),
    ("zzzz", "cltensor: argument COMMAND: there is no 'zzzz'; there are: doctor, kernels,"),
    ("bench matml", f"cltensor bench: argument FAMILY: {NO_FAMILY}; see cltensor bench --help"),
    ("bench matmul --vs tf", "cltensor bench: argument --vs: there is no 'tf'; there are: torch; see cltensor bench --help"),
    ("bench --sizes 8 matmul", "argument --sizes: 'matmul' is no size; name families first, as in matmul --sizes 512"),
    ("tune --frob", "cltensor tune: there is no option --frob; see cltensor tune --help"),
    ("stubs --chek", "cltensor stubs: there is no option --chek; did you mean --check"),
])
def test_advice_names_the_command_it_belongs_to(arguments, text, capsys):
    assert complaint(capsys, *arguments.split()).startswith(text) or text in complaint(capsys, *arguments.split())


@pytest.mark.parametrize("arguments", [
    ["doctor", "--json", "--frob"], ["doctor", "--timeout", "-1", "--json"], ["cache", "info", "--json", "extra"],
    ["kernels", "list", "nothing", "--json"], ["kernels", "render", "nothing", "--json"], ["kernels", "build", "--json"],
    ["tune", "--json"], ["tune", "softmax", "--json"], ["bench", "matml", "--json", "-"],
    ["bench", "matmul", "--sizes", "4x5", "--json", "-"],
], ids=" ".join)
def test_an_error_is_a_document_too_where_json_is_asked_for(arguments, capsys):
    assert main(arguments) == 2
    out, err = capsys.readouterr()
    said = json.loads(out)
    assert list(said) == ["error"]
    assert said["error"] in err
    assert err.count("\n") == 1


def test_a_failure_is_a_document_too(tmp_path, capsys):
    (tmp_path / "notes.json").write_text("{}")
    assert main(["tune", "--import", str(tmp_path / "notes.json"), "--json"]) == 1
    out, err = capsys.readouterr()
    assert "is no tuning database" in json.loads(out)["error"]
    assert json.loads(out)["error"] in err


def test_an_error_is_no_document_where_json_goes_to_a_file(tmp_path, capsys):
    assert "no case has a size" in complaint(capsys, "bench", "matmul", "--sizes", "4x5", "--json", str(tmp_path / "f.json"))
    assert list(tmp_path.iterdir()) == []
