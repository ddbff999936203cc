"""The Oclgrind gate fails when it should: it complains about faulty kernels and about no others."""

import subprocess
import sys
from pathlib import Path

import pytest

import oclgrind_gate

ROOT = Path(__file__).resolve().parents[2]
API_ERROR = """
Oclgrind - OpenCL runtime error detected
\tFunction: {}
\tError:    CL_INVALID_VALUE
\tFor argument '{}'

"""


def gate(test):
    """Run the gate on one test of deliberate_mistakes.py."""
    case = f"tests/oclgrind/deliberate_mistakes.py::{test}"
    return subprocess.run([sys.executable, "ci/oclgrind_gate.py", "--style", "cpu", case], cwd=ROOT, check=False,
                          capture_output=True, text=True)


@pytest.fixture(scope="module")
def _oclgrind():
    if not oclgrind_gate.available():
        pytest.skip("Oclgrind is not installed")


@pytest.mark.device
@pytest.mark.usefixtures("_oclgrind")
def test_right_kernel_passes():
    found = gate("test_right")
    assert found.returncode == 0, found.stdout + found.stderr


@pytest.mark.device
@pytest.mark.usefixtures("_oclgrind")
def test_overrun_fails_and_is_named():
    found = gate("test_overrun")
    assert found.returncode == 1
    assert "Invalid write of size 4" in found.stdout
    assert "Kernel: fill" in found.stdout
    assert "deliberate_mistakes.py::test_overrun" in found.stdout


@pytest.mark.device
@pytest.mark.usefixtures("_oclgrind")
def test_uninitialised_read_fails():
    found = gate("test_uninitialised_read")
    assert found.returncode == 1
    assert "uninitialized value" in found.stdout


@pytest.mark.device
@pytest.mark.usefixtures("_oclgrind")
def test_overrun_is_found_where_uninitialised_reads_cannot_be_checked():
    found = gate("test_overrun_with_quotient_and_remainder")
    assert found.returncode == 1
    assert "all checks but uninitialised reads" in found.stdout
    assert "Invalid write of size 4" in found.stdout


@pytest.fixture
def run(tmp_path):
    """A finished run that wrote the given texts; returns the gate's complaints."""

    def finished(**files):
        for name, text in files.items():
            (tmp_path / name).write_text(text)
        return oclgrind_gate.complaints(tmp_path)

    return finished


def test_silence_is_clean(run):
    assert run() == []


def test_expected_api_errors_are_passed_over(run):
    assert run(err=2 * API_ERROR.format("clGetDeviceInfo", "param_name")) == []


def test_other_api_errors_are_complaints(run):
    found = run(err=API_ERROR.format("clGetDeviceInfo", "param_name") + API_ERROR.format("clCreateBuffer", "size"))
    assert len(found) == 1
    assert "clCreateBuffer" in found[0]


def test_any_text_in_the_log_is_a_complaint(run):
    assert run(log="\nRead-write data race at local memory address 0x1\n") == [
        "Read-write data race at local memory address 0x1"]


def test_only_the_log_of_tests_to_run_again_is_passed_over(run):
    assert run(log="onetwothree", again="0 3 a.py::test_a\n3 6 a.py::test_b[x y]\n") == ["three"]
