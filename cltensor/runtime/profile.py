"""DeviceProfile: the device properties that templates and launch rules may depend on."""

import re
import sys
import warnings
from dataclasses import dataclass

from ..base import config
from . import processor, trial
from .entry import Entry


@dataclass(frozen=True)
class DeviceProfile:
    """What a device can do.  Sizes are in bytes; names are for display only: never branch on them.

    style          "cpu": work-groups of one work-item that uses vectors; "gpu": many work-items sharing local memory
    vector_width   floats to compute with at once: at most 8, or 16 with 512-bit registers and a compiler that uses them
    work_group     work-items per work-group: 1 in cpu style, else a power of two up to 256 that the device allows
    groups         work-groups that keep the device busy, about 4 per compute unit
    quirks         "long-headers": the compiler parses every built-in's declaration for each program (see declarations.py);
                   "eager-binaries": asking for the binary generates the code, so reload programs from it;
                   "no-binaries": do not keep program binaries; "one-thread": not safe from two host threads
    """

    style: str
    kind: str
    compute_units: int
    clock_mhz: int
    vector_width: int
    local_memory: int
    max_work_group: int
    work_group: int
    groups: int
    max_allocation: int
    global_memory: int
    address_align: int
    fp64: bool
    fp16: bool
    subgroups: bool
    int64_atomics: bool
    little_endian: bool
    name: str
    vendor: str
    driver: str
    platform: str
    version: str
    quirks: frozenset


#: (Entry, DeviceProfile) of an unknown device whose tensors lie in host memory
HOST = (
    Entry(None, None, "cpu", "host memory", "NumPy", "", "", ""),
    DeviceProfile(style="cpu", kind="cpu", compute_units=1, clock_mhz=0, vector_width=8, local_memory=1 << 15, max_work_group=1,
                  work_group=1, groups=4, max_allocation=1 << 62, global_memory=1 << 62, address_align=64, fp64=True, fp16=False,
                  subgroups=False, int64_atomics=True, little_endian=sys.byteorder == "little", name="host memory", vendor="",
                  driver="", platform="NumPy", version="", quirks=frozenset()))


def query(entry, flags=None):
    """The profile of a platforms.Entry, with the launch style forced by CLTENSOR_PROFILE if that is set.

    flags: of a CPU device's processor; None: of the processor this runs on
    """
    d = entry.device
    flags = processor.flags() if flags is None else flags
    style = config.launch_style() or (_tried_style(entry) if entry.kind == "cpu" else "gpu")
    extensions = set(d.extensions.split())
    return DeviceProfile(
        style=style, kind=entry.kind, compute_units=d.max_compute_units, clock_mhz=d.max_clock_frequency,
        vector_width=_vector_width(entry, style, flags), local_memory=d.local_mem_size, max_work_group=d.max_work_group_size,
        work_group=1 if style == "cpu" else _power_of_two_below(min(d.max_work_group_size, 256)),
        groups=4 * d.max_compute_units, max_allocation=d.max_mem_alloc_size, global_memory=d.global_mem_size,
        address_align=max(d.mem_base_addr_align // 8, 1), fp64="cl_khr_fp64" in extensions,
        fp16="cl_khr_fp16" in extensions, subgroups="cl_khr_subgroups" in extensions,
        int64_atomics={"cl_khr_int64_base_atomics", "cl_khr_int64_extended_atomics"} <= extensions,
        little_endian=bool(d.endian_little), name=entry.name, vendor=d.vendor.strip(), driver=entry.driver,
        platform=entry.platform_name, version=entry.version, quirks=_quirks(entry))


def _tried_style(entry):
    """The launch style in which a CPU driver computes correctly; if none does, its best style, with a warning."""
    if not trial.needed(entry):
        return entry.styles[0]
    found = trial.of(entry)
    if found.style is None:
        warnings.warn(f"{entry.title} is used because it was asked for; its kernels do not build or compute wrongly: "
                      f"{found.reason}", RuntimeWarning, stacklevel=2)
    return found.style or entry.styles[0]


# Names that too old a compiler gives a processor with 512-bit vectors: its code does not use them.
_WITHOUT_AVX512 = re.compile(r"(?:^|-)(?:generic|x86-64(?:-v[23])?|znver[123]|haswell|broadwell|sandybridge|ivybridge)$")


def _vector_width(entry, style, flags):
    """Floats to compute with at once.  Use the processor's flags: PoCL's versions report different widths for the same one."""
    if style == "gpu":
        return 4  # GPUs coalesce 16-byte loads best, whatever width they report
    found = processor.vector_width(flags) if entry.kind == "cpu" and entry.is_pocl else None
    if found is None:
        return max(1, min(entry.device.native_vector_width_float, 16))
    name = entry.naming.given if entry.naming else entry.version  # the version ends with the name
    return min(found, 8 if _WITHOUT_AVX512.search(name) else 16)


def _power_of_two_below(n):
    return 1 << (n.bit_length() - 1)


def _quirks(entry):
    found = set()
    if entry.is_pocl:
        found |= {"long-headers", "eager-binaries"}
    if entry.is_checker:
        found |= {"no-binaries", "one-thread"}
    return frozenset(found)
