"""Trials of CPU drivers: the drivers passed over, and the order and launch style of the others."""

import pytest

from cltensor.base.child import ChildError
from cltensor.base.errors import DeviceError
from cltensor.runtime import cure, platforms, profile, trial, verdict

from .fakes import CPU, GPU, FakeDevice, FakePlatform, fake_pyopencl

POCL, INTEL = cure.POCL, cure.INTEL
FINE = {"add": {"seconds": 0.1}, "matmul": {"seconds": 0.1}}
BROKEN = {"add": {"error": "BuildError: unknown target CPU 'generic'"}}
WRONG = {"add": {"seconds": 0.1}, "matmul": {"error": "WrongResult: 5 of 9 values are wrong"}}


class Machine:
    """Drivers made up for the purpose, and what their checks would find: {place: {style: results}}."""

    def __init__(self, monkeypatch, found):
        self.results, self.steps, self.tried = {}, {}, []
        monkeypatch.setattr(platforms, "pyopencl", lambda: fake_pyopencl(found))
        monkeypatch.setattr(platforms, "_found", None)
        monkeypatch.setattr(verdict, "_known", {})
        monkeypatch.setattr(trial, "checked", self.checked)
        monkeypatch.setattr(trial, "measured", lambda place, style, name: {"step": self.steps[place]})

    def checked(self, place, style, stop):
        self.tried.append((place, style))
        found = self.results.get(place, {}).get(style, FINE)
        if isinstance(found, Exception):
            raise found
        return found

    def names(self):
        return [e.name for e in platforms.entries()]


