"""Each cure that cltensor doctor prints cures: a state is made, the cure is applied as printed, and the finding is gone."""

import copy
import json
import os
import shlex
import subprocess

import pytest

from cltensor.base import config
from cltensor.cli import main
from cltensor.cli.doctor import command
from cltensor.runtime import pocl, scratch
from cltensor.runtime.cache import kernel_cache

LOOKED = {"search": {"loader": "libOpenCL.so", "vendor_folders": {}, "platforms": [], "environment": {}, "error": None},
          "unloadable": {}, "devices": [], "default": {"error": None}}
PROFILE = {"style": "cpu", "kind": "cpu", "compute_units": 2, "clock_mhz": 0, "vector_width": 8, "local_memory": 1 << 16,
           "max_work_group": 64, "work_group": 1, "groups": 8, "max_allocation": 1 << 30, "global_memory": 1 << 32, "fp64": True,
           "fp16": False, "subgroups": False, "int64_atomics": True, "quirks": []}


def device(index, platform="Portable Computing Language"):
    return {"device": f"opencl:{index}", "place": f"{index}.0", "naming": None, "name": "A CPU", "kind": "cpu",
            "platform": platform, "driver": "1", "version": "OpenCL 3.0", "profile": PROFILE}


@pytest.fixture
def machine(monkeypatch, tmp_path):
    """A machine with one device where all is well; `machine.look` and `machine.check` say what is found on it."""

    class Machine:
        def look(self):
            name = os.environ.get("CLTENSOR_DEVICE", "opencl:0")
            wrong = name not in ("opencl:0", "opencl:1")
            error = f"CLTENSOR_DEVICE is {name!r}, which names no device." if wrong else None
            return {**copy.deepcopy(LOOKED), "devices": [device(0)],
                    "default": {"error": error} if error else {"device": name, "reason": "the only device"}}

        def check(self, place):
            return {"cpu": {"add": {"seconds": 0.1}}}

    for name in [*config.SETTINGS, "OCL_ICD_VENDORS", "OPENCL_VENDOR_PATH", "POCL_CACHE_DIR"]:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("CLTENSOR_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setattr(scratch, "fault", lambda path: None)
    made = Machine()
    monkeypatch.setattr(command, "_look", lambda item, limit, **settings: made.look())
    monkeypatch.setattr(command, "check", lambda described, limit: made.check(described["place"]))
    return made


def examined(capsys):
    capsys.readouterr()
    status = main(["doctor", "--json"])
    out, err = capsys.readouterr()
    assert err == ""
    facts = json.loads(out)
    assert status == (1 if facts["problems"] else 0)
    return facts["problems"] + facts["notes"]


def apply(cure, monkeypatch, tmp_path):
    """Do what a cure says: its command, with a folder of one's own where it names FOLDER."""
    words = shlex.split(cure.partition(", ")[0])
    if words[0] == "unset":
        monkeypatch.delenv(words[1])
    elif words[0] == "export":
        name, _, value = words[1].partition("=")
        (tmp_path / "own").mkdir(0o700)
        monkeypatch.setenv(name, value.replace("FOLDER", str(tmp_path / "own")))
    elif words[:2] == ["cltensor", "cache"]:
        assert main(words[1:]) == 0
    else:
        assert words[0] in ("chmod", "rm"), cure
        subprocess.run(words, check=True)


def cured(what, cure, capsys, monkeypatch, tmp_path):
    [found] = [f for f in examined(capsys) if what in f["what"]]
    assert found["cure"].startswith(cure)
    apply(found["cure"], monkeypatch, tmp_path)
    assert examined(capsys) == []


@pytest.mark.usefixtures("machine")
def test_nothing_is_wrong_to_begin_with(capsys):
    assert examined(capsys) == []


@pytest.mark.usefixtures("machine")
@pytest.mark.parametrize(("name", "value", "what"), [
    ("CLTENSOR_PROFILE", "tpu", "CLTENSOR_PROFILE is 'tpu'"), ("CLTENSOR_CACHE_LIMIT", "lots", "CLTENSOR_CACHE_LIMIT is 'lots'"),
    ("CLTENSOR_CACHE_LIMIT", "-1", "CLTENSOR_CACHE_LIMIT is '-1'"), ("CLTENSOR_DEVICE", "xyz", "CLTENSOR_DEVICE is 'xyz'"),
    ("CLTENSOR_DEVISE", "gpu", "CLTENSOR_DEVISE is set, but there is no such setting"),
])
def test_settings(name, value, what, capsys, monkeypatch, tmp_path):
    monkeypatch.setenv(name, value)
    cured(what, f"unset {name}", capsys, monkeypatch, tmp_path)


@pytest.mark.usefixtures("machine")
def test_a_user_that_is_not_there(capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("CLTENSOR_CACHE_DIR", "~no-such-user/cache")
    cured("there is no such user", "unset CLTENSOR_CACHE_DIR", capsys, monkeypatch, tmp_path)


@pytest.mark.usefixtures("machine")
def test_a_cache_folder_that_is_a_file(capsys, monkeypatch, tmp_path):
    (tmp_path / "file").touch()
    (tmp_path / "file").chmod(0o666)  # nobody is told to close a file, or a device, that is no folder
    monkeypatch.setenv("CLTENSOR_CACHE_DIR", str(tmp_path / "file"))
    cured("cannot be written", "export CLTENSOR_CACHE_DIR=FOLDER", capsys, monkeypatch, tmp_path)


@pytest.mark.usefixtures("machine")
def test_folders_that_others_may_write_to(capsys, monkeypatch, tmp_path):
    folder = tmp_path / "cache of mine"
    monkeypatch.setenv("CLTENSOR_CACHE_DIR", str(folder))
    (folder / "kernels").mkdir(parents=True)
    folder.chmod(0o777)
    (folder / "kernels").chmod(0o777)  # one command closes both
    cured("other users may write to", "chmod go-w", capsys, monkeypatch, tmp_path)


@pytest.mark.usefixtures("machine")
def test_folders_in_the_cache_that_others_may_write_to(capsys, monkeypatch, tmp_path):
    cache = kernel_cache()
    for key in ("ab" * 32, "cd" * 32):
        cache.put(key, b"binary")
        cache.path(key).parent.chmod(0o777)
    cured("other users may write to", "cltensor cache clear", capsys, monkeypatch, tmp_path)


@pytest.mark.usefixtures("machine")
def test_damaged_entries(capsys, monkeypatch, tmp_path):
    cache = kernel_cache()
    cache.put("ab" * 32, b"binary")
    path = cache.path("ab" * 32)
    path.write_bytes(path.read_bytes()[:-1])
    cured("1 of 1 entries of the kernel cache are damaged", "cltensor cache clear", capsys, monkeypatch, tmp_path)


@pytest.mark.usefixtures("machine")
def test_a_chosen_folder_of_pocl(capsys, monkeypatch, tmp_path):
    monkeypatch.setattr(scratch, "fault", lambda path: f"{path} is full; set TMPDIR" if "closed" in str(path) else None)
    (tmp_path / "closed").mkdir()
    monkeypatch.setenv("POCL_CACHE_DIR", str(tmp_path / "closed"))
    cured("PoCL cannot write kernels", "unset POCL_CACHE_DIR", capsys, monkeypatch, tmp_path)


@pytest.mark.usefixtures("machine")
def test_no_place_for_files(capsys, monkeypatch, tmp_path):
    def provide():
        if os.environ.get("TMPDIR") != str(tmp_path / "own"):
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(pocl, "provide", provide)
    cured("there is no folder for its files", "export TMPDIR=FOLDER", capsys, monkeypatch, tmp_path)


@pytest.mark.parametrize("name", ["OCL_ICD_VENDORS", "OPENCL_VENDOR_PATH"])
def test_a_loader_that_is_pointed_elsewhere(name, machine, capsys, monkeypatch, tmp_path):
    well = machine.look()
    monkeypatch.setenv(name, "/dev/null")

    def look():
        astray = {**copy.deepcopy(LOOKED), "unloadable": {"/dev/null": "file too short"}}
        return astray if name in os.environ else well

    machine.look = look
    cured("no OpenCL device was found where", f"unset {name}", capsys, monkeypatch, tmp_path)
    monkeypatch.setenv(name, "/dev/null")
    cured("does not load", f"unset {name}", capsys, monkeypatch, tmp_path)


def test_a_driver_that_does_not_load(machine, capsys, monkeypatch, tmp_path):
    icd = tmp_path / "old driver.icd"
    icd.write_text("libold.so\n")

    well = machine.look()

    def look():
        found = copy.deepcopy(well)
        found["search"]["vendor_folders"] = {str(tmp_path): {p.name: "libold.so" for p in tmp_path.glob("*.icd")}}
        found["unloadable"] = {"libold.so": "no such file"} if icd.exists() else {}
        return found

    machine.look = look
    cured("libold.so, which does not load", "rm ", capsys, monkeypatch, tmp_path)


@pytest.mark.parametrize(("name", "value"), [("CLTENSOR_POCL_CPU", "nonsense"), ("CLTENSOR_PROFILE", "cpu")])
def test_a_setting_that_makes_a_device_fail(name, value, machine, capsys, monkeypatch, tmp_path):
    machine.check = lambda place: {"cpu": {"add": {"error": "wrong"} if name in os.environ else {"seconds": 1}}}
    monkeypatch.setenv(name, value)
    cured("fails add", f"unset {name}", capsys, monkeypatch, tmp_path)


def test_the_wrong_one_of_two_devices(machine, capsys, monkeypatch, tmp_path):
    well = machine.look
    machine.look = lambda: {**well(), "devices": [device(0), device(1)]}
    machine.check = lambda place: {"cpu": {"add": {"error": "wrong"} if place == "0.0" else {"seconds": 1}}}
    [problem] = [f for f in examined(capsys) if "fails add" in f["what"]]
    assert problem["cure"] == "export CLTENSOR_DEVICE=opencl:1"
    monkeypatch.setenv("CLTENSOR_DEVICE", "opencl:1")
    assert main(["doctor"]) == 0
    [note] = examined(capsys)
    assert "is passed over" in note["what"]
