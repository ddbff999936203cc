"""Giving PoCL a linker where the machine has no C toolchain.

PoCL's wheel brings its compiler but calls `ld`, with libgcc and the C library's development files, for the last step.
On a machine with only Python these are missing, so a stand-in named `ld` goes in front of PATH: see linker.py.
"""

import glob
import os
import platform
import shutil
import sys
import tempfile

from . import linker

NEEDED = (("/usr/lib/gcc/x86_64*/*/libgcc.a", "/usr/lib64/gcc/x86_64*/*/libgcc.a"),
          ("/usr/lib/x86_64-linux-gnu/libc.so", "/usr/lib64/libc.so", "/usr/lib/libc.so"))


def complete():
    """Whether `ld` and the libraries that PoCL links kernels with are there."""
    return shutil.which("ld") is not None and all(any(map(glob.glob, places)) for places in NEEDED)


def provide(folder):
    """Put a linker on PATH, in `folder` (pathlib.Path), where PoCL's wheel is used and there is no other."""
    if not (sys.platform == "linux" and platform.machine() == "x86_64") or complete():
        return
    stand_in = folder / "ld"
    text = f'#!/bin/sh\nexec "{sys.executable}" -I -S "{linker.__file__}" "$@"\n'
    if not (stand_in.exists() and stand_in.read_text() == text):
        folder.mkdir(parents=True, exist_ok=True)
        handle, draft = tempfile.mkstemp(dir=folder)
        with os.fdopen(handle, "w") as file:
            file.write(text)
        os.chmod(draft, 0o755)
        os.replace(draft, stand_in)
    os.environ["PATH"] = os.pathsep.join([str(folder), os.environ.get("PATH", os.defpath)])
