"""A pool of DataLoader workers: hands out orders in turn, a few ahead, and gives the batches back in order."""

import collections
import itertools
import queue
import time

from ...base.errors import CLTensorError
from .worker import END, End, Failure

_LIVENESS_SECONDS = 1.0


class WorkerError(CLTensorError):
    """A DataLoader worker died or took too long."""


class WorkerPool:
    """num_workers workers of one DataLoader, each with its own task queue and all with one result queue."""

    def __init__(self, job, transport, seed, prefetch, timeout):
        self.transport, self.timeout = transport, timeout
        self.ahead = prefetch * job.num_workers
        self.epoch = 0
        self.results = transport.queue()
        self.tasks = [transport.queue() for _ in range(job.num_workers)]
        self.workers = []
        try:
            for i, tasks in enumerate(self.tasks):
                self.workers.append(transport.start(job, i, seed + i, tasks, self.results))
        except BaseException:
            self.close()
            raise

    def batches(self, orders):
        """What the workers make of each order, in order.  Raises what a worker raised, with its traceback."""
        self.epoch += 1
        orders, numbers = iter(orders), itertools.count()
        live = collections.deque(range(len(self.workers)))
        waiting = collections.deque()  # (number, worker) of orders sent and not yet given back

        def send():
            order = next(orders, END) if live else END
            if order is END:
                return False
            worker, number = live[0], next(numbers)
            live.rotate(-1)
            self.tasks[worker].put((self.epoch, number, order))
            waiting.append((number, worker))
            return True

        while len(waiting) < self.ahead and send():
            pass
        arrived = {}
        while waiting:
            number, worker = waiting.popleft()
            answer = self._await(number, arrived)
            if isinstance(answer, Failure):
                answer.reraise()
            ended = isinstance(answer, End)
            if ended and worker in live:
                live.remove(worker)
            send()
            if not ended:
                yield answer

    def _await(self, number, arrived):
        deadline = time.monotonic() + self.timeout if self.timeout else None
        while number not in arrived:
            epoch, got, answer = self._receive(deadline)
            if epoch == self.epoch:  # an epoch given up half way leaves answers behind
                arrived[got] = self.transport.decode(answer)
        return arrived.pop(number)

    def _receive(self, deadline):
        while True:
            left = deadline - time.monotonic() if deadline else _LIVENESS_SECONDS
            try:
                return self.results.get(timeout=max(min(left, _LIVENESS_SECONDS), 0.001))
            except queue.Empty:
                self._check_alive()
                if deadline and time.monotonic() > deadline:
                    raise WorkerError(f"DataLoader timed out after {self.timeout} seconds; a sample takes longer than "
                                      "that to read: raise timeout, or look for a dataset that blocks") from None

    def _check_alive(self):
        for i, worker in enumerate(self.workers):
            if not worker.is_alive():
                raise WorkerError(
                    f"DataLoader worker {i} (pid {getattr(worker, 'pid', '-')}) exited unexpectedly with exit code "
                    f"{getattr(worker, 'exitcode', '-')}; it may have been killed for memory, or its script starts the "
                    'training without `if __name__ == "__main__":`, which worker processes need. num_workers=0 shows '
                    "the error in this process")

    def close(self):
        """End the workers, once.  Batches on their way are lost."""
        workers, self.workers = self.workers, []
        if workers:
            for tasks in self.tasks:
                tasks.put(None)
            self.transport.stop(workers, [*self.tasks, self.results])

    __del__ = close
