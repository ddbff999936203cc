"""cltensor doctor: the facts, the checks of the devices, the verdict and its cures."""

import copy
import json
from types import SimpleNamespace

import pytest

from cltensor.base import child, config
from cltensor.cli import main
from cltensor.cli.doctor import command, probe, report, verdict
from cltensor.runtime import cure, trial

PROFILE = {
    "style": "gpu", "kind": "gpu", "compute_units": 20, "clock_mhz": 1500, "vector_width": 4, "local_memory": 65536,
    "max_work_group": 1024, "work_group": 256, "groups": 80, "max_allocation": 2 << 30, "global_memory": 8 << 30,
    "fp64": False, "fp16": True, "subgroups": True, "int64_atomics": False, "quirks": ["no-binaries"],
}


def a_device(index, **checks):
    return {"device": f"opencl:{index}", "place": f"{index}.0", "name": "Fast", "kind": "gpu", "platform": "Maker", "driver": "1.2",
            "version": "OpenCL 3.0", "profile": PROFILE,
            "checks": {"add": {"seconds": 0.1}, "launch": {"seconds": 0.1, "enqueue": 8e-6, "done": 5e-5}, **checks}}


@pytest.fixture
def facts(monkeypatch):
    """The facts of a machine where all is well."""
    monkeypatch.setattr(cure, "wheels", lambda: [cure.POCL, cure.INTEL])
    monkeypatch.setattr(cure, "pip_install", lambda name: f"pip install {name}")
    for name in [*config.SETTINGS, "OCL_ICD_VENDORS", "OPENCL_VENDOR_PATH"]:
        monkeypatch.delenv(name, raising=False)
    found = {"loader": "/usr/lib/libOpenCL.so.1",
             "vendor_folders": {"/etc/OpenCL/vendors": {"maker.icd": "libmaker.so"}},
             "platforms": [{"name": "Maker", "version": "OpenCL 3.0", "devices": [{"name": "Fast"}], "error": None}],
             "environment": {}, "error": None}
    return copy.deepcopy({
        "cltensor": "1.0", "python": "3.12.1", "executable": "/usr/bin/python3", "system": "Linux x86_64", "cores": 4,
        "packages": {"pyopencl": "2026.1", "mako": None}, "crash": None, "search": found, "unloadable": {},
        "devices": [a_device(0)], "default": {"device": "opencl:0", "reason": "the only device"},
        "settings": dict.fromkeys(config.SETTINGS),
        "cache": {"folder": "/cache", "exists": True, "writable": True, "enabled": True, "entries": 3, "bytes": 4096,
                  "limit": 1 << 20, "damaged": []}})


def judged(facts):
    return dict(facts, problems=verdict.problems(facts), notes=verdict.notes(facts))


def text(facts):
    lines = report.lines(judged(facts))
    assert max(map(len, lines)) < 80
    return "\n".join(lines)


def test_all_is_well(facts):
    shown = text(facts)
    assert "opencl:0  Fast (GPU), the default: the only device" in shown
    assert "8.00 us to enqueue a + b, 50.0 us until it is done" in shown
    assert "mako missing" in shown
    assert shown.endswith("Verdict: all is well; 1 device in order.")


def break_crash(facts):
    facts.update(crash="the process was ended by SIGSEGV", devices=[])


def break_pyopencl(facts):
    facts["search"].update(loader=None, error="devices are reached through\npyopencl, which does not load")
    facts["devices"] = []


def break_devices(facts):
    facts["devices"] = []


def break_choice(facts):
    facts["default"] = {"error": "CLTENSOR_DEVICE is 'x', which names no device."}


def break_check(facts):
    facts["devices"][0]["checks"]["exp"] = {"error": "WrongResult: 3 of 5 values are wrong"}


def break_pocl(facts):
    facts["devices"][0].update(kind="cpu", platform=cure.POCL, checks={"start": {"error": "unknown target CPU 'generic'"}})
    facts["search"]["platforms"][0]["name"] = cure.POCL


def break_one_of_two(facts):
    break_check(facts)
    facts["devices"].append(a_device(1))
    facts["default"] = {"device": "opencl:0", "reason": "CLTENSOR_DEVICE is 'fast'"}


