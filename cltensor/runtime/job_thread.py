"""JobThread: a thread that runs jobs one after another, and is ended with the process."""

import contextlib
import queue
import threading

from ..base.context import context


class JobThread:
    """Jobs, and the thread that runs them, which the first one starts.  A subclass says what to `run`, and its `builders`.

    name: of the thread.  open: whether it takes jobs.
    """

    name = "cltensor-jobs"

    def __init__(self):
        self.jobs, self.thread, self.open = queue.SimpleQueue(), None, True

    def put(self, job):
        """Let the thread run a job."""
        self.jobs.put(job)
        if self.thread is None:
            self.thread = threading.Thread(target=self._run, name=self.name, daemon=True)
            self.thread.start()

    def prepare(self):
        """What the thread does first."""

    def _run(self):
        context.unheard()
        self.prepare()
        while (job := self.jobs.get()) is not None:
            if isinstance(job, threading.Event):
                job.set()
            elif self.open:
                with contextlib.suppress(Exception):  # what fails here is done again where it is needed, and raises there
                    self.run(job)

    def wait(self):
        """Wait until all jobs so far are done."""
        done = threading.Event()
        self.jobs.put(done)
        if self.thread is not None:
            done.wait()

    def close(self):
        """Stop, and end the running job: no part of it may outlive the process."""
        self.open = False
        self.jobs.put(None)
        for builder in self.builders():
            builder.close()
        if self.thread is not None:
            self.thread.join()
