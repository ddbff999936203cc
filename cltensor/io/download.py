"""Fetch files from the network: complete or not at all, going on where an earlier attempt was cut off."""

import contextlib
import hashlib
import http.client
import json
import math
import os
import re
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener, urlopen

from ..base.errors import CLTensorError, SerializationError

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

_BLOCK = 1 << 18
_SECONDS = 30  # without a byte, after which a connection counts as cut
_ATTEMPTS = 5  # in a row that brought nothing
_RANGE = re.compile(r"bytes (?:(\d+)-\d+|\*)/(\d+|\*)")


class DownloadError(CLTensorError, URLError):
    """A file could not be fetched; code: the server's HTTP status, or None where none answered."""

    def __init__(self, message, code=None):
        super().__init__(message)
        self.reason, self.code = str(self), code

    def __str__(self):
        return Exception.__str__(self)


class ChecksumError(DownloadError, SerializationError):
    """A file was fetched completely, and is not the one that was promised."""


class Checksum:
    """What a file has to hash to: an algorithm of hashlib, and the hexadecimal digest or its first digits."""

    def __init__(self, algorithm, digits):
        self.algorithm, self.digits = algorithm, digits.lower()

    def of(self, path):
        """The digest of a file."""
        with open(path, "rb") as file:
            return hashlib.file_digest(file, self._new).hexdigest() if hasattr(hashlib, "file_digest") else self._slowly(file)

    def holds(self, path):
        """Whether a file hashes to it."""
        return self.of(path).startswith(self.digits)

    def _new(self):
        return hashlib.new(self.algorithm, usedforsecurity=False)

    def _slowly(self, file):  # Python 3.10
        found = self._new()
        for block in iter(lambda: file.read(_BLOCK), b""):
            found.update(block)
        return found.hexdigest()


def fetch(url, path, checksum=None, progress=True, redirects=None):
    """Download url to path, which is replaced once the new file is complete and has the Checksum.

    What a cut connection leaves stays in path + ".partial"; this call, and later ones, go on from there if the server has the same
    file still.  redirects: how often a server may refer to another, None as urllib has it.  Raises DownloadError, ChecksumError
    for another file than the one promised, OSError where path cannot be written.
    """
    target = os.path.realpath(path)
    with _Partial.of(target, url) as partial:
        with _bar(progress, os.path.basename(target)) as bar:
            _receive(partial, bar, redirects)
        if checksum is not None:
            _check(partial, checksum)
        partial.become(target)


def _receive(partial, bar, redirects):
    """Bring all bytes into a partial file; go on after cuts, as long as attempts bring something now and then."""
    failed = 0
    while failed < _ATTEMPTS:
        before = partial.size
        try:
            if _attempt(partial, bar, redirects):
                return
            reason = "the connection was cut"
        except DownloadError as error:
            if before == 0 or error.code is not None:
                raise
            reason = error.reason
        failed = 0 if partial.size > before else failed + 1
    raise DownloadError(f"{partial.url}: {reason} after {partial.size} bytes of {_shown(partial.total)}; they are kept in "
                        f"{partial.path}, and the same call goes on from there")


def _shown(total):
    return "unknown size" if total in (None, math.inf) else str(total)


def _attempt(partial, bar, redirects):
    """Ask for the missing bytes and write them down; whether they all came."""
    with _opened(partial, redirects) as response:
        if partial.begin(response):
            bar.total, bar.n = partial.total, partial.size
            for block in iter(lambda: _block(response), b""):
                if block is None:
                    return False
                partial.write(block)
                bar.update(len(block))
    return partial.complete


def _block(response):
    """The next bytes, b"" at the end, None where the connection is cut."""
    try:
        return response.read1(_BLOCK)
    except (OSError, http.client.HTTPException):
        return None


def _opened(partial, redirects):
    """The server's answer to the request for the missing bytes.  416 is an answer too: there are none."""
    headers = {"User-Agent": "cltensor", "Accept-Encoding": "identity", **partial.wanted()}
    try:
        request = Request(partial.url, headers=headers)
    except ValueError as error:
        raise DownloadError(f"{partial.url!r} is no address of a file ({error}); it must be a URL such as "
                            "'https://host/file'") from None
    try:
        return _opener(redirects)(request, timeout=_SECONDS)
    except HTTPError as error:
        if error.code == 416 and partial.size:
            return error
        with error:
            raise DownloadError(f"{partial.url}: the server answers {error.code} {error.reason}; check the address, or get the "
                                f"file elsewhere and put it at {partial.target}", error.code) from None
    except (OSError, http.client.HTTPException) as error:
        host = urlsplit(partial.url).netloc or "it"
        raise DownloadError(f"{partial.url}: there is no connection to {host} ({getattr(error, 'reason', error)}); connect to the "
                            f"network, or get the file elsewhere and put it at {partial.target}") from None