def break_cache(facts):
    facts["cache"]["writable"] = False


def break_entries(facts):
    facts["cache"]["damaged"] = ["/cache/ab/abc"]


def refuse_cache(facts):
    facts["cache"]["refused"] = "other users may write to /cache; close it with `chmod go-w /cache`"


def give_cache_away(facts):
    facts["cache"]["refused"] = "/cache belongs to another user"


def break_folder(facts):
    facts["folder"] = "/tmp is on a file system mounted with noexec; set TMPDIR to a folder on another one"


@pytest.mark.parametrize(("harm", "what", "cure"), [
    (refuse_cache, "is not used: other users may write", "chmod go-w /cache"),
    (give_cache_away, "belongs to another user", "export CLTENSOR_CACHE_DIR=FOLDER"),
    (break_folder, "mounted with noexec", "set TMPDIR to a folder on another one"),
    (break_crash, "SIGSEGV", "OCL_ICD_VENDORS=FILE.icd cltensor doctor"),
    (break_pyopencl, "through pyopencl", "pip install Portable Computing Language"),
    (break_devices, "no OpenCL device", "pip install Portable Computing Language"),
    (break_pocl, "fails start", "pip install Intel(R) OpenCL"),
    (break_check, "fails exp; exp: WrongResult: 3 of 5", "update the driver of Maker"),
    (break_one_of_two, "fails exp", "export CLTENSOR_DEVICE=opencl:1"),
    (break_cache, "cannot be written", "export CLTENSOR_CACHE_DIR="),
    (break_entries, "1 of 3 entries", "cltensor cache clear"),
])
def test_each_problem_has_a_cure(facts, harm, what, cure):
    harm(facts)
    [problem] = verdict.problems(facts)
    assert what in problem.what
    assert cure in problem.cure
    assert "Problem" in text(facts)


def test_loader_pointed_elsewhere(facts, monkeypatch):
    monkeypatch.setenv("OCL_ICD_VENDORS", "/dev/null")
    break_devices(facts)
    [problem] = verdict.problems(facts)
    assert problem.cure == "unset OCL_ICD_VENDORS"


