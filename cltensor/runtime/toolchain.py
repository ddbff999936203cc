"""Giving PoCL a linker on a machine without a C toolchain.

PoCL's wheel brings its compiler, but for the last step it calls `ld` with libgcc and the C library's development files.
On a machine with only Python these are missing.  Then put a substitute named `ld` at the front of PATH: see linker.py.
"""

import glob
import os
import platform
import shlex
import shutil
import sys

from . import scratch

#: what runs in place of ld, as a program of its own
_LINKER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "linker.py")
NEEDED = (("/usr/lib/gcc/x86_64*/*/libgcc.a", "/usr/lib64/gcc/x86_64*/*/libgcc.a"),
          ("/usr/lib/x86_64-linux-gnu/libc.so", "/usr/lib64/libc.so", "/usr/lib/libc.so"))


def complete():
    """Whether the machine has `ld` and the libraries that PoCL links kernels with."""
    return shutil.which("ld") is not None and all(any(map(glob.glob, places)) for places in NEEDED)


def provide(folder):
    """On x86-64 Linux without a complete toolchain, write a linker to `folder` (pathlib.Path) and put that on PATH."""
    if not (sys.platform == "linux" and platform.machine() == "x86_64"):
        return
    path = os.environ.get("PATH", os.defpath).split(os.pathsep)
    own = [p for p in path if not scratch.is_in_one(p)]  # drop a parent's folder, which is removed when the parent ends
    os.environ["PATH"] = os.pathsep.join(own)
    if complete():
        return
    folder.mkdir(exist_ok=True)
    stand_in = folder / "ld"
    stand_in.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -I -S {shlex.quote(_LINKER)} "$@"\n')
    stand_in.chmod(0o700)
    os.environ["PATH"] = os.pathsep.join([str(folder), *own])
