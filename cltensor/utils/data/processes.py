"""The worker processes of one DataLoader."""

import multiprocessing
import multiprocessing.util
import pickle
import select
import sys
import time
import warnings
from dataclasses import dataclass
from typing import Any

from ...base.errors import ArgumentError, ArgumentTypeError, CLTensorError
from ...runtime import device as devices
from . import process_worker
from .capture import Held
from .link import Link, close
from .shared import Region, SharedFile
from .wire import pack

MOST = 100  # pending orders per worker: as many short messages as a pipe holds without blocking


class WorkerError(CLTensorError):
    """A DataLoader worker died or took too long."""


def start_context(context):
    """The multiprocessing context for None, a start method's name, or a context.  Raises ArgumentError for another name.

    None is the method the program has set, else fork on Linux: a forked child without OpenCL starts in milliseconds.
    """
    if not hasattr(select, "poll"):
        raise ArgumentError("DataLoader: worker processes need a POSIX system; use multiprocessing_context='thread' or "
                            "num_workers=0")
    if context is None:
        context = multiprocessing.get_start_method(allow_none=True) or ("fork" if sys.platform == "linux" else None)
    try:
        return multiprocessing.get_context(context) if context is None or isinstance(context, str) else context
    except ValueError:
        raise ArgumentError(f"DataLoader: multiprocessing_context option should specify a valid start method in "
                            f"{[*multiprocessing.get_all_start_methods(), 'thread']}, but got {context!r}") from None


@dataclass
class Left:
    """What one set of workers leaves to the next: tensors read for forked ones, Regions by worker; links, empty once all ended."""

    held: Any
    regions: list
    links: list


class Processes:
    """The workers of one DataLoader as processes.  most: pending orders per worker; before: the Left of an earlier set, or None.

    close() ends them; so does garbage collection, or the end of the program.
    """

    def __init__(self, job, seed, context, most, before=None):
        self.job, self.context, self.most = job, context, most
        self.forks = context.get_start_method() == "fork"
        self.known = devices.facts()
        self.held = Held.by(job.dataset, job.collate, job.init, before=before and before.held) if self.forks else Held()
        self.regions = before.regions if before and not before.links else [_regions(most) for _ in range(job.num_workers)]
        self.links, self.poll, self.by_fd = [], select.poll(), {}
        self.left = Left(self.held, self.regions, self.links)
        self.close = multiprocessing.util.Finalize(self, close, (self.links,), exitpriority=10)  # before others wait
        sent = job if self.forks else _packed(job)
        try:
            for i in range(job.num_workers):
                self._start(sent, i, seed + i)
        except BaseException:
            self.close()
            raise

    def _start(self, job, i, seed):
        reading, tasks = self.context.Pipe(duplex=False)
        answers, writing = self.context.Pipe(duplex=False)
        ours = [end for link in self.links for end in (link.tasks, link.answers)] + [tasks, answers]
        others = [end.fileno() for end in ours] if self.forks else ()
        args = (job, self.held, self.known, i, seed, (reading, writing), self.regions[i][0].file, self.most, others)
        process = self.context.Process(target=process_worker.main, args=args, daemon=True, name=f"DataLoader worker {i}")
        with warnings.catch_warnings():  # Python warns of forks beside threads; this child uses nothing that needs them
            warnings.filterwarnings("ignore", "This process .* is multi-threaded", DeprecationWarning)
            process.start()
        reading.close()
        writing.close()
        self.links.append(Link(process, tasks, answers, self.regions[i]))
        self.poll.register(answers.fileno(), select.POLLIN)
        self.by_fd[answers.fileno()] = i

    def post(self, worker, epoch, number, order):
        """Send a worker an order; it must have fewer than `most`."""
        self.links[worker].post(epoch, number, order)

    def receive(self, expected, seconds):
        """(worker, its next Answer), or None after this many seconds.  expected: the preferred worker, None for any.

        Raises WorkerError if a worker is gone.
        """
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            ready = [self.by_fd[fd] for fd, _ in self.poll.poll(left * 1000)]
            for i in [expected] if expected in ready else ready:
                try:
                    answer = self.links[i].read()
                except EOFError:
                    raise self._gone(i) from None
                if answer is not None:
                    return i, answer
        return None

    def check(self):
        """Raise WorkerError if a worker is gone."""
        for i, link in enumerate(self.links):
            if not link.process.is_alive():
                raise self._gone(i)

    def _gone(self, i):
        process = self.links[i].process
        process.join(timeout=1)
        return WorkerError(
            f"DataLoader worker {i} (pid {process.pid}) exited unexpectedly with exit code {process.exitcode}; it may have been "
            "killed for memory, or its script starts the training without `if __name__ == \"__main__\":`, which processes "
            "that are not forked need. num_workers=0 shows the error in this process")

    def state(self, worker):
        """The state of a worker, for messages."""
        return self.links[worker].state()


def _regions(n):
    """n Regions of a new SharedFile; if there is no space for one, without a file: then everything uses the pipes."""
    try:
        file = SharedFile()
    except OSError:
        file = None
    return [Region(file, i) for i in range(n)]


def _packed(job):
    """(SharedFile with the job's arrays and tensors, the rest of it as bytes)."""
    file = SharedFile()
    try:
        return file, pack(job, Region(file, 0))
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise ArgumentTypeError(
            f"DataLoader: the dataset cannot be sent to worker processes: {error}; define its classes and functions at module "
            "level (no lambdas), or use multiprocessing_context='fork' or 'thread', or num_workers=0") from error