@pytest.mark.parametrize(("name", "value"), [("CLTENSOR_PROFILE", "tpu"), ("CLTENSOR_CACHE_LIMIT", "lots")])
def test_settings_without_sense(facts, monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    break_crash(facts)  # which follows from the setting, and is not told on top
    [problem] = verdict.problems(facts)
    assert value in problem.what
    assert problem.cure == f"unset {name}"


def test_notes_do_not_fail(facts, monkeypatch):
    monkeypatch.setenv("CLTENSOR_DEVISE", "gpu")
    facts["unloadable"]["libmaker.so"] = "no such file"
    facts["search"]["platforms"].append({"name": "Clover", "version": "1.1", "devices": [], "error": None})
    notes = [n.what for n in verdict.notes(facts)]
    assert len(notes) == 3
    assert "did you mean CLTENSOR_DEVICE" in notes[0]
    assert verdict.problems(facts) == []
    assert "libmaker.so (does not load)" in " ".join(text(facts).split())


def test_driver_that_fails_is_no_problem_where_another_is_the_default(facts):
    break_one_of_two(facts)
    facts["default"]["device"] = "opencl:1"
    assert verdict.problems(facts) == []
    [note] = verdict.notes(facts)
    assert "fails exp" in note.what
    assert "is passed over" in note.what


def test_cure_of_no_default_depends_on_who_chose(facts, monkeypatch):
    monkeypatch.setenv("CLTENSOR_DEVICE", "x")
    break_choice(facts)
    assert [p.cure for p in verdict.problems(facts)] == ["unset CLTENSOR_DEVICE"]
    monkeypatch.delenv("CLTENSOR_DEVICE")
    facts["default"]["error"] = "no OpenCL device here works:\n  sort (cpu style): WrongResult"
    assert [p.cure for p in verdict.problems(facts)] == [cure.cpu_driver({"Maker"})]
    break_check(facts)
    [problem] = verdict.problems(facts)
    assert "fails exp" in problem.what


def test_style_that_fails_is_told(facts):
    facts["devices"][0]["failed_styles"] = ["cpu"]
    assert verdict.problems(facts) == []
    [note] = verdict.notes(facts)
    assert "computes wrongly in the cpu launch style; the gpu style is used there" in note.what


def test_name_given_to_the_driver_is_shown(facts):
    facts["devices"][0]["naming"] = {"found": "generic", "given": "haswell"}
    assert "named haswell to PoCL, which had found generic" in text(facts)


def test_machine_without_devices(capsys, monkeypatch):
    monkeypatch.setenv("OCL_ICD_VENDORS", "/dev/null")
    monkeypatch.delenv("CLTENSOR_DEVICE", raising=False)
    assert main(["doctor"]) == 1
    out, err = capsys.readouterr()
    assert "Cure     unset OCL_ICD_VENDORS" in out
    assert "Kernel cache" in out
    assert err == ""


def test_crashing_driver_is_a_finding(monkeypatch):
    def crash(task, items, limit, **settings):
        yield from ((item, {"error": "the process was ended by SIGABRT"}) for item in items)

    monkeypatch.setattr(child, "run_each", crash)
    assert command.gather(60)["crash"] == "the process was ended by SIGABRT"
    results = command.check({"place": "0.0", "kind": "gpu", "profile": PROFILE}, 60)
    assert results == {"gpu": {"start": {"error": "the process was ended by SIGABRT"}}}


def test_cpu_driver_that_fails_is_checked_in_the_other_style(monkeypatch):
    monkeypatch.delenv("CLTENSOR_PROFILE", raising=False)
    results = {"cpu": {"matmul": {"error": "wrong"}}, "gpu": {"matmul": {"seconds": 1}}}
    monkeypatch.setattr(trial, "checked", lambda place, style, limit: results[style])
    monkeypatch.setattr(trial, "measured", lambda place, style, name, limit: {"enqueue": 1e-6, "done": 1e-5})
    cpu = {"place": "0.0", "kind": "cpu", "profile": dict(PROFILE, style="cpu")}
    assert list(command.check(cpu, 60)) == ["cpu", "gpu"]
    assert list(command.check(dict(cpu, kind="gpu"), 60)) == ["cpu"]
    monkeypatch.setenv("CLTENSOR_PROFILE", "cpu")
    assert list(command.check(cpu, 60)) == ["cpu"]


def test_rule_for_the_default():
    class Entry:
        def __init__(self, kind):
            self.kind = kind

    gpu, other, cpu = Entry("gpu"), Entry("gpu"), Entry("cpu")
    assert probe._rule(cpu, [cpu]) == "the only device"
    assert probe._rule(gpu, [gpu, cpu]) == "the only GPU"
    assert probe._rule(gpu, [gpu, other, cpu]) == "the most capable GPU"
    assert probe._rule(cpu, [cpu, Entry("cpu")]) == "no GPU was found; the first of the CPU drivers"


@pytest.mark.parametrize(("forced", "kept"), [("", 1), ("gpu", 0)])
def test_verdict_is_kept_unless_a_style_was_forced(monkeypatch, forced, kept):
    entry, verdicts = SimpleNamespace(place="0.0"), []
    monkeypatch.setenv("CLTENSOR_PROFILE", forced)
    monkeypatch.setattr(probe.platforms, "every_entry", lambda: [entry])
    monkeypatch.setattr(probe.trial, "needed", lambda e: True)
    monkeypatch.setattr(probe.verdict, "known", lambda e: None)
    monkeypatch.setattr(probe.verdict, "keep", lambda e, found: verdicts.append(found))
    probe._keep({"0.0": {"gpu": {}}})
    assert len(verdicts) == kept


@pytest.mark.device
def test_doctor_finds_this_machine_well(capsys, device):
    assert main(["doctor", "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["problems"] == []
    assert facts["default"]["device"] == str(device)
    assert facts["devices"][device.index]["name"] == device.name
    assert facts["cache"]["folder"] == str(config.cache_dir() / "kernels")
