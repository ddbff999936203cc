"""Every declared Python version on this machine compiles the package."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
VERSIONS = re.findall(r"Python :: (3\.\d+)$", (ROOT / "setup.cfg").read_text(), re.M)

COMPILED = """
import ast, pathlib, sys
for path in pathlib.Path(sys.argv[1]).rglob("*.py"):
    compile(path.read_text(encoding="utf-8"), str(path), "exec")
print(sys.version_info[:2])
"""


def interpreter(version):
    """An interpreter of this version that starts, or None."""
    if sys.version.startswith(f"{version}."):
        return sys.executable
    for found in (shutil.which(f"python{version}"), *map(str, sorted(Path.home().glob(f".pyenv/versions/{version}.*/bin/python")))):
        if found and subprocess.run([found, "-c", ""], capture_output=True).returncode == 0:
            return found
    return None


@pytest.mark.parametrize("version", VERSIONS)
def test_every_file_compiles(version):
    found = interpreter(version)
    if found is None:
        pytest.skip(f"this machine has no Python {version}")
    run = subprocess.run([found, "-W", "error", "-c", COMPILED, str(ROOT / "cltensor")], timeout=120,
                         capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert run.stdout.strip() == f"({version.replace('.', ', ')})"


def test_versions_are_declared():
    assert VERSIONS[:2] == ["3.10", "3.11"]
