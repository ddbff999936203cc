"""Loading pyopencl, with the environment the OpenCL libraries read when they load.

The loader (ocl-icd, bundled with pyopencl's wheel) and PoCL read their settings once, at the first search for
platforms, so all of this happens before, and nothing is loaded until a device is asked for.  What the user has set
stays.
"""

import atexit
import contextlib
import importlib.util
import os
import shutil
import sys
import tempfile
from pathlib import Path

from ..base import config
from ..base.errors import DeviceError
from . import cure, toolchain

SYSTEM_VENDORS = Path("/etc/OpenCL/vendors")

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
    """Set what the libraries read, where the user has set nothing."""
    env = os.environ
    # One compilation a kernel instead of one for each local size, offset and grid class.
    env.setdefault("POCL_WORK_GROUP_SPECIALIZATION", "0")
    # pyopencl 2026.1 reads this one without a default when its own cache fails.
    env.setdefault("PYOPENCL_CACHE_FAILURE_FATAL", "")
    if config.inline() and importlib.util.find_spec("pocl_binary_distribution") and not list(SYSTEM_VENDORS.glob("*pocl*")):
        env.setdefault("POCL_DEVICES", "pthread basic")  # names that later versions of PoCL have changed
    if "POCL_CACHE_DIR" not in env:
        env["POCL_CACHE_DIR"] = str(pocl_folder())
    with contextlib.suppress(OSError):
        toolchain.provide(Path(env["POCL_CACHE_DIR"]) / "linker")
    if _vendors_are_free(env):
        with contextlib.suppress(OSError):
            show_pip_runtimes()


def pocl_folder():
    """Where PoCL keeps its temporary and object files.

    Beside our own cache, so that one setting moves both; a folder that is removed at exit when the disk cache is off or
    cannot be written, because PoCL cannot build anything without a folder.
    """
    folder = (config.cache_dir() / "pocl").absolute()
    if config.cache_limit():
        with contextlib.suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)
        if os.access(folder, os.W_OK | os.X_OK):
            return folder
    temporary = Path(tempfile.mkdtemp(prefix="cltensor-pocl-"))
    atexit.register(_remove, temporary, os.getpid())
    return temporary


def _remove(folder, owner):
    if os.getpid() == owner:  # not in a forked child
        shutil.rmtree(folder, ignore_errors=True)


def pip_runtimes():
    """OpenCL libraries that pip packages put where no loader looks: Intel's CPU runtime."""
    return [p for p in (Path(sys.prefix) / "lib" / "libintelocl.so",) if p.exists()]


def _vendor_folders():
    return (config.cache_dir() / "icd").absolute()


def _vendors_are_free(env):
    """Whether the user has left the loader's folder alone (one inherited from a parent process is ours)."""
    chosen = env.get("OCL_ICD_VENDORS")
    if chosen is None:
        return "OPENCL_VENDOR_PATH" not in env
    return Path(chosen).parent == _vendor_folders()


def show_pip_runtimes():
    """Point the loader at a folder that names pip's runtimes beside the system's own."""
    runtimes = pip_runtimes()
    if not runtimes:
        os.environ.pop("OCL_ICD_VENDORS", None)
        return
    import hashlib

    # A folder for each Python environment, so that several can share a cache folder.
    folder = _vendor_folders() / hashlib.sha256(sys.prefix.encode()).hexdigest()[:12]
    folder.mkdir(parents=True, exist_ok=True)
    wanted = {icd.name: str(icd) for icd in sorted(SYSTEM_VENDORS.glob("*.icd"))}
    for old in folder.iterdir():
        if old.is_symlink() and wanted.get(old.name) != os.readlink(old):
            old.unlink(missing_ok=True)
    for name, target in wanted.items():
        with contextlib.suppress(FileExistsError):
            (folder / name).symlink_to(target)
    for library in runtimes:
        _write_if_new(folder / f"pip-{library.stem}.icd", f"{library}\n")
    os.environ["OCL_ICD_VENDORS"] = str(folder)


def _write_if_new(path, text):
    with contextlib.suppress(OSError):
        if path.read_text() == text:
            return
    path.write_text(text)
