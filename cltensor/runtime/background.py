"""Background builds: another process compiles programs while this one goes on; a thread waits for it and loads them."""

import atexit
import os
import sys

from .builder import Builder
from .job_thread import JobThread

PATIENCE = 300  # seconds for one program: nobody waits for it


class Background(JobThread):
    """A thread that runs jobs one after another, and a compiling process for each device.  The first job starts them."""

    name = "cltensor-background"

    def __init__(self):
        super().__init__()
        self.processes = {}  # device -> its Builder

    def add(self, job, device):
        """Run job(build) in the thread.  build(source) makes a program ready for device.program; it returns whether it could."""
        if self.open:
            self.put((job, device))

    def run(self, job):
        """See JobThread.  Whoever wanted a program goes on without it if this fails."""
        call, device = job
        call(lambda source: self._build(source, device))

    def builders(self):
        """See JobThread."""
        return list(self.processes.values())

    def _build(self, source, device):
        builder = self.processes.get(device)
        if builder is None:
            builder = self.processes[device] = Builder(device.index, PATIENCE)
        programs = device.programs
        programs.prepare(source, builder.build)
        if not (self.open and programs.is_kept(source)):
            return False
        programs.get(source)
        return True

    def abandon(self):
        """Forget the thread and the processes, in a forked child, which inherits neither."""
        self.__init__()
        self.open = False


def offered(device):
    """Whether another process can compile for a device, and this one load what that has compiled."""
    cache = device.programs.cache
    return background.open and bool(sys.executable) and cache is not None and cache.usable and cache.writable


background = Background()
atexit.register(background.close)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=background.abandon)
