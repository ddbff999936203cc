"""Keys: what a result applies to, as readable text."""

import math
from typing import NamedTuple


class Key(NamedTuple):
    """What a result applies to: the kernel ("matmul_blocked cpu float32") and the class of sizes ("M512 N512 K1024")."""

    kernel: str
    shape: str


def shape_class(sizes):
    """{"M": 500, "layout": "nt"} as "M512 layout=nt": round sizes to the nearest power of two, keep texts."""
    return " ".join(f"{n}={v}" if isinstance(v, str) else f"{n}{rounded(v)}" for n, v in sizes.items())


def rounded(n):
    """The power of two nearest to n by ratio; 0 stays 0."""
    return 1 << round(math.log2(n)) if n > 0 else 0


def text(values):
    """{"MR": 6, "KC": 256} as "MR=6 KC=256"."""
    return " ".join(f"{n}={v}" for n, v in values.items())