def _opener(redirects):
    """urlopen, or one that follows so many references to other servers."""
    if redirects is None:
        return urlopen
    handler = HTTPRedirectHandler()
    handler.max_redirections = redirects
    return build_opener(handler).open


class _Partial:
    """The part of a file that is there, beside its target, with a note that tells which version of it the bytes belong to."""

    @classmethod
    def of(cls, target, url):
        """The partial file of target; a new one under a name of its own where another process writes to it at this moment."""
        os.makedirs(os.path.dirname(target), exist_ok=True)
        found = cls(target, url, target + ".partial")
        return found if found.locked else cls(target, url, f"{target}.{os.getpid()}.partial")

    def __init__(self, target, url, path):
        self.target, self.url, self.path, self.note = target, url, path, path + ".json"
        flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0)
        self.file = os.fdopen(os.open(path, flags, 0o666), "r+b")
        self.locked = _lock(self.file)
        if not self.locked:
            self.file.close()
            return
        self.size, self.total, self.version = self.file.seek(0, os.SEEK_END), math.inf, self._noted()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if not self.file.closed:
            self.file.close()
            if not self.size:
                self._forget()

    def _noted(self):
        """What the server called the version that the bytes belong to, or None."""
        with contextlib.suppress(OSError, ValueError, AttributeError):
            with open(self.note, encoding="utf-8") as file:
                noted = json.load(file)
            return noted.get("version") if noted.get("url") == self.url else None
        return None

    @property
    def complete(self):
        """Whether all bytes are there; total is None where the server does not say how many, and infinite before it has
        answered."""
        return self.total in (None, self.size)

    def wanted(self):
        """The headers that ask for the missing bytes of the same version."""
        if not self.size or not self.version:
            return {}
        return {"Range": f"bytes={self.size}-", "If-Range": self.version}

    def begin(self, response):
        """Take note of an answer's version and sizes; start anew unless it goes on.  Returns whether its bytes are to be
        written."""
        headers, status = response.headers, getattr(response, "status", None)
        span = _RANGE.fullmatch(headers.get("Content-Range", ""))
        if status == 416 and span and span[2] == str(self.size):
            self.total = self.size
        elif status == 206 and span and span[1] == str(self.size) and _version(headers) == self.version:
            self.total = int(span[2]) if span[2] != "*" else None
            return True
        else:
            self._anew(_version(headers))
        if status in (206, 416):
            return False
        length = headers.get("Content-Length", "")
        self.total = int(length) if length.isdigit() else None
        return True

    def _anew(self, version):
        self.file.truncate(0)
        self.file.seek(0)
        self.size, self.total, self.version = 0, math.inf, version
        with open(self.note, "w", encoding="utf-8") as file:
            json.dump({"url": self.url, "version": version}, file)

    def write(self, block):
        """Append bytes."""
        self.file.write(block)
        self.size += len(block)

    def become(self, target):
        """Put the complete file in the target's place."""
        self.file.flush()
        os.fsync(self.file.fileno())
        if fcntl:  # while it is locked
            os.replace(self.path, target)
        self.file.close()
        if not fcntl:
            os.replace(self.path, target)
        _unlink(self.note)

    def discard(self):
        """Remove the bytes."""
        self.file.close()
        self._forget()

    def _forget(self):
        _unlink(self.path)
        _unlink(self.note)


def _version(headers):
    """What a server calls the version of a file that it sends: a strong ETag, or the time of its last change; None if nothing."""
    tag = headers.get("ETag", "")
    return tag if tag and not tag.startswith("W/") else headers.get("Last-Modified")


def _check(partial, checksum):
    partial.file.flush()
    found = checksum.of(partial.path)
    if not found.startswith(checksum.digits):
        partial.discard()
        raise ChecksumError(f"{partial.url}: the file that came has the {checksum.algorithm} {found}, expected {checksum.digits}; "
                            "it was removed. Try again, or get the file elsewhere")


def _lock(file):
    """Mark a file as being written; whether no other process has."""
    try:
        if fcntl:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    except OSError:
        return False


def _unlink(path):
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)


class _NoBar:
    """A progress bar that is not shown."""

    n, total = 0, None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        return

    def update(self, n):
        """Take note of n more bytes."""


def _bar(progress, name):
    """A progress bar of tqdm, where it is installed and wanted."""
    if progress:
        with contextlib.suppress(ImportError):
            from tqdm import tqdm

            return tqdm(desc=name, unit="B", unit_scale=True, unit_divisor=1024)
    return _NoBar()
