"""Random numbers that C and NumPy draw alike: a linear congruential generator, and numbers that the dtype holds exactly."""

import math
from dataclasses import dataclass

import numpy as np

from ...base import bfloat16, dtypes
from ..parser import UsageError

MULTIPLIER, INCREMENT = 1664525, 1013904223  # modulo 2^32; Numerical Recipes in C, second edition, section 7.1
BITS = 24  # the upper ones of a state are used


@dataclass(frozen=True)
class Drawn:
    """`count` numbers of a dtype, low + step * k for k from 0 to levels, from one seed."""

    dtype: dtypes.dtype
    count: int
    seed: int
    low: float
    step: float
    levels: int

    def numbers(self):
        """As an array: of parts, real and imaginary in turn, for a complex dtype."""
        steps = np.full(self.count, MULTIPLIER, np.uint32)
        powers = np.cumprod(steps, dtype=np.uint32)
        sums = np.cumsum(np.concatenate([np.ones(1, np.uint32), powers[:-1]]), dtype=np.uint32)
        states = powers * np.uint32(self.seed) + np.uint32(INCREMENT) * sums
        k = (states >> np.uint32(32 - BITS)).astype(np.uint64) * np.uint64(self.levels + 1) >> np.uint64(BITS)
        return self.low + self.step * k.astype(np.float64)


def drawn(dtype, count, seed, low=None, high=None):
    """The Drawn numbers from low to high, by default from -1 to 1, of whole dtypes from 0 to 9.  Raises UsageError for no range."""
    part = dtype.to_real()
    if low is None:
        low, high = (0, 1) if dtype.category == "bool" else (-1, 1) if dtype.is_inexact else (0, 9)
    if high <= low and not (high == low and not dtype.is_inexact):
        raise UsageError(f"a range from {low} to {high} holds nothing; write LOW..HIGH with LOW below HIGH")
    least, most = _limits(dtype)
    if low < least or high > most:
        which = f"up to {high:g}" if high > most else f"from {low:g}"
        raise UsageError(f"{dtype.name} holds no number {which}; write a range within {least}..{most}")
    parts = count * (2 if dtype.is_complex else 1)
    if not dtype.is_inexact:
        return Drawn(dtype, parts, seed, int(low), 1, int(high) - int(low))
    fine = 1 << (7 if part.itemsize == 2 else 20)
    step = 2.0 ** math.ceil(math.log2(max(abs(low), abs(high)) / fine))
    return Drawn(dtype, parts, seed, math.ceil(low / step) * step, step, math.floor((high - low) / step))


def _limits(dtype):
    """The least and the largest number of a dtype; of inexact ones all that matter."""
    if dtype.is_inexact:
        return -1024, 1024
    if dtype.category == "bool":
        return 0, 1
    found = np.iinfo(dtype.numpy)
    return int(found.min), int(found.max)


def stored(parts, dtype):
    """Parts as the array of bytes that a buffer of dtype holds."""
    real = dtype.to_real()
    return bfloat16.encode(np.asarray(parts, np.float32)) if real is dtypes.bfloat16 else np.asarray(parts).astype(real.numpy)


def values(parts, dtype):
    """Parts as an array of numbers: complex ones joined."""
    return parts[0::2] + 1j * parts[1::2] if dtype.is_complex else parts
