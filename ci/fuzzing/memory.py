"""Allocation up to a limit ends in OutOfMemoryError, and the program goes on."""

from .processes import script

_SCRIPT = """
import resource
import cltensor as ct
ct.ones(3).sum().item()
used = int(next(line for line in open("/proc/self/status") if line.startswith("VmSize")).split()[1]) * 1024
resource.setrlimit(resource.RLIMIT_AS, (used + (1 << 29), resource.RLIM_INFINITY))
kept = []
try:
    for _ in range(200):
        kept.append(ct.zeros(1 << 22) + 1.)
        kept[-1][0].item()
except ct.OutOfMemoryError:
    pass
else:
    raise SystemExit("3 GiB were allocated in 512 MiB of address space")
kept.clear()
ct.opencl.empty_cache()
assert (ct.ones(1 << 20) * 2).sum().item() == 1 << 21
"""


def check(style):
    """A mismatch as a worker would describe it, or None."""
    _, wrong = script(_SCRIPT, style, 300)
    return wrong and {"seed": "", "kind": "memory", "signature": "memory: up to a limit", "message": wrong, "snippet": _SCRIPT,
                      "torch": ""}
