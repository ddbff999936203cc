"""The environment the OpenCL libraries are given, and what is said when there is nothing to load or to find."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from cltensor.base.errors import DeviceError
from cltensor.runtime import cure, loader, platforms, scratch, search

from .fakes import FakeDevice, FakeError, FakePlatform, fake_pyopencl


@pytest.fixture
def environment(monkeypatch, tmp_path):
    """An environment of its own, with its cache folder and temporary files in tmp_path."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("OCL", "OPENCL", "POCL", "CLTENSOR", "PYOPENCL"))}
    monkeypatch.setattr(os, "environ", clean)
    clean["CLTENSOR_CACHE_DIR"] = str(tmp_path / "cache")
    monkeypatch.setattr(loader, "pip_runtimes", list)
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(scratch, "_mine", None)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    return clean


@pytest.fixture
def vendors(environment, monkeypatch, tmp_path):
    """A system's vendor folder with one .icd file, and a pip environment with Intel's runtime."""
    system = tmp_path / "vendors"
    system.mkdir()
    (system / "amd.icd").write_text("libamd.so\n")
    monkeypatch.setattr(loader, "SYSTEM_VENDORS", system)
    monkeypatch.setattr(loader, "pip_runtimes", lambda: [tmp_path / "lib" / "libintelocl.so"])
    return system


def icd_files(environment):
    return {p.name: p.read_text().strip() for p in sorted(Path(environment["OCL_ICD_VENDORS"]).iterdir())}


def test_pocl_is_told_to_specialise_less(environment):
    loader.prepare_environment()
    assert environment["POCL_WORK_GROUP_SPECIALIZATION"] == "0"
    assert environment["PYOPENCL_CACHE_FAILURE_FATAL"] == ""


@pytest.mark.parametrize(("library", "setting"), [
    ("libpocl.so.2.10.0", "0"), ("libpocl.so.2.13.0", "0"), ("libpocl.so.2.14.0", None), ("libpocl.so.2.15.0", None),
    ("libpocl.so.2", None), ("libpocl.so", "0")])
def test_pocl_7_is_left_to_compile_for_each_size(environment, vendors, monkeypatch, tmp_path, library, setting):
    monkeypatch.setattr(loader, "_LIBRARIES", (str(tmp_path / "lib"),))
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "libpocl.so.2").symlink_to("libpocl.so.2.15.0")
    (vendors / "pocl.icd").write_text(f"{library}\n")
    loader.prepare_environment()
    assert environment.get("POCL_WORK_GROUP_SPECIALIZATION") == setting


def test_settings_of_the_user_stay(environment, vendors):
    mine = {"POCL_WORK_GROUP_SPECIALIZATION": "1", "POCL_CACHE_DIR": "/mine", "OCL_ICD_VENDORS": "/vendors"}
    environment.update(mine)
    loader.prepare_environment()
    assert {k: environment[k] for k in mine} == mine


def test_pocl_of_the_wheel_shows_its_device_twice(environment, vendors, monkeypatch):
    monkeypatch.setattr(loader.importlib.util, "find_spec", lambda name: name)
    loader.prepare_environment()
    assert environment["POCL_DEVICES"] == "pthread basic"


def system_pocl(vendors, folder, *drivers, absolute=True):
    """An .icd file that names a PoCL with these drivers."""
    (folder / "pocl").mkdir(parents=True)
    for name in drivers:
        (folder / "pocl" / f"libpocl-devices-{name}.so").touch()
    (vendors / "pocl.icd").write_text(f"{folder if absolute else ''}/libpocl.so.2\n".removeprefix("" if absolute else "/"))


@pytest.mark.parametrize("absolute", [True, False])
@pytest.mark.parametrize(("drivers", "told"), [
    (("basic", "pthread"), True), (("cpu", "cpu-minimal"), True), (("basic", "pthread", "cuda"), False), ((), False)])
