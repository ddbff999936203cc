"""A pool of DataLoader workers: hands out orders in turn, a few ahead, and returns the batches."""

import collections
import itertools
import time

from .collate import default_convert
from .failure import Failure
from .processes import MOST, Processes, WorkerError, start_context
from .reader import END, End
from .threads import Threads

_LIVENESS = 1.0  # seconds between two checks that all workers live


class WorkerPool:
    """The workers of one DataLoader, for one epoch after another.  context: "thread", or see start_context."""

    def __init__(self, job, context, seed, prefetch, timeout, before=None):
        self.job, self.timeout, self.epoch = job, timeout, 0
        self.most = min(prefetch, MOST)
        self.workers = (Threads(job, seed) if context == "thread" else
                        Processes(job, seed, start_context(context), self.most, before))
        self.under_way = [0] * job.num_workers  # answers of each worker that are pending or unused
        self.close = self.workers.close

    def batches(self, orders, in_order):
        """Start an Epoch over these orders.  Waits for the pending answers of the epoch before."""
        while any(self.under_way):
            self.drop(*self.receive(None))
        self.epoch += 1
        return Epoch(self, orders, in_order)

    def post(self, worker, number, order):
        """Send a worker an order."""
        self.under_way[worker] += 1
        self.workers.post(worker, self.epoch, number, order)

    def receive(self, expected):
        """(worker, its Answer).  Raises WorkerError if one dies, or if none arrives in time."""
        deadline = time.monotonic() + self.timeout if self.timeout else None
        while True:
            left = _LIVENESS if deadline is None else min(deadline - time.monotonic(), _LIVENESS)
            found = self.workers.receive(expected, max(left, 1e-3))
            if found is not None:
                return found
            self.workers.check()
            if deadline is not None and time.monotonic() >= deadline:
                late = [i for i, n in enumerate(self.under_way) if n and expected in (None, i)]
                raise WorkerError(
                    f"DataLoader timed out after {self.timeout} seconds waiting for worker "
                    f"{', '.join(f'{i} ({self.workers.state(i)})' for i in late)}; a sample takes longer than that to read: raise "
                    "timeout, or look for a dataset that blocks")

    def drop(self, worker, answer):
        """Discard an answer."""
        answer.drop()
        self.under_way[worker] -= 1

    def take(self, worker, answer):
        """The batch of an answer, or END.  Raises what the worker raised."""
        try:
            made = answer.batch(copy=not self.job.uploads)
            if isinstance(made, Failure):
                made.reraise()
            return default_convert(made) if self.job.uploads and not isinstance(made, End) else made
        finally:
            self.drop(worker, answer)


class Epoch:
    """An iterator over the batches of one epoch, in the requested order, or as they arrive."""

    def __init__(self, pool, orders, in_order):
        self.pool, self.orders, self.in_order = pool, iter(orders), in_order
        self.numbers, self.live = itertools.count(), collections.deque(range(pool.job.num_workers))
        self.waiting = {}  # number -> worker, of orders whose batches are not returned yet
        self.arrived = {}  # number -> Answer
        self._fill()

    def __iter__(self):
        return self

    def __next__(self):
        while self.waiting:
            number, answer = self._next_answer()
            worker = self.waiting.pop(number)
            made = self.pool.take(worker, answer)
            if isinstance(made, End) and worker in self.live:
                self.live.remove(worker)
            self._fill()
            if not isinstance(made, End):
                return made
        raise StopIteration

    def close(self):
        """Discard what has arrived."""
        for number, answer in self.arrived.items():
            self.pool.drop(self.waiting[number], answer)
        self.arrived.clear()

    def _next_answer(self):
        number = next(iter(self.waiting))
        while number not in self.arrived:
            if not self.in_order and self.arrived:
                number = next(iter(self.arrived))
                break
            _, answer = self.pool.receive(self.waiting[number] if self.in_order else None)
            self.arrived[answer.number] = answer
        return number, self.arrived.pop(number)

    def _fill(self):
        """Send orders until every worker has as many as it may."""
        while (worker := self._idle()) is not None:
            order = next(self.orders, END)
            if order is END:
                self.live.clear()
                return
            number = next(self.numbers)
            self.waiting[number] = worker
            self.pool.post(worker, number, order)

    def _idle(self):
        """The worker whose turn it is, if it may take another order; without in_order, the next one that may."""
        for _ in range(len(self.live) if not self.in_order else min(len(self.live), 1)):
            worker = self.live[0]
            if self.pool.under_way[worker] < self.pool.most:
                self.live.rotate(-1)
                return worker
            if not self.in_order:
                self.live.rotate(-1)
        return None
