"""Run the tests marked `oclgrind` on Oclgrind, which interprets kernels and reports their faults.

    python ci/oclgrind_gate.py [--style cpu|gpu] [PYTEST ARGUMENT...]

Out-of-bounds accesses, races and uninitialised reads go to Oclgrind's log, wrong API calls to stderr; its exit status
stays 0 all the while, so both are read here.  Each launch style runs in processes of its own, both at once.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NO_TESTS = 5  # pytest's exit status

SETTINGS = {
    "CLTENSOR_DEVICE": "oclgrind",
    "CLTENSOR_MEMORY_POOL": "0",  # a pooled buffer is longer than its tensor, which would hide overruns
    "CLTENSOR_CACHE_LIMIT": "0",
    "PYOPENCL_BUILD_OPTIONS": "",
    "OCLGRIND_CHECK_API": "1",
    "OCLGRIND_DATA_RACES": "1",
    "OCLGRIND_MAX_ERRORS": "1000000",  # counted over the whole process: after so many it falls silent
}
API_ERROR = re.compile(r"Oclgrind - OpenCL runtime error detected\n(?:\t.*\n?)+")
# pyopencl asks for facts that an OpenCL 1.2 device does not have.
EXPECTED = re.compile(r"Function: clGetDeviceInfo\n\s*Error:\s*CL_INVALID_VALUE\n\s*For argument 'param_name'")


def pytest_on_oclgrind(style, folder, arguments, **settings):
    """Run pytest in a process of its own; its output and Oclgrind's go to files in `folder`.  Returns its status."""
    folder.mkdir()
    # Oclgrind writes to the process's stderr itself, so pytest may capture sys.stderr only.
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:xdist", "-p", "no:cacheprovider", "-p", "oclgrind_plugin",
               "--capture=sys", "-m", "oclgrind", *arguments]
    path = os.pathsep.join(filter(None, [str(ROOT / "ci"), os.environ.get("PYTHONPATH")]))
    environment = {**os.environ, **SETTINGS, **settings, "CLTENSOR_PROFILE": style, "PYTHONPATH": path,
                   "OCLGRIND_LOG": str(folder / "log"), "OCLGRIND_AGAIN": str(folder / "again")}
    with open(folder / "out", "w") as out, open(folder / "err", "w") as err:
        return subprocess.run(command, cwd=ROOT, env=environment, stdout=out, stderr=err, check=False).returncode


def text(path):
    return path.read_text(errors="replace").strip() if path.exists() else ""


def to_run_again(folder):
    """[(start, end, node id)] of the tests that the check for uninitialised reads could not follow."""
    lines = (line.split(" ", 2) for line in text(folder / "again").splitlines())
    return [(int(start), int(end), test) for start, end, test in lines]


def complaints(folder):
    """Oclgrind's complaints about a run: its log, and unexpected API errors."""
    log = bytearray((folder / "log").read_bytes() if (folder / "log").exists() else b"")
    for start, end, _ in reversed(to_run_again(folder)):
        del log[start:end]
    api = {e.strip() for e in API_ERROR.findall(text(folder / "err") + "\n") if not EXPECTED.search(e)}
    return list(filter(None, [log.decode(errors="replace").strip(), *sorted(api)]))


def check(style, folder, arguments):
    """Run one launch style.  Returns (whether it was clean, the report)."""
    folder.mkdir()
    first = folder / "all checks"
    runs = [(first, pytest_on_oclgrind(style, first, arguments, OCLGRIND_UNINITIALIZED="1"))]
    tests = [test for _, _, test in to_run_again(first)]
    if tests:
        second = folder / "all checks but uninitialised reads"
        runs.append((second, pytest_on_oclgrind(style, second, tests)))
    return all(clean(*run) for run in runs), "\n".join(report(style, *run) for run in runs)


def clean(folder, status):
    return status == 0 and not complaints(folder)


def report(style, folder, status):
    lines = [f"-- launch style {style}, {folder.name}", text(folder / "out")]
    if status not in (0, NO_TESTS):
        lines.append(API_ERROR.sub("", text(folder / "err")).strip())
    return "\n".join([*lines, *(f"Oclgrind reports:\n{complaint[:2000]}" for complaint in complaints(folder))])


def available():
    """Whether the loader finds Oclgrind."""
    command = [sys.executable, "-c", "from cltensor.runtime.device import default_device; default_device()"]
    return subprocess.run(command, cwd=ROOT, env=dict(os.environ, **SETTINGS), capture_output=True).returncode == 0


def main():
    parser = argparse.ArgumentParser(prog="ci/oclgrind", description=__doc__.splitlines()[0],
                                     epilog="Other arguments go to pytest: ci/oclgrind -k softmax")
    parser.add_argument("--style", choices=["cpu", "gpu"], action="append", help="one launch style only")
    given, rest = parser.parse_known_args()
    if not available():
        print('Oclgrind is not installed; pip install "pyopencl[oclgrind]" brings it on x86-64 Linux', file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor() as pool:
        runs = [pool.submit(check, style, Path(folder) / style, rest) for style in given.style or ["cpu", "gpu"]]
        results = [run.result() for run in runs]
    for _, said in results:
        print(said)
    return 0 if all(passed for passed, _ in results) else 1


if __name__ == "__main__":
    sys.exit(main())
