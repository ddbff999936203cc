"""Work that may crash or hang, done item by item in a child process with a time limit per item.

A driver that aborts or never answers ends only the child: the current item is reported as failed, and a new child
continues with the next one.
"""

import importlib
import json
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
import traceback

from . import config
from .errors import CLTensorError
from .processes import answers, child_environment

START = 60  # seconds a child may take to start, or the limit of an item if that is longer
FAREWELL = 5  # seconds a child may take to end after closing its output


class ChildError(CLTensorError):
    """The child process ended before its first item."""


def run_each(task, items, limit, **settings):
    """Run `items` (JSON data) one after the other in a child process; yield (item, result) for each.

    task: "module:function", naming a function item -> dict; limit: seconds an item may take; settings: variables of the child's
    environment.  The result of a failed item is {"error": text}.  Raises ChildError when a child ends before its first item.
    """
    pending = list(items)
    while pending:
        for result in _one_child(task, pending, limit, settings):
            yield pending.pop(0), result


def _one_child(task, items, limit, settings):
    """Yield results of the first items.  An item that ends the child is the last one yielded."""
    with tempfile.TemporaryFile("w+") as work, tempfile.TemporaryFile("w+", errors="replace") as noise:
        json.dump(items, work)
        work.seek(0)
        start = f"from cltensor.base.child import serve; serve({task!r})"
        process = subprocess.Popen([sys.executable, "-c", start], stdin=work, stdout=subprocess.PIPE, stderr=noise,
                                   text=True, env=child_environment(**settings))
        try:
            yield from _results(process, len(items), limit, noise)
        finally:
            process.kill()
            process.wait()


def _results(process, wanted, limit, noise):
    lines = _Lines(process.stdout)
    patience = max(START, limit)
    if lines.next(patience) is None:
        reason = _ending(process, noise) if lines.closed else f"no sign of life within {patience:g} s"
        raise ChildError(f"a child process did not start: {reason}")
    for _ in range(wanted):
        line = lines.next(limit)
        if line is None:
            yield {"error": _ending(process, noise) if lines.closed else f"no answer within {limit:g} s"}
            return
        yield _read(line)


def _read(line):
    try:
        return json.loads(line)
    except ValueError:
        return {"error": f"the process ended within its answer: {line[:80]!r}"}


class _Lines:
    """The lines of a stream, read with a time limit."""

    def __init__(self, stream):
        self.closed, self._queue = False, queue.Queue()
        threading.Thread(target=self._forward, args=(stream,), daemon=True).start()

    def _forward(self, stream):
        with stream:
            for line in stream:
                self._queue.put(line)
        self._queue.put(None)

    def next(self, limit):
        """The next line; None after `limit` seconds without one, or at the end of the stream, which sets `closed`."""
        try:
            line = self._queue.get(timeout=limit)
        except queue.Empty:
            return None
        self.closed = line is None
        return line


def _ending(process, noise):
    """How a child that has closed its output ended, with its last line on stderr."""
    try:
        process.wait(FAREWELL)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    code = process.returncode
    how = f"ended with status {code}"
    if code < 0:
        how = f"was ended by {signal.Signals(-code).name}"
    noise.seek(0)
    said = [line.strip() for line in noise.read().splitlines() if line.strip()]
    return f"the process {how}{': ' + said[-1] if said else ''}"


def serve(task):
    """The child: read items from stdin, write one JSON line when ready and one for each item."""
    report = answers()
    module, name = task.split(":")
    function = getattr(importlib.import_module(module), name)
    _say(report, "ready")
    try:
        for item in json.load(sys.stdin):
            _say(report, _result(function, item))
    except (BrokenPipeError, KeyboardInterrupt):
        os._exit(1)


def _say(report, data):
    report.write(json.dumps(data) + "\n")
    report.flush()


def _result(function, item):
    try:
        return function(item)
    except Exception as e:
        if config.debug():
            traceback.print_exc()
        return {"error": f"{type(e).__name__}: {e}"}
