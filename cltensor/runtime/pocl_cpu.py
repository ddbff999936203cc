"""Telling PoCL's wheel which processor it runs on, before it compiles anything.

PoCL passes Clang the processor's name, as LLVM found it, and links a library of built-ins chosen by the processor's flags.
The wheel's LLVM 14 is older than many processors.  It calls an unknown one "generic"; Clang refuses that name and nothing
compiles.  If the name differs from the library's, no built-in is inlined, and on some processors a built-in on 512-bit
vectors kills the process.  The cure for all of these is the name that the library was compiled for.

The name lies in PoCL's record of the device, to which a cl_device_id points.  Replace it only if the library's layout is
known, the record holds the name that ends the device's version, and the processor has the flags that the new name implies.
Read and write this memory as a file, so that a wrong address is an error and not a crash.
"""

import ctypes
import os
import re
import struct
from dataclasses import dataclass

from ..base import config
from ..base.errors import ArgumentError
from . import processor

#: Offset of the name's pointer in a device's record, by the library's build id: PoCL 3.0-rc2 from pocl-binary-distribution 3.0
LAYOUTS = {"9668b5f6ec1fe949d547a549029789188340beb7": 640}

_AVX512 = {"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"}
_AVX2 = {"avx2", "fma", "f16c", "bmi1", "bmi2", "abm", "movbe", "popcnt"}
_AVX = {"avx", "sse4_2", "popcnt", "pclmulqdq"}
#: The processors that the wheel's built-in libraries were compiled for, with the flags that their code needs; best first
NAMES = (("skylake-avx512", _AVX512 | _AVX2), ("haswell", _AVX2), ("sandybridge", _AVX), ("x86-64", set()))

_OFF = ("0", "off")
_WORD = struct.Struct("<Q")
_PROGRAM_HEADER, _NOTE = struct.Struct("<I4xQ16xQ16x"), 4
_GNU_ID = re.compile(rb"\x04\0\0\0\x14\0\0\0\x03\0\0\0GNU\0(.{20})", re.S)
_MOST = 64  # bytes; longest name
_given = []  # keeps the names alive that device records point to


@dataclass(frozen=True)
class Naming:
    """The processor name that PoCL found, and the one it was given (the same if unchanged)."""

    found: str
    given: str

    @property
    def agrees(self):
        """Whether the name matches a built-in library, so that its functions are inlined and take vectors of any width."""
        return self.given in dict(NAMES)


def name(device):
    """Set the right processor name in PoCL's device (a pyopencl Device).  Returns the Naming, or None for an unknown library.

    Raises ArgumentError when CLTENSOR_POCL_CPU is no name.
    """
    wanted = setting()
    try:
        with open("/proc/self/mem", "r+b", 0) as memory:
            return _name(device, memory, wanted)
    except OSError:  # no such file, or no permission
        return None


def setting():
    """The name that CLTENSOR_POCL_CPU asks for; "" where it turns naming off, None where it is unset."""
    value = config.setting("CLTENSOR_POCL_CPU")
    if value is None:
        return None
    if value.lower() in _OFF:
        return ""
    if len(value) >= _MOST or not re.fullmatch(r"[a-z0-9][a-z0-9._-]*", value):
        raise ArgumentError(f"CLTENSOR_POCL_CPU is {value!r}; it must be a processor's name as Clang spells it, such as "
                            "skylake-avx512, or 0 to leave PoCL's own")
    return value


def best(found, flags):
    """The name of the library that PoCL picks for these flags; `found` if that library needs more flags."""
    if "avx512f" in flags and found != "generic" and not NAMES[0][1] <= flags:
        return found  # PoCL picks by avx512f alone: no name fits both the library and the processor
    return next(name for name, needed in NAMES if needed <= flags)


def _name(device, memory, wanted):
    record = device.int_ptr
    offset = LAYOUTS.get(build_id(library_at(_word(memory, record))))
    if offset is None:
        return None
    found = _text(memory, _word(memory, record + offset))
    reported = device.version.rpartition("-gnu-")[2]
    ours = any(found == text.value.decode() for text in _given)
    if not found or not (ours or found == reported):
        return None
    given = found if wanted == "" else wanted or best(reported, processor.flags())
    if given != found:
        text = ctypes.create_string_buffer(given.encode())
        _given.append(text)
        _put(memory, record + offset, _WORD.pack(ctypes.addressof(text)))
    return Naming(reported, given)


def library_at(address):
    """The path of the library that contains an address of this process, or None."""
    with open("/proc/self/maps", encoding="utf-8", errors="surrogateescape") as maps:
        for line in maps:
            span, *_, path = line.rstrip("\n").split(maxsplit=5) if "/" in line else (line.split()[0], None)
            start, end = (int(text, 16) for text in span.split("-"))
            if start <= address < end:
                return path
    return None


def build_id(path):
    """The GNU build id of a 64-bit library, in hexadecimal, or None."""
    if path is None or not os.path.isfile(path):
        return None
    with open(path, "rb") as file:
        head = file.read(64)
        if not head.startswith(b"\x7fELF\x02\x01"):
            return None
        table, size, count = *struct.unpack_from("<Q", head, 32), *struct.unpack_from("<HH", head, 54)
        for i in range(count):
            kind, offset, length = _PROGRAM_HEADER.unpack(_at(file, table + i * size, _PROGRAM_HEADER.size))
            found = kind == _NOTE and _GNU_ID.search(_at(file, offset, min(length, 4096)))
            if found:
                return found[1].hex()
    return None


def _at(file, offset, size):
    file.seek(offset)
    return file.read(size)


def _word(memory, address):
    return _WORD.unpack(_bytes(memory, address, _WORD.size))[0]


def _text(memory, address):
    """The text at an address; None if it cannot be a name."""
    place = address % os.sysconf("SC_PAGE_SIZE")
    size = min(_MOST, os.sysconf("SC_PAGE_SIZE") - place)  # the next page may be unmapped
    text, end, _ = _bytes(memory, address, size).partition(b"\0")
    return text.decode() if end and re.fullmatch(rb"[\w.-]+", text) else None


def _bytes(memory, address, size):
    if address >> 63:  # neither a file offset nor a user-space address
        raise OSError(f"no memory at {address:#x}")
    found = os.pread(memory.fileno(), size, address)
    if len(found) != size:
        raise OSError(f"no memory at {address:#x}")
    return found


def _put(memory, address, data):
    if os.pwrite(memory.fileno(), data, address) != len(data):
        raise OSError(f"no memory at {address:#x}")
