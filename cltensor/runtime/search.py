"""A report on the search for devices: data for `cltensor doctor`, and the message when nothing is found."""

import contextlib
import ctypes
import os
from pathlib import Path

from ..base.errors import DeviceError
from . import cure
from .entry import kind_of
from .loader import SYSTEM_VENDORS, pyopencl

_SHOWN = ("CLTENSOR_", "OCL_ICD", "OPENCL_", "POCL_", "PYOPENCL_")


def describe_search():
    """Return what the search for devices looked for and found, for reports of problems.

    Returns a dict: loader (path of the libOpenCL in use, or None), vendor_folders ({folder: {.icd file: library}, or None where
    there is no such folder}), platforms (list of {name, version, devices, error}), environment (the settings that matter), error
    (why the search failed, or None).

    Never raises: errors are part of the report.  Source: the ICD loader's rules, cl_khr_icd of the Khronos Group.

        >>> sorted(ct.opencl.describe_search())
        ['environment', 'error', 'loader', 'platforms', 'vendor_folders']
    """
    report = {"loader": None, "vendor_folders": {}, "platforms": [], "environment": {}, "error": None}
    try:
        cl = pyopencl()
    except DeviceError as e:
        report["error"] = str(e)
        return report
    report["loader"] = loader_path(cl)
    report["environment"] = {k: v for k, v in sorted(os.environ.items()) if k.startswith(_SHOWN)}
    report["vendor_folders"] = {str(p): _vendor_files(p) for p in vendor_paths(cl)}
    try:
        report["platforms"] = [_describe_platform(cl, p) for p in cl.get_platforms()]
    except cl.Error as e:
        report["error"] = str(e)
    return report


def _describe_platform(cl, platform):
    known = {"name": platform.name.strip(), "version": platform.version.strip(), "devices": [], "error": None}
    try:
        known["devices"] = [{"name": d.name.strip(), "kind": kind_of(d.type), "version": d.version.strip(),
                             "driver": d.driver_version.strip()} for d in platform.get_devices()]
    except cl.Error as e:
        known["error"] = str(e)
    return known


def vendor_paths(cl):
    """The folders (or the single file) the loader reads, in its order."""
    chosen = os.environ.get("OCL_ICD_VENDORS") or os.environ.get("OPENCL_VENDOR_PATH")
    first = Path(chosen) if chosen else SYSTEM_VENDORS
    if first.exists() and not first.is_dir():
        return [first]
    return [first, Path(cl.__file__).parent / ".libs"]


def _vendor_files(path):
    """{.icd file: the library it names} of a vendor folder or file; None where there is neither."""
    if not path.exists():
        return None
    if not path.is_dir():
        return {path.name: _library(path)}
    return {p.name: _library(p) for p in sorted(path.glob("*.icd"))}


def _library(icd):
    if icd.suffix != ".icd":
        return str(icd)
    with contextlib.suppress(OSError, UnicodeDecodeError):
        return icd.read_text().strip()
    return "unreadable"


def unloadable(folder, files):
    """{library: reason} for the libraries in `files` (see _vendor_files) that the dynamic linker cannot load."""
    found = {}
    for library in files.values():
        beside = folder / library  # pyopencl's loader finds the drivers in its own folder
        try:
            ctypes.CDLL(str(beside if beside.exists() else library))
        except OSError as e:
            found[library] = str(e)
    return found


def loader_path(cl):
    """The path of the libOpenCL this process uses."""
    with contextlib.suppress(OSError), open("/proc/self/maps") as maps:
        for line in maps:
            if "libOpenCL" in line:
                return line.split(maxsplit=5)[-1].strip()
    bundled = sorted((Path(cl.__file__).parent / ".libs").glob("libOpenCL*"))
    return str(bundled[0]) if bundled else "the system's libOpenCL"


def nothing_found():
    """The message for a machine without a usable OpenCL device."""
    report = describe_search()
    if report["loader"] is None:
        return report["error"]
    lines = ["no OpenCL device was found.", f"The loader is {report['loader']}; it read:"]
    for folder, files in report["vendor_folders"].items():
        lines.append(f"  {folder}: {_in_words(files)}")
        lines += [f"    {library} does not load: {reason}" for library, reason in unloadable(Path(folder), files or {}).items()]
    for p in report["platforms"]:
        names = ", ".join(d["name"] for d in p["devices"]) or "it has no device"
        lines.append(f"  platform {p['name']}: {p['error'] or names}")
    lines.append("A GPU needs its vendor's driver with OpenCL support. For the CPU:")
    lines.append(f"  {cure.cpu_driver()}")
    if cure.is_wsl():
        lines.append("This is WSL: NVIDIA's driver for it has no OpenCL; Intel's has, and so has any for the CPU.")
    return "\n".join(lines)


def _in_words(files):
    if files is None:
        return "no such folder"
    return ", ".join(f"{name} (names {library})" for name, library in files.items()) or "no .icd file"
