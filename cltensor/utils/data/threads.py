"""Worker threads in this process, sharing the dataset: right for decoders that release the interpreter lock."""

import queue
import threading

from .reader import work


class Answer:
    """A batch, or what came in its place; see link.Answer."""

    def __init__(self, made, epoch, number):
        self.made, self.epoch, self.number = made, epoch, number

    def batch(self, copy):
        """The worker's result."""
        return self.made

    def drop(self):
        """There is no region to release."""


class Threads:
    """The workers of one DataLoader as threads; see Processes."""

    left = None

    def __init__(self, job, seed):
        self.answers = queue.SimpleQueue()
        self.tasks = [queue.SimpleQueue() for _ in range(job.num_workers)]
        for i, tasks in enumerate(self.tasks):
            args = (job, i, seed + i, iter(tasks.get, None), self._answer)
            threading.Thread(target=work, args=args, daemon=True, name=f"DataLoader worker {i}").start()

    def _answer(self, made, worker, epoch, number):
        self.answers.put((worker, Answer(made, epoch, number)))

    def post(self, worker, epoch, number, order):
        """Send a worker an order."""
        self.tasks[worker].put((epoch, order, worker, epoch, number))

    def receive(self, expected, seconds):
        """(worker, its next Answer), or None after this many seconds."""
        try:
            return self.answers.get(timeout=seconds)
        except queue.Empty:
            return None

    def check(self):
        """Do nothing: threads do not die by themselves."""

    def state(self, worker):
        """The state of a worker, for messages."""
        return "a thread"

    def close(self):
        """Do not wait: each thread ends once it has read its final None."""
        for tasks in self.tasks:
            tasks.put(None)
