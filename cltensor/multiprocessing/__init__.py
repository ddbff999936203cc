"""Python's multiprocessing with the names that torch.multiprocessing adds: spawn, and strategies for sharing.

A device's memory belongs to one process.  A tensor that goes through a Queue, a Pipe or a process's arguments arrives as a copy: on
the device of the same index in a process that was spawned, in the host's memory in one that was forked.  Writes to it are not seen
elsewhere.
"""

import multiprocessing
from multiprocessing import *  # noqa: F403  (its names are this module's)

from .processes import (
    ProcessContext,
    ProcessExitedException,
    ProcessRaisedException,
    SpawnContext,
    spawn,
    start_processes,
)
from .strategies import get_all_sharing_strategies, get_sharing_strategy, set_sharing_strategy

__all__ = [*multiprocessing.__all__, "ProcessContext", "ProcessExitedException", "ProcessRaisedException", "SpawnContext",  # noqa: PLE0604
           "get_all_sharing_strategies", "get_sharing_strategy", "set_sharing_strategy", "spawn", "start_processes"]


def __dir__():
    return sorted(__all__)
