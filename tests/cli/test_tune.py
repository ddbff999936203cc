"""cltensor tune: candidates that crash, hang or are wrong; copying databases; one tiny product tuned on the device."""

import json
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import cltensor
from cltensor.cli import main
from cltensor.cli.bench.cases import FAMILIES
from cltensor.cli.tune import calls, command, trial
from cltensor.dispatch.registry import REGISTRY
from cltensor.ops.gemm.matmul import matmul
from cltensor.tune import database, lookup
from cltensor.tune.key import Key

DEVICE = database.Device("a platform", "A CPU", "1.0")
KEY = Key("product cpu float32", "M512")
DEFAULTS = {"MR": 6, "KC": 256, "COPY": False}
QUESTION = {"kernel": KEY.kernel, "shape": KEY.shape, "defaults": DEFAULTS,
            "space": {"MR": [4, 6, 8], "KC": [128, 256], "COPY": [False, True]}}
CALL = {"op": "matmul", "inputs": [], "attrs": [], "values": []}


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("CLTENSOR_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.delenv("CLTENSOR_TUNE", raising=False)
    lookup.forget()
    yield tmp_path
    lookup.forget()


@pytest.fixture
def _fakes(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[1] / "tune"))
    monkeypatch.setattr(command, "TRIAL", "fake_trials:run")
    monkeypatch.setattr(command, "PATIENCE", 1)
    monkeypatch.setattr(command, "this_device", lambda: DEVICE)


@pytest.mark.usefixtures("_fakes")
def test_candidates_that_crash_hang_or_are_wrong_are_denied():
    known = database.Database(DEVICE)
    result = command.answer(CALL, QUESTION, known, time.monotonic() + 60)
    assert result["values"] == {"MR": 4, "KC": 256, "COPY": False}
    assert (result["finished"], result["error"]) == (True, None)
    kept = database.load(database.path_of(DEVICE))
    assert kept.values() == {KEY: result["values"]}
    reasons = kept.denied[KEY.kernel]
    assert "ended" in reasons["MR=8 KC=256 COPY=False"]
    assert reasons["MR=6 KC=128 COPY=False"] == "no answer within 1 s"
    assert reasons["MR=6 KC=256 COPY=True"] == "ArithmeticError: the result differs"
    assert known.is_denied(KEY.kernel, {"MR": 8, "KC": 256, "COPY": False})
    assert command.settled(known, (CALL, QUESTION))


@pytest.mark.usefixtures("_fakes")
def test_time_that_is_over_leaves_no_result():
    result = command.answer(CALL, QUESTION, database.Database(DEVICE), time.monotonic() - 1)
    assert result["error"] == "no time was left to measure the defaults"
    assert database.load(database.path_of(DEVICE)).values() == {}