@pytest.fixture
def machine(monkeypatch, tmp_path):
    """machine(platform, ...) gives this process other platforms, and trials."""
    monkeypatch.setenv("CLTENSOR_CACHE_DIR", str(tmp_path))
    for name in ("CLTENSOR_DEVICE", "CLTENSOR_TRIAL", "CLTENSOR_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    return lambda *found: Machine(monkeypatch, list(found))


def pocl(version="3.0-rc2", name="pocl"):
    return FakePlatform(POCL, [FakeDevice(name, driver_version=version)], f"OpenCL 3.0 PoCL {version} Linux")


def intel():
    return FakePlatform(INTEL, [FakeDevice("intel")])


def test_style_that_suits_a_driver_is_tried_first(machine):
    m = machine(FakePlatform("rusticl", [FakeDevice("llvmpipe", native_vector_width_float=1)]))
    entry, = platforms.entries()
    assert profile.query(entry).style == "gpu"
    assert m.tried == [("0.0", "gpu")]


def test_driver_that_is_wrong_in_the_style_that_suits_it(machine):
    m = machine(FakePlatform("rusticl", [FakeDevice("llvmpipe", native_vector_width_float=1)]))
    m.results["0.0"] = {"gpu": WRONG}
    with pytest.warns(RuntimeWarning, match="computes wrongly in the gpu launch style .* the cpu style, which is right there"):
        assert profile.query(platforms.entries()[0]).style == "cpu"
    assert m.tried == [("0.0", "gpu"), ("0.0", "cpu")]


def test_driver_that_builds_nothing_is_passed_over(machine, capsys):
    m = machine(pocl(), intel())
    m.results["0.0"] = {"cpu": BROKEN, "gpu": BROKEN}
    with pytest.warns(RuntimeWarning, match=r"is passed over.*add \(cpu style\): BuildError: unknown target CPU 'generic'"):
        assert m.names() == ["intel", "pocl"]
    assert platforms.chosen_index() == 0
    assert "trying out Portable Computing Language, driver 3.0-rc2, on pocl, once" in capsys.readouterr().err


def test_style_that_computes_right_is_used(machine):
    m = machine(pocl())
    m.results["0.0"] = {"cpu": WRONG}
    with pytest.warns(RuntimeWarning, match=r"computes wrongly in the cpu launch style \(matmul .*the gpu style, which is right"):
        [entry] = platforms.entries()
    assert profile.query(entry).style == "gpu"


def test_no_driver_works(machine, monkeypatch):
    m = machine(pocl(), intel())
    m.results = {place: {"cpu": WRONG, "gpu": BROKEN} for place in ("0.0", "1.0")}
    monkeypatch.setattr(cure, "cpu_driver", lambda there: f"install another than {sorted(there)}")
    with pytest.warns(RuntimeWarning, match="passed over"), pytest.raises(DeviceError) as caught:
        platforms.chosen_index()
    text = str(caught.value)
    assert "no OpenCL device here works:" in text
    assert text.count("matmul (cpu style): WrongResult") == 2
    assert f"install another than {sorted([POCL, INTEL])}" in text


def test_driver_that_fails_is_used_when_named_with_a_warning(machine, monkeypatch):
    m = machine(pocl(), intel())
    m.results["0.0"] = {"cpu": WRONG, "gpu": WRONG}
    monkeypatch.setenv("CLTENSOR_DEVICE", "portable")
    entry = platforms.entries()[platforms.chosen_index()]
    assert entry.name == "pocl"
    with pytest.warns(RuntimeWarning, match="passed over"):
        trial.of(entry)
    for _ in range(2):  # in every process that uses it, tried now or before
        with pytest.warns(RuntimeWarning, match=r"is used because it was asked for.*matmul"):
            assert profile.query(entry).style == "cpu"


def test_faster_driver_goes_first(machine):
    m = machine(pocl(), intel())
    m.steps = {"0.0": 2.0, "1.0": 1.0}
    assert m.names() == ["intel", "pocl"]


def test_driver_as_fast_keeps_its_rank(machine):
    m = machine(intel(), pocl("7.1", "new"), pocl("3.0-rc2", "wheel"))
    m.steps = {"0.0": 0.95, "1.0": 1.0, "2.0": 0.97}
    assert m.names() == ["new", "wheel", "intel"]


def test_newer_pocl_comes_before_the_wheel_also_where_nothing_is_tried(machine, monkeypatch):
    monkeypatch.setenv("CLTENSOR_TRIAL", "0")
    m = machine(pocl("3.0-rc2", "wheel"), intel(), pocl("10.0", "newest"), pocl("6.0", "newer"))
    assert m.names() == ["newest", "newer", "wheel", "intel"]
    assert m.tried == []


def test_trial_is_kept(machine):
    assert machine(pocl()).names() == ["pocl"]
    second = machine(pocl())
    assert second.names() == ["pocl"]
    assert second.tried == []
    third = machine(pocl("3.1"))
    assert third.names() == ["pocl"]
    assert third.tried == [("0.0", "cpu")]


def test_nothing_is_tried_where_a_gpu_is_there_or_a_device_is_named(machine, monkeypatch):
    m = machine(pocl(), FakePlatform("Maker", [FakeDevice("card", GPU)]))
    assert m.names() == ["card", "pocl"]
    monkeypatch.setenv("CLTENSOR_DEVICE", "intel")
    other = machine(pocl(), intel())
    assert other.names() == ["pocl", "intel"]
    assert m.tried == other.tried == []


def test_trial_that_cannot_be_held_says_nothing_against_a_driver(machine):
    m = machine(pocl())
    m.results["0.0"] = {"cpu": ChildError("a child process did not start")}
    assert m.names() == ["pocl"]
    assert profile.query(platforms.entries()[0]).style == "cpu"


def test_oclgrind_is_never_tried(machine, monkeypatch):
    monkeypatch.setenv("CLTENSOR_DEVICE", "oclgrind")
    m = machine(pocl(), FakePlatform("Oclgrind", [FakeDevice("Oclgrind Simulator", CPU)]))
    assert m.names() == ["pocl", "Oclgrind Simulator"]
    assert not trial.needed(platforms.entries()[1])


def test_damaged_verdict_is_made_again(machine):
    m = machine(pocl())
    entry = platforms.every_entry()[0]
    verdict.kernel_cache().put(verdict._key(entry), b'{"failures": 3, "more": 1}')
    assert m.names() == ["pocl"]
    assert m.tried == [("0.0", "cpu")]


ABORT = """
import os
import cltensor.selftest.checks as checks
checks.CHECKS["add"] = lambda device, rng: os.abort()
"""


@pytest.mark.device
def test_crash_of_a_compiler_takes_only_the_child(device, monkeypatch, tmp_path):
    """A check that aborts stands for a driver that aborts during a build; the child processes are real."""
    (tmp_path / "usercustomize.py").write_text(ABORT)
    (tmp_path / "sitecustomize.py").write_text(ABORT)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    found = trial.checked(device.entry.place, device.profile.style, stop=True)
    assert list(trial.failed(found)) == ["add"]
    assert "SIGABRT" in found["add"]["error"] or "status" in found["add"]["error"]
