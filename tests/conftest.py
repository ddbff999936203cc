"""What every test shares: devices and the lack of one, seeds, the report's header, a limit on how long it may take."""

import faulthandler
import functools
import gc
import os
import random
import signal
from pathlib import Path

import numpy as np
import pytest

from cltensor.base.errors import DeviceError
from cltensor.runtime.device import default_device
from cltensor.version import __version__

TESTS = Path(__file__).parent
# Folders whose tests need kernels compiled as for users, because they test compilers or the user's experience.  ci/test builds the
# kernels of all other tests without optimisation.  Mark a file elsewhere pytest.mark.optimised, and tests in these folders that do
# not need it pytest.mark.plain.
OPTIMISED = ("cli", "codegen", "examples", "ops", "runtime", "selftest")
# Folders whose tests do not depend on the launch style: ci/test runs them in one.  Mark a file elsewhere pytest.mark.any_style.
ANY_STYLE = ("cli", "codegen", "data", "examples", "io", "oclgrind")


@functools.cache
def missing_device():
    """Why there is no device to test on, in one line, or None."""
    try:
        default_device()
    except DeviceError as error:
        return " ".join(str(error).split())
    return None


def pytest_configure():
    """Limit PyTorch to one thread when pytest-xdist's processes already fill the cores.

    No kernel is compiled before it is needed, for the same reason; tests/tensor/test_backward_precompile.py has processes of its
    own.  No driver is tried out either: the tests themselves find what a trial would.
    """
    os.environ.setdefault("CLTENSOR_AHEAD", "0")
    os.environ.setdefault("CLTENSOR_BACKGROUND", "0")
    os.environ.setdefault("CLTENSOR_SINGLE_LAUNCH", "0")
    os.environ.setdefault("CLTENSOR_TRIAL", "0")
    if "PYTEST_XDIST_WORKER" in os.environ:
        os.environ.setdefault("OMP_NUM_THREADS", "1")
    _limit.stderr = os.fdopen(os.dup(2), "w")  # past pytest's capture


class _Limit:
    """Ends the process of a test that hangs, after printing the stacks of its threads; also watches forked children."""

    SECONDS = 300  # pytest.mark.limit(seconds) sets another
    seconds = stderr = None

    def start(self, seconds):
        """Watch from now on."""
        self.seconds = seconds
        faulthandler.dump_traceback_later(seconds, exit=True, file=self.stderr)

    def again(self):
        """In a forked child, where the watching thread did not come along: an alarm does the same."""
        if self.seconds is not None and hasattr(faulthandler, "register"):
            faulthandler.register(signal.SIGALRM, file=self.stderr, chain=True)
            signal.setitimer(signal.ITIMER_REAL, self.seconds)

    def stop(self):
        """Watch no more."""
        self.seconds = None
        faulthandler.cancel_dump_traceback_later()


_limit = _Limit()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_limit.again)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item):
    """Hold each test, with its fixtures, to its limit."""
    marker = item.get_closest_marker("limit")
    _limit.start(marker.args[0] if marker else _Limit.SECONDS)
    try:
        return (yield)
    finally:
        _limit.stop()


def pytest_collection_finish():
    """Exclude modules and tests, which are many objects, from the garbage collections that some tests run."""
    gc.collect()
    gc.freeze()


def pytest_report_header():
    if missing_device():
        return f"cltensor {__version__}: {missing_device()}"
    device = default_device()
    return (f"cltensor {__version__} on {device}: {device.name} ({device.platform_name}, driver "
            f"{device.profile.driver}), launch style {device.profile.style}")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Mark users of the device fixture, and how their kernels are built; without a device, skip the tests that need one."""
    for item in items:
        if item.path.relative_to(TESTS).parts[0] in OPTIMISED and not item.get_closest_marker("plain"):
            item.add_marker("optimised")
        if item.path.relative_to(TESTS).parts[0] in ANY_STYLE:
            item.add_marker("any_style")
        if style := getattr(item, "callspec", None) and item.callspec.params.get("style"):
            item.add_marker("gpu_style" if style == "gpu" else "cpu_style")
        if "device" in getattr(item, "fixturenames", ()):
            item.add_marker("device")
        if item.get_closest_marker("oclgrind"):
            item.add_marker("device")
    needing = [item for item in items if item.get_closest_marker("device")]
    if needing and missing_device():
        for item in needing:
            item.add_marker(pytest.mark.skip(reason=missing_device()))


@pytest.fixture
def device():
    """The device under test: CLTENSOR_DEVICE, else the best there is."""
    return default_device()


@pytest.fixture
def rng():
    """A NumPy random generator, the same in every run."""
    return np.random.default_rng(20240229)


@pytest.fixture(autouse=True)
def _seeds():
    random.seed(0)
    np.random.seed(0)
