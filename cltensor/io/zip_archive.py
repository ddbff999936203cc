"""Read and write zip archives whose members are taken by position; nothing is ever written to disk.

Only what PyTorch and NumPy write is read: members that are stored or deflated, one after the other, each once.  An archive where
the directory and the members disagree, where members overlap, or which claims to unpack to more than deflate can is refused.

Source: PKWARE's APPNOTE.TXT, version 6.3.10.
"""

import struct
import zlib
from dataclasses import dataclass

import numpy as np

from ..base.errors import SerializationError
from ..runtime import host_memory
from .atomic import write_all

MAGIC = b"PK\x03\x04"
ALIGNMENT = 64  # of the data of written members, so that they can be mapped
STORED, DEFLATED = 0, 8
_END, _END64, _LOCATOR, _DIRECTORY, _LOCAL = b"PK\x05\x06", b"PK\x06\x06", b"PK\x06\x07", b"PK\x01\x02", MAGIC
_END_BYTES, _END64_BYTES, _LOCATOR_BYTES, _DIRECTORY_BYTES, _LOCAL_BYTES = 22, 56, 20, 46, 30
_LONGEST_COMMENT = 0xFFFF
_FULL, _FULL64 = 0xFFFF, 0xFFFFFFFF  # in the place of numbers that are in a zip64 field
_MOST = 1 << 18  # members
_LARGEST_DIRECTORY = 64 << 20
_BEST_RATIO = 1032  # of deflate
_PIECE = 1 << 20
_ENCRYPTED, _UTF8 = 1, 1 << 11
_DATE = (1 << 5) | 1  # 1 January 1980, so that equal objects give equal files


@dataclass(frozen=True, slots=True)
class Member:
    """One file of an archive: its sizes packed and unpacked, its checksum, where it starts and where the next thing does."""

    name: str
    method: int
    crc: int
    packed: int
    size: int
    start: int
    limit: int


def archive_in(source):
    """The Archive in a Source.  Raises SerializationError saying what is wrong with it."""
    return Archive(source, {member.name: member for member in _members(source)})


class Archive:
    """An archive's members by name."""

    def __init__(self, source, members):
        self.source, self.members = source, members

    def read(self, name):
        """The bytes of a member as a NumPy array of uint8, compared with their checksum unless the source is trusted."""
        member = self.members.get(name)
        if member is None:
            raise SerializationError(f"the archive has no {name!r}; it is damaged, or its entries were renamed")
        at = self._data(member)
        found = self.source.read(at, member.packed)
        if member.method == DEFLATED:
            found = _inflated(found, member)
        if not (self.source.trusted and member.method == STORED) and zlib.crc32(found) != member.crc:
            raise SerializationError(f"the checksum of {name!r} in the archive is wrong: the file is damaged; copy or download it "
                                     "again")
        return found

    def _data(self, member):
        """Where a member's bytes start, by its own header."""
        header = self.source.read(member.start, _LOCAL_BYTES).tobytes()
        length, extra = struct.unpack("<HH", header[26:30])
        name = self.source.read(member.start + _LOCAL_BYTES, length).tobytes()
        at = member.start + _LOCAL_BYTES + length + extra
        if header[:4] != _LOCAL or name != member.name.encode() or at + member.packed > member.limit:
            raise SerializationError(f"the archive's directory and its entry {member.name!r} disagree")
        return at


def _inflated(packed, member):
    host_memory.require(member.size, f"unpacking {member.name!r}")
    out, done = np.empty(member.size, np.uint8), 0
    machine = zlib.decompressobj(-zlib.MAX_WBITS)
    wrong = SerializationError(f"{member.name!r} in the archive does not unpack to the {member.size} bytes that it claims")
    try:
        left = packed.tobytes()
        while not machine.eof:
            piece = machine.decompress(left, min(_PIECE, member.size - done + 1))
            left = machine.unconsumed_tail
            if done + len(piece) > member.size or not (piece or left or machine.eof):
                raise wrong
            out[done : done + len(piece)] = np.frombuffer(piece, np.uint8)
            done += len(piece)
    except zlib.error:
        raise wrong from None
    if done != member.size:
        raise wrong
    return out


