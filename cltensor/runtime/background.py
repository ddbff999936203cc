"""Background builds: another process compiles programs while this one goes on; a thread waits for it and loads them."""

import atexit
import contextlib
import os
import queue
import sys
import threading

from .builder import Builder

PATIENCE = 300  # seconds for one program: nobody waits for it


class Background:
    """A thread that runs jobs one after another, and a compiling process for each device.  The first job starts them."""

    def __init__(self):
        self.jobs, self.builders, self.thread, self.open = queue.SimpleQueue(), {}, None, True

    def add(self, job, device):
        """Run job(build) in the thread.  build(source) makes a program ready for device.program; it returns whether it could."""
        if not self.open:
            return
        self.jobs.put((job, device))
        if self.thread is None:
            self.thread = threading.Thread(target=self._run, name="cltensor-background", daemon=True)
            self.thread.start()

    def _run(self):
        while (job := self.jobs.get()) is not None:
            if isinstance(job, threading.Event):
                job.set()
            elif self.open:
                with contextlib.suppress(Exception):  # whoever wanted the program goes on without it
                    job[0](lambda source, device=job[1]: self._build(source, device))

    def _build(self, source, device):
        builder = self.builders.get(device)
        if builder is None:
            builder = self.builders[device] = Builder(device.index, PATIENCE)
        programs = device.programs
        programs.prepare(source, builder.build)
        if not (self.open and programs.is_kept(source)):
            return False
        programs.get(source)
        return True

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
        for builder in list(self.builders.values()):
            builder.close()
        if self.thread is not None:
            self.thread.join()

    def abandon(self):
        """Forget the thread and the processes, in a forked child, which inherits neither."""
        self.jobs, self.builders, self.thread, self.open = queue.SimpleQueue(), {}, None, False


def offered(device):
    """Whether another process can compile for a device, and this one load what that has compiled."""
    cache = device.programs.cache
    return background.open and bool(sys.executable) and cache is not None and cache.usable and cache.writable


background = Background()
atexit.register(background.close)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=background.abandon)
