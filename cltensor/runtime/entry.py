"""Entry: one OpenCL device as its platform describes it, before anything is opened."""

import re
from dataclasses import dataclass, replace

from . import pocl_cpu

_CPU, _GPU = 1 << 1, 1 << 2  # bits of cl_device_type


@dataclass(frozen=True, eq=False)
class Entry:
    """A device: pyopencl's platform and device objects, its kind, and the strings that identify it."""

    platform: object
    device: object
    kind: str  # "gpu", "accelerator" or "cpu"
    name: str
    platform_name: str
    platform_version: str
    version: str
    driver: str
    inline: object = None  # the same processor, as a device that runs everything in the calling thread
    place: str = ""  # "platform.device", numbers in the loader's order
    naming: pocl_cpu.Naming | None = None  # the processor's name found and given, where pocl_cpu.py knows the library

    @property
    def is_pocl(self):
        return self.platform_name == "Portable Computing Language"

    @property
    def pocl_version(self):
        """PoCL's version as a number, 3.1 for "OpenCL 3.0 PoCL 3.1 Linux"; 0 for another driver."""
        found = re.search(r"PoCL (\d+\.\d+)", self.platform_version)
        return float(found[1]) if found else 0.0

    @property
    def title(self):
        """The driver and the device, for messages."""
        return f"{self.platform_name}, driver {self.driver}, on {self.name}"

    @property
    def is_checker(self):
        """Whether this is Oclgrind, which interprets kernels to find mistakes.  It is used only when named."""
        return self.platform_name == "Oclgrind"

    @property
    def styles(self):
        """A CPU's launch styles, best first: "cpu" where the compiler vectorizes within one work-item.

        Mesa's llvmpipe vectorizes across work-items and reports a vector width of 1: in a work-group of one, seven of its eight
        lanes idle.  A width of 1 from PoCL means a processor without vectors; from Oclgrind, its interpreter.
        """
        across = self.device.native_vector_width_float <= 1 and not (self.is_pocl or self.is_checker)
        return ("gpu", "cpu") if across else ("cpu", "gpu")

    @property
    def rank(self):
        """Sort key: GPUs by compute units x clock, then memory; then accelerators; then CPUs, the newest PoCL first."""
        d = self.device
        if self.kind == "cpu":
            return (2, 2 if self.is_checker else 0 if self.is_pocl else 1, -self.pocl_version)
        return (self.kind != "gpu", -d.max_compute_units * max(d.max_clock_frequency, 1), -d.global_mem_size)

    @property
    def identity(self):
        """The strings that a compiled kernel and a Verdict on the driver depend on."""
        name = self.naming.given if self.naming else ""
        return (self.platform_name, self.platform_version, self.name, self.version, self.driver, name)

    def bare(self):
        """The same without pyopencl's objects, for other processes."""
        return replace(self, platform=None, device=None, inline=None)

    def matches(self, text):
        """How well lower-case text names this device: 2 its platform, 1 the device itself, 0 not at all."""
        if text in f"{self.platform_name}\n{self.platform_version}".lower():
            return 2
        return int(text in self.name.lower())


def describe(platform, device):
    """The Entry of a pyopencl device."""
    found = Entry(platform, device, kind_of(device.type), device.name.strip(), platform.name.strip(),
                  platform.version.strip(), device.version.strip(), device.driver_version.strip())
    return replace(found, naming=pocl_cpu.name(device)) if found.is_pocl else found


def kind_of(device_type):
    """"gpu", "accelerator" or "cpu" for a cl_device_type; a device that claims all types (Oclgrind) is a cpu."""
    if device_type & _CPU:
        return "cpu"
    return "gpu" if device_type & _GPU else "accelerator"