# --- the directory ---------------------------------------------------------------------------------------------------


def _members(source):
    """The members of an archive, checked against each other."""
    count, size, start, end = _ending(source)
    if count > _MOST or size > _LARGEST_DIRECTORY:
        raise SerializationError(f"the archive has {count} entries, described in {size} bytes; at most {_MOST} in "
                                 f"{_LARGEST_DIRECTORY} are read")
    if start + size != end or count * _DIRECTORY_BYTES > size:
        raise SerializationError("the archive's directory is not where its end says; the file is damaged, or something was put "
                                 "before or after it")
    found = _entries(source.read(start, size).tobytes(), count)
    found.sort(key=lambda entry: entry[-1])
    limits = [*(entry[-1] for entry in found[1:]), start]
    return [_checked(Member(*entry, limit)) for entry, limit in zip(found, limits, strict=False)]


def _ending(source):
    """(number of entries, bytes of the directory, where it starts, where it ends)."""
    tail = min(source.size, _END_BYTES + _LONGEST_COMMENT)
    text = source.read(source.size - tail, tail).tobytes()
    at = text.rfind(_END)
    if at < 0 or at + _END_BYTES > tail or at + _END_BYTES + int.from_bytes(text[at + 20 : at + 22], "little") != tail:
        raise SerializationError("the archive has no directory at its end; the file is truncated: copy or download it again")
    disk, first_disk, here, count, size, start = struct.unpack("<HHHHII", text[at + 4 : at + 20])
    end = source.size - tail + at
    if _FULL in (disk, here, count) or _FULL64 in (size, start) or text[at - _LOCATOR_BYTES : at - _LOCATOR_BYTES + 4] == _LOCATOR:
        return _ending64(source, end)
    if disk or first_disk or here != count:
        raise SerializationError("the archive is split over several files; put it together first")
    return count, size, start, end


def _ending64(source, end):
    locator = source.read(end - _LOCATOR_BYTES, _LOCATOR_BYTES).tobytes()
    end = int.from_bytes(locator[8:16], "little")
    if locator[:4] != _LOCATOR or end + _END64_BYTES > source.size:
        raise SerializationError("the archive's zip64 directory is not where its end says; the file is damaged")
    text = source.read(end, _END64_BYTES).tobytes()
    disk, first_disk, here, count, size, start = struct.unpack("<IIQQQQ", text[16:56])
    if text[:4] != _END64 or disk or first_disk or here != count:
        raise SerializationError("the archive's zip64 directory is damaged")
    return count, size, start, end


def _entries(text, count):
    """[(name, method, crc, packed size, size, start)] of a directory's text."""
    found, names, at = [], set(), 0
    for _ in range(count):
        fields = text[at : at + _DIRECTORY_BYTES]
        if len(fields) < _DIRECTORY_BYTES or fields[:4] != _DIRECTORY:
            raise SerializationError("the archive's directory ends too early")
        flags, method = struct.unpack("<HH", fields[8:12])
        crc, packed, size, length, extra, comment, disk = struct.unpack("<IIIHHHH", fields[16:36])
        start = int.from_bytes(fields[42:46], "little")
        at += _DIRECTORY_BYTES
        name = _name(text[at : at + length])
        packed, size, start = _wide(text[at + length : at + length + extra], packed, size, start)
        at += length + extra + comment
        if name in names:
            raise SerializationError(f"the archive has two entries named {name!r}")
        names.add(name)
        if flags & _ENCRYPTED or disk not in (0, _FULL):
            raise SerializationError(f"{name!r} in the archive is encrypted or in another file")
        if method not in (STORED, DEFLATED):
            raise SerializationError(f"{name!r} in the archive is compressed by method {method}; only stored and deflated entries "
                                     "are read")
        found.append((name, method, crc, packed, size, start))
    if at != len(text):
        raise SerializationError(f"the archive's directory of {count} entries takes {at} bytes, its end says {len(text)}")
    return found


