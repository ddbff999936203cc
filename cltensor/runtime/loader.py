"""Loading pyopencl, with the environment that the OpenCL libraries read when they load.

The loader (ocl-icd, bundled with pyopencl's wheel) and PoCL read their settings once, at the first search for
platforms.  So set the environment before; load nothing until a device is asked for.  The user's own settings stay.
"""

import contextlib
import glob
import importlib.util
import os
import re
import shutil
import sys
from pathlib import Path

from ..base import config
from ..base.errors import DeviceError
from . import cure, pocl, scratch, toolchain

SYSTEM_VENDORS = Path("/etc/OpenCL/vendors")

# PoCL offers the processor as a device with threads and as one that runs everything in the calling thread (see inline.py).
# Versions from 4 on call these cpu and cpu-minimal, and accept the older names too.
POCL_PROCESSOR = "pthread basic"
_PROCESSORS = {"pthread", "basic", "cpu", "cpu-minimal"}
_LIBRARIES = ("/usr/lib/*-linux-gnu", "/usr/lib64", "/usr/lib", "/usr/local/lib")

# The library number of PoCL 7.  Unless it compiles for one local size, it keeps a loop's live values in memory, even where
# the kernel requires a size: a multiply-add loop then runs at a 16th of its speed.
_NEEDS_SIZES = 14

_module = None


def pyopencl():
    """The pyopencl module, with the environment prepared.  Raises DeviceError when it cannot be loaded."""
    global _module
    if _module is None:
        prepare_environment()
        try:
            import pyopencl as module
            import pyopencl.tools
        except (ImportError, OSError) as e:
            raise DeviceError(f"devices are reached through pyopencl, which does not load: {e}. Install it: "
                              f"{cure.pyopencl()}") from e
        _module = module
    return _module


def loaded():
    """Whether pyopencl has been loaded through here."""
    return _module is not None


def prepare_environment():
    """Set the variables that the libraries read, unless the user has set them."""
    env = os.environ
    if not any(_pocl_release(icd) >= _NEEDS_SIZES for icd in SYSTEM_VENDORS.glob("*pocl*.icd")):
        # One compilation per kernel, instead of one for each local size, offset and grid class.
        env.setdefault("POCL_WORK_GROUP_SPECIALIZATION", "0")
    # pyopencl 2026.1 reads this without a default when its own cache fails.
    env.setdefault("PYOPENCL_CACHE_FAILURE_FATAL", "")
    if config.inline() and "POCL_DEVICES" not in env and _vendors_are_free(env) and pocl_drives_processors_only():
        env["POCL_DEVICES"] = POCL_PROCESSOR
    with contextlib.suppress(OSError):
        pocl.provide()
        toolchain.provide(scratch.folder() / "linker")
    if _vendors_are_free(env):
        with contextlib.suppress(OSError):
            show_pip_runtimes()


def pocl_drives_processors_only():
    """Whether every PoCL that will load has only processor drivers: setting POCL_DEVICES would hide any others."""
    of_system = [_pocl_drivers(icd) for icd in SYSTEM_VENDORS.glob("*pocl*.icd")]
    if not of_system:
        return importlib.util.find_spec("pocl_binary_distribution") is not None
    return all(drivers and drivers <= _PROCESSORS for drivers in of_system)


def _pocl_drivers(icd):
    """The driver names of the PoCL that an .icd file names; empty where they are not in the usual place."""
    found = [f for library in _places(icd) for f in library.parent.glob("pocl/libpocl-devices-*.so")]
    return {f.stem.removeprefix("libpocl-devices-") for f in found}


def _pocl_release(icd):
    """The second number of the PoCL library that an .icd file names: 9 of PoCL 3.0, 13 of 6.0, 15 of 7.1; 0 where unknown."""
    numbers = [re.search(r"libpocl\.so\.2\.(\d+)", str(library.resolve())) for library in _places(icd)]
    return max((int(n[1]) for n in numbers if n), default=0)


def _places(icd):
    """Possible paths of the library that an .icd file names: its absolute path, else the system's library folders."""
    with contextlib.suppress(OSError, UnicodeDecodeError):
        library = Path(icd.read_text().strip())
        folders = [library.parent] if library.is_absolute() else [Path(f) for pattern in _LIBRARIES for f in glob.glob(pattern)]
        return [folder / library.name for folder in folders]
    return []


def pip_runtimes():
    """OpenCL libraries that pip installs where no loader looks: Intel's CPU runtime."""
    return [p for p in (Path(sys.prefix) / "lib" / "libintelocl.so",) if p.exists()]


def _vendors_are_free(env):
    """Whether the user has not chosen the loader's folder (one inherited from a parent process is ours)."""
    chosen = env.get("OCL_ICD_VENDORS")
    if chosen is None:
        return "OPENCL_VENDOR_PATH" not in env
    return scratch.is_in_one(chosen)


def show_pip_runtimes():
    """Point the loader at a new folder, of this process, that names pip's runtimes beside the system's."""
    os.environ.pop("OCL_ICD_VENDORS", None)
    runtimes = pip_runtimes()
    if not runtimes:
        return
    folder = scratch.folder() / "icd"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for icd in SYSTEM_VENDORS.glob("*.icd"):
        (folder / icd.name).symlink_to(icd)
    for library in runtimes:
        (folder / f"pip-{library.stem}.icd").write_text(f"{library}\n")
    os.environ["OCL_ICD_VENDORS"] = str(folder)
