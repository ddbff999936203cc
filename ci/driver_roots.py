"""Roots: Debian systems beside this one, each with the OpenCL drivers and the Python of its release.

debootstrap fills a folder under a temporary name, apt installs the drivers in it, and only a complete folder gets its name: an
interrupted run leaves nothing that looks complete.  Mounts last for one command: each command has a mount namespace of its own.
pip runs here and downloads the packages for the Python of the root.
"""

import configparser
import fcntl
import json
import os
import platform
import re
import shutil
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("python3", "pocl-opencl-icd", "mesa-opencl-icd")
TOOLS = {"debootstrap": "debootstrap", "unshare": "util-linux", "chroot": "coreutils", "apt-get": "apt"}
_APART = ("unshare", "--mount", "--propagation", "private")
# PoCL aborts where it cannot read the processor's topology from /sys, and reads its memory from /proc.
_ENTER = """root=$1; shift
for place in proc sys dev; do mount --rbind /$place "$root/$place"; done
while [ "$1" != -- ]; do
    mkdir -p "$root/$2"; mount --bind "$1" "$root/$2"; mount -o remount,bind,ro "$root/$2"; shift 2
done
shift
exec chroot "$root" "$@"
"""
_APT_OWN = ("Acquire::IndexTargets", "Acquire::Languages", "Acquire::Changelogs")
_FOR_CHECKS_ONLY = ("ruff", "setuptools")


class RootFailure(Exception):
    """A message of one line for the user."""


def refusal(uid=None, which=shutil.which):
    """Why no root can be made or entered here, in one line; None if it can."""
    if (os.geteuid() if uid is None else uid) != 0:
        return "roots of other Debian releases need root, to mount and chroot: run it as root, or with --only pip"
    missing = [package for tool, package in TOOLS.items() if not which(tool)]
    return f"needs {', '.join(missing)}: apt-get install {' '.join(missing)}" if missing else None


def mirror(listing=None):
    """The address that this machine's apt has Debian from.  Raises RootFailure."""
    if listing is None:
        wanted = "$(REPO_URI) $(RELEASE) $(COMPONENT)"
        listing = _output("apt-get", "indextargets", "--format", wanted, "Identifier: Packages")
    for line in listing.splitlines():
        address, release, component = line.rsplit(" ", 2)
        if component == "main" and re.search(r"/debian/?$", address) and not release.endswith("-security"):
            return address
    raise RootFailure("this machine's apt has no Debian mirror; name one with --mirror")


def entered(root, command, environment, mounts):
    """The command line that runs `command` in a root, in this environment only, with `mounts`, {folder: place}, to read from."""
    places = [text for folder, place in mounts.items() for text in (str(folder), place.lstrip("/"))]
    settings = [f"{name}={value}" for name, value in environment.items()]
    inside = ["/usr/bin/env", "-i", *settings, *command]
    return [*_APART, "sh", "-euc", _ENTER, "sh", str(root), *places, "--", *inside]


def make(suite, folder, address):
    """The root of a Debian release; make it unless it is complete."""
    root = folder / suite
    with _locked(folder, suite):
        if _stamp(root) != list(PACKAGES):
            _say(f"making the root of Debian {suite}; this takes three minutes, once")
            _afresh(root, lambda draft: _fill(suite, draft, address or mirror()))
    return root


def _fill(suite, draft, address):
    # debootstrap mounts /proc in the new root, and takes it away again unless it is killed.
    _run(*_APART, "debootstrap", "--variant=minbase", suite, str(draft), address)
    (draft / "etc/apt/apt.conf.d/90host").write_text(apt_settings(_output("apt-config", "dump", "Acquire")))
    if Path("/etc/resolv.conf").exists():
        shutil.copyfile("/etc/resolv.conf", draft / "etc/resolv.conf")
    environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND": "noninteractive"}
    _run(*entered(draft, ["apt-get", "-q", "update"], environment, {}))
    _run(*entered(draft, ["apt-get", "-qy", "install", "--no-install-recommends", *PACKAGES], environment, {}))
    _run(*entered(draft, ["apt-get", "clean"], environment, {}))
    (draft / ".whole").write_text(json.dumps(PACKAGES))


def apt_settings(dump):
    """The settings of apt that a root needs as well: proxies, certificates, the greatest age of a list."""
    return "".join(f"{line}\n" for line in dump.splitlines() if not line.startswith(_APT_OWN))


def packages(root, folder):
    """The folder of the packages that cltensor and its tests import, for the Python of a root; make it unless it is complete."""
    version, = {p.name.removeprefix("python") for p in (root / "usr/lib").glob("python3.[0-9]*")}
    wanted, site = requirements(), folder / f"python{version}"
    with _locked(folder, site.name):
        if _stamp(site) != wanted:
            _say(f"installing packages for Python {version} into {site.name}")
            _afresh(site, lambda draft: _install(version, draft, wanted))
    return site


def requirements(text=None):
    """The requirements of setup.cfg at run time, in the examples and in tests, without OpenCL devices."""
    setup = configparser.ConfigParser()
    setup.read_string((ROOT / "setup.cfg").read_text() if text is None else text)
    extras, wanted = setup["options.extras_require"], ["test"]
    lines = setup["options"]["install_requires"].splitlines()
    for extra in wanted:  # grows in the loop
        lines += extras[extra].splitlines()
        wanted += [name for listed in re.findall(r"^cltensor\[(.*)\]", extras[extra], re.MULTILINE) for name in listed.split(",")
                   if name not in wanted]
    found = [line.split(";")[0].strip() for line in lines]
    return [r for r in found if r and not r.startswith(("#", *_FOR_CHECKS_ONLY)) and "[" not in r]


def _install(version, draft, wanted):
    machine = platform.machine()
    platforms = [f"--platform=manylinux_2_{n}_{machine}" for n in range(41, 16, -1)]
    _run(sys.executable, "-m", "pip", "install", "-q", "--no-input", "--target", str(draft), "--python-version", version,
         "--implementation", "cp", "--only-binary=:all:", *platforms, f"--platform=manylinux2014_{machine}", *wanted)
    (draft / ".whole").write_text(json.dumps(wanted))


def _stamp(folder):
    """The stamp of a complete folder, which lists what it was made from; None if there is none."""
    try:
        return json.loads((folder / ".whole").read_text())
    except (OSError, ValueError):
        return None


def _afresh(folder, fill):
    """Have `fill` make the folder anew, under a temporary name until it is complete."""
    draft = folder.with_name(f"{folder.name}.part")
    for old in (draft, folder):
        if old.exists():
            shutil.rmtree(old)
    draft.parent.mkdir(parents=True, exist_ok=True)
    fill(draft)
    draft.rename(folder)


@contextmanager
def _locked(folder, name):
    """Let one run at a time make the folder of this name."""
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / f".{name}.lock", "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _say(text):
    print(f"ci/drivers: {text}", file=sys.stderr, flush=True)


def _run(*command):
    """Run a command quietly.  Raises RootFailure with its last line of output."""
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          errors="replace", check=False)
    if done.returncode:
        lines = done.stdout.strip().splitlines() or ["without a word"]
        name = next((word for word in command if word in ("debootstrap", "apt-get", "pip")), command[0])
        raise RootFailure(f"{name} failed: {next((s for s in reversed(lines) if s.startswith(('E:', 'ERROR'))), lines[-1])}")


def _output(*command):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=False)
    return done.stdout
