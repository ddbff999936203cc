"""Make, or reuse, a virtual environment that holds an editable cltensor and some of its extras.

    python3 ci/environment.py .venv-test test [--try parity]        prints the path of the environment's Python

A stamp, written last, records what the environment was made from; while it still fits, nothing is done.  An interrupted
install leaves no stamp, so the next run starts afresh.  A lock makes a second run wait for the first.
"""

import argparse
import fcntl
import hashlib
import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
INPUTS = ("setup.cfg", "pyproject.toml")


class EnvironmentFailure(Exception):
    """A message of one line for the user."""


def say(text):
    print(f"environment: {text}", file=sys.stderr, flush=True)


def run(*command, lock=None, **options):
    """Run a command with its output on stderr; it inherits the lock, so that it cannot outlive it.  Returns success."""
    environment = dict(os.environ, PIP_USER="0", PIP_DISABLE_PIP_VERSION_CHECK="1")
    keep = [lock.fileno()] if lock else []
    options.setdefault("stdout", sys.stderr)
    return subprocess.run(command, cwd=ROOT, env=environment, pass_fds=keep, check=False, **options)


@contextmanager
def locked():
    """Hold the clone's install lock: setup.cfg itself, so that there is no lock file to leave behind."""
    with open(ROOT / "setup.cfg") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            say("another install is under way in this clone; waiting for it")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield file


def wanted_stamp(extras, optional):
    """What an environment is made from: the interpreter, the clone's place, and the install inputs."""
    digest = hashlib.sha256(b"".join((ROOT / name).read_bytes() for name in INPUTS)).hexdigest()
    return {"python": [sys.base_prefix, sys.version], "root": str(ROOT), "extras": extras, "optional": optional,
            "inputs": digest}


def read_stamp(folder):
    """The stamp of a finished environment, or None."""
    try:
        return json.loads((folder / ".stamp").read_text())
    except (OSError, ValueError):
        return None


def write_stamp(folder, stamp):
    draft = folder / ".stamp.new"
    draft.write_text(json.dumps(stamp))
    draft.replace(folder / ".stamp")


def python_of(folder):
    return folder / "bin" / "python"


def has_pip(folder):
    return run(python_of(folder), "-m", "pip", "--version", stdout=subprocess.DEVNULL).returncode == 0


def create(folder, lock):
    """Make an empty environment with pip in it.  Debian keeps ensurepip in a package of its own: work without it."""
    shutil.rmtree(folder, ignore_errors=True)
    if importlib.util.find_spec("ensurepip") is None and not bootstrap(folder, lock):
        version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
        raise EnvironmentFailure(
            f"{sys.executable} cannot make virtual environments: its module ensurepip is missing.  "
            f"On Debian or Ubuntu: sudo apt-get install {version}-venv")
    if not python_of(folder).exists() and run(sys.executable, "-m", "venv", folder, lock=lock).returncode:
        raise EnvironmentFailure(f"{sys.executable} -m venv {folder} failed; its message is above")


def bootstrap(folder, lock):
    """Get pip into a new environment, or ensurepip onto the machine, by the first way that works.  Returns success."""
    if importlib.util.find_spec("virtualenv"):
        return run(sys.executable, "-m", "virtualenv", "-q", folder, lock=lock).returncode == 0
    if importlib.util.find_spec("pip"):
        run(sys.executable, "-m", "venv", "--without-pip", folder, lock=lock)
        run(sys.executable, "-m", "pip", "-q", "--python", python_of(folder), "install", "pip", lock=lock)
        if has_pip(folder):
            return True
        shutil.rmtree(folder, ignore_errors=True)
    return os.geteuid() == 0 and shutil.which("apt-get") is not None and apt_install_venv(lock)


def apt_install_venv(lock):
    package = f"python{sys.version_info[0]}.{sys.version_info[1]}-venv"
    say(f"this Python has no ensurepip; running as root, so installing Debian's {package}")
    install = ("apt-get", "-q", "-y", "install", "--no-install-recommends", package)
    quiet = {"stdin": subprocess.DEVNULL, "lock": lock}
    return run(*install, **quiet).returncode == 0 or (
        run("apt-get", "-q", "update", **quiet).returncode == 0 and run(*install, **quiet).returncode == 0)


def install(folder, extras, lock):
    """Install the clone, editable, with its extras.  Raises EnvironmentFailure."""
    target = f".[{','.join(extras)}]"
    quiet = () if sys.stderr.isatty() else ("-q",)
    command = (python_of(folder), "-m", "pip", "install", "--no-input", *quiet, "-e", target)
    if run(*command, lock=lock).returncode:
        raise EnvironmentFailure(f"pip could not install {target} into {folder.name}; its message is above")


def try_install(folder, extra, lock):
    """Install an extra where pip would bring no CUDA packages for it; else say what is left out."""
    command = (python_of(folder), "-m", "pip", "install", "--no-input", "-q")
    plan = run(*command, "--dry-run", "--report", "-", f".[{extra}]", lock=lock,
               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if plan.returncode:
        say(f"extra {extra!r} cannot be installed here: {last_line(plan.stderr)}")
        return
    names = [item["metadata"]["name"] for item in json.loads(plan.stdout)["install"]]
    heavy = [name for name in names if name.startswith(("nvidia-", "cuda-"))]
    if heavy:
        say(f"extra {extra!r} left out: pip would bring {len(heavy)} CUDA packages with it")
    elif run(*command, "-e", f".[{extra}]", lock=lock).returncode:
        say(f"extra {extra!r} could not be installed")


def last_line(text):
    return (text.strip().splitlines() or ["no reason given"])[-1]


def prepare(folder, extras, optional):
    """Bring the environment up to date with the install inputs, unless it already is."""
    with locked() as lock:
        wanted, found = wanted_stamp(extras, optional), read_stamp(folder)
        if found == wanted and python_of(folder).exists():
            return
        say(f"installing cltensor[{','.join(extras)}] into {folder.name}; this takes a minute or a few, once")
        if found is None or any(found[key] != wanted[key] for key in ("python", "root")):
            create(folder, lock)
        (folder / ".stamp").unlink(missing_ok=True)
        install(folder, extras, lock)
        for extra in optional:
            try_install(folder, extra, lock)
        write_stamp(folder, wanted)


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", help="the environment's folder, under the clone")
    parser.add_argument("extras", nargs="+", help="extras of setup.cfg to install")
    parser.add_argument("--try", dest="optional", action="append", default=[],
                        help="an extra to leave out, with a message, where it cannot be had cheaply")
    given = parser.parse_args(arguments)
    folder = ROOT / given.folder
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    try:
        prepare(folder, given.extras, given.optional)
    except EnvironmentFailure as failure:
        say(failure)
        return 1
    except KeyboardInterrupt:
        say(f"interrupted; the next run makes {folder.name} afresh")
        return 130
    print(python_of(folder))
    return 0


if __name__ == "__main__":
    sys.exit(main())
