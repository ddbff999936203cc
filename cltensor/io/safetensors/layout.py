"""The safetensors layout: a little-endian 8-byte header length, a JSON header, then the tensors' bytes without gaps.

The header maps each name to {"dtype", "shape", "data_offsets": [begin, end)}, offsets counted from the end of the
header, and "__metadata__" to a map of strings.  Format: https://huggingface.co/docs/safetensors
"""

import json
import math
from dataclasses import dataclass

from ...base import dtypes
from ...base.errors import SerializationError
from . import header
from .header import METADATA

_CODES = {"bool": "BOOL", "uint8": "U8", "int8": "I8", "int16": "I16", "int32": "I32", "int64": "I64", "uint16": "U16",
          "uint32": "U32", "uint64": "U64", "float16": "F16", "bfloat16": "BF16", "float32": "F32", "float64": "F64",
          "complex64": "C64", "complex32": "C32", "complex128": "C128"}  # of the complex ones other readers know C64 alone
CODES = {d: _CODES[name] for name, d in dtypes.BY_NAME.items() if name in _CODES}
DTYPES = {code: d for d, code in CODES.items()}
LENGTH_BYTES = 8
HEADER_LIMIT = 100_000_000
_ALIGNMENT = 8
_MAX_NDIM = 64
_MAX_SIZE = 2**63


@dataclass(frozen=True, slots=True)
class Entry:
    """A tensor's place in the file: dtype, shape, and its bytes [begin, end) counted from the end of the header."""

    dtype: dtypes.dtype
    shape: tuple
    begin: int
    end: int


def arrange(tensors):
    """{name: Entry} for {name: (dtype, shape)}, in file order: largest elements first, so that all are aligned."""
    entries, at = {}, 0
    for name, (dtype, shape) in sorted(tensors.items(), key=lambda item: -item[1][0].itemsize):
        end = at + dtype.itemsize * math.prod(shape)
        entries[name] = Entry(dtype, tuple(shape), at, end)
        at = end
    return entries


def header_bytes(entries, order, metadata):
    """The length and the header, padded so that the data starts at a multiple of 8.

    Raises SerializationError for a header longer than the format allows.
    """
    described = {METADATA: metadata}
    for name in order:
        e = entries[name]
        described[name] = {"dtype": CODES[e.dtype], "shape": list(e.shape), "data_offsets": [e.begin, e.end]}
    text = json.dumps(described, separators=(",", ":")).encode()
    text += b" " * (-len(text) % _ALIGNMENT)
    if len(text) > HEADER_LIMIT:
        raise SerializationError(f"save: the description of the object takes {len(text)} bytes, the format allows "
                                 f"{HEADER_LIMIT}; keep large lists of numbers as tensors")
    return len(text).to_bytes(LENGTH_BYTES, "little") + text


def parse_header(text, data_size):
    """(entries, metadata) of a header's bytes, for data_size bytes of data.

    Everything is checked: JSON, keys, dtypes, shapes, and that the tensors cover the data exactly, without overlap.
    Raises SerializationError saying what is wrong.
    """
    entries, metadata = {}, {}
    for name, described in header.entries(text):
        if name == METADATA:
            metadata = described
        else:
            entries[name] = _entry(name, described)
    _check_cover(entries, data_size)
    return entries, metadata


def _entry(name, described):
    if not isinstance(described, dict) or set(described) != {"dtype", "shape", "data_offsets"}:
        raise SerializationError(f"tensor {name!r} must have exactly dtype, shape and data_offsets")
    code, shape, offsets = described["dtype"], described["shape"], described["data_offsets"]
    if not isinstance(code, str) or code not in DTYPES:
        raise SerializationError(f"tensor {name!r} has dtype {code!r}, which is not one of {', '.join(DTYPES)}")
    if not _sizes(shape) or len(shape) > _MAX_NDIM:
        raise SerializationError(f"tensor {name!r} has a shape that is no list of at most {_MAX_NDIM} sizes >= 0")
    if not _sizes(offsets) or len(offsets) != 2:
        raise SerializationError(f"tensor {name!r} has data_offsets that are not two numbers >= 0")
    entry = Entry(DTYPES[code], tuple(shape), *offsets)
    needed = entry.dtype.itemsize * math.prod(shape)
    if entry.dtype.itemsize * math.prod(n for n in shape if n) >= _MAX_SIZE:
        raise SerializationError(f"tensor {name!r} has the shape {tuple(shape)}, larger than any that can be made")
    if entry.end - entry.begin != needed:
        raise SerializationError(f"tensor {name!r} of shape {tuple(shape)} and dtype {code} needs {needed} bytes, its "
                                 f"data_offsets {offsets} hold {entry.end - entry.begin}")
    return entry


def _sizes(value):
    return isinstance(value, list) and all(type(n) is int and 0 <= n < _MAX_SIZE for n in value)


def _check_cover(entries, data_size):
    at = 0
    for name, e in sorted(entries.items(), key=lambda item: (item[1].begin, item[1].end)):
        if e.begin != at:
            what = "overlaps another tensor" if e.begin < at else "leaves a gap before it"
            raise SerializationError(f"tensor {name!r} at bytes {e.begin} to {e.end} {what}; it should begin at {at}")
        at = e.end
    if at > data_size:
        raise SerializationError(f"the file is truncated: its tensors take {at} bytes, {data_size} are there; copy or "
                                 "download it again")
    if at < data_size:
        raise SerializationError(f"there are {data_size - at} bytes after the last tensor that belong to nothing")
