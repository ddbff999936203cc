"""What gets installed: every package and kernel file, the three requirements, and a wheel that works by itself."""

import configparser
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
OUTSIDE = ("cltensor.kernels_cl", "cltensor.templates")


@pytest.fixture(scope="module")
def config():
    parser = configparser.ConfigParser()
    parser.read(ROOT / "setup.cfg")
    return parser


def lines(text):
    return [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]


def test_every_package_is_listed(config):
    folders = {p.parent for p in (ROOT / "cltensor").rglob("*.py")}
    packages = {".".join(p.relative_to(ROOT).parts) for p in folders}
    assert set(lines(config["options"]["packages"])) == packages | set(OUTSIDE), "packages in setup.cfg is out of date"


def test_every_package_has_an_init_file():
    folders = {p.parent for p in (ROOT / "cltensor").rglob("*.py")}
    assert [p for p in folders if not (p / "__init__.py").exists()] == []


def test_requirements_are_these_three(config):
    names = {line.split(">")[0] for line in lines(config["options"]["install_requires"])}
    assert names == {"pyopencl", "numpy", "mako"}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The project's wheel, built from a copy, so that the clone gets no build folder."""
    pytest.importorskip("setuptools", minversion="70.1", reason="older ones cannot build wheels by themselves")
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    source.mkdir()
    for name in ("setup.cfg", "pyproject.toml", "README.md", "LICENSE", "cltensor", "templates", "kernels_cl"):
        (source / name).symlink_to(ROOT / name)
    pip("wheel", "--no-build-isolation", "-w", folder, source)
    return next(folder.glob("*.whl"))


def pip(command, *arguments):
    subprocess.run([sys.executable, "-m", "pip", command, "-q", "--no-deps", *arguments], check=True)


def test_wheel_holds_every_source_file(wheel):
    kept = set(zipfile.ZipFile(wheel).namelist())
    wanted = {str(p.relative_to(ROOT)) for p in (ROOT / "cltensor").rglob("*.py*") if p.suffix in (".py", ".pyi")}
    wanted |= {f"cltensor/{p.relative_to(ROOT)}" for name in ("templates", "kernels_cl")
               for p in (ROOT / name).rglob("*.*") if p.is_file()}
    assert wanted | {"cltensor/py.typed", "cltensor/tune/starter.json", "cltensor/graph/page.html"} <= kept
    assert not [name for name in kept if name.startswith(("tests/", "ci/", "examples/"))]


RENDER = """
import pathlib
import cltensor
from cltensor.codegen import templates

print(pathlib.Path(cltensor.__file__).parent)
print(cltensor.__version__)
for name in templates.names():
    templates.render(name)
    print(name)
"""


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """A folder with the wheel installed in it, and nothing else of the project."""
    folder = tmp_path_factory.mktemp("installed")
    pip("install", "--target", folder, wheel)
    return folder


def away(installed, *command):
    """Run Python on an installed wheel from a folder that is not the clone; returns its lines."""
    settings = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    found = subprocess.run([sys.executable, *command], cwd=installed.parent, check=False, capture_output=True, text=True,
                           env=dict(settings, PYTHONPATH=str(installed)))
    assert found.returncode == 0, found.stderr
    return found.stdout.splitlines()


def test_installed_wheel_renders_every_template(installed):
    place, version, *names = away(installed, "-c", RENDER)
    assert Path(place) == installed / "cltensor"
    assert version == (ROOT / "cltensor" / "version.py").read_text().split('"')[-2]
    assert names == sorted(p.name.removesuffix(".cl.mako") for p in (ROOT / "templates").glob("*.cl.mako"))


@pytest.mark.device
def test_installed_wheel_computes(installed):
    program = "import cltensor as ct; print((ct.ones(2, 3) @ ct.ones(3, 2)).sum().item())"
    assert away(installed, "-c", program) == ["12.0"]


def test_installed_wheel_brings_the_command(installed):
    script = next(p for p in (installed / "bin").iterdir() if p.name == "cltensor")
    assert any("doctor" in line for line in away(installed, str(script), "--help"))
