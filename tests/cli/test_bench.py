"""cltensor bench: sizes, the arithmetic of a measurement, the table; no time is judged."""

import importlib.util
import json
import math

import numpy as np
import pytest

import cltensor as ct
from cltensor.base import dtypes
from cltensor.base.errors import CLTensorError
from cltensor.cli import main
from cltensor.cli.bench import cases, command, libraries, measure, plan, rows
from cltensor.cli.bench.training import generation
from cltensor.cli.parser import UsageError
from cltensor.dispatch.registry import REGISTRY
from cltensor.tune.space import asking


def test_sizes_fit_the_form():
    case = cases.FAMILIES["matmul"].cases[0]
    assert case.size((64,)) == (64, 64, 64)
    assert case.size((4, 5, 6)) == (4, 5, 6)
    assert case.size((4, 5)) is None
    assert cases.FAMILIES["elementwise"].cases[0].size((4, 5)) == (4, 5)
    row = cases.FAMILIES["matmul"].cases[3]
    assert [row.size(s) for s in ((64,), (1, 5, 6), (4, 5, 6))] == [(1, 64, 64), (1, 5, 6), None]
    resnet = cases.FAMILIES["inference"].cases[2]
    assert [resnet.size(s) for s in ((64,), (1, 64))] == [None, (1, 64)]
    with pytest.raises(UsageError, match=r"bench matmul: no case has a size such as 4x5; sizes are N or MxKxN for 'a @ b', "):
        plan.plan(["matmul"], [(4, 5)])


def test_sizes_that_mean_different_things_are_refused():
    with pytest.raises(UsageError, match=r"16 would be a batch for .* of conv, a length for 'a @ b' of matmul; give one of these"):
        plan.plan(["matmul", "conv"], [(16,)])


def test_cases_that_a_size_does_not_fit_are_left_out():
    assert [case.name for _, case, _ in plan.plan(["matmul"], [(64, 784, 512)])] == ["a @ b", "a @ b.mT", "a.mT @ b"]
    assert plan.left_out(["matmul"], [(64, 784, 512)]) == {"row @ b": "N or 1xKxN", "row @ b.mT": "N or 1xKxN"}
    assert plan.left_out(["matmul"], None) == {}


@pytest.mark.parametrize("family", cases.FAMILIES)
@pytest.mark.parametrize("n", [1, 3, 6])
def test_a_case_is_measured_at_the_size_it_says(family, n):
    """The numbers of a size are those of its inputs."""
    for case in cases.FAMILIES[family].cases:
        size = case.size((n,))
        if size and "BATCH" not in case.form:
            shapes = case.inputs(*size)
            assert max(map(max, shapes)) in (n, 2)
            whole = max(math.prod(s) for s in shapes) if case.name != "cat" else sum(map(math.prod, shapes))
            assert whole >= n


def test_all_families_are_planned():
    assert {name for name, _, _ in plan.plan(["all"], None)} == set(cases.FAMILIES)


@pytest.mark.parametrize("family", cases.FAMILIES)
def test_default_sizes_fit(family):
    for case in cases.FAMILIES[family].cases:
        for size in case.sizes:
            assert case.size(size) == size
            assert all(min(shape) > 0 for shape in case.inputs(*size))


def test_rates():
    case = cases.FAMILIES["matmul"].cases[0]
    assert command.rates(case, (10, 20, 30), dtypes.float32, 1e-6) == {"gflops": pytest.approx(12.0)}
    case = cases.FAMILIES["elementwise"].cases[0]
    assert command.rates(case, (1000,), dtypes.float64, 1e-6) == {"gbytes": pytest.approx(24.0)}


def test_sizes_are_shown():
    assert [plan.shown(s) for s in ((64, 784), (1 << 20,), (4096,), (5000,))] == ["64x784", "2^20", "4096", "5000"]


def test_wrong_results_are_noticed(monkeypatch):
    monkeypatch.setattr(command, "values", lambda array: array)
    right = np.array([1.0, -100.0])
    assert command.difference(right + 1e-6, right, dtypes.float32) is None
    assert command.difference(right + 1, right, dtypes.float32) == pytest.approx(0.01)
    assert command.difference(right, right, dtypes.int64) is None
    assert command.difference(None, None, dtypes.float32) is None


