"""A forked child is told that it cannot use the device, instead of hanging; the parent goes on."""

import multiprocessing
import os
import signal
import subprocess
import sys

import pytest

pytestmark = [pytest.mark.device, pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")]

CHILD_TRIES_EVERYTHING = """
import gc, os, sys
import numpy as np
from cltensor import opencl
from cltensor.runtime.device import default_device, device
d = default_device()
buffer = d.allocate(400)
stream = opencl.Stream()
d.write(buffer, 0, np.ones(100, np.float32))
tries = [lambda: d.queue, lambda: d.allocate(4), lambda: d.lock, d.synchronize, lambda: d.kernel("", "f"),
         lambda: d.program(""), lambda: d.read(buffer, 0, np.ones(1)), lambda: d.write(buffer, 0, np.ones(1)),
         lambda: d.copy(buffer, 0, buffer, 4, 4), lambda: d.fill(buffer, 0, 4, bytes(4)), opencl.Stream,
         opencl.memory_allocated, lambda: device("opencl").context]
pid = os.fork()
if pid == 0:
    for i, attempt in enumerate(tries):
        try:
            attempt()
            print("attempt", i, "was let through")
        except RuntimeError as e:
            assert type(e).__name__ == "DeviceError" and "forked" in str(e) and "spawn" in str(e), e
    del buffer, stream, tries, attempt
    gc.collect()
    print("child done", opencl.get_device_name())
    sys.exit(0)
_, status = os.waitpid(pid, 0)
assert status == 0, status
result = np.zeros(100, np.float32)
d.read(buffer, 0, result)
assert (result == 1).all()
"""

CHILD_OPENS_FIRST = """
import os, sys
from cltensor.runtime.device import default_device
if os.fork() == 0:
    default_device().allocate(4)
    default_device().synchronize()
    sys.exit(0)
assert os.wait()[1] == 0
default_device().allocate(4)
"""


def run(program):
    # Python 3.12 warns of every fork of a process with threads, which drivers have
    ran = subprocess.Popen([sys.executable, "-W", "ignore::DeprecationWarning", "-c", program], stdout=subprocess.PIPE,
                           stderr=subprocess.PIPE, text=True, start_new_session=True)
    try:
        out, err = ran.communicate(timeout=30)
    except subprocess.TimeoutExpired:
        os.killpg(ran.pid, signal.SIGKILL)
        pytest.fail("the program hangs")
    assert ran.returncode == 0, err
    return out, err


def test_child_of_a_process_that_used_the_device():
    out, err = run(CHILD_TRIES_EVERYTHING)
    assert out.startswith("child done ")
    assert err == ""


def test_child_of_a_process_that_did_not_is_free_to():
    run(CHILD_OPENS_FIRST)


def _sum_of_squares(n):
    return sum(i * i for i in range(n))


def test_worker_processes_that_stay_off_the_device(device):
    device.allocate(4)
    with multiprocessing.get_context("fork").Pool(2) as pool:
        assert pool.map(_sum_of_squares, [10, 20]) == [285, 2470]
    device.synchronize()
