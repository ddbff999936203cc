"""How a dataset reaches DataLoader workers and how batches come back: by pipes to processes, or within one process."""

import multiprocessing
import pickle
import queue
import threading

from ...base.errors import ArgumentError, ArgumentTypeError
from .wire import decode, encode
from .worker import process_main, work


class Processes:
    """Worker processes.  They start afresh (spawn): a forked copy of a process that uses OpenCL can hang."""

    def __init__(self, context):
        context = context or "spawn"
        self.context = multiprocessing.get_context(context) if isinstance(context, str) else context
        if self.context.get_start_method() == "fork":
            raise ArgumentError("DataLoader: multiprocessing_context 'fork' is refused, because a forked copy of a "
                                "process that uses OpenCL can hang; use 'spawn', 'forkserver' or 'thread'")
        self.queue = self.context.Queue
        self.decode = decode

    def start(self, job, worker, seed, tasks, results):
        """A running worker process.  Raises ArgumentTypeError when the dataset cannot be sent to it."""
        args = self._packed(job), worker, seed, tasks, results
        process = self.context.Process(target=process_main, args=args, daemon=True)
        process.start()
        return process

    def _packed(self, job):
        try:
            return encode(job)
        except (pickle.PicklingError, AttributeError, TypeError) as error:
            if isinstance(error, ArgumentTypeError):
                raise
            raise ArgumentTypeError(
                f"DataLoader: the dataset cannot be sent to worker processes: {error}; define its classes and "
                "functions at module level (no lambdas), or use multiprocessing_context='thread' or num_workers=0"
            ) from error

    def stop(self, workers, queues):
        """End the workers without waiting for work in progress."""
        for process in workers:
            process.join(timeout=0.2)
            if process.is_alive():
                process.terminate()
        for process in workers:
            process.join()
            process.close()
        for q in queues:
            q.cancel_join_thread()
            q.close()


class Threads:
    """Worker threads in this process, sharing the dataset: right for decoders that release the interpreter lock."""

    queue = queue.Queue

    @staticmethod
    def decode(data):
        return data

    def start(self, job, worker, seed, tasks, results):
        """A running worker thread."""
        thread = threading.Thread(target=work, args=(job, worker, seed, tasks, results), daemon=True)
        thread.start()
        return thread

    def stop(self, workers, queues):
        """Nothing to wait for: the threads end once they have read the None that ends their work."""


def transport(context):
    """The transport for a multiprocessing_context: None, a start method's name, a context object, or "thread"."""
    return Threads() if context == "thread" else Processes(context)
