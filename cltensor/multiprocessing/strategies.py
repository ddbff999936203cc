"""Sharing strategies: PyTorch's names for how a tensor's memory is shared, which every process here has for itself."""

from __future__ import annotations

import sys

from ..base import calls
from ..base.errors import ArgumentError

_ALL = ("file_system", "file_descriptor") if sys.platform == "linux" else ("file_system",)


class _Chosen:
    """The strategy of this process."""

    name = _ALL[-1]


_chosen = _Chosen()


def get_all_sharing_strategies() -> set[str]:
    """The names that set_sharing_strategy takes on this system.

    No shape or dtype plays a part: tensors are sent as copies under each of them.  Never raises.
    Source: PyTorch 2.13's multiprocessing.

        multiprocessing.get_all_sharing_strategies()    # {"file_descriptor", "file_system"} on Linux
    """
    return set(_ALL)


def get_sharing_strategy() -> str:
    """What set_sharing_strategy was told; tensors of any shape and dtype are sent as copies under each strategy.

    Never raises.  Source: PyTorch 2.13's multiprocessing.

        multiprocessing.get_sharing_strategy()
    """
    return _chosen.name


def set_sharing_strategy(new_strategy: str) -> None:
    """Remember a strategy.  It changes nothing: tensors of any shape and dtype are sent as copies.

    Raises ArgumentError for a name that get_all_sharing_strategies does not list.
    Source: PyTorch 2.13's multiprocessing.

        multiprocessing.set_sharing_strategy("file_system")
    """
    if new_strategy not in _ALL:
        raise ArgumentError(f"set_sharing_strategy: {new_strategy!r} is none of {', '.join(map(repr, _ALL))}")
    _chosen.name = new_strategy


for _fn in (get_all_sharing_strategies, get_sharing_strategy, set_sharing_strategy):
    calls.named(_fn, _fn.__name__)
