"""The container of programs: a safetensors file with the program in its metadata, and a checksum over all of it."""

import json
import zlib

import numpy as np

from ..base.errors import SerializationError
from ..io.atomic import replacing, write_all
from ..io.safetensors.layout import arrange, header_bytes
from ..io.safetensors.read import read_header
from ..io.safetensors.structure import parse

FORMAT, VERSION = "cltensor.program", 1
_DIGITS, _KEY = b"00000000", b'"crc32":"'
_CHUNK = 1 << 20


def write(path, program, tensors):
    """Write a program, plain data, and {name: (dtype, shape, its bytes as a NumPy array)}."""
    entries = arrange({name: (dtype, shape) for name, (dtype, shape, _) in tensors.items()})
    text = json.dumps(program, separators=(",", ":"), allow_nan=False)
    header = header_bytes(entries, tensors, {"crc32": _DIGITS.decode(), "format": FORMAT, "version": str(VERSION), "program": text})
    check = zlib.crc32(header)
    for name in entries:
        check = zlib.crc32(tensors[name][2].data, check)
    with replacing(path) as out:
        write_all(out, header.replace(_KEY + _DIGITS, _KEY + b"%08x" % check, 1))
        for name in entries:
            write_all(out, tensors[name][2].data)


def read(source):
    """(program, {name: Entry}, position of the first byte of data) of a Source, checksum and version checked."""
    entries, metadata, start = read_header(source)
    if metadata.get("format") != FORMAT:
        raise SerializationError("this is a safetensors file, but no exported program; write one with cltensor.export.save, and "
                                 "load other files with cltensor.load")
    version = metadata.get("version", "")
    if not version.isdecimal() or not 0 < len(version) < 10:
        raise SerializationError(f"its version is {version!r:.20}, which is no number")
    if int(version) > VERSION:
        raise SerializationError(f"it was written in version {version} of the format, this cltensor reads up to {VERSION}; update "
                                 "cltensor")
    _check(source, start)
    program = parse(metadata.get("program", ""))
    if not isinstance(program, dict):
        raise SerializationError("its metadata does not describe a program")
    return program, entries, start


def bytes_of(source, start, entry):
    """The bytes of a tensor, as a NumPy array."""
    return np.asarray(source.read(start + entry.begin, entry.end - entry.begin))


def _check(source, start):
    """Raise SerializationError unless the checksum is that of the file."""
    head = source.read(0, start).tobytes()
    at = head.find(_KEY) + len(_KEY)
    stored = head[at : at + len(_DIGITS)]
    check = zlib.crc32(head[at + len(_DIGITS):], zlib.crc32(head[:at] + _DIGITS))
    for begin in range(start, source.size, _CHUNK):
        check = zlib.crc32(source.read(begin, min(_CHUNK, source.size - begin)), check)
    if stored != b"%08x" % check:
        raise SerializationError(f"its checksum is {check:08x}, written down is {stored.decode('ascii', 'replace')}: the file was "
                                 "changed or damaged; copy or download it again")
