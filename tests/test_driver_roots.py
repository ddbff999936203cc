"""Roots of other Debian releases: whole or not there, made from what this machine has, refused in one line."""

import os

import pytest

import driver_roots
from driver_roots import RootFailure

APT = """http://mirror/debian-security/ bookworm-security main
http://mirror/extra/debian/ bookworm contrib
http://mirror/debian/ bookworm main
http://other/debian/ sid main"""


def test_mirror_is_the_one_of_apt():
    assert driver_roots.mirror(APT) == "http://mirror/debian/"


@pytest.mark.parametrize("listing", ["", "http://mirror/ubuntu/ noble main", "http://mirror/debian/ bookworm-security main"])
def test_no_mirror_is_one_line(listing):
    with pytest.raises(RootFailure, match="--mirror"):
        driver_roots.mirror(listing)


def test_what_of_apts_settings_a_root_gets():
    dump = 'Acquire "";\nAcquire::http::Proxy "http://p";\nAcquire::Languages "none";\nAcquire::IndexTargets::deb "";\n'
    assert driver_roots.apt_settings(dump) == 'Acquire "";\nAcquire::http::Proxy "http://p";\n'


TOOLS = set(driver_roots.TOOLS)


@pytest.mark.parametrize(("uid", "tools", "says"), [
    (1000, TOOLS, "need root"), (0, TOOLS - {"debootstrap"}, "apt-get install debootstrap"), (0, TOOLS, None)])
def test_where_no_root_can_be_made_one_line_says_so(uid, tools, says):
    found = driver_roots.refusal(uid, lambda tool: tool if tool in tools else None)
    assert found is None if says is None else says in found and "\n" not in found


def test_a_root_is_made_once_and_an_interrupted_one_again(tmp_path, monkeypatch):
    made = []

    def fill(suite, draft, address):
        made.append((suite, address))
        (draft / "etc").mkdir(parents=True)
        if len(made) == 1:
            raise KeyboardInterrupt
        (draft / ".whole").write_text('["python3", "pocl-opencl-icd", "mesa-opencl-icd"]')

    monkeypatch.setattr(driver_roots, "_fill", fill)
    with pytest.raises(KeyboardInterrupt):
        driver_roots.make("sid", tmp_path, "there")
    assert not (tmp_path / "sid").exists()
    assert driver_roots.make("sid", tmp_path, "there") == driver_roots.make("sid", tmp_path, "there") == tmp_path / "sid"
    assert made == [("sid", "there")] * 2
    assert not (tmp_path / "sid.part").exists()


def test_a_root_with_other_packages_is_made_afresh(tmp_path, monkeypatch):
    (tmp_path / "sid").mkdir()
    (tmp_path / "sid" / ".whole").write_text('["python3"]')
    monkeypatch.setattr(driver_roots, "_fill", lambda suite, draft, address: (draft / "new").mkdir(parents=True))
    assert os.listdir(driver_roots.make("sid", tmp_path, "there")) == ["new"]


def test_a_command_that_fails_says_why_in_one_line():
    with pytest.raises(RootFailure, match=r"^sh failed: E: no such suite$"):
        driver_roots._run("sh", "-c", "echo first; echo 'E: no such suite'; echo after; exit 1")


def test_packages_are_those_of_the_project_without_devices():
    found = driver_roots.requirements()
    assert {r.partition(">")[0] for r in found} >= {"pyopencl", "numpy", "mako", "scikit-learn", "pytest"}
    assert not [r for r in found if "[" in r or ";" in r or r.startswith(("cltensor", "ruff", "#"))]


def test_command_line_in_a_root():
    line = driver_roots.entered("/roots/sid", ["python3", "-c", "1"], {"HOME": "/home"}, {"/here": "/clone"})
    assert line[:2] == ["unshare", "--mount"]
    assert line[line.index("/roots/sid"):] == ["/roots/sid", "/here", "clone", "--", "/usr/bin/env", "-i", "HOME=/home", "python3",
                                               "-c", "1"]