def _name(raw):
    """A member's name.  Raises SerializationError for one that is no plain relative path in UTF-8."""
    try:
        name = raw.decode()
    except UnicodeDecodeError:
        raise SerializationError(f"the name of an entry of the archive is not UTF-8: {raw[:80]!r}") from None
    if not name or name.startswith("/") or "\\" in name or "\0" in name or ":" in name[:2] or ".." in name.split("/"):
        raise SerializationError(f"the archive has an entry named {name[:80]!r}, which leads out of it")
    return name


def _wide(extra, packed, size, start):
    """The sizes and the start, taken from the zip64 field where the 32-bit ones are full."""
    if _FULL64 not in (packed, size, start):
        return packed, size, start
    at = 0
    while at + 4 <= len(extra):
        kind, length = struct.unpack("<HH", extra[at : at + 4])
        if kind == 1:
            words = [int.from_bytes(extra[i : i + 8], "little") for i in range(at + 4, min(at + 4 + length, len(extra)) - 7, 8)]
            filled = [words.pop(0) if n == _FULL64 and words else n for n in (size, packed, start)]
            return filled[1], filled[0], filled[2]
        at += 4 + length
    return packed, size, start


def _checked(member):
    least = member.start + _LOCAL_BYTES + len(member.name.encode()) + member.packed
    if least > member.limit:
        raise SerializationError(f"{member.name!r} in the archive overlaps what follows it")
    if member.method == STORED and member.packed != member.size:
        raise SerializationError(f"{member.name!r} in the archive is stored as {member.packed} bytes, but claims {member.size}")
    if member.size > member.packed * _BEST_RATIO + _BEST_RATIO:
        raise SerializationError(f"{member.name!r} in the archive claims to unpack from {member.packed} to {member.size} bytes, "
                                 "more than is possible")
    return member


# --- writing ---------------------------------------------------------------------------------------------------------


class ArchiveWriter:
    """Writes stored members, one after the other, to a file that need not be seekable.  Call `finish` at the end."""

    def __init__(self, out):
        self.out, self.at, self.directory = out, 0, []

    def add(self, name, data):
        """Write a member of these bytes (bytes or a NumPy array of uint8)."""
        raw, view = name.encode(), memoryview(data).cast("B") if len(data) else memoryview(b"")
        start, crc, size = self.at, zlib.crc32(view), view.nbytes
        wide = struct.pack("<HHQQ", 1, 16, size, size) if size >= _FULL64 else b""
        free = -(start + _LOCAL_BYTES + len(raw) + len(wide) + 4) % ALIGNMENT
        extra = wide + struct.pack("<2sH", b"FB", free) + b"Z" * free
        sizes = min(size, _FULL64)
        self._write(struct.pack("<4sHHHHHIIIHH", _LOCAL, 45 if wide else 20, _UTF8, STORED, 0, _DATE, crc, sizes, sizes, len(raw),
                                len(extra)) + raw + extra)
        self._write(view)
        self.directory.append((raw, crc, size, start))

    def finish(self):
        """Write the directory."""
        start = self.at
        for raw, crc, size, at in self.directory:
            words = b"".join(struct.pack("<Q", n) for n in (size, size, at) if n >= _FULL64)
            wide = struct.pack("<HH", 1, len(words)) + words if words else b""
            sizes = min(size, _FULL64)
            self._write(struct.pack("<4sHHHHHHIIIHHHHHII", _DIRECTORY, 45, 45 if wide else 20, _UTF8, STORED, 0, _DATE, crc, sizes,
                                    sizes, len(raw), len(wide), 0, 0, 0, 0, min(at, _FULL64)) + raw + wide)
        count, end = len(self.directory), self.at
        if count >= _FULL or end >= _FULL64:
            self._write(struct.pack("<4sQHHIIQQQQ", _END64, _END64_BYTES - 12, 45, 45, 0, 0, count, count, end - start, start)
                        + struct.pack("<4sIQI", _LOCATOR, 0, end, 1))
        short = min(count, _FULL)
        self._write(struct.pack("<4sHHHHIIH", _END, 0, 0, short, short, min(end - start, _FULL64), min(start, _FULL64), 0))

    def _write(self, data):
        write_all(self.out, data)
        self.at += len(data)
