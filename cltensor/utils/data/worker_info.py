"""Which DataLoader worker this code runs in, if any, and the rule that workers leave the device alone."""

import threading
from dataclasses import dataclass
from typing import Any

from ...base.errors import ArgumentTypeError

_local = threading.local()
NO_TENSORS = ("DataLoader: a tensor cannot be read in a worker, go to one or come from one, because workers never "
              "touch the device; let the dataset hold and return NumPy arrays, or use num_workers=0 (fastest for a "
              "TensorDataset)")


@dataclass(frozen=True)
class WorkerInfo:
    """Which worker this is: id (0 to num_workers - 1), num_workers, seed, and its copy of the dataset."""

    id: int
    num_workers: int
    seed: int
    dataset: Any


def get_worker_info():
    """The WorkerInfo of the DataLoader worker this is called in, or None in the main program."""
    return getattr(_local, "info", None)


def set_worker_info(info):
    """Mark this thread as that worker."""
    _local.info = info


def refuse_in_worker():
    """Raise ArgumentTypeError when called in a worker; called where tensors are about to be read."""
    if get_worker_info() is not None:
        raise ArgumentTypeError(NO_TENSORS)
