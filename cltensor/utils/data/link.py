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
    """A worker's process, this end of its pipes (Connections), and its shared memory, a region for each order under way."""

    def __init__(self, process, tasks, answers, regions):
        self.process, self.tasks, self.answers, self.regions = process, tasks, answers, regions
        self.free, self.given = list(range(len(regions))), bytearray()
        os.set_blocking(answers.fileno(), False)  # a worker may be stopped in the middle of a message

    def post(self, epoch, number, order):
        """Give the worker an order.  Short messages only go through the pipe, so this does not wait."""
        region = self.free.pop()
        message = pickle.dumps((epoch, number, region, order, None), pickle.HIGHEST_PROTOCOL)
        if len(message) > SHORT:
            message = self._long(region, epoch, number, order) or message
        with contextlib.suppress(BrokenPipeError):  # the worker's end is noticed where its answer is waited for
            os.write(self.tasks.fileno(), HEADER.pack(len(message)) + message)

    def _long(self, region, epoch, number, order):
        """A task whose order is in shared memory; None where there is none."""
        memory, data = self.regions[region], pickle.dumps(order, pickle.HIGHEST_PROTOCOL)
        memory.clear()
        if memory.put(np.frombuffer(data, _BYTES)) is None:
            return None
        return pickle.dumps((epoch, number, region, None, len(data)), pickle.HIGHEST_PROTOCOL)

    def read(self):
        """The next Answer if it is there whole, else None.  Raises EOFError for a worker that is gone."""
        while (missing := self._missing()) > 0:  # no byte of the message after this one: poll would not tell of it
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
        """How many bytes the message being read still lacks, as far as is known."""
        whole = HEADER.size
        if len(self.given) >= whole:
            whole += HEADER.unpack_from(self.given)[0]
        return whole - len(self.given)

    def state(self):
        """What is known of the process, for messages."""
        if not self.process.is_alive():
            return f"pid {self.process.pid}, ended with exit code {self.process.exitcode}"
        with contextlib.suppress(OSError):
            if Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()[0] in "Tt":
                return f"pid {self.process.pid}, which is stopped: continue it with `kill -CONT {self.process.pid}`"
        return f"pid {self.process.pid}"


class Answer:
    """A batch, or what came instead, in the worker's shared memory until `drop`."""

    def __init__(self, link, message):
        self.link, self.message = link, message
        self.epoch, self.number, self.region, self.size, self.place = ANSWER.unpack_from(message)

    def batch(self, copy):
        """What the worker made; copy=False leaves its arrays in the shared memory, where they are good until `drop`."""
        memory = self.link.regions[self.region]
        data = self.message[ANSWER.size:] if self.place < 0 else memory.get(self.place, (self.size,), _BYTES).tobytes()
        return unpack(data, memory, copy)

    def drop(self):
        """Give the region back."""
        self.link.free.append(self.region)


def close(links):
    """End the worker processes of these Links, within a few seconds whatever they do; the list is empty then."""
    closing, links[:] = list(links), []
    for link in closing:
        link.tasks.close()
        link.answers.close()
    end([link.process for link in closing])
