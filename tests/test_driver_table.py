"""The table of drivers: the choice of drivers, the figures read from the output of checks, and the merging of rows."""

import pytest

import driver_table
from driver_roots import RootFailure
from driver_table import DRIVERS, PIP, Driver, Place


@pytest.mark.parametrize(("words", "names"), [
    ([PIP], ["pocl-wheel", "intel"]), (["sid"], ["pocl-sid", "rusticl-sid"]), (["rusticl-sid", "intel"], ["intel", "rusticl-sid"]),
    ([], [d.name for d in DRIVERS])])
def test_drivers_are_chosen_by_name_part_and_place(words, names):
    assert [d.name for d in driver_table.chosen(words)] == names


def test_an_unknown_driver_is_named():
    with pytest.raises(RootFailure, match="'nvidia'; there are pocl-wheel"):
        driver_table.chosen(["nvidia"])


class Saying:
    """A Place where everything prints the same."""

    def __init__(self, text):
        self.text = text

    def run(self, *arguments, limit, **settings):
        """The text."""
        return self.text


def test_what_doctor_says_of_the_default():
    said = """opencl:0  One (CPU)
  checks  8 of 9 passed in 2 s
opencl:1  Two (CPU), the default:
  CLTENSOR_DEVICE is 'two'
  checks  9 of
          9 passed in 2 s
"""
    assert driver_table.doctor(Saying(said)) == {"doctor": "9 of 9"}
    assert driver_table.doctor(Saying("no OpenCL device was found.")) == {"doctor": "no OpenCL device was found."}


def test_what_the_demo_says():
    right = "Test accuracy 98.89%: 355 of 359 digits are read rightly.\nSaved x; loaded again, it predicts the same.\n"
    assert driver_table.demo(Saying(right)) == {"demo": "98.89 %"}
    wrong = "Test accuracy 9.00%: x\nit does not predict the same"
    assert driver_table.demo(Saying(wrong)) == {"demo": "it does not predict the same"}


def test_what_bench_says():
    result = '{"family": "matmul", "case": "a @ b", "seconds": 1, "best": 1, "gflops": 435}'
    said = f'{{"cltensor": {{"driver": "7.1", "style": "cpu"}}, "load": 1.26, "results": [{result}]}}'
    assert driver_table.speed(Saying(f"a warning\n{said}\n")) == {
        "version": "7.1", "style": "cpu", "load": 1.3, "matmul 1024": "435 GFLOP/s"}
    assert driver_table.speed(Saying("no device")) == {"speed": "no device"}


@pytest.mark.parametrize(("said", "shown"), [
    ("...\n1588 passed in 3.2s", "1588"), ("..F\nFAILED a\n1 failed, 9 passed, 3 warnings in 1s", "1 of 10 fail"),
    ("2 failed, 7 passed, 1 error in 1s", "3 of 10 fail"), ("x\nnot done after 5 s", "not done after 5 s"), ("", "no answer")])
def test_what_pytest_says_in_short(said, shown):
    assert driver_table.counted(said) == shown


def test_figures_are_the_best_of_what_bench_measured():
    results = [{"family": "machine", "case": "multiply-add", "seconds": 2.0, "best": 1.0, "gflops": 50.0},
               {"family": "machine", "case": "matmul", "seconds": 2.0, "best": 1.0, "gflops": 7.0},
               {"family": "matmul", "case": "a @ b", "seconds": 1.0, "best": 1.0, "gflops": 435.4},
               {"family": "matmul", "case": "a @ b.mT", "seconds": 1.0, "best": 1.0, "gflops": 1.0},
               {"family": "train", "case": "MLP 784-512-256-10", "seconds": 1.0, "best": 0.00137},
               {"family": "train", "case": "GPT, 4 layers of 128", "seconds": 1.0, "best": 0.0234},
               {"family": "train", "case": "ResNet-18", "seconds": 1.0, "best": 1.0}]
    assert driver_table.figures(results) == {"multiply-add": "100 GFLOP/s", "matmul 1024": "435 GFLOP/s", "MLP": "1.37 ms",
                                             "GPT": "23.4 ms"}


def test_the_cases_of_the_table_are_those_of_bench():
    from cltensor.cli.bench.cases import FAMILIES
    rows = [{"family": name, "case": case.name, "seconds": 1.0, "best": 1.0, "gflops": 1.0}
            for name in ("machine", "matmul", "train") for case in FAMILIES[name].cases]
    assert set(driver_table.figures(rows)) == {"multiply-add", "matmul 1024", "MLP", "CNN", "LSTM", "GPT"}


def test_rows_of_earlier_runs_stay():
    old = [{"driver": "intel", "demo": "97 %", "doctor": "old"}, {"driver": "pocl-sid", "demo": "98 %"}]
    found = driver_table.merged(old, [{"driver": "intel", "doctor": "9 of 9"}, {"driver": "pocl-wheel"}])
    assert found == [{"driver": "pocl-wheel"}, {"driver": "intel", "demo": "97 %", "doctor": "9 of 9"},
                     {"driver": "pocl-sid", "demo": "98 %"}]


def test_table_has_the_columns_that_are_filled():
    shown = driver_table.table([{"driver": "intel", "doctor": "9 of 9"}, {"driver": "pocl-sid", "failure": "debootstrap failed"}])
    assert shown.splitlines() == ["| driver   | doctor             |", "|----------|--------------------|",
                                  "| intel    | 9 of 9             |", "| pocl-sid | debootstrap failed |"]


def test_a_check_runs_with_its_driver_in_view(tmp_path):
    place = Place(Driver("some", PIP, "portable", (("SOME", "1"),)), tmp_path)
    said = place.run("-c", "import os; print(*map(os.environ.get, ('CLTENSOR_DEVICE', 'SOME', 'CLTENSOR_PROFILE')))", limit=60,
                     CLTENSOR_PROFILE="gpu")
    assert said == "portable 1 gpu\n"


def test_a_check_that_takes_too_long_or_dies_says_so(tmp_path):
    place = Place(Driver("some", PIP, "portable"), tmp_path)
    assert place.run("-c", "import time; time.sleep(600)", limit=1).splitlines()[-1] == "not done after 1 s"
    assert place.run("-c", "import os; os.abort()", limit=60).splitlines()[-1] == "ended by signal 6"


def test_a_root_that_cannot_be_made_is_a_row(tmp_path, monkeypatch):
    def fail(suite, folder, address):
        raise RootFailure("debootstrap failed: E: no such suite")

    monkeypatch.setattr(driver_table.driver_roots, "make", fail)
    row = driver_table.tried(Driver("pocl-sid", "sid", "portable"), ["doctor"], tmp_path)
    assert row["failure"] == "debootstrap failed: E: no such suite"


def test_without_root_one_line_says_so(monkeypatch, capsys):
    monkeypatch.setattr(driver_table.driver_roots, "refusal", lambda: "needs root")
    assert driver_table.main(["--only", "sid"]) == 2
    assert capsys.readouterr().err == "ci/drivers: needs root\n"
