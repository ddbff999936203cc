"""examples/c: its kernels are rendered, its programs compiled by gcc and run on the driver under test."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from generator.compiled_c import compiled, needs_gcc, ran

FOLDER = Path(__file__).resolve().parents[2] / "examples" / "c"


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A copy of the folder with its kernels rendered by its Makefile."""
    made = tmp_path_factory.mktemp("c") / "c"
    shutil.copytree(FOLDER, made)
    if not shutil.which("make"):
        pytest.skip("there is no make")
    done = subprocess.run(["make", "kernels", f"PYTHON={sys.executable}"], cwd=made, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return made


@needs_gcc
@pytest.mark.device
@pytest.mark.gpu_style
@pytest.mark.parametrize("name", ["matmul", "softmax", "convolution"])
def test_program(name, built):
    status, output = ran(compiled(built / f"{name}.c"))
    assert status == 0, output
    assert "largest error" in output
