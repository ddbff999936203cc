"""The processor this runs on: its vendor, family, model and flags, as Linux names them.

On x86-64 Linux they come from the CPUID instruction.  An emulator such as qemu answers CPUID for the emulated processor,
while /proc/cpuinfo still describes the host machine.  If both describe the same processor, only flags in both count.
"""

import ctypes
import functools
import mmap
import platform
import re
import struct
import sys
from dataclasses import dataclass, replace
from pathlib import Path


@dataclass(frozen=True)
class Processor:
    """A processor.  vendor: as CPUID spells it, "" if unknown; flags: lower case, empty if unknown."""

    vendor: str = ""
    family: int = 0
    model: int = 0
    flags: frozenset = frozenset()

    def is_like(self, other):
        """Whether both have the same vendor, family and model."""
        return (self.vendor, self.family, self.model) == (other.vendor, other.family, other.model)


@functools.cache
def this():
    """The Processor that this process runs on."""
    said, written = _by_instruction(), _by_file()
    return agreed(said, written) if said and written else said or written or _by_sysctl() or Processor()


def agreed(said, written):
    """The Processor that CPUID describes, without the flags that Linux hides, such as a broken RDSEED."""
    if said.is_like(written):
        return replace(said, flags=said.flags & written.flags)
    return said  # emulated: /proc/cpuinfo describes the host machine


def flags():
    """The flags of the processor this runs on, a frozenset; empty where they cannot be read."""
    return this().flags


def vendor():
    """The maker of the processor this runs on: "GenuineIntel", "AuthenticAMD", ...; "" where it cannot be read."""
    return this().vendor


def vector_width(flags):
    """Floats in a vector register of a processor with these flags: 4, 8 or 16; None if it is no x86."""
    widths = ((16, _WIDE), (8, {"avx"}), (4, {"sse2"}))
    return next((width for width, needed in widths if needed <= flags), None)


def decoded(cpuid, xgetbv):
    """The Processor that the instructions CPUID and XGETBV describe.

    cpuid: a function (leaf, subleaf) -> (eax, ebx, ecx, edx); xgetbv: a function () -> XCR0, the registers that the system
    saves.  Leave out flags whose registers it does not save, as Linux does.
    """
    highest, *name = cpuid(0, 0)
    signature = cpuid(1, 0)[0]
    found = {flag for leaf, rows in _FLAGS.items() if leaf[0] <= (cpuid(leaf[0] & 1 << 31, 0)[0] if leaf[0] >> 31 else highest)
             for register, bits in zip(cpuid(*leaf), rows, strict=True) for bit, flag in bits.items() if register >> bit & 1}
    saved = xgetbv() if "osxsave" in found else 0
    for need, kind in _SAVED:
        if saved & need != need:
            found = {flag for flag in found if not kind.match(flag)}
    b, c, d = name
    return Processor(struct.pack("<3I", b, d, c).decode("ascii", "replace").strip("\0"), *_numbers(signature),
                     frozenset(found - {"osxsave"}))


def listed(text):
    """The Processor that the text of /proc/cpuinfo describes; None if it has no flags."""
    rows = dict(re.findall(r"^([^:\n]*?)\s*:[ \t]*(.*?)\s*$", text.partition("\n\n")[0], re.M))
    found = rows.get("flags") or rows.get("Features")
    if not found:
        return None
    return Processor(rows.get("vendor_id", ""), _number(rows.get("cpu family")), _number(rows.get("model")),
                     frozenset(found.lower().split()))


def _numbers(signature):
    """Family and model from a processor's signature, by the vendors' rule."""
    family, model = signature >> 8 & 15, signature >> 4 & 15
    if family in (6, 15):
        model += (signature >> 16 & 15) << 4
    return family + (signature >> 20 & 255 if family == 15 else 0), model


def _number(text):
    return int(text) if text and text.isdecimal() else 0


def _by_instruction():
    """The Processor as CPUID describes it; None off x86-64 Linux, and where the system forbids executable memory."""
    if not sys.platform.startswith("linux") or platform.machine() != "x86_64" or sys.maxsize < 1 << 32:
        return None
    protection = mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC
    try:
        code = mmap.mmap(-1, mmap.PAGESIZE, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, protection)
    except OSError:
        return None
    code.write(_CPUID + _XGETBV)
    start = ctypes.addressof(ctypes.c_char.from_buffer(code))
    registers = (ctypes.c_uint32 * 4)()
    ask = ctypes.CFUNCTYPE(None, ctypes.c_uint32, ctypes.c_uint32, ctypes.c_void_p)(start)

    def cpuid(leaf, subleaf):
        ask(leaf, subleaf, ctypes.addressof(registers))
        return tuple(registers)

    return decoded(cpuid, ctypes.CFUNCTYPE(ctypes.c_uint64)(start + len(_CPUID)))


