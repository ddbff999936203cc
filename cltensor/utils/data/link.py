"""Link: one worker process, seen from the main program."""

import contextlib
import os
import pickle
from pathlib import Path

import numpy as np

from .ending import end
from .process_worker import ANSWER, HEADER, SHORT
from .wire import unpack

_BYTES = np.dtype(np.uint8)


class Link:
    """A worker's process, this end of its pipes (Connections), and its shared memory, with one region per pending order."""

    def __init__(self, process, tasks, answers, regions):
        self.process, self.tasks, self.answers, self.regions = process, tasks, answers, regions
        self.free, self.given = list(range(len(regions))), bytearray()
        os.set_blocking(answers.fileno(), False)  # a worker may be stopped in the middle of a message

    def post(self, epoch, number, order):
        """Send the worker an order; only short messages use the pipe, so this does not wait."""
        region = self.free.pop()
        message = pickle.dumps((epoch, number, region, order, None), pickle.HIGHEST_PROTOCOL)
        if len(message) > SHORT:
            message = self._long(region, epoch, number, order) or message
        with contextlib.suppress(BrokenPipeError):  # reading the answer reports a closed pipe
            os.write(self.tasks.fileno(), HEADER.pack(len(message)) + message)

    def _long(self, region, epoch, number, order):
        """A task whose order is in shared memory; None if there is none."""
        memory, data = self.regions[region], pickle.dumps(order, pickle.HIGHEST_PROTOCOL)
        memory.clear()
        if memory.put(np.frombuffer(data, _BYTES)) is None:
            return None
        return pickle.dumps((epoch, number, region, None, len(data)), pickle.HIGHEST_PROTOCOL)

    def read(self):
        """The next Answer if it has arrived completely, else None.  Raises EOFError if the worker is gone."""
        while (missing := self._missing()) > 0:  # read no byte of the next message: poll would not report it
            try:
                data = os.read(self.answers.fileno(), missing)
            except BlockingIOError:
                return None
            if not data:
                raise EOFError
            self.given += data
        message, self.given = bytes(self.given[HEADER.size:]), bytearray()
        return Answer(self, message)

    def _missing(self):
        """How many bytes the current message still lacks, as far as is known."""
        whole = HEADER.size
        if len(self.given) >= whole:
            whole += HEADER.unpack_from(self.given)[0]
        return whole - len(self.given)

    def state(self):
        """The state of the process, for messages."""
        if not self.process.is_alive():
            return f"pid {self.process.pid}, ended with exit code {self.process.exitcode}"
        with contextlib.suppress(OSError):
            if Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()[0] in "Tt":
                return f"pid {self.process.pid}, which is stopped: continue it with `kill -CONT {self.process.pid}`"
        return f"pid {self.process.pid}"


class Answer:
    """A batch, or what came in its place, in the worker's shared memory until `drop`."""

    def __init__(self, link, message):
        self.link, self.message = link, message
        self.epoch, self.number, self.region, self.size, self.place = ANSWER.unpack_from(message)

    def batch(self, copy):
        """The worker's result; with copy=False its arrays stay in shared memory and are valid until `drop`."""
        memory = self.link.regions[self.region]
        data = self.message[ANSWER.size:] if self.place < 0 else memory.get(self.place, (self.size,), _BYTES).tobytes()
        return unpack(data, memory, copy)

    def drop(self):
        """Release the region."""
        self.link.free.append(self.region)


def close(links):
    """End the worker processes of these Links, within a few seconds in any state, and empty the list."""
    closing, links[:] = list(links), []
    for link in closing:
        link.tasks.close()
        link.answers.close()
    end([link.process for link in closing])
