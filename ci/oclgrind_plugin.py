"""A pytest plugin for ci/oclgrind_gate.py: tells which test Oclgrind's log speaks about.

A test whose kernels are complained about fails.  A test that the check for uninitialised reads cannot follow, because it
does not know LLVM's instruction `freeze` (a quotient and a remainder of the same numbers give one), is noted in the file
OCLGRIND_AGAIN as "start end node-id", with its part of the log, and counts as skipped: the gate runs it once more
without that check.

No buffer is given back: what Oclgrind knows of a released one, its size included, it takes for true of the next in its place,
and calls the end of a larger one uninitialised.
"""

import os
from pathlib import Path

import pytest

from cltensor.runtime.device import default_device

LOG, AGAIN = Path(os.environ["OCLGRIND_LOG"]), Path(os.environ["OCLGRIND_AGAIN"])
CANNOT = "Unsupported instruction: freeze"
REASON = "run again without the check for uninitialised reads, which does not know the instruction freeze"
_start = pytest.StashKey()
_kept = []


def pytest_sessionstart():
    """Hold on to every buffer."""
    device = default_device()
    allocate = device.allocate

    def kept(nbytes):
        _kept.append(allocate(nbytes))
        return _kept[-1]

    device.allocate = kept


def size():
    return LOG.stat().st_size if LOG.exists() else 0


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item):
    item.stash[_start] = size()
    return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    if call.when == "call":
        default_device().synchronize()
        said = LOG.read_bytes()[item.stash[_start] :].decode(errors="replace").strip() if size() else ""
        if CANNOT in said:
            with open(AGAIN, "a") as file:
                file.write(f"{item.stash[_start]} {size()} {item.nodeid}\n")
            report.outcome, report.longrepr = "skipped", (str(item.path), 0, REASON)
        elif said:
            report.outcome, report.longrepr = "failed", f"Oclgrind reports:\n{said[:2000]}"
    return report
