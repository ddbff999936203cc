"""A child process that compiles programs into the disk cache, ahead of the process that will need them.

Some OpenCL compilers build one program at a time (PoCL's does), others share threads and locks with running kernels.  In
another process they do not wait for each other.  The child ends when its input ends: with the process that started it.
"""

import contextlib
import itertools
import json
import os
import subprocess
import sys
import threading

from ..base.processes import answers, child_environment
from . import scratch
from .device import default_device

PATIENCE = 20  # seconds for one program; the parent process may be waiting for it

_numbers = itertools.count()


class Builder:
    """The child process of one device.  The first build starts it.  After a failure or a timeout it is not started again.

    patience: seconds for one program.
    """

    def __init__(self, index, patience=PATIENCE):
        self.index, self.patience = index, patience
        self._process, self._failed, self._lock = None, False, threading.RLock()

    def build(self, source):
        """Compile a source into the disk cache.  Returns whether it was built."""
        if self._lock._is_owned():  # called from a signal handler while this thread waits for an answer
            return False
        with self._lock:
            if self._failed or not sys.executable:
                return False
            try:
                if self._process is None:
                    self._process = self._start()
                return self._ask(getattr(source, "text", source))
            except (OSError, ValueError):
                self._failed = True
                return False

    def _ask(self, text):
        """The answer to one source.  A late process, also a stopped one, is killed; that ends the write and the read."""
        late = threading.Timer(self.patience, self._process.kill)
        late.daemon = True
        late.start()
        try:
            self._process.stdin.write(json.dumps(text) + "\n")
            self._process.stdin.flush()
            return json.loads(self._process.stdout.readline())
        finally:
            late.cancel()

    def _start(self):
        folder = scratch.folder() / f"builder-{self.index}-{next(_numbers)}"
        folder.mkdir()
        command = f"from cltensor.runtime.builder import serve; serve({os.fspath(folder)!r})"
        environment = child_environment(CLTENSOR_DEVICE=f"opencl:{self.index}", CLTENSOR_DEBUG="")
        return subprocess.Popen([sys.executable, "-c", command], text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                stderr=subprocess.DEVNULL, env=environment)

    def close(self):
        """Kill the process, whatever it is doing."""
        self._failed = True
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._close_pipes()

    def _close_pipes(self):
        for pipe in (self._process.stdin, self._process.stdout):
            with contextlib.suppress(OSError):  # data that the child never read is lost
                pipe.close()


def serve(folder):
    """The child's main loop: read one source (JSON) a line and answer each with true or false.  folder: for its own files."""
    scratch.adopt(folder)
    report = answers()
    programs = default_device().programs
    try:
        for line in sys.stdin:
            report.write(json.dumps(_built(programs, json.loads(line))) + "\n")
            report.flush()
    finally:
        os._exit(0)  # skip the driver's exit handlers: they may wait for a process that is gone


def _built(programs, text):
    try:
        programs.get(text)
    except Exception:  # the parent builds it again when needed and raises the error then
        return False
    return True
