"""A process of its own that compiles programs into the disk cache, beside the process that will want them.

OpenCL compilers build one program at a time, or share threads and locks with what is running (PoCL's does the first); in
another process they do not wait for each other.  It ends when its input does: with the process that started it.
"""

import contextlib
import json
import os
import subprocess
import sys
import threading

from ..base.processes import answers, child_environment
from . import scratch
from .device import default_device

PATIENCE = 20  # seconds for one program; the process that wants it may be waiting


class Builder:
    """The process for one device, started by the first build.  Once it fails or is late, it stays away."""

    def __init__(self, index):
        self.index, self._process, self._failed, self._lock = index, None, False, threading.RLock()

    def build(self, source):
        """Compile a source into the disk cache; returns whether that was done."""
        if self._lock._is_owned():  # a signal's handler, while this thread waits for an answer
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
        """The answer to one source.  A process that is late, be it stopped, is killed, which ends the writing and reading."""
        late = threading.Timer(PATIENCE, self._process.kill)
        late.daemon = True
        late.start()
        try:
            self._process.stdin.write(json.dumps(text) + "\n")
            self._process.stdin.flush()
            return json.loads(self._process.stdout.readline())
        finally:
            late.cancel()

    def _start(self):
        folder = scratch.folder() / f"builder-{self.index}"
        folder.mkdir(exist_ok=True)
        command = f"from cltensor.runtime.builder import serve; serve({os.fspath(folder)!r})"
        environment = child_environment(CLTENSOR_DEVICE=f"opencl:{self.index}", CLTENSOR_DEBUG="")
        return subprocess.Popen([sys.executable, "-c", command], text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                stderr=subprocess.DEVNULL, env=environment)

    def close(self):
        """End the process, whatever it is at."""
        self._failed = True
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._close_pipes()

    def _close_pipes(self):
        for pipe in (self._process.stdin, self._process.stdout):
            with contextlib.suppress(OSError):  # what was never read by the other side is lost
                pipe.close()


def serve(folder):
    """The process: read sources, a JSON text a line, and answer each with true or false.  folder: for its own files."""
    scratch.adopt(folder)
    report = answers()
    programs = default_device().programs
    try:
        for line in sys.stdin:
            report.write(json.dumps(_built(programs, json.loads(line))) + "\n")
            report.flush()
    finally:
        os._exit(0)  # no driver's farewell: it may wait for a process that is gone


def _built(programs, text):
    try:
        programs.get(text)
    except Exception:  # it is built again, and its error seen, where it is needed
        return False
    return True
