"""What launch rules share: launch sizes, kernel arguments, and the dtype of sums."""

import numpy as np

from ...base import dtypes
from ...base.errors import ArgumentError
from ...codegen.interface import Buffer
from ...codegen.types import compute_type
from ...dispatch.plan import In, Out, Step

GROUPS_PER_CORE = 4

#: what the numbers of a kernel's C parameters are made with; Values and Tickets stay what they are
_NUMBERS = {"char": np.int8, "uchar": np.uint8, "short": np.int16, "ushort": np.uint16, "int": np.int32, "uint": np.uint32,
            "long": np.int64, "ulong": np.uint64, "float": np.float32, "double": np.float64}


def step(source, /, *, elements=0, **given):
    """The Step of a rendered kernel, by the names of its interface.

    given: for each Buffer an In, Out, Scratch or memory of the device, for each Number a number, Value or Ticket, and what the
    launch size depends on besides; more is ignored.  Where Scratch or memory begins later, the name of its offset says so.
    elements: see Step.  Raises ArgumentError for a name left out.
    """
    interface, args = source.interface, []
    try:
        for a in interface.arguments:
            value = given[a.name]
            if isinstance(a, Buffer):
                placed = a.offset and not isinstance(value, (In, Out))
                args += [value, np.int64(given.get(a.offset, 0))] if placed else [value]
            else:
                args.append(_NUMBERS[a.ctype](value) if type(value) in (int, float, bool) else value)
    except KeyError as missing:
        raise ArgumentError(f"kernel {interface.kernel}: argument {missing.args[0]} is not given") from None
    return Step(source, interface.kernel, args, *interface.sizes({**source.values, **given}), elements)


def longs(*numbers):
    """Numbers as kernel arguments of type long."""
    return tuple(np.int64(n) for group in numbers for n in (group if isinstance(group, tuple) else (group,)))


def compute_dtype(dtype):
    """The dtype sums are held in: float32 for the 16-bit types."""
    return dtypes.float64 if compute_type(dtype) == "double" else dtypes.float32


def cpu_groups(device, work=None):
    """How many work-groups of one item to launch."""
    groups = GROUPS_PER_CORE * device.profile.compute_units
    return max(1, groups if work is None else min(groups, work))


def gpu_range(n, local=128):
    """(global, local) size for n independent items."""
    local = min(local, 128)
    return (max(1, -(-n // local)) * local,), (local,)
