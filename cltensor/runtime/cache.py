"""The disk cache of program binaries: bounded, sharded, written atomically, and never trusted without its checksum.

One file an entry, <folder>/<first two hex digits>/<key>.  An entry is

    magic (8 bytes) | sha256 of the rest (32) | payload length (8, little-endian) | payload

Any number of processes may share the folder: a file appears whole or not at all, and losing a race only costs a
second compilation.  A folder that cannot be written turns the cache off with one warning; nothing else fails.
"""

import contextlib
import hashlib
import os
import tempfile
import warnings

from ..base import config
from . import pocl

MAGIC = b"CLTKRNL1"
_HEAD = len(MAGIC) + 32 + 8
_EVICT_EVERY = 64  # writes between two looks at the folder's size


class KernelCache:
    """Maps a key (hex digest) to bytes, in `folder` (pathlib.Path), keeping at most `limit` bytes."""

    def __init__(self, folder, limit):
        self.folder, self.limit = folder, limit
        self.writable = limit > 0
        self._writes = 0

    def path(self, key):
        return self.folder / key[:2] / key

    def get(self, key):
        """The bytes stored under key, or None; a damaged entry is deleted."""
        if not self.limit:
            return None
        path = self.path(key)
        try:
            data = path.read_bytes()
        except OSError:
            return None
        payload = _checked(data)
        with contextlib.suppress(OSError):
            if payload is None:
                path.unlink()
            else:
                os.utime(path)  # the order of eviction
        return payload

    def put(self, key, payload):
        """Store payload under key, or warn once and stop writing when the folder does not allow it."""
        if not self.writable:
            return
        body = len(payload).to_bytes(8, "little") + payload
        try:
            write_atomically(self.path(key), MAGIC + hashlib.sha256(body).digest() + body)
        except OSError as e:
            self.writable = False
            warnings.warn(f"kernels are compiled anew in every run, because the kernel cache {self.folder} cannot be "
                          f"written: {e}. Set CLTENSOR_CACHE_DIR to a folder that can be, or CLTENSOR_CACHE_LIMIT=0 to "
                          "do without", RuntimeWarning, stacklevel=2)
            return
        if self._writes % _EVICT_EVERY == 0:
            self.evict()
            self.trim_pocl()
        self._writes += 1

    def discard(self, key):
        """Forget key."""
        with contextlib.suppress(OSError):
            self.path(key).unlink()

    def entries(self):
        """[(time last used in ns, bytes, path)] of every file in the cache, oldest first."""
        found = []
        with contextlib.suppress(OSError):
            for shard in self.folder.iterdir():
                with contextlib.suppress(OSError), os.scandir(shard) as files:
                    for f in files:
                        with contextlib.suppress(OSError):
                            info = f.stat()
                            found.append((info.st_mtime_ns, info.st_size, f.path))
        return sorted(found)

    def damaged(self):
        """Paths of the entries that are not whole and unaltered; nothing is deleted."""
        found = []
        for _, _, path in self.entries():
            with contextlib.suppress(OSError), open(path, "rb") as f:
                if _checked(f.read()) is None:
                    found.append(path)
        return found

    def trim_pocl(self):
        """Bound PoCL's folder too, if it is the one beside ours."""
        beside = self.folder.with_name("pocl").absolute()
        if os.environ.get("POCL_CACHE_DIR") == str(beside):
            pocl.trim(beside, self.limit)

    def evict(self):
        """Delete the entries used longest ago until the cache is a tenth below its limit."""
        entries = self.entries()
        total = sum(size for _, size, _ in entries)
        if total <= self.limit:
            return
        for _, size, path in entries:
            if total <= self.limit * 0.9:
                return
            with contextlib.suppress(OSError):
                os.unlink(path)
            total -= size


def kernel_cache():
    """The cache the settings describe: <cache folder>/kernels."""
    return KernelCache(config.cache_dir() / "kernels", config.cache_limit())


def _checked(data):
    """The payload of an entry's bytes, or None when it is not whole and unaltered."""
    if len(data) < _HEAD or not data.startswith(MAGIC):
        return None
    body = data[len(MAGIC) + 32:]
    if hashlib.sha256(body).digest() != data[len(MAGIC):len(MAGIC) + 32]:
        return None
    payload = body[8:]
    return payload if len(payload) == int.from_bytes(body[:8], "little") else None


def write_atomically(path, data):
    """Put bytes into the file at `path` (pathlib.Path), which is the old one or the new one at any time."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".new-")
    try:
        with os.fdopen(handle, "wb") as f:
            f.write(data)
            f.flush()
            os.fsync(f.fileno())
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise
