"""The checks that trials and `cltensor doctor` run: right on this device, and able to tell what is wrong."""

import numpy as np
import pytest

from cltensor.selftest import checks, comparison


@pytest.mark.device
@pytest.mark.parametrize("name", checks.CHECKS)
def test_checks_pass(name, device):
    if name == "double" and not device.profile.fp64:
        pytest.skip("the device has no float64")
    assert checks.run({"place": device.entry.place, "check": name})["seconds"] > 0


@pytest.mark.device
def test_measurements(device):
    assert set(checks.run({"place": device.entry.place, "check": "launch"})) == {"seconds", "enqueue", "done"}


@pytest.mark.device
def test_place_that_is_not_there(device):
    with pytest.raises(LookupError, match=r"no device at 99\.0"):
        checks.run({"place": "99.0", "check": "add"})


@pytest.mark.device
def test_names_leave_out_what_the_device_lacks(device):
    names = checks.names({"place": device.entry.place})["names"]
    assert ("double" in names) == device.profile.fp64
    assert set(checks.CHECKS) - set(names) <= {"double"}


def test_wrong_results_are_noticed():
    right = np.float32([[1, 2], [3, np.nan]])
    comparison.expect_equal(right.copy(), right)
    wrong = right.copy()
    wrong[1, 0] = 3.5
    with pytest.raises(comparison.WrongResult, match=r"1 of 4 values are wrong; at \(1, 0\) the device has 3.5, NumPy 3.0"):
        comparison.expect_equal(wrong, right)
    comparison.expect_close(wrong, right, 0.2, 0)
    with pytest.raises(comparison.WrongResult):
        comparison.expect_close(np.float32(1), np.float32(2), 0.1, 0)
