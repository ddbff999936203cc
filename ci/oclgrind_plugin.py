"""A pytest plugin for ci/oclgrind_gate.py: tells which test Oclgrind's log speaks about.

A complaint fails the test.  Oclgrind's check for uninitialised reads does not know LLVM's instruction `freeze`, which comes from a
quotient and a remainder of the same numbers.  Such a test counts as skipped; the plugin writes it to the file OCLGRIND_AGAIN as
"start end node-id", with its part of the log, and the gate runs it again without that check.

No buffer is released: Oclgrind would take the size of a released buffer for that of the next one at its address, and call the end
of a larger one uninitialised.
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