def test_contenders_take_turns(monkeypatch):
    log = []
    clock = iter(np.arange(0.0, 1000.0))
    monkeypatch.setattr(measure.time, "perf_counter", lambda: next(clock))
    a, b = (lambda: log.append("a"), lambda: log.append("w")), (lambda: log.append("b"), lambda: log.append("w"))
    assert measure.times([a, b], 3) == [[2.0] * 3] * 2
    assert measure.times([a], 3, enqueue=True) == [[1.0] * 3]
    assert "".join(log[8:20]) == "awawbwbwawaw"


def test_torch_missing_is_an_error_with_its_cure(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "torch", None)
    with pytest.raises(CLTensorError, match=r'pip install "cltensor\[parity\]"'):
        libraries.Torch(None)


@pytest.mark.device
@pytest.mark.plain
@pytest.mark.parametrize("family", cases.FAMILIES)
def test_every_case_runs(family, monkeypatch):
    small = {"BxMxKxN": (2, 3, 4, 5), "MxKxN": (3, 4, 5), "1xKxN": (1, 4, 5), "RxC": (5, 7), "N": (1,), "BATCH": (1,),
             "BATCHxSIDE": (2, 32), "STEPSxBATCH": (2, 3), "BATCHxTOKENS": (2, 5)}
    ours, questions = libraries.Ours(), []
    for op in REGISTRY.values():
        op.plans.clear()
    for case in cases.FAMILIES[family].cases:
        arrays = libraries.inputs(case.inputs(*small.get(case.form, (64,))), dtypes.float32, np.random.default_rng(0))
        action = command.prepared(case, ours, arrays, dtypes.float32)
        with asking() as asked:
            first = command.seeded(action)
        questions += asked
        if case.form not in ("BATCH", "BATCHxSIDE"):  # whole images, which take long
            second = command.seeded(command.prepared(case, ours, arrays, dtypes.float32))
            assert first is second is None or np.array_equal(libraries.values(first), libraries.values(second))
    assert cases.FAMILIES[family].fixed == (not questions)


@pytest.mark.device
def test_table_and_file(capsys, tmp_path):
    file = tmp_path / "results.json"
    assert main(["bench", "overhead", "matmul", "--sizes", "8", "--rounds", "2", "--json", str(file)]) == 0
    lines = capsys.readouterr().out.splitlines()
    data = json.loads(file.read_text())
    assert [r["case"] for r in data["results"]] == [line[:21].strip() for line in lines[-len(data["results"]):]]
    assert [r["ops"] for r in data["results"][:2]] == [1, 1]
    assert all(r["seconds"] > 0 for r in data["results"])
    assert data["cltensor"]["driver"]
    assert max(map(len, lines[-7:])) < 80


@pytest.mark.device
def test_a_case_that_fails_leaves_the_others(capsys):
    assert main(["bench", "overhead", "--sizes", "4", "--rounds", "1", "--dtype", "int32", "--json", "-"]) == 1
    out, err = capsys.readouterr()
    assert err == ""
    first, *others = json.loads(out)["results"]
    assert first["seconds"] > 0
    assert all("floating point" in r["error"] for r in others)
    line, below = rows.Rows(plan.plan(["overhead"], None), None, False).row(others[0])[:2]
    assert line == "a + b, with grad  4"
    assert below.startswith("  FAILED: requires_grad_:")


@pytest.mark.device
def test_cases_left_out_are_named(capsys):
    assert main(["bench", "matmul", "--sizes", "2x3x4", "--rounds", "1"]) == 0
    out = capsys.readouterr().out
    assert "NOTE: 'row @ b' is left out; its sizes are N or 1xKxN" in out
    assert "row @ b  " not in out


@pytest.mark.device
def test_json_alone(capsys):
    assert main(["bench", "bmm", "--sizes", "4", "--rounds", "1", "--dtype", "float64", "--json", "-"]) == 0
    [result] = json.loads(capsys.readouterr().out)["results"]
    assert (result["dtype"], result["size"]) == ("float64", [4, 4, 4, 4])


