"""The folder that downloads are kept in."""

from __future__ import annotations

import os
from os import PathLike
from pathlib import Path

from ..base import config

_chosen: list[str] = []  # what set_dir was given last


def get_dir() -> str:
    """The folder that weights and repositories are kept in; never raises.

    It is what set_dir was given, else $CLTENSOR_HOME/hub, else the folder hub in the user's folder for caches.  State dicts of any
    shape and dtype are in checkpoints there.  Source: as torch.hub of PyTorch 2.13 has it.

    Example::

        os.listdir(cltensor.hub.get_dir())
    """
    if _chosen:
        return _chosen[-1]
    home = config.setting("CLTENSOR_HOME")
    return str((Path(home).expanduser() if home else config.user_cache()) / "hub")


def set_dir(d: str | PathLike[str]) -> None:
    """Keep weights and repositories in folder d from now on, for this process; never raises.

    State dicts of any shape and dtype are in checkpoints there.  Source: as torch.hub of PyTorch 2.13 has it.

    Example::

        cltensor.hub.set_dir("/data/models")
    """
    _chosen[:] = [os.path.expanduser(os.fspath(d))]
