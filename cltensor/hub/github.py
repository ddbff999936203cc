"""Repositories on GitHub: downloaded once, unpacked safely, and run only if trusted."""

from __future__ import annotations

import json
import re
import shutil
import sys
import tempfile
from pathlib import Path
from urllib.parse import quote

from ..base.errors import ArgumentError
from ..io.download import fetch
from ..io.unpacking import unpack_zip
from .folder import get_dir

_SITE, _API = "https://github.com", "https://api.github.com"
_NAME = re.compile(r"([\w.-]+)/([\w.-]+)(?::(.+))?")
_PER_PAGE = 100


def folder_of(repository, force_reload, skip_validation, trust_repo, verbose):
    """The folder of a repository "owner/name[:ref]", downloaded unless it is there."""
    owner, name, ref = _parts(repository)
    _check_trust(f"{owner}_{name}", repository, trust_repo)
    folder = Path(get_dir()) / f"{owner}_{name}_{(ref or 'HEAD').replace('/', '_')}"
    if folder.is_dir() and not force_reload:
        if verbose:
            print(f"Using cache found in {folder}", file=sys.stderr)
        return folder
    if ref and not skip_validation:
        _validate(owner, name, ref)
    _download(f"{_SITE}/{owner}/{name}/archive/{quote(ref or 'HEAD')}.zip", folder)
    return folder


def _parts(repository):
    found = _NAME.fullmatch(repository)
    if not found or {found[1], found[2]} & {".", ".."} or ".." in (found[3] or "").split("/"):
        raise ArgumentError(f"{repository!r} is no repository; it must be 'owner/name' or 'owner/name:ref', or a folder with "
                            "source='local'")
    return found.groups()


def _check_trust(key, repository, trust_repo):
    """Ask before code of a repository runs, as trust_repo says; remember those that are trusted."""
    if trust_repo not in (True, False, None, "check"):
        raise ArgumentError(f"trust_repo is {trust_repo!r}; it must be True, False or 'check'")
    listed = Path(get_dir()) / "trusted_list"
    trusted = listed.read_text(encoding="utf-8").splitlines() if listed.exists() else []
    if key in trusted and trust_repo is not False:
        return
    if trust_repo is not True and not _agreed(repository):
        raise ArgumentError(f"the repository {repository} is not trusted; look at its hubconf.py, then pass trust_repo=True")
    listed.parent.mkdir(parents=True, exist_ok=True)
    if key not in trusted:
        listed.write_text("".join(f"{line}\n" for line in [*trusted, key]), encoding="utf-8")


def _agreed(repository):
    try:
        given = input(f"The repository {repository} may run any code on this machine. Do you trust it (y/N)? ")
    except EOFError:
        return False
    return given.strip().lower() in ("y", "yes")


def _validate(owner, name, ref):
    """Check that a branch, tag or commit belongs to the repository itself: the site shows those of forks under its address too."""
    for kind in ("branches", "tags"):
        page, found = 1, [None] * _PER_PAGE
        while len(found) == _PER_PAGE:
            found = _listed(f"{_API}/repos/{owner}/{name}/{kind}?per_page={_PER_PAGE}&page={page}")
            if any(ref == one["name"] or one["commit"]["sha"].startswith(ref) for one in found):
                return
            page += 1
    raise ArgumentError(f"{owner}/{name} has no branch or tag {ref!r}, nor one at such a commit; it may be of a fork. "
                        "skip_validation=True takes it all the same")


def _listed(url):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "answer.json"
        fetch(url, path, progress=False)
        return json.loads(path.read_text(encoding="utf-8"))


def _download(url, folder):
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".cltensor-", dir=folder.parent) as temporary:
        archive = Path(temporary) / "archive.zip"
        fetch(url, archive, progress=False)
        unpack_zip(archive, Path(temporary) / "unpacked")
        inside = next((p for p in (Path(temporary) / "unpacked").iterdir() if p.is_dir()), None)
        if inside is None:
            raise ArgumentError(f"{url} holds no folder, as an archive of a repository does")
        if folder.exists():
            shutil.rmtree(folder)
        inside.rename(folder)
