"""Giving PoCL a linker where the machine has no C toolchain.

PoCL's wheel brings its compiler but calls `ld`, with libgcc and the C library's development files, for the last step.
On a machine with only Python these are missing, so a stand-in named `ld` goes in front of PATH: see linker.py.
"""

import glob
import os
import platform
import shlex
import shutil
import sys

from . import linker, scratch

NEEDED = (("/usr/lib/gcc/x86_64*/*/libgcc.a", "/usr/lib64/gcc/x86_64*/*/libgcc.a"),
          ("/usr/lib/x86_64-linux-gnu/libc.so", "/usr/lib64/libc.so", "/usr/lib/libc.so"))


def complete():
    """Whether `ld` and the libraries that PoCL links kernels with are there."""
    return shutil.which("ld") is not None and all(any(map(glob.glob, places)) for places in NEEDED)


def provide(folder):
    """Put a linker on PATH, in `folder` (pathlib.Path), where PoCL's wheel is used and there is no other."""
    if not (sys.platform == "linux" and platform.machine() == "x86_64"):
        return
    path = os.environ.get("PATH", os.defpath).split(os.pathsep)
    own = [p for p in path if not scratch.is_in_one(p)]  # without that of a parent process, which goes when the parent does
    os.environ["PATH"] = os.pathsep.join(own)
    if complete():
        return
    folder.mkdir(exist_ok=True)
    stand_in = folder / "ld"
    stand_in.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -I -S {shlex.quote(linker.__file__)} "$@"\n')
    stand_in.chmod(0o700)
    os.environ["PATH"] = os.pathsep.join([str(folder), *own])
