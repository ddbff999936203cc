"""Zip archives in which any number can be wrong."""

import io
import struct
import zipfile
import zlib


def zipped(members, method=zipfile.ZIP_STORED):
    """A zip archive of {name: bytes}, written by Python."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return out.getvalue()


def raw_zip(members, **changes):
    """A zip archive in which fields of the first member can be wrong.

    members: {name as bytes: data}; changes: flags, method, crc, packed, size, start, local_name of the first; count,
    directory_size, directory_start, disk of the end.
    """
    out, directory, starts = b"", b"", []
    for i, (name, data) in enumerate(members.items()):
        wrong = changes if i == 0 else {}
        starts.append(len(out))
        crc = zlib.crc32(data)
        out += struct.pack("<4sHHHHHIIIHH", b"PK\x03\x04", 20, 0, 0, 0, 33, crc, len(data), len(data), len(name), 0)
        out += wrong.get("local_name", name) + data
        directory += struct.pack("<4sHHHHHHIIIHHHHHII", b"PK\x01\x02", 20, 20, wrong.get("flags", 0), wrong.get("method", 0), 0, 33,
                                 wrong.get("crc", crc), wrong.get("packed", len(data)), wrong.get("size", len(data)), len(name), 0,
                                 0, 0, 0, 0, wrong.get("start", starts[-1])) + name
    end = struct.pack("<4sHHHHIIH", b"PK\x05\x06", changes.get("disk", 0), 0, changes.get("count", len(members)),
                      changes.get("count", len(members)), changes.get("directory_size", len(directory)),
                      changes.get("directory_start", len(out)), 0)
    return out + directory + changes.get("between", b"") + end
