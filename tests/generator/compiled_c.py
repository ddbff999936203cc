"""Compiling a C program against OpenCL's headers, and running it on the driver under test."""

import functools
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pyopencl
import pytest

ROOT = Path(__file__).resolve().parents[2]
_WARNINGS = ("-std=c99", "-Wall", "-Wextra", "-Werror")
#: in a process of its own: PoCL's wheel is told the processor's name by the device; then the program runs like any other
_RUN = """import ctypes, os, sys
from cltensor.runtime.device import default_device
device = default_device()
arguments = [sys.argv[1].encode(), device.name.encode()]
sys.exit(ctypes.CDLL(sys.argv[1]).main(len(arguments), (ctypes.c_char_p * 3)(*arguments, None)))
"""


@functools.cache
def missing():
    """Why no program can be compiled here, in one line; None if one can."""
    if not shutil.which("gcc"):
        return "there is no gcc"
    text = "#define CL_TARGET_OPENCL_VERSION 120\n#include <CL/cl.h>\n"
    probe = subprocess.run(["gcc", "-fsyntax-only", "-x", "c", "-"], input=text, text=True, capture_output=True, check=False)
    return None if probe.returncode == 0 else "gcc finds no CL/cl.h: install opencl-c-headers (Debian), or name its folder in CPATH"


needs_gcc = pytest.mark.skipif(missing() is not None, reason=str(missing()))


def loader():
    """What to link OpenCL by: the loader in pyopencl's wheel, or the system's."""
    own = sorted((Path(pyopencl.__file__).parent / ".libs").glob("libOpenCL*"))
    return [str(own[0])] if own else ["-lOpenCL"]


def compiled(source, *options):
    """The shared library made of a C program."""
    made = Path(source).with_suffix(".so")
    command = ["gcc", *_WARNINGS, "-O1", "-shared", "-fPIC", *options, str(source), *loader(), "-lm", "-o", str(made)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return made


def ran(library, timeout=250):
    """(exit status, output) of a compiled program, run in its own folder on the device under test."""
    plain = {"CL_BUILD_OPTIONS": os.environ.get("PYOPENCL_BUILD_OPTIONS", "-cl-opt-disable")}
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    done = subprocess.run([sys.executable, "-c", _RUN, str(library)], cwd=library.parent, capture_output=True, text=True,
                          check=False, env={**os.environ, **plain, "PYTHONPATH": path}, timeout=timeout)
    return done.returncode, done.stdout + done.stderr
