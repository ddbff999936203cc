"""A device's peak arithmetic: a kernel that only multiplies and adds (template multiply_add)."""

import numpy as np

from ...codegen.templates import render
from ...dispatch.plan import Out, Plan
from ...ops.kinds.launch import step

CHAINS, STEPS = 12, 4096
FLOPS = 2 * CHAINS * STEPS  # per element


def multiply_add(xp, a):
    """A setup whose action does FLOPS operations per element of a, in float64 if a is float64, else in float32."""
    dtype, number = (xp.float64, np.float64) if a.dtype is xp.float64 else (xp.float32, np.float32)
    out, profile = xp.empty_like(a, dtype=dtype), a.device.profile
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
