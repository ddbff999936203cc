"""Which DataLoader worker this code runs in, if any."""

import threading
from dataclasses import dataclass
from typing import Any

_local = threading.local()


@dataclass(frozen=True)
class WorkerInfo:
    """Which worker this is: id (0 to num_workers - 1), num_workers, seed, and its copy of the dataset."""

    id: int
    num_workers: int
    seed: int
    dataset: Any


def get_worker_info():
    """The WorkerInfo of the DataLoader worker that calls this, or None in the main program."""
    return getattr(_local, "info", None)


def set_worker_info(info):
    """Mark this thread as that worker."""
    _local.info = info