def test_pocl_of_the_system_shows_its_device_twice_where_it_has_no_other(environment, vendors, monkeypatch, tmp_path, drivers, told,
                                                                         absolute):
    monkeypatch.setattr(loader, "_LIBRARIES", (str(tmp_path / "lib"),))
    system_pocl(vendors, tmp_path / "lib", *drivers, absolute=absolute)
    loader.prepare_environment()
    assert environment.get("POCL_DEVICES") == ("pthread basic" if told else None)


@pytest.mark.parametrize("setting", ["no PoCL", "an unreadable file", "turned off", "the user's", "the user's folder"])
def test_pocl_is_left_alone(environment, vendors, monkeypatch, setting):
    monkeypatch.setattr(loader.importlib.util, "find_spec", lambda name: None if setting == "no PoCL" else name)
    if setting == "an unreadable file":
        (vendors / "pocl.icd").mkdir()
    if setting == "turned off":
        environment["CLTENSOR_INLINE"] = "0"
    if setting == "the user's":
        environment["POCL_DEVICES"] = "basic"
    if setting == "the user's folder":
        environment["OCL_ICD_VENDORS"] = "/vendors"
    loader.prepare_environment()
    assert environment.get("POCL_DEVICES") == ("basic" if setting == "the user's" else None)


def test_pocl_keeps_its_files_in_a_folder_of_this_process(environment):
    loader.prepare_environment()
    folder = Path(environment["POCL_CACHE_DIR"])
    assert folder.is_dir()
    assert folder.parent == scratch.folder()


@pytest.mark.parametrize("others", [False, True])
def test_pocl_that_compiles_for_each_size_keeps_its_files(environment, tmp_path, others):
    environment["POCL_WORK_GROUP_SPECIALIZATION"] = "1"
    folder = tmp_path / "cache" / "pocl" / "AB"
    folder.mkdir(parents=True)
    for path in (folder, folder.parent, folder.parent.parent):
        path.chmod(0o700)
    (folder / "kernel.so").touch()
    (folder / "kernel.so").chmod(0o666 if others else 0o644)
    loader.prepare_environment()
    assert Path(environment["POCL_CACHE_DIR"]) == (scratch.folder() / "pocl" if others else folder.parent)


def test_folders_of_a_parent_process_are_not_used(environment, vendors, tmp_path):
    parent = tmp_path / f"{scratch.PREFIX}parent"
    path = environment.get("PATH", "")
    environment.update(POCL_CACHE_DIR=f"{parent}/pocl", OCL_ICD_VENDORS=f"{parent}/icd", PATH=f"{parent}/linker{os.pathsep}{path}")
    loader.prepare_environment()
    assert not [v for v in environment.values() if str(parent) in v]


def test_pip_runtimes_are_shown_beside_the_systems(environment, vendors, tmp_path):
    loader.prepare_environment()
    assert icd_files(environment) == {"amd.icd": "libamd.so",
                                      "pip-libintelocl.icd": str(tmp_path / "lib" / "libintelocl.so")}


def test_vendor_folder_follows_the_system(environment, vendors):
    loader.prepare_environment()
    (vendors / "amd.icd").unlink()
    (vendors / "nvidia.icd").write_text("libnvidia-opencl.so.1\n")
    loader.prepare_environment()  # OCL_ICD_VENDORS is ours now, as in a child process
    assert list(icd_files(environment)) == ["nvidia.icd", "pip-libintelocl.icd"]


def test_without_pip_runtimes_the_loader_is_left_alone(environment):
    loader.prepare_environment()
    assert "OCL_ICD_VENDORS" not in environment


def test_unknown_files_are_not_handed_to_the_loader(environment, vendors):
    loader.prepare_environment()
    (Path(environment["OCL_ICD_VENDORS"]) / "evil.icd").write_text("libevil.so\n")
    loader.prepare_environment()
    assert list(icd_files(environment)) == ["amd.icd", "pip-libintelocl.icd"]


def test_a_cache_folder_that_cannot_be_made_is_no_error(environment, vendors, tmp_path):
    (tmp_path / "cache").write_text("a file where the folder should be")
    loader.prepare_environment()
    assert tmp_path / "temporary" in Path(environment["OCL_ICD_VENDORS"]).parents


