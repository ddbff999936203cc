"""DataLoader: batches of a dataset, in order or shuffled, read in this process or by workers ahead of time."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from typing import Any

from ...base.context import context
from ...base.errors import ArgumentError
from ...tensor.random.sampling import Generator
from .collate import default_collate, default_convert
from .dataset import IterableDataset
from .pool import WorkerPool
from .processes import WorkerError, start_context
from .reader import END, Job, Reader
from .sampler import BatchSampler, RandomSampler, SequentialSampler
from .seeding import draw_seed, settled

__all__ = ["DataLoader", "default_collate", "default_convert"]

_FIXED = {"batch_size", "batch_sampler", "sampler", "drop_last", "dataset", "persistent_workers"}


class DataLoader:
    """Iterate over a dataset in batches.

    Args as torch.utils.data.DataLoader, with these meanings here:
        num_workers: worker processes (or threads) that read samples and make batches of them, ahead of time.  In a worker
            process, tensors are in host memory and ops run through NumPy; batches reach the device in the main program.
        timeout: seconds to wait for a batch, 0 for no limit.
        multiprocessing_context: "fork" (the default on Linux), "spawn", "forkserver", a context, or "thread" for threads of
            this process.
        pin_memory: uploads each batch while the one before it is in use.
        generator: an int seed, a Generator, or None for the global one; the order depends on nothing else.

    Raises ArgumentError for combinations that exclude each other; WorkerError, a RuntimeError, for a worker that dies or takes
    longer than timeout; an error in a worker is raised again here with its traceback.
    """

    def __init__(self, dataset, batch_size: int = 1, shuffle: bool | None = None, sampler: Iterable[Any] | None = None,
                 batch_sampler=None, num_workers: int = 0, collate_fn: Callable[..., Any] | None = None,
                 pin_memory: bool = False, drop_last: bool = False, timeout: float = 0,
                 worker_init_fn: Callable[[int], Any] | None = None, multiprocessing_context=None,
                 generator: Generator | None = None, *, prefetch_factor: int | None = None, persistent_workers: bool = False,
                 pin_memory_device: str = "", in_order: bool = True):
        self.dataset, self.num_workers, self.timeout = dataset, num_workers, timeout
        self.pin_memory, self.worker_init_fn, self.persistent_workers = pin_memory, worker_init_fn, persistent_workers
        self.prefetch_factor = 2 if prefetch_factor is None and num_workers else prefetch_factor
        self.multiprocessing_context, self.pin_memory_device, self.in_order = multiprocessing_context, pin_memory_device, in_order
        self.generator = settled(generator)
        self._check_workers()
        self._check_order(batch_size, shuffle, sampler, batch_sampler, drop_last)
        self.batch_size, self.drop_last = (batch_size, drop_last) if batch_sampler is None else (None, False)
        self.sampler = self._default_sampler(shuffle) if sampler is batch_sampler is None else sampler
        if batch_size is not None and batch_sampler is None and not self._streams:
            batch_sampler = BatchSampler(self.sampler, batch_size, drop_last)
        self.batch_sampler = batch_sampler
        batched = batch_sampler is not None or batch_size is not None
        self.collate_fn = collate_fn or (default_collate if batched else default_convert)
        self._pool = self._before = None
        self._initialized = True

    def __setattr__(self, name, value):
        if name in _FIXED and getattr(self, "_initialized", False):
            raise ArgumentError(f"{name} attribute should not be set after DataLoader is initialized; make a new one")
        object.__setattr__(self, name, value)

    @property
    def multiprocessing_context(self) -> Any:
        """How workers start.  Setting it raises ArgumentError for a way that is not there."""
        return self._multiprocessing_context

    @multiprocessing_context.setter
    def multiprocessing_context(self, context: Any):
        if context is not None and self.num_workers and context != "thread":
            start_context(context)
        self._multiprocessing_context = context

    def _check_workers(self):
        if self.num_workers < 0:
            raise ArgumentError("num_workers option should be non-negative; use num_workers=0 to read in this process")
        if self.timeout < 0:
            raise ArgumentError("timeout option should be non-negative")
        if self.num_workers == 0 and self.prefetch_factor is not None:
            raise ArgumentError("prefetch_factor option needs num_workers > 0")
        if self.num_workers and self.prefetch_factor < 1:
            raise ArgumentError(f"prefetch_factor option should be at least 1, got {self.prefetch_factor}")
        if self.num_workers == 0 and self.persistent_workers:
            raise ArgumentError("persistent_workers option needs num_workers > 0")
        if self.num_workers and self.multiprocessing_context != "thread":
            start_context(self.multiprocessing_context)

    def _check_order(self, batch_size, shuffle, sampler, batch_sampler, drop_last):
        if self._streams:
            for name, value in (("shuffle", shuffle), ("sampler", sampler), ("batch_sampler", batch_sampler)):
                if value not in (None, False):
                    raise ArgumentError(f"DataLoader with IterableDataset: expected unspecified {name} option, but got "
                                        f"{name}={value}; the stream itself decides the order")
        if sampler is not None and shuffle:
            raise ArgumentError("sampler option is mutually exclusive with shuffle")
        if batch_sampler is not None and (batch_size != 1 or shuffle or sampler is not None or drop_last):
            raise ArgumentError("batch_sampler option is mutually exclusive with batch_size, shuffle, sampler, and "
                                "drop_last")
        if batch_size is None and drop_last:
            raise ArgumentError("batch_size=None option disables auto-batching and is mutually exclusive with "
                                "drop_last")

    def _default_sampler(self, shuffle):
        if self._streams:
            return None
        return RandomSampler(self.dataset, generator=self.generator) if shuffle else SequentialSampler(self.dataset)

    @property
    def _streams(self):
        return isinstance(self.dataset, IterableDataset)

    def __len__(self):
        """The number of batches.  Raises TypeError for a dataset or sampler without a length."""
        if not self._streams:
            return len(self.sampler if self.batch_sampler is None else self.batch_sampler)
        size = len(self.dataset)
        if self.batch_size is None:
            return size
        return size // self.batch_size if self.drop_last else -(-size // self.batch_size)

    def __iter__(self):
        batches = self._from_workers() if self.num_workers else self._from_here()
        return _one_ahead(batches) if self.pin_memory else batches

    def _orders(self):
        """What to read, batch by batch: lists of indices, single indices, or for a stream its batch size."""
        if self._streams:
            return itertools.repeat(self.batch_size)
        return iter(self.sampler) if self.batch_sampler is None else map(list, self.batch_sampler)

    def _job(self):
        return Job(self.dataset, self.collate_fn, self.drop_last, self.worker_init_fn, self.num_workers)

    def _from_here(self):
        draw_seed(self.generator)  # as with workers, so that the order does not depend on num_workers
        reader = Reader(self._job())
        for order in self._orders():
            read = reader.read if context.profile is None else _observed(reader.read)
            batch = read(order)
            if batch is END:
                return
            yield default_convert(batch) if reader.job.uploads else batch

    def _from_workers(self):
        seed = draw_seed(self.generator)
        pool, self._pool = self._pool, None
        if pool is None:
            pool = WorkerPool(self._job(), self.multiprocessing_context, seed, self.prefetch_factor, self.timeout, self._before)
            self._before = pool.workers.left
        return self._given(pool, pool.batches(self._orders(), self.in_order))  # workers start here, not at the first batch

    def _given(self, pool, epoch):
        """Yield the batches of an Epoch; then keep the pool for the next one, or close it."""
        keep = self.persistent_workers
        try:
            while (batch := (_next if context.profile is None else _observed(_next))(epoch)) is not END:
                yield batch
        except WorkerError:
            keep = False
            raise
        finally:
            epoch.close()
            if keep and self._pool is None:
                self._pool = pool
            else:
                pool.close()


def _next(epoch):
    return next(epoch, END)


def _observed(read):
    """A function that gives a batch, which the profiler is told of."""
    return context.profile.around(read, "data", "enumerate(DataLoader)#__next__")


def _one_ahead(batches):
    """Yield the same batches; create each before yielding the one ahead of it."""
    current = next(batches, END)
    while current is not END:
        following = next(batches, END)
        yield current
        current = following


def __dir__():
    return sorted(__all__)
