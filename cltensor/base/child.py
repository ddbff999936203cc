"""Work that may crash or hang, done item by item in a child process with a time limit for each item.

A driver that aborts or never answers takes only the child with it: the item at hand is reported as failed, and a new
child goes on with the next one.
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

START = 60  # seconds a child may take to start, where an item may not take longer
FAREWELL = 5  # seconds it may take to end once it has closed its output


class ChildError(CLTensorError):
    """The child process ended before its first item."""


def run_each(task, items, limit, **settings):
    """Yield (item, result) for each of `items` (JSON data), one after the other, run by a child process.

    task: "module:function", naming a function item -> dict; limit: seconds an item may take; settings: variables of the child's
    environment.  Where an item failed, the result is {"error": text}.  Raises ChildError when a child ends before its first item.
    """
    pending = list(items)
    while pending:
        for result in _one_child(task, pending, limit, settings):
            yield pending.pop(0), result


def _one_child(task, items, limit, settings):
    """Results of the first items: up to the first that ended the child, which is the last one given."""
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
    """The lines of a stream, each waited for at most so long."""

    def __init__(self, stream):
        self.closed, self._queue = False, queue.Queue()
        threading.Thread(target=self._forward, args=(stream,), daemon=True).start()

    def _forward(self, stream):
        with stream:
            for line in stream:
                self._queue.put(line)
        self._queue.put(None)

    def next(self, limit):
        """The next line; None when none came within `limit` seconds, or, with `closed` set, when there is none."""
        try:
            line = self._queue.get(timeout=limit)
        except queue.Empty:
            return None
        self.closed = line is None
        return line


def _ending(process, noise):
    """How a child that has closed its output ended, with the last thing it said."""
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
