"""What launch rules share: launch sizes, kernel arguments, and the dtype of sums."""

import numpy as np

from ...base import dtypes
from ...codegen.types import compute_type

GROUPS_PER_CORE = 4


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