def test_no_folder_at_all_is_no_error(environment, vendors, monkeypatch):
    def none():
        raise OSError("no folder")

    monkeypatch.setattr(scratch, "_made", none)
    loader.prepare_environment()
    assert not {"OCL_ICD_VENDORS", "POCL_CACHE_DIR"} & environment.keys()


def test_missing_pyopencl_is_one_clear_error(environment, monkeypatch):
    monkeypatch.setattr(loader, "_module", None)
    monkeypatch.setitem(sys.modules, "pyopencl", None)
    with pytest.raises(DeviceError, match=r"pyopencl, which does not load: .*pip install "):
        loader.pyopencl()


def test_search_says_what_it_saw(environment, monkeypatch, tmp_path):
    found = [FakePlatform("Clover", FakeError("DEVICE_NOT_FOUND")), FakePlatform("PoCL", [FakeDevice("pthread")])]
    bundled = tmp_path / "pyopencl" / ".libs"
    bundled.mkdir(parents=True)
    (bundled / "pocl.icd").write_text("libpocl.so\n")
    (bundled / "libOpenCL-1.so").touch()
    environment["OCL_ICD_VENDORS"] = str(tmp_path / "nowhere")
    monkeypatch.setattr(search, "pyopencl", lambda: fake_pyopencl(found, str(tmp_path / "pyopencl" / "__init__.py")))
    report = search.describe_search()
    assert report["vendor_folders"] == {str(tmp_path / "nowhere"): None, str(bundled): {"pocl.icd": "libpocl.so"}}
    assert [(p["name"], p["error"], [d["name"] for d in p["devices"]]) for p in report["platforms"]] == [
        ("Clover", "DEVICE_NOT_FOUND", []), ("PoCL", None, ["pthread"])]
    assert report["platforms"][1]["devices"][0]["kind"] == "cpu"
    assert report["environment"]["OCL_ICD_VENDORS"] == str(tmp_path / "nowhere")
    assert report["error"] is None


def test_nothing_found_is_one_clear_error(environment, monkeypatch, tmp_path):
    (tmp_path / "vendors").mkdir()
    environment["OCL_ICD_VENDORS"] = str(tmp_path / "vendors")
    module = fake_pyopencl([FakePlatform("Clover", FakeError("DEVICE_NOT_FOUND")), FakePlatform("Rusticl", [])])
    monkeypatch.setattr(platforms, "pyopencl", lambda: module)
    monkeypatch.setattr(search, "pyopencl", lambda: module)
    monkeypatch.setattr(platforms, "_found", None)
    with pytest.raises(DeviceError) as e:
        platforms.entries()
    text = str(e.value)
    assert text.startswith("no OpenCL device was found.\nThe loader is ")
    assert f"{tmp_path / 'vendors'}: no .icd file" in text
    assert "platform Clover: DEVICE_NOT_FOUND" in text
    assert "platform Rusticl: it has no device" in text
    assert text.endswith(f"For the CPU:\n  {cure.cpu_driver()}")


def test_process_without_any_platform(tmp_path):
    """For real: a loader that is shown a single library that is not there."""
    (tmp_path / "none.icd").write_text("libdoesnotexist.so\n")
    program = ("from cltensor import opencl\nfrom cltensor.runtime.device import device\n"
               "assert not opencl.is_available() and opencl.device_count() == 0\n"
               "try:\n    device('opencl')\nexcept RuntimeError as e:\n    print(e)\n")
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False,
                         env={**os.environ, "OCL_ICD_VENDORS": str(tmp_path / "none.icd"),
                              "CLTENSOR_CACHE_DIR": str(tmp_path), "CLTENSOR_DEVICE": ""})
    assert ran.returncode == 0, ran.stderr
    assert "no OpenCL device was found." in ran.stdout
    assert "none.icd (names libdoesnotexist.so)" in ran.stdout
    assert f"For the CPU:\n  {cure.cpu_driver()}" in ran.stdout


def test_importing_the_runtime_loads_no_opencl():
    program = "import sys, cltensor.opencl; sys.exit('pyopencl' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
