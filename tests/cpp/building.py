"""Building what is in cpp/ with CMake, and running it on the driver under test."""

import contextlib
import fcntl
import functools
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from generator.compiled_c import loader

ROOT = Path(__file__).resolve().parents[2]
HEADERS = ("CL/cl.h", "nlohmann/json.hpp", "doctest/doctest.h")
#: in a process of its own: PoCL's wheel is told the processor's name by the device; then the program runs like any other
_RUN = """import ctypes, os, sys
from cltensor.runtime.device import default_device
os.environ["CLTENSOR_DEVICE"] = default_device().name
arguments = [a.encode() for a in sys.argv[1:]]
sys.exit(ctypes.CDLL(sys.argv[1]).main(len(arguments), (ctypes.c_char_p * (len(arguments) + 1))(*arguments, None)))
"""


@functools.cache
def missing():
    """Why nothing can be built here, in one line; None if it can."""
    for program in ("g++", "cmake"):
        if not shutil.which(program):
            return f"there is no {program}"
    text = "#define CL_TARGET_OPENCL_VERSION 120\n" + "".join(f"#include <{h}>\n" for h in HEADERS)
    probe = subprocess.run(["g++", "-E", "-x", "c++", "-"], input=text, text=True, capture_output=True, check=False)
    return None if probe.returncode == 0 else ("g++ does not find " + ", ".join(HEADERS) + ": install opencl-c-headers, "
                                               "nlohmann-json3-dev and doctest-dev (Debian), or name their folder in CPATH")


needs_compiler = pytest.mark.skipif(missing() is not None, reason=str(missing()))


@contextlib.contextmanager
def once(tmp_path_factory, name):
    """A folder that pytest's processes share, and whether it is still to be filled: by one of them, while the others wait."""
    base = tmp_path_factory.getbasetemp()
    base = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    folder, done_ = base / name, base / f"{name}.done"
    with open(base / f"{name}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        folder.mkdir(exist_ok=True)
        yield folder, not done_.exists()
        done_.touch()


def built(folder, *targets, **settings):
    """Configure and build targets in a folder; the folder."""
    own = loader()[0]
    given = {"CMAKE_BUILD_TYPE": "None", "CLTENSOR_LOADABLE": "ON", **settings}
    if own != "-lOpenCL":
        given["OpenCL_LIBRARY"] = own
    done("cmake", "-S", str(ROOT / "cpp"), "-B", str(folder), *(f"-D{n}={v}" for n, v in given.items()))
    done("cmake", "--build", str(folder), "--parallel", "2", "--target", *targets)
    return folder


def sanitizing(folder):
    """The variables with which a module built with CLTENSOR_SANITIZE runs in Python: what leaks in others is not told."""
    known = folder / "known-leaks"
    known.write_text("".join(f"leak:{n}\n" for n in ("libpython", "python", "libpocl", "_cl.", "libOpenCL", "numpy")))
    libraries = [done("g++", f"-print-file-name={n}").strip() for n in ("libasan.so", "libstdc++.so")]
    drivers = Path(loader()[0]).parent if loader()[0] != "-lOpenCL" else ""
    return {"LD_PRELOAD": " ".join(libraries), "LD_LIBRARY_PATH": str(drivers), "ASAN_OPTIONS": "handle_segv=0",
            "LSAN_OPTIONS": f"suppressions={known}:print_suppressions=0"}


def done(*command):
    """Run a command that must succeed; its output."""
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stdout + found.stderr
    return found.stdout


def ran(module, *arguments, timeout=280, cwd=None, **environment):
    """(exit status, output) of a program that was built as a module, run on the device under test."""
    plain = {"CL_BUILD_OPTIONS": os.environ.get("PYOPENCL_BUILD_OPTIONS", "-cl-opt-disable")}
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    found = subprocess.run([sys.executable, "-c", _RUN, str(module), *map(str, arguments)], capture_output=True, text=True,
                           check=False, env={**os.environ, **plain, "PYTHONPATH": path, **environment}, timeout=timeout,
                           cwd=cwd)
    return found.returncode, found.stdout + found.stderr