def _by_file():
    try:
        return listed(Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace"))
    except OSError:
        return None


def _by_sysctl():
    """The Processor of a Mac; None elsewhere."""
    if sys.platform != "darwin":
        return None
    words = " ".join(map(_sysctl, ("machdep.cpu.features", "machdep.cpu.leaf7_features", "machdep.cpu.extfeatures")))
    found = {_MAC.get(word, word.replace(".", "_")) for word in words.lower().split()}
    return Processor(_sysctl("machdep.cpu.vendor"), flags=frozenset(found)) if found else None


def _sysctl(name):
    """The sysctl text of a Mac under a name; "" if there is none."""
    size, text = ctypes.c_size_t(4096), ctypes.create_string_buffer(4096)
    failed = ctypes.CDLL(None).sysctlbyname(name.encode(), text, ctypes.byref(size), None, ctypes.c_size_t(0))
    return "" if failed else text.value.decode("ascii", "replace")


_WIDE = {"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"}  # compilers need all of these to use 512-bit vectors
_MAC = {"avx1.0": "avx", "sse3": "pni", "lzcnt": "abm"}

# push rbx; mov r8, rdx; mov eax, edi; mov ecx, esi; cpuid; mov [r8], eax; mov [r8+4], ebx; mov [r8+8], ecx; mov [r8+12], edx;
# pop rbx; ret
_CPUID = bytes.fromhex("f30f1efa 53 4989d0 89f8 89f1 0fa2 418900 41895804 41894808 4189500c 5b c3")
# xor ecx, ecx; xgetbv; shl rdx, 32; or rax, rdx; ret
_XGETBV = bytes.fromhex("f30f1efa 31c9 0f01d0 48c1e220 4809d0 c3")

# Flags by leaf and subleaf, register (eax, ebx, ecx, edx) and bit.
_FLAGS = {
    (1, 0): ({}, {},
             {0: "pni", 1: "pclmulqdq", 9: "ssse3", 12: "fma", 13: "cx16", 19: "sse4_1", 20: "sse4_2", 22: "movbe", 23: "popcnt",
              25: "aes", 26: "xsave", 27: "osxsave", 28: "avx", 29: "f16c", 30: "rdrand", 31: "hypervisor"},
             {0: "fpu", 8: "cx8", 15: "cmov", 19: "clflush", 23: "mmx", 24: "fxsr", 25: "sse", 26: "sse2"}),
    (7, 0): ({},
             {0: "fsgsbase", 3: "bmi1", 5: "avx2", 8: "bmi2", 9: "erms", 16: "avx512f", 17: "avx512dq", 18: "rdseed", 19: "adx",
              21: "avx512ifma", 23: "clflushopt", 24: "clwb", 28: "avx512cd", 29: "sha_ni", 30: "avx512bw", 31: "avx512vl"},
             {1: "avx512vbmi", 3: "pku", 6: "avx512_vbmi2", 8: "gfni", 9: "vaes", 10: "vpclmulqdq", 11: "avx512_vnni",
              12: "avx512_bitalg", 14: "avx512_vpopcntdq", 22: "rdpid"},
             {4: "fsrm", 8: "avx512_vp2intersect", 22: "amx_bf16", 23: "avx512_fp16", 24: "amx_tile", 25: "amx_int8"}),
    (7, 1): ({4: "avx_vnni", 5: "avx512_bf16", 23: "avx_ifma"}, {}, {}, {}),
    (13, 1): ({0: "xsaveopt", 1: "xsavec", 3: "xsaves"}, {}, {}, {}),
    (0x80000001, 0): ({}, {}, {0: "lahf_lm", 5: "abm", 6: "sse4a", 8: "3dnowprefetch", 11: "xop", 16: "fma4"},
                      {20: "nx", 27: "rdtscp", 29: "lm"}),
}
# Bits of XCR0, and the flags that are useless without them.
_SAVED = ((0x6, re.compile("avx|fma|f16c|vaes|vpclmulqdq|xop")), (0xE6, re.compile("avx512")), (0x60000, re.compile("amx")))
