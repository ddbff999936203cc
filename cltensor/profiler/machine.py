"""Machine: what a device can do at best, measured: multiplying and adding (template multiply_add), and copying."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..base.dtypes import float32, float64
from ..codegen.templates import render
from ..dispatch.plan import Out, Plan
from ..ops.kinds.launch import step
from ..runtime.device import device as device_type
from ..runtime.stream import resolve
from ..tensor.api.creation import empty, zeros

CHAINS, STEPS = 12, 4096
FLOPS = 2 * CHAINS * STEPS  # per element
_FEW, _MANY, _COPIED, _ROUNDS = 1 << 10, 1 << 22, 1 << 24, 5
_LONG = 3e-3  # seconds of a launch that is long enough to time
_measured: dict[Any, Machine] = {}


@dataclass(frozen=True)
class Machine:
    """What a device does in a second at best: bytes read and written, and float32 operations.

    Never raises.  Source: Williams, Waterman and Patterson 2009, "Roofline".

        >>> m = ct.profiler.Machine(bandwidth=10e9, flops=100e9)
        >>> m.bound(flops=8, nbytes=8), m.share(flops=8e9, nbytes=8e9, seconds=1.6)
        ('memory', 0.5)
    """

    bandwidth: float
    flops: float

    def seconds(self, flops: float, nbytes: float) -> float:
        """The least time for so many operations and bytes: the longer of the two."""
        return max(flops / self.flops, nbytes / self.bandwidth)

    def bound(self, flops: float, nbytes: float) -> str:
        """What that time is of: "memory" or "compute"."""
        return "memory" if nbytes / self.bandwidth >= flops / self.flops else "compute"

    def share(self, flops: float, nbytes: float, seconds: float) -> float | None:
        """The least time as a share of the seconds it took; None where nothing is known.  More than 1: the data was in a cache."""
        return self.seconds(flops, nbytes) / seconds if seconds > 0 and (flops or nbytes) else None


def machine(device: device_type | str | int | None = None) -> Machine:
    """Measure what a device (the default one when None) can do at best; a second's work, once in a process.

    Raises DeviceError for a device that does not exist.
    Source: the copy of McCalpin's STREAM, and chains of multiply-adds in registers.

        >>> ct.profiler.machine().bandwidth > 1e6
        True
    """
    d = resolve(device)
    if d not in _measured:
        x = zeros(_COPIED, device=d)
        spent = _best(x.clone, d)
        items = _FEW
        while (took := _best(multiply_add(empty(items, device=d)), d)) < _LONG and items < _MANY:
            items *= 2
        _measured[d] = Machine(2 * x.nbytes / spent, FLOPS * items / took)
    return _measured[d]


def _best(action, device):
    """Seconds of the fastest call of an action."""
    found = []
    for _ in range(_ROUNDS):
        device.synchronize()
        start = time.perf_counter()
        action()
        device.synchronize()
        found.append(time.perf_counter() - start)
    return min(found)


def multiply_add(a):
    """An action that does FLOPS operations per element of a, in float64 if a is float64, else in float32."""
    dtype, number = (float64, np.float64) if a.dtype is float64 else (float32, np.float32)
    out, profile = empty(a.shape, dtype=dtype, device=a.device), a.device.profile
    cpu = profile.style == "cpu"
    lanes = (64 if profile.vector_width == 16 else 32) // dtype.itemsize if cpu else 2
    items = out.numel() // lanes
    source = render("multiply_add", style=profile.style, dtype=dtype, LANES=lanes, CHAINS=CHAINS, STEPS=STEPS)
    launch = step(source, y=Out(0), a=number(0.5), b=number(1), items=items)
    plan = Plan(out._spec.device, (), (out._spec,), [launch])

    def action():
        plan.run([out._storage.buffer], {})
        return out

    return action
