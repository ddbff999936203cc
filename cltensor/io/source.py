"""Source: the bytes of a file to load, at any position: on disk, mapped into memory, or in memory already."""

import contextlib
import errno
import io
import mmap as mapping
import os
import stat

import numpy as np

from ..base.errors import ArgumentTypeError, SerializationError

_KINDS = ((stat.S_ISFIFO, "a pipe"), (stat.S_ISSOCK, "a socket"), (stat.S_ISCHR, "a device"), (stat.S_ISBLK, "a device"))


class Source:
    """Bytes with a name, and the folder they lie in (None where they are in no folder).

    trusted: whether checksums may be left unread, as for a mapped file, whose pages are read only where they are needed.
    """

    trusted = False
    folder = None

    def __init__(self, name, size):
        self.name, self.size = name, size

    def read(self, at, nbytes):
        """nbytes bytes from position `at`, as a NumPy array of uint8.  Raises SerializationError if they are not there."""
        if at < 0 or nbytes < 0 or at + nbytes > self.size:
            raise SerializationError(f"bytes {at} to {at + nbytes} were asked for, it has {self.size}; it is truncated: copy or "
                                     "download it again")
        return self._read(at, nbytes)


class OnDisk(Source):
    """An open file from position `start` on."""

    def __init__(self, file, name, start=0):
        super().__init__(name, max(os.fstat(file.fileno()).st_size - start, 0))
        self.file, self.start = file, start

    def _read(self, at, nbytes):
        data = np.empty(nbytes, np.uint8)
        self.file.seek(self.start + at)
        if self.file.readinto(data) != nbytes:
            raise SerializationError("the file became shorter while it was read")
        return data


class InMemory(Source):
    """Bytes in memory, or mapped into it."""

    def __init__(self, data, name, trusted=False):
        self.data, self.trusted = np.frombuffer(data, np.uint8) if len(data) else np.empty(0, np.uint8), trusted
        super().__init__(name, self.data.size)

    def _read(self, at, nbytes):
        return self.data[at : at + nbytes]


@contextlib.contextmanager
def opened(f, mmap=False):
    """The Source of a path or a binary file.

    Raises ArgumentTypeError for anything else, OSError where a path cannot be opened, SerializationError for pipes and devices.
    """
    if hasattr(f, "read"):
        yield _of_file(f, mmap)
        return
    if not isinstance(f, (str, os.PathLike)):
        raise ArgumentTypeError(f"load: expected a path or a binary file open for reading, got {f!r}")
    path = os.fsdecode(f)
    with _regular(path) as file:
        source = _mapped(file, path) if mmap else OnDisk(file, path)
        source.folder = os.path.dirname(os.path.abspath(path))
        yield source


def _regular(path):
    """A regular file, open for reading; opening a pipe would wait for its writer."""
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    file = None
    try:
        mode = os.fstat(handle).st_mode
        if stat.S_ISDIR(mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), path)
        for holds, what in _KINDS:
            if holds(mode):
                raise SerializationError(f"load: {path}: this is {what}, not a file; copy what it gives to a file first")
        file = os.fdopen(handle, "rb")
        return file
    finally:
        if file is None:
            os.close(handle)


def _mapped(file, path):
    size = os.fstat(file.fileno()).st_size
    data = mapping.mmap(file.fileno(), 0, access=mapping.ACCESS_READ) if size else b""
    return InMemory(data, path, trusted=True)


def _of_file(f, mmap):
    if mmap:
        raise ArgumentTypeError("load: mmap=True maps a file by its path; give the path instead of an open file")
    name = str(getattr(f, "name", "the given file"))
    if isinstance(f, (io.BufferedReader, io.FileIO)) and stat.S_ISREG(os.fstat(f.fileno()).st_mode):
        return OnDisk(f, name, f.tell())
    data = f.read()
    if not isinstance(data, (bytes, bytearray, memoryview)):
        raise ArgumentTypeError(f"load: expected a file open for reading bytes, this one reads {type(data).__name__}; open it "
                                "with mode 'rb'")
    return InMemory(data, name)
