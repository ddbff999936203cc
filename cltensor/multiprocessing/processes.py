"""spawn: run a function in several processes; the first failure ends them all and is raised here."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import time
import traceback
import warnings
from collections.abc import Callable, Sequence
from multiprocessing import connection
from typing import Any

from ..base import calls
from ..base.errors import ArgumentError, CLTensorError
from ..utils.data.capture import Held


class ProcessException(CLTensorError):
    """A process that start_processes had started failed: its number (error_index) and its process id (error_pid)."""

    def __init__(self, message: str, error_index: int, pid: int) -> None:
        super().__init__(message)
        self.msg, self.error_index, self.pid = message, error_index, pid
        self.error_pid = pid

    def __reduce__(self):
        return type(self), (self.msg, self.error_index, self.pid)


class ProcessRaisedException(ProcessException):
    """The function raised an error in a process; the message has its traceback."""


class ProcessExitedException(ProcessException):
    """A process ended by a signal or with an exit status other than 0."""

    def __init__(self, message: str, error_index: int, error_pid: int, exit_code: int, signal_name: str | None = None) -> None:
        super().__init__(message, error_index, error_pid)
        self.exit_code, self.signal_name = exit_code, signal_name

    def __reduce__(self):
        return type(self), (self.msg, self.error_index, self.error_pid, self.exit_code, self.signal_name)


def _run(fn, i, args, held, report):
    """What a process does: call fn, and send the traceback of an error.  held: the tensors of a forked process, read before."""
    held.adopt()
    try:
        fn(i, *args)
    except KeyboardInterrupt:
        os._exit(130)  # whoever pressed the keys stops the parent too
    except Exception:
        report.send(traceback.format_exc())
        report.close()
        raise SystemExit(1) from None


class ProcessContext:
    """The processes that start_processes started: `processes`, with join() and pids()."""

    def __init__(self, processes: Sequence[Any], reports: Sequence[Any]) -> None:
        self.processes, self._reports = list(processes), list(reports)
        self._left = dict(enumerate(self.processes))

    def pids(self) -> list[int]:
        """The process ids, in order."""
        return [int(p.pid) for p in self.processes]

    def join(self, timeout: float | None = None, grace_period: float | None = None) -> bool:
        """Wait until a process ends; return whether all have, and have succeeded.

        After a failure the others are ended, too: politely, and by force where one is still there after grace_period seconds.
        Raises ProcessRaisedException with the traceback, or ProcessExitedException.
        """
        if self._left:
            ready = connection.wait([*(p.sentinel for p in self._left.values()), *(self._reports[i] for i in self._left)], timeout)
            for i in [i for i, p in self._left.items() if p.sentinel in ready or self._reports[i] in ready]:
                self._ended(i, grace_period)
        return not self._left

    def _ended(self, i, grace_period):
        """Note the end of process i.  Raises if it failed."""
        process, text = self._left[i], None
        with contextlib.suppress(EOFError):
            text = self._reports[i].recv()  # waits for the text, or for the process to end
        process.join()
        del self._left[i]
        if text is None and process.exitcode == 0:
            return
        self._end_others(grace_period)
        if text is not None:
            raise ProcessRaisedException(f"process {i} raised an error:\n\n{text}", i, process.pid)
        code = process.exitcode
        name = signal.Signals(-code).name if code < 0 and -code in {*map(int, signal.Signals)} else None
        what = f"was ended by signal {name or -code}" if code < 0 else f"exited with status {code}"
        raise ProcessExitedException(f"process {i} {what}", i, process.pid, code, name)

    def _end_others(self, grace_period):
        others = list(self._left.values())
        for p in others:
            p.terminate()
        deadline = None if grace_period is None else time.monotonic() + grace_period
        for p in others:
            p.join(None if deadline is None else max(0.0, deadline - time.monotonic()))
            if p.is_alive():
                p.kill()
                p.join()
        self._left.clear()


class SpawnContext(ProcessContext):
    """The processes that spawn started."""


def _started(kind, fn, args, nprocs, daemon, start_method):
    if nprocs < 0 or isinstance(nprocs, bool):
        raise ArgumentError(f"start_processes: nprocs must be an int of at least 0, got {nprocs!r}")
    try:
        context = multiprocessing.get_context(start_method)
    except ValueError:
        methods = ", ".join(map(repr, multiprocessing.get_all_start_methods()))
        raise ArgumentError(f"start_processes: start_method {start_method!r} is none of {methods}") from None
    processes, reports = [], []
    held = Held.by(fn, args) if context.get_start_method() == "fork" else Held()
    for i in range(nprocs):
        here, there = context.Pipe(duplex=False)
        process = context.Process(target=_run, args=(fn, i, args, held, there), daemon=daemon)
        process.start()
        there.close()  # so that its end can be noticed here
        processes.append(process)
        reports.append(here)
    return kind(processes, reports)


def _joined(context, join):
    if not join:
        return context
    try:
        while not context.join():
            pass
    except BaseException:
        context._end_others(5.0)
        raise
    return None


def start_processes(fn: Callable[..., Any], args: tuple[Any, ...] = (), nprocs: int = 1, join: bool = True, daemon: bool = False,
                    start_method: str = "spawn") -> ProcessContext | None:
    """Run fn(i, *args) in nprocs processes, i = 0, 1, ..., and wait for them; with join=False return their ProcessContext.

    Tensors among args, of any shape and dtype, arrive as copies.  A process that was forked leaves OpenCL alone: its tensors lie in
    the host's memory, and ops run through NumPy; use "spawn" where it is to use a device.  fn must be picklable for "spawn".

    Raises ArgumentError for an unknown start_method; ProcessRaisedException with the traceback of the first process that failed,
    or ProcessExitedException; the other processes are ended then.
    Source: PyTorch 2.13's multiprocessing.start_processes.

        multiprocessing.start_processes(work, (data,), nprocs=2, start_method="fork")
    """
    return _joined(_started(ProcessContext, fn, args, nprocs, daemon, start_method), join)


def spawn(fn: Callable[..., Any], args: tuple[Any, ...] = (), nprocs: int = 1, join: bool = True, daemon: bool = False,
          start_method: str = "spawn") -> SpawnContext | None:
    """start_processes with processes that are new ones of their own: each opens its devices and imports fn's module.

    args may hold tensors of any shape and dtype, which arrive as copies.  Another start_method warns; call start_processes for it.
    Raises what start_processes raises.
    Source: PyTorch 2.13's multiprocessing.spawn.

        if __name__ == "__main__":
            multiprocessing.spawn(work, (data,), nprocs=2)
    """
    if start_method != "spawn":
        warnings.warn(f"spawn: start_method={start_method!r} does not spawn; call start_processes instead", FutureWarning,
                      stacklevel=2)
    return _joined(_started(SpawnContext, fn, args, nprocs, daemon, start_method), join)


for _fn in (spawn, start_processes):
    calls.named(_fn, _fn.__name__)
