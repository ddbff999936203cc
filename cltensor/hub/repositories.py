"""Models that a repository offers in its hubconf.py: listed, described and made."""

from __future__ import annotations

import builtins
import importlib.util
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..base.errors import ArgumentError, MissingError
from . import github

_SOURCES = ("github", "local")


def list(github: str, force_reload: bool = False, skip_validation: bool = False, trust_repo: bool | str | None = "check",
         verbose: bool = True, *, source: str = "github") -> builtins.list[str]:
    """The names of the models that a repository offers: the public functions of its hubconf.py, which is run.

    Args: github, "owner/name" or "owner/name:ref", or with source="local" a folder; force_reload, download it anew;
        skip_validation, do not ask whether the ref belongs to this repository and not to a fork; trust_repo, True runs its code,
        "check" and False ask first, unless it was trusted before ("check"); verbose, say where it was found.
    Models take tensors of the shapes and dtypes that they say.  Raises DownloadError where there is no network, ArgumentError for
    what is no repository or not trusted.  Source: as torch.hub of PyTorch 2.13 has it.

    Example::

        cltensor.hub.list("/data/my_models", source="local")
    """
    offered = vars(_configured(github, source, force_reload, skip_validation, trust_repo, verbose))
    return [name for name, value in offered.items() if callable(value) and not name.startswith("_")]


def help(github: str, model: str, force_reload: bool = False, skip_validation: bool = False,
         trust_repo: bool | str | None = "check", *, source: str = "github") -> str | None:
    """What a repository says of one of its models: the docstring of the function of this name.

    Args: model, a name that list gives; the others as for list.
    Models take tensors of the shapes and dtypes that they say.  Raises DownloadError where there is no network, ArgumentError for
    what is no repository or not trusted, or has no such model.  Source: as torch.hub of PyTorch 2.13 has it.

    Example::

        print(cltensor.hub.help("/data/my_models", "small", source="local"))
    """
    return _entry(_configured(github, source, force_reload, skip_validation, trust_repo, True), model).__doc__


def load(repo_or_dir: str, model: str, *args: Any, source: str = "github", trust_repo: bool | str | None = "check",
         force_reload: bool = False, verbose: bool = True, skip_validation: bool = False, **kwargs: Any) -> Any:
    """Call a repository's function of the name `model` with these arguments, and return what it makes, usually a Module.

    Args: repo_or_dir, "owner/name", "owner/name:ref", or with source="local" a folder with a hubconf.py; the others as for list.
    Models take tensors of the shapes and dtypes that they say.  Raises DownloadError where there is no network, ArgumentError for
    what is no repository or not trusted, or has no such model, MissingError where modules it needs are not installed.
    Source: as torch.hub of PyTorch 2.13 has it.

    Example::

        net = cltensor.hub.load("/data/my_models", "small", source="local")
    """
    entry = _entry(_configured(repo_or_dir, source, force_reload, skip_validation, trust_repo, verbose), model)
    return entry(*args, **kwargs)


def _configured(repository, source, force_reload, skip_validation, trust_repo, verbose):
    """The module hubconf of a repository."""
    if source not in _SOURCES:
        raise ArgumentError(f"source is {source!r}; it must be one of {', '.join(map(repr, _SOURCES))}")
    folder = Path(repository).expanduser() if source == "local" else github.folder_of(repository, force_reload, skip_validation,
                                                                                       trust_repo, verbose)
    path = folder / "hubconf.py"
    if not path.is_file():
        raise ArgumentError(f"{folder} has no hubconf.py, which says what models it offers")
    return _imported(path, str(folder.resolve()))


def _imported(path, folder):
    """Run a hubconf.py, which may import what stands beside it."""
    found = importlib.util.spec_from_file_location("hubconf", path)
    module = importlib.util.module_from_spec(found)
    sys.path.insert(0, folder)
    try:
        found.loader.exec_module(module)
    finally:
        sys.path.remove(folder)
    return module


def _entry(module, name):
    """The function of a hubconf.py that makes a model, if all that it needs is there."""
    if not isinstance(name, str):
        raise ArgumentError(f"model is {name!r}; it must be the name of a model")
    missing = [needed for needed in getattr(module, "dependencies", ()) if importlib.util.find_spec(needed) is None]
    if missing:
        raise MissingError(f"{module.__file__} needs {', '.join(missing)}; install what is missing")
    entry: Callable[..., Any] | None = getattr(module, name, None)
    if not callable(entry):
        offered = [n for n, value in vars(module).items() if callable(value) and not n.startswith("_")]
        raise ArgumentError(f"{os.path.dirname(module.__file__)} offers no model {name!r}; it offers "
                            f"{', '.join(offered) or 'none'}")
    return entry
