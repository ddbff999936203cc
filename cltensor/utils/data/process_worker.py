"""The code of a worker process: it reads batches and does not use OpenCL, so its tensors are in host memory."""

import os
import pickle
import random
import select
import signal
import struct

import numpy as np

from ...runtime import device as devices
from ...tensor.random.sampling import default_generator
from .failure import Failure
from .reader import work
from .shared import Region
from .wire import pack, unpack

HEADER = struct.Struct("<I")  # the size of the message that follows
ANSWER = struct.Struct("<qqiqq")  # epoch, number, region, size of the pickled batch, and its place in the region; -1: it follows
SHORT = 512  # bytes of a message besides its header, if shared memory takes longer ones
_PARENT_CHECK = 2000  # milliseconds


def main(job, held, known, worker, seed, ends, file, regions, others):
    """The body of a worker process.

    job: a Job, or (SharedFile, bytes) with a packed one; held: capture.Held; known: the parent's devices.facts(); ends:
    (Connection to read tasks from, to write answers to); others: descriptors of the parent that a fork inherited.
    """
    for fd in others:
        os.close(fd)
    _calm(seed)
    devices.leave_opencl_alone(known)
    if isinstance(job, tuple):
        store, data = job
        job = unpack(data, Region(store, 0, private=True), copy=False)
    held.adopt()
    worker_end = _End(*ends, file, regions)
    try:
        work(job, worker, seed, worker_end.tasks(os.getppid()), worker_end.answer, worker_end.empty)
    except BrokenPipeError:  # the parent has closed the pipe
        return


def _calm(seed):
    """Leave signals to the parent, which ends its workers; seed random numbers anew."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    random.seed(seed)
    np.random.seed(seed % 2**32)
    default_generator.manual_seed(seed)


class _End:
    """A worker's end of its pipes, and the regions of shared memory for its answers; file: a SharedFile, or None."""

    def __init__(self, reading, writing, file, regions):
        self.ends = reading, writing  # keep a reference: they close when garbage-collected
        self.reading, self.writing = reading.fileno(), writing.fileno()
        self.regions = [Region(file, i) for i in range(regions)]
        self.now = None

    def tasks(self, parent):
        """Yield each task as (epoch, order, epoch, number, region), until the parent closes the pipe or is gone."""
        poll = select.poll()
        poll.register(self.reading, select.POLLIN)
        while True:
            while not poll.poll(_PARENT_CHECK):
                if os.getppid() != parent:
                    return
            header = self._read(HEADER.size)
            data = header and self._read(*HEADER.unpack(header))
            if not data:
                return
            epoch, number, region, order, size = pickle.loads(data)
            self.now = self.regions[region]
            if size is not None:
                order = pickle.loads(self.now.get(0, (size,), np.dtype(np.uint8)))
            self.now.clear()
            yield epoch, order, epoch, number, region

    def empty(self, shape, dtype):
        """An array in the region of the current answer, or None."""
        return self.now.empty(shape, dtype)

    def answer(self, made, epoch, number, region):
        """Send a batch or Failure."""
        at = self.now
        try:
            data = pack(made, at)
        except Exception as error:
            data = pack(Failure(error, "a DataLoader worker, sending its batch"))
        if len(data) > SHORT:
            place = at.put(np.frombuffer(data, np.uint8))
            if place is not None:
                self._send(ANSWER.pack(epoch, number, region, len(data), place))
                return
        self._send(ANSWER.pack(epoch, number, region, len(data), -1) + data)

    def _read(self, n):
        data = b""
        while len(data) < n:
            more = os.read(self.reading, n - len(data))
            if not more:
                return b""
            data += more
        return data

    def _send(self, message):
        message = memoryview(HEADER.pack(len(message)) + message)
        while message:
            message = message[os.write(self.writing, message):]
