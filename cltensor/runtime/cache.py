"""The disk cache of program binaries: bounded, sharded, written atomically, each entry checked by its hash.

Each entry is one file, <folder>/<first two hex digits>/<key>:

    magic (8 bytes) | sha256 of the key and the rest (32) | payload length (8, little-endian) | payload

Any number of processes may share the folder: a file appears whole or not at all, and losing a race only costs a
second compilation.  If the folder cannot be written, or other users can write to it, the cache turns off with one
warning; nothing else fails.
"""

import contextlib
import hashlib
import os
import re
import shutil
import time
from pathlib import Path

from ..base import config
from . import pocl, trusted

MAGIC = b"CLTKRNL2"
_EARLIER = b"CLTKRNL1"  # entries of earlier versions: replaced at the next lookup, not counted as damaged
_HEAD = len(MAGIC) + 32 + 8
_LARGEST = 1 << 28  # bytes of an entry; no driver's binary comes near
_EVICT_EVERY = 64  # writes between two scans of the folder, which find what other processes wrote
_ABANDONED = 3600  # seconds; an older temporary file has no writer any more
_SHARD, _KEY = re.compile(r"[0-9a-f]{2}"), re.compile(r"[0-9a-f]{64}")


class KernelCache:
    """Maps a key (hex digest) to bytes, in `folder` (pathlib.Path), keeping at most `limit` bytes."""

    def __init__(self, folder, limit):
        self.folder, self.limit = folder, limit
        self.usable = self.writable = limit > 0
        self._writes = self._total = 0
        self._seen = set()  # folders that passed the check

    def path(self, key):
        return self.folder / key[:2] / key

    def get(self, key):
        """The bytes stored under key, or None; a damaged entry is deleted."""
        path = self.path(key)
        if not self.usable or (path.parent not in self._seen and self._refused(path.parent)):
            return None
        payload = None
        try:
            payload = _checked(key, trusted.read(path, _LARGEST))
            if payload is not None:
                os.utime(path)  # eviction goes by this time
        except (FileNotFoundError, NotADirectoryError):
            return payload
        except OSError:  # not a regular file, or others can write to it
            pass
        if payload is None:
            self.discard(key)
        return payload

    def put(self, key, payload):
        """Store payload under key, or warn once and stop writing when the folder does not allow it."""
        path, size = self.path(key), _HEAD + len(payload)
        if not (self.usable and self.writable) or size > self.limit or self._refused(path.parent):
            return
        body = len(payload).to_bytes(8, "little") + payload
        try:
            self._make_room(size)
            _clear_the_way(path)
            trusted.write(path, MAGIC + _seal(key, body) + body)
        except OSError as e:
            self.writable = False
            self._warn(f"cannot be written: {e}. Set CLTENSOR_CACHE_DIR to a folder that can be, or CLTENSOR_CACHE_LIMIT=0 to "
                       "do without", e)

    def _refused(self, folder):
        """Whether others could change `folder`.  If so, turn the cache off with a warning that names the cure."""
        try:
            trusted.check(folder, self.folder.parent)
            self._seen.add(folder)
        except trusted.Untrusted as e:
            self.usable = False
            self._warn(f"is not used: {e}", e)
        except OSError:
            pass
        return not self.usable

    def _warn(self, reason, cause):
        trusted.warn_once(f"kernels are compiled anew in every run, because the kernel cache {self.folder} {reason}", cause)

    def discard(self, key):
        """Forget key."""
        _remove(self.path(key))

    def entries(self):
        """[(time last used in ns, bytes, path)] of every entry in the cache, oldest first."""
        return sorted(found for found in self._files() if _KEY.fullmatch(os.path.basename(found[2])))

    def _files(self):
        """(time last used in ns, bytes, path) of everything in the shards."""
        for shard in self._shards():
            with contextlib.suppress(OSError), os.scandir(shard) as files:
                for f in files:
                    with contextlib.suppress(OSError):
                        info = f.stat(follow_symlinks=False)
                        yield info.st_mtime_ns, info.st_size, f.path

    def _shards(self):
        with contextlib.suppress(OSError):
            for shard in self.folder.iterdir():
                if _SHARD.fullmatch(shard.name) and shard.is_dir() and not shard.is_symlink():
                    yield shard

    def damaged(self):
        """Paths of the truncated or altered entries; nothing is deleted."""
        return [path for _, _, path in self.entries() if not _is_whole(path)]

    def clear(self):
        """Delete every entry.  Returns their number and their total bytes."""
        entries = [(size, path) for _, size, path in self.entries() if _remove(path)]
        self._remove_abandoned(0)
        for shard in self._shards():
            with contextlib.suppress(OSError):
                shard.rmdir()  # fails where it holds foreign files
        self.trim_pocl(float("inf"))
        return len(entries), sum(size for size, _ in entries)

    def _make_room(self, size):
        """Evict until `size` more bytes fit, by this process's own count."""
        if self._writes % _EVICT_EVERY == 0 or self._total + size > self.limit:
            self._total = self.evict(size)
            self._remove_abandoned(_ABANDONED)
            self.trim_pocl()
        self._writes += 1
        self._total += size

    def evict(self, room=0):
        """If `room` more bytes would pass the limit, delete the least recently used entries, down to 90 % of it.

        Returns the bytes that remain.
        """
        entries = self.entries()
        total = sum(size for _, size, _ in entries)
        if total + room <= self.limit:
            return total
        for _, size, path in entries:
            if total + room <= self.limit * 0.9:
                break
            if _remove(path):
                total -= size
        return total

    def _remove_abandoned(self, seconds):
        """Delete the temporary files of writers that were killed."""
        old = time.time_ns() - seconds * 10**9
        for when, _, path in list(self._files()):
            if os.path.basename(path).startswith(trusted.TEMPORARY) and when <= old:
                _remove(path)

    def trim_pocl(self, now=None):
        """Remove the PoCL cache that earlier versions kept beside `folder`; if POCL_CACHE_DIR names it, trim it to the limit."""
        beside = self.folder.with_name("pocl").absolute()
        used = os.path.realpath(os.environ.get("POCL_CACHE_DIR", "")) == os.path.realpath(beside)
        pocl.trim(beside, self.limit if used else 0, now)


def kernel_cache():
    """The cache the settings describe: <cache folder>/kernels."""
    return KernelCache(config.cache_dir() / "kernels", config.cache_limit())


def _seal(key, body):
    return hashlib.sha256(key.encode() + b"\0" + body).digest()


def _checked(key, data):
    """The payload of an entry's bytes; None if it is truncated or altered, or belongs to another key."""
    if len(data) < _HEAD or not data.startswith(MAGIC):
        return None
    body = data[len(MAGIC) + 32:]
    if _seal(key, body) != data[len(MAGIC):len(MAGIC) + 32]:
        return None
    payload = body[8:]
    return payload if len(payload) == int.from_bytes(body[:8], "little") else None


def _is_whole(path):
    try:
        data = trusted.read(path, _LARGEST)
    except OSError:
        return False
    return data.startswith(_EARLIER) or _checked(os.path.basename(path), data) is not None


def _clear_the_way(path):
    """Remove a non-folder at the path of an entry's folder, and a folder at the path of an entry."""
    if path.parent.is_symlink() or (path.parent.exists() and not path.parent.is_dir()):
        path.parent.unlink()
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)


def _remove(path):
    """Remove whatever lies at an entry's path; returns whether it is gone.  Links are not followed."""
    path = Path(path)
    with contextlib.suppress(OSError):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
        return True
    return False
