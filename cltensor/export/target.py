"""Target: a device that stands for a device class while programs are lowered for it.  It builds no kernel and holds no values."""

import functools
import threading
from dataclasses import replace

import numpy as np

from ..base.errors import NoDataError
from ..runtime.device import device
from ..runtime.profile import HOST

#: {device class: the profile to plan for, where no device of the class is there}
PROFILES = {
    "cpu": replace(HOST[1], compute_units=8, groups=32, vector_width=8, name="any processor", platform="OpenCL",
                   version="OpenCL 1.2"),
    "gpu": replace(HOST[1], style="gpu", kind="gpu", compute_units=32, groups=128, vector_width=4, local_memory=1 << 15,
                   max_work_group=256, work_group=256, name="any GPU", platform="OpenCL", version="OpenCL 1.2"),
}


class Place:
    """Stands for a buffer.  data: what the host wrote into it, as bytes, or None."""

    def __init__(self, nbytes):
        self.nbytes, self.data = nbytes, None


class Unbuilt:
    """Stands for a kernel."""

    def set_arg(self, position, value):
        """Nothing."""


class Target(device):
    """A device of some profile whose buffers are Places and whose launches do nothing."""

    index = -1
    arena = inline = None
    streaming = profiling = False

    def __new__(cls, profile):
        made = object.__new__(cls)
        made.profile, made.entry, made.lock = profile, HOST[0], threading.RLock()
        return made

    def allocate(self, nbytes):
        """A Place."""
        return Place(nbytes)

    def write(self, buffer, offset, array, **kwargs):
        """Note the bytes; what is not written is 0."""
        if buffer.data is None:
            buffer.data = np.zeros(buffer.nbytes, np.uint8)
        found = np.ascontiguousarray(array).reshape(-1).view(np.uint8)
        buffer.data[offset : offset + found.size] = found

    def kernel(self, source, name):
        """An Unbuilt kernel."""
        return Unbuilt()

    def submit(self, launch):
        """Nothing."""

    def synchronize(self):
        """Nothing."""

    def read(self, *args, **kwargs):
        """Raise NoDataError: nothing has run."""
        raise NoDataError("a target of an export has no values")

    def __str__(self):
        return f"target({self.profile.style})"

    def __reduce__(self):
        return Target, (self.profile,)


@functools.cache
def target(profile):
    """The Target of a profile; one each, since plans are kept by device."""
    return Target(profile)
