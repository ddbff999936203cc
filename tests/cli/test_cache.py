"""cltensor cache: facts about the folder, and emptying it."""

import json

import pytest

from cltensor.cli import main
from cltensor.runtime.cache import kernel_cache


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("CLTENSOR_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.delenv("CLTENSOR_CACHE_LIMIT", raising=False)
    return tmp_path / "cache"


def info(capsys):
    assert main(["cache", "info", "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_missing_folder(folder, capsys):
    facts = info(capsys)
    assert facts == {"folder": str(folder / "kernels"), "exists": False, "writable": True, "enabled": True,
                     "entries": 0, "bytes": 0, "limit": 512 << 20, "damaged": []}
    assert main(["cache", "clear"]) == 0
    assert capsys.readouterr().out.startswith("Removed 0 kernels")
    assert not folder.exists()


def test_entries_are_counted_checked_and_removed(folder, capsys):
    cache = kernel_cache()
    cache.put("ab" * 32, b"binary")
    cache.put("cd" * 32, b"binary" * 100)
    broken = cache.path("cd" * 32)
    broken.write_bytes(broken.read_bytes()[:-1])
    program = folder / "pocl" / "AB" / "program"
    program.mkdir(parents=True)
    (program / "object").write_bytes(b"code")
    facts = info(capsys)
    assert (facts["entries"], facts["damaged"]) == (2, [str(broken)])
    assert facts["bytes"] == sum(p.stat().st_size for p in (broken, cache.path("ab" * 32)))
    assert main(["cache", "clear", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["removed"] == 2
    assert not broken.parent.exists()
    assert not program.exists()
    assert info(capsys)["entries"] == 0


def test_folder_that_cannot_be_made(tmp_path, capsys, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("CLTENSOR_CACHE_DIR", str(tmp_path / "file"))
    assert info(capsys)["writable"] is False
    assert main(["cache", "info"]) == 0
    assert "(not writable)" in " ".join(capsys.readouterr().out.split())


def test_cache_turned_off(folder, capsys, monkeypatch):
    monkeypatch.setenv("CLTENSOR_CACHE_LIMIT", "0")
    assert main(["cache", "info"]) == 0
    assert "turned off" in capsys.readouterr().out
