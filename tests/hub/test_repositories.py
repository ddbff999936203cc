"""hub: models that a repository offers, in a folder and on a server that plays GitHub."""

import json

import pytest

import cltensor as ct
from cltensor.base.errors import ArgumentError, MissingError
from cltensor.hub import github
from cltensor.io.download import DownloadError
from hostile_files.zips import zipped
from served_files import serving

HUBCONF = '''
from beside import VALUE
dependencies = ["json"]

def small(n=1, *, scale=2):
    """A small model."""
    return VALUE, n * scale

def _hidden():
    return None
'''
FILES = {"hubconf.py": HUBCONF, "beside.py": "VALUE = 7\n"}


@pytest.fixture
def repository(tmp_path):
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    return tmp_path


@pytest.fixture
def site(tmp_path, monkeypatch):
    """A server that has the repository me/it, with the branch main and the tag v1."""
    archive = zipped({f"it-main/{name}": text for name, text in FILES.items()})
    listed = [{"name": "main", "commit": {"sha": "abcdef0123"}}]
    with serving(**{"me/it/archive/HEAD.zip": archive, "me/it/archive/v1.zip": archive, "me/it/archive/abcdef.zip": archive,
                    "repos/me/it/branches": json.dumps(listed).encode(),
                    "repos/me/it/tags": json.dumps([{"name": "v1", "commit": {"sha": "99"}}]).encode()}) as s:
        monkeypatch.setattr(github, "_SITE", s.url)
        monkeypatch.setattr(github, "_API", s.url)
        monkeypatch.setattr(ct.hub.folder, "_chosen", [str(tmp_path / "hub")])
        yield s


def test_a_folder(repository):
    assert ct.hub.list(str(repository), source="local") == ["small"]
    assert ct.hub.help(str(repository), "small", source="local") == "A small model."
    assert ct.hub.load(str(repository), "small", 3, source="local", scale=5) == (7, 15)


def test_what_a_folder_lacks(repository, tmp_path):
    with pytest.raises(ArgumentError, match="offers no model 'large'; it offers small"):
        ct.hub.load(str(repository), "large", source="local")
    with pytest.raises(ArgumentError, match="model is 3; it must be the name of a model"):
        ct.hub.load(str(repository), 3, source="local")
    with pytest.raises(ArgumentError, match=r"has no hubconf.py"):
        ct.hub.list(str(tmp_path / "none"), source="local")
    with pytest.raises(ArgumentError, match="source is 'gitlab'; it must be one of 'github', 'local'"):
        ct.hub.load("me/it", "small", source="gitlab")
    (repository / "hubconf.py").write_text('dependencies = ["no_such_module"]\n')
    with pytest.raises(MissingError, match="needs no_such_module; install what is missing"):
        ct.hub.load(str(repository), "small", source="local")


def test_github(site, capsys):
    assert ct.hub.list("me/it", trust_repo=True) == ["small"]
    assert ct.hub.load("me/it", "small") == (7, 2)
    assert "Using cache found in" in capsys.readouterr().err
    assert len(site.seen) == 1
    ct.hub.load("me/it", "small", force_reload=True)
    assert len(site.seen) == 2


@pytest.mark.parametrize("ref", ["v1", "abcdef"])
def test_refs_are_those_of_the_repository_itself(site, ref):
    assert ct.hub.load(f"me/it:{ref}", "small", trust_repo=True) == (7, 2)
    with pytest.raises(ArgumentError, match="no branch or tag 'of-a-fork'"):
        ct.hub.load("me/it:of-a-fork", "small", trust_repo=True)
    with pytest.raises(DownloadError, match="answers 404"):
        ct.hub.load("me/it:of-a-fork", "small", trust_repo=True, skip_validation=True)


def test_trust_is_asked_for(site, monkeypatch):
    monkeypatch.setattr("builtins.input", lambda _: "n")
    with pytest.raises(ArgumentError, match="the repository me/it is not trusted"):
        ct.hub.load("me/it", "small")
    assert site.seen == []
    monkeypatch.setattr("builtins.input", lambda _: "y")
    assert ct.hub.load("me/it", "small") == (7, 2)
    monkeypatch.setattr("builtins.input", lambda _: "n")
    assert ct.hub.load("me/it", "small") == (7, 2)
    with pytest.raises(ArgumentError, match="not trusted"):
        ct.hub.load("me/it", "small", trust_repo=False)
    with pytest.raises(ArgumentError, match="trust_repo is 'maybe'"):
        ct.hub.load("me/it", "small", trust_repo="maybe")


@pytest.mark.parametrize("name", ["me", "me/..", "me/it/more", "me/it:../x"])
def test_what_is_no_repository(site, name):
    with pytest.raises(ArgumentError, match="is no repository"):
        ct.hub.load(name, "small", trust_repo=True)


def test_no_network_is_one_line(site, monkeypatch):
    monkeypatch.setattr(github, "_SITE", "http://127.0.0.1:9")
    with pytest.raises(DownloadError, match=r"^load: .* there is no connection") as caught:
        ct.hub.load("me/it", "small", trust_repo=True)
    assert "\n" not in str(caught.value)