def test_export_and_import(folder, monkeypatch, capsys):
    monkeypatch.setattr(command, "default_device", lambda: SimpleNamespace(name="A CPU"))
    monkeypatch.setattr(command, "this_device", lambda: DEVICE)
    assert main(["tune", "--export", str(folder / "out.json")]) == 1
    assert "there is no database of A CPU yet" in capsys.readouterr().err
    found = database.Database(DEVICE)
    found.record(KEY, {"values": {"MR": 4}, "seconds": 1, "default_seconds": 2, "call": "", "when": "2026"})
    database.update(found)
    assert main(["tune", "--export", str(folder / "out.json")]) == 0
    monkeypatch.setenv("CLTENSOR_CACHE_DIR", str(folder / "elsewhere"))
    capsys.readouterr()
    assert main(["tune", "--import", str(folder / "out.json"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["imported"]["results"] == 1
    assert database.load(database.path_of(DEVICE)).values() == {KEY: {"MR": 4}}


def test_import_of_something_else_is_refused(folder, capsys):
    (folder / "notes.json").write_text("{}")
    assert main(["tune", "--import", str(folder / "notes.json")]) == 1
    assert "notes.json is no tuning database" in capsys.readouterr().err


def test_export_and_import_of_one_file_tune_nothing(folder, monkeypatch, capsys):
    monkeypatch.setattr(command, "tune", pytest.fail)
    monkeypatch.setattr(command, "default_device", lambda: SimpleNamespace(name="A CPU"))
    monkeypatch.setattr(command, "this_device", lambda: DEVICE)
    file = folder / "both.json"
    assert main(["tune", "--export", str(file), "--import", str(file)]) == 1
    assert capsys.readouterr() == ("", f"cltensor: {file}: No such file or directory\n")
    found = database.Database(DEVICE)
    found.record(KEY, {"values": {"MR": 4}, "seconds": 1, "default_seconds": 2, "call": "", "when": "2026"})
    file.write_text(found.as_json())
    assert main(["tune", "--export", str(file), "--import", str(file)]) == 0
    assert database.load(file).values() == {KEY: {"MR": 4}}
    monkeypatch.setattr(command, "this_device", lambda: DEVICE._replace(name="Another CPU"))
    capsys.readouterr()
    assert main(["tune", "--export", str(file), "--import", str(file)]) == 1
    assert "is the database of A CPU, and --export would put that of Another CPU in its place" in capsys.readouterr().err
    assert database.load(file).device == DEVICE


def test_families_without_constants_say_what_can_be_tuned(capsys, monkeypatch):
    monkeypatch.setattr(command, "tune", pytest.fail)
    assert main(["tune", "softmax"]) == 2
    err = capsys.readouterr().err
    assert err.startswith("cltensor tune: 'softmax' has no constants to tune; these families have: machine, overhead, matmul, bmm,")
    assert main(["tune", "matmul_blocked"]) == 2
    assert "'matmul_blocked' is no family; these families have: machine" in capsys.readouterr().err


def test_kernels_without_questions_are_told():
    facts = {"results": [], "known": 0, "left": 0, "failed": [], "database": "file"}
    assert next(command.ending(facts)) == "At these sizes no kernel asks for constants; there is nothing to tune"


def test_nothing_asked_is_misuse(capsys):
    assert main(["tune"]) == 2
    assert "name a FAMILY" in capsys.readouterr().err


def test_setting_forbids_it(monkeypatch, capsys):
    monkeypatch.setenv("CLTENSOR_TUNE", "0")
    assert main(["tune", "matmul"]) == 1
    assert "CLTENSOR_TUNE=0" in capsys.readouterr().err


def test_results_show_what_changed():
    done = {"call": "matmul (2, 2) (2, 2)", "kernel": KEY.kernel, "values": {**DEFAULTS, "MR": 4}, "defaults": DEFAULTS,
            "default_seconds": 0.003, "seconds": 0.002, "tried": 9, "denied": [1], "finished": False, "error": None}
    assert command.row(done)[1] == (
        "    3.00 ms: x 1.50 with MR=4 (9 tried, 1 denied; the time was over before the end)")
    assert "the defaults are best" in command.row({**done, "values": DEFAULTS})[1]


# --- on the device ---------------------------------------------------------------------------------------------------


@pytest.fixture
def asked(device):
    """(call, question) of a product of matrices of 24 x 24."""
    found = calls.find({"family": "matmul", "case": "a @ b", "size": [24] * 3, "dtype": "float32"})
    [call] = json.loads(json.dumps(found))["calls"]
    return call, call["questions"][0]


def changed(question):
    """The defaults of a question with one constant changed to a value that fits."""
    name, value = ("MR", 4) if "MR" in question["defaults"] else ("KWG", 8)
    return name, {**question["defaults"], name: value}


def item(call, question, values, careful=True):
    return {"kernel": question["kernel"], "shape": question["shape"], "call": call, "defaults": question["defaults"],
            "values": values, "careful": careful}


def test_tuned_values_are_used_and_right(asked, rng):
    call, question = asked
    name, values = changed(question)
    measured = trial.run(item(call, question, values))
    assert measured["seconds"] > 0
    assert measured["default_seconds"] > 0
    found = database.Database(command.this_device())
    found.record(Key(question["kernel"], question["shape"]), {"values": values, "when": "2026"})
    database.update(found)
    lookup.forget()

    [step] = matmul.plan(calls.specs(call), ()).steps
    assert f"//   {name} = {values[name]}\n" in step.source.text
    matmul.plans.clear()
    a, b = rng.standard_normal((24, 24), np.float32), rng.standard_normal((24, 24), np.float32)
    product = cltensor.tensor(a) @ cltensor.tensor(b)
    matmul.plans.clear()
    np.testing.assert_allclose(product.numpy(), a.astype(float) @ b.astype(float), rtol=1e-5, atol=1e-5)


def test_wrong_candidate_is_noticed(asked, monkeypatch):
    call, question = asked
    right, runs = trial._Bench.results, []

    def wrong_the_second_time(bench, plan):
        runs.append(plan)
        return [r + (len(runs) == 2) for r in right(bench, plan)]

    monkeypatch.setattr(trial._Bench, "results", wrong_the_second_time)
    with pytest.raises(trial.WrongResult, match="differs from that of the defaults"):
        trial.run(item(call, question, changed(question)[1]))
    monkeypatch.setattr(trial, "reference", lambda op, call, views: [np.zeros((24, 24))])
    with pytest.raises(trial.WrongResult, match="differs from that of NumPy"):
        trial.run(item(call, question, question["defaults"]))


def test_candidate_that_does_not_fit(asked):
    call, question = asked
    assert "do not fit" in trial.run(item(call, question, {**question["defaults"], "KC": 5, "KWG": 5}))["unfit"]


@pytest.mark.usefixtures("device")
def test_gradients_are_found_too():
    """All three convolutions of a layer, each with a reference that the default kernel agrees with."""
    [case] = [c for c in FAMILIES["conv"].cases if c.name == "conv1d 64-64 1024, both"]
    found = json.loads(json.dumps(calls.find({"family": "conv", "case": case.name, "size": [1], "dtype": "float32"})))["calls"]
    assert {call["op"] for call in found} == {"convolution", "convolution_input_gradient", "convolution_weight_gradient"}
    for call in found:
        plan = REGISTRY[call["op"]].plan(calls.specs(call), calls.attributes(call))
        bench = trial._Bench(plan.device, calls.specs(call), plan.outputs, ())
        trial.check(bench.results(plan), trial.reference(REGISTRY[call["op"]], call, bench.views), plan.outputs, "NumPy")


@pytest.mark.slow
@pytest.mark.usefixtures("device")
def test_the_whole_command(capsys):
    assert main(["tune", "bmm", "--sizes", "2x24x24x24", "--seconds", "30", "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    [result] = facts["results"]
    assert result["error"] is None
    assert result["tried"] >= 1
    assert json.loads(Path(facts["database"]).read_text())["results"][result["kernel"]][result["shape"]]["when"]
