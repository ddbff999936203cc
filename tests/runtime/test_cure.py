"""Cures: the command that installs a missing driver; never one that cannot run here, or that ran already."""

import platform
import shutil
import sys
from importlib import metadata

import pytest

from cltensor.runtime import cure


@pytest.fixture
def machine(monkeypatch):
    """machine(system, processor, libc, managers) plays another machine, with cltensor installed."""

    def play(system="linux", processor="x86_64", libc="glibc", managers=()):
        monkeypatch.setattr(sys, "platform", system)
        monkeypatch.setattr(platform, "machine", lambda: processor)
        monkeypatch.setattr(platform, "libc_ver", lambda: (libc, "2.36"))
        monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}" if name in managers else None)
        monkeypatch.setattr(metadata, "version", lambda name: "1.0")

    return play


@pytest.mark.parametrize(("facts", "there", "command"), [
    ({}, (), 'pip install "cltensor[pocl]"'),
    ({}, {cure.POCL}, 'pip install "cltensor[intel]"'),
    ({"managers": ["apt-get"]}, {cure.POCL, cure.INTEL}, "apt-get install pocl-opencl-icd"),
    ({"processor": "aarch64", "managers": ["dnf"]}, (), "dnf install pocl"),
    ({"libc": "", "managers": ["apk"]}, (), "apk add pocl"),
    ({"system": "darwin", "processor": "arm64", "managers": ["brew"]}, (), "brew install pocl"),
    ({"system": "win32", "processor": "AMD64"}, (), 'pip install "cltensor[intel]"'),
    ({"processor": "riscv64"}, (), "install PoCL 5 or newer from your distribution, or from conda-forge"),
])
def test_command_fits_the_machine(machine, facts, there, command):
    machine(**facts)
    assert cure.cpu_driver(there) == command


def test_cltensor_that_is_not_installed_has_no_extras(machine, monkeypatch):
    machine()

    def missing(name):
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "version", missing)
    assert cure.cpu_driver() == 'pip install "pyopencl[pocl]"'
    assert cure.cpu_driver({cure.POCL}) == "pip install intel-opencl-rt intel-cmplr-lib-rt"


def test_pyopencl_comes_with_a_driver_where_pip_has_one(machine):
    machine()
    assert cure.pyopencl() == 'pip install "cltensor[pocl]"'
    machine(processor="aarch64", managers=["apt-get"])
    assert cure.pyopencl() == "pip install pyopencl, and for the CPU apt-get install pocl-opencl-icd"


def test_windows_under_linux(machine, monkeypatch):
    machine()
    monkeypatch.setattr(platform, "release", lambda: "5.15.90.1-microsoft-standard-WSL2")
    assert cure.is_wsl()
    monkeypatch.setattr(platform, "release", lambda: "6.1.0-18-amd64")
    assert not cure.is_wsl()