@pytest.mark.device
@pytest.mark.skipif(not importlib.util.find_spec("torch"), reason="PyTorch is not installed")
def test_beside_torch(capsys):
    assert main(["bench", "matmul", "random", "--sizes", "16", "--rounds", "1", "--vs", "torch", "--json", "-"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert data["peer"]["name"] == "torch"
    for r in data["results"]:
        assert r["difference"] is None
        assert r["ratio"] == pytest.approx(r["peer_seconds"] / r["seconds"])


@pytest.mark.device
def test_compiled_beside_eager(capsys):
    assert main(["bench", "chain", "overhead", "machine", "--sizes", "8", "--rounds", "1", "--compile", "--json", "-"]) == 0
    results = {r["case"]: r for r in json.loads(capsys.readouterr().out)["results"]}
    chain = results["20 pointwise ops"]
    assert chain["ratio"] == pytest.approx(chain["seconds"] / chain["compiled_seconds"])
    assert (chain["explained"]["launches_before"], chain["explained"]["launches"]) == (20, 1)
    assert chain["runs_eagerly"] == []
    assert chain["difference"] is None
    assert "compiled_seconds" not in results["copy"]  # a measurement of the device


@pytest.mark.device
@pytest.mark.skipif(not importlib.util.find_spec("torch"), reason="PyTorch is not installed")
def test_compiled_beside_torch(capsys, monkeypatch):
    import torch

    given = []
    monkeypatch.setattr(torch, "compile", lambda action: given.append(action) or action)
    assert main(["bench", "chain", "--sizes", "16", "--rounds", "1", "--vs", "torch", "--compile"]) == 0
    head, _, row = capsys.readouterr().out.splitlines()[-3:]
    assert head.split() == ["case", "size", "eager", "compiled", "torch", "compiled", "ratio"]
    assert row.startswith("20 pointwise ops  16 ")
    assert max(len(head), len(row)) < 80
    assert len(given) == 1


@pytest.mark.skipif(not importlib.util.find_spec("torch"), reason="PyTorch is not installed")
def test_torch_compile_without_a_compiler_is_an_error_with_its_cure(monkeypatch):
    monkeypatch.setenv("PATH", "")
    torch = object.__new__(libraries.Torch)
    with pytest.raises(CLTensorError, match=r"needs a C\+\+ compiler for torch.compile"):
        torch.compiled(lambda: None)


def test_ratio_is_the_peers_better_time_over_ours_compiled():
    class Told:
        launches = launches_before = bytes_moved = bytes_moved_before = flops = 1
        reasons = ("it reads values",)

    class Compiled:
        explain = Told

    found = command.beside_compiled(Compiled(), [4.0, 3.0, 1.0, 2.0])
    assert (found["ratio"], found["peer_seconds"], found["peer_compiled_seconds"]) == (2.0, 3.0, 2.0)
    assert command.beside_compiled(Compiled(), [4.0, 1.0])["ratio"] == 4.0
    made = rows.Rows([("chain", cases.FAMILIES["chain"].cases[0], (1,))], "torch", True)
    first, *below = made.row({"case": "c", "size": (1,), "seconds": 4.0, "difference": 0.5, **found})
    assert first.endswith("  2.00")
    assert below == ["  runs eagerly: it reads values", "  WRONG: differs by 0.5"]


@pytest.mark.device
def test_generation_is_one_program():
    """Each token is written at the next place of the cache; the first two differ, and all are as in eager mode."""
    x = ct.tensor(np.random.default_rng(0).standard_normal((1, 4, 128)), dtype=ct.float32)
    eager, compiled = generation(ct, x), ct.compile(generation(ct, x))
    found = [(eager().tolist(), compiled().tolist()) for _ in range(6)]
    for a, b in found:
        np.testing.assert_allclose(b, a, rtol=1e-4, atol=1e-5)
    assert found[0][0] != found[1][0]
    assert compiled.captures == 1
    assert not compiled.eager
