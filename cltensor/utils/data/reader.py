"""Read batches of a dataset: in the main program without workers, else in each worker."""

import itertools
from dataclasses import dataclass
from typing import Any

from .collate import default_collate, default_convert, stack_on_host
from .dataset import IterableDataset
from .failure import Failure
from .worker_info import WorkerInfo, set_worker_info


class End:
    """The answer of a stream that has no more samples."""


END = End()


@dataclass(frozen=True)
class Job:
    """What a worker needs once: the dataset, the way to read it, and the function that makes a batch of samples."""

    dataset: Any
    collate: Any
    drop_last: bool
    init: Any
    num_workers: int

    @property
    def uploads(self):
        """Whether batches stay NumPy arrays, which default_convert turns into tensors."""
        return self.collate in (default_collate, default_convert)


class Reader:
    """Reads batches of one dataset.  empty: allocates the arrays for stacked samples, see stack_on_host.

    The order for a batch is an index or a list of them; for a stream the batch size, or None for one sample.
    """

    def __init__(self, job, empty=None):
        self.job, self.empty = job, empty
        self.streams = isinstance(job.dataset, IterableDataset)
        self.restart()

    def restart(self):
        """Start an epoch."""
        self.stream = iter(self.job.dataset) if self.streams else None

    def read(self, order):
        """The batch (or single sample) of this order; END if a stream has no more."""
        samples = self._next(order) if self.streams else fetch(self.job.dataset, order)
        if samples is END or self.job.collate is default_convert:
            return samples
        return stack_on_host(samples, self.empty) if self.job.uploads else self.job.collate(samples)

    def _next(self, size):
        if size is None:
            return next(self.stream, END)
        batch = list(itertools.islice(self.stream, size))
        return END if not batch or (len(batch) < size and self.job.drop_last) else batch


def fetch(dataset, order):
    """One sample for an index, a list of samples for a list of indices (in one call if the dataset supports it)."""
    if not isinstance(order, list):
        return dataset[order]
    read = getattr(dataset, "__getitems__", None)
    return read(order) if read else [dataset[i] for i in order]


def work(job, worker, seed, tasks, answer, empty=None):
    """Answer each task (epoch, order, *rest) by answer(batch or Failure, *rest); epochs count up."""
    set_worker_info(WorkerInfo(worker, job.num_workers, seed, job.dataset))
    reader = now = None
    for epoch, order, *rest in tasks:
        try:
            if reader is None:
                if job.init:
                    job.init(worker)
                reader = Reader(job, empty)
            elif epoch != now:
                reader.restart()
            now = epoch
            made = reader.read(order)
        except Exception as error:
            made = Failure(error, f"DataLoader worker {worker}")
        answer(made, *rest)
