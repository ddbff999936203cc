"""What runs in a DataLoader worker: it reads samples and stacks them on the host, and never touches the device."""

import itertools
import multiprocessing
import queue
import random
import signal
import sys
import traceback
from dataclasses import dataclass
from typing import Any

import numpy as np

from .collate import stack_on_host
from .dataset import IterableDataset
from .wire import decode, encode
from .worker_info import WorkerInfo, set_worker_info

_PARENT_CHECK_SECONDS = 5.0


class End:
    """What a stream gives once it has no more samples."""


END = End()


@dataclass(frozen=True)
class Job:
    """What a worker is told once: the dataset and how to read it.  stack: whether to stack samples on the host."""

    dataset: Any
    stack: bool
    drop_last: bool
    init: Any
    num_workers: int


class Failure:
    """An exception on its way out of a worker: its class and its traceback as text."""

    def __init__(self, error, worker):
        importable = getattr(sys.modules.get(type(error).__module__), type(error).__qualname__, None) is type(error)
        self.kind = type(error) if importable else RuntimeError
        self.text = (f"Caught {type(error).__name__} in DataLoader worker {worker}.\n"
                     f"Original {''.join(traceback.format_exception(error))}")

    def reraise(self):
        """Raise the same class with the original traceback in its message; RuntimeError if it takes no message."""
        text = _Shown(self.text) if issubclass(self.kind, KeyError) else self.text
        try:
            error = self.kind(text)
        except Exception:
            error = RuntimeError(self.text)
        raise error from None


class _Shown(str):
    """Text whose repr is itself: KeyError prints the repr of its argument."""

    __slots__ = ()

    def __repr__(self):
        return str(self)


class Reader:
    """Reads batches of one dataset.

    The order for a batch is an index or a list of them; for a stream the batch size, or None for one sample.
    """

    def __init__(self, job):
        self.job = job
        self.streams = isinstance(job.dataset, IterableDataset)
        self.restart()

    def restart(self):
        """Start an epoch."""
        self.stream = iter(self.job.dataset) if self.streams else None

    def read(self, order):
        """The batch (or single sample) of this order; END when a stream has no more."""
        samples = self._next(order) if self.streams else fetch(self.job.dataset, order)
        return stack_on_host(samples) if self.job.stack and samples is not END else samples

    def _next(self, size):
        if size is None:
            return next(self.stream, END)
        batch = list(itertools.islice(self.stream, size))
        return END if not batch or (len(batch) < size and self.job.drop_last) else batch


def fetch(dataset, order):
    """One sample for an index, a list of samples for a list of indices (at once where the dataset can)."""
    if not isinstance(order, list):
        return dataset[order]
    read = getattr(dataset, "__getitems__", None)
    return read(order) if read else [dataset[i] for i in order]


def process_main(payload, worker, seed, tasks, results):
    """The body of a worker process."""
    results.cancel_join_thread()  # a parent that no longer listens must not keep the process alive
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle; it ends its workers
    random.seed(seed)
    np.random.seed(seed % 2**32)
    work(decode(payload), worker, seed, tasks, results, encode, multiprocessing.parent_process())


def work(job, worker, seed, tasks, results, packed=lambda answer: answer, parent=None):
    """Answer tasks (epoch, number, order) with (epoch, number, batch or Failure) until told None."""
    set_worker_info(WorkerInfo(worker, job.num_workers, seed, job.dataset))
    reader = now = None
    while (task := _next_task(tasks, parent)) is not None:
        epoch, number, order = task
        try:
            if reader is None:
                if job.init:
                    job.init(worker)
                reader = Reader(job)
            elif epoch != now:
                reader.restart()
            now = epoch
            answer = packed(reader.read(order))
        except Exception as error:
            answer = packed(Failure(error, worker))
        results.put((epoch, number, answer))


def _next_task(tasks, parent):
    while True:
        try:
            return tasks.get(timeout=_PARENT_CHECK_SECONDS)
        except queue.Empty:
            if parent is not None and not parent.is_alive():
                return None
