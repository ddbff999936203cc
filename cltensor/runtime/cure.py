"""Cures: the command that installs a CPU driver which this machine lacks."""

import platform
import shutil
import sys

X86 = ("x86_64", "amd64")
POCL, INTEL = "Portable Computing Language", "Intel(R) OpenCL"
#: pip's packages: cltensor's extra, and plain names for a cltensor that runs from a clone without being installed
_PIP = {POCL: ("cltensor[pocl]", "pyopencl[pocl]"), INTEL: ("cltensor[intel]", "intel-opencl-rt intel-cmplr-lib-rt")}
_SYSTEM = {"apt-get": "apt-get install pocl-opencl-icd", "dnf": "dnf install pocl", "zypper": "zypper install pocl",
           "pacman": "pacman -S pocl", "apk": "apk add pocl", "brew": "brew install pocl"}


def cpu_driver(there=()):
    """The command that installs a CPU driver other than those `there` (platform names), or advice where there is no command."""
    for name in wheels():
        if name not in there:
            return pip_install(name)
    for manager, command in _SYSTEM.items():
        if shutil.which(manager):
            return command
    return "install PoCL 5 or newer from your distribution, or from conda-forge"


def pyopencl():
    """The command that installs pyopencl, with a CPU driver where pip has one."""
    return pip_install(POCL) if POCL in wheels() else f"pip install pyopencl, and for the CPU {cpu_driver()}"


def wheels():
    """The CPU drivers that pip has for this machine, by their platform's name, the preferred one first."""
    if platform.machine().lower() not in X86:
        return []
    if sys.platform == "win32":
        return [INTEL]
    return [POCL, INTEL] if sys.platform == "linux" and is_glibc() else []


def is_glibc():
    """Whether this Python uses the GNU C library, which pip's drivers need; musl is the other one."""
    return platform.libc_ver()[0] == "glibc"


def pip_install(name):
    """The pip command for a driver, by its platform's name."""
    from importlib import metadata  # it takes 12 ms to import, and only an error needs it

    extra, packages = _PIP[name]
    try:
        metadata.version("cltensor")
    except metadata.PackageNotFoundError:
        return f"pip install {_quoted(packages)}"
    return f"pip install {_quoted(extra)}"


def _quoted(text):
    return f'"{text}"' if "[" in text else text


def is_wsl():
    """Whether this is Linux under Windows."""
    return sys.platform == "linux" and "microsoft" in platform.release().lower()
