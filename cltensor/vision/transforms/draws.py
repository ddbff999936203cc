"""Random parameters, drawn on the host from the default generator: the numbers that tensors of one element would hold.

Philox, one counter per number (Salmon et al., SC 2011), as cltensor.rand and cltensor.randint compute it on a device.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from ...base.errors import ArgumentError
from ...ops.random import philox
from ...tensor.random.sampling import default_generator

_WORD = 0xFFFFFFFF


def _words() -> tuple[int, int, int, int]:
    """Four random words of 32 bits, from the next counter."""
    key, counter = default_generator.advance(1)
    c0, c1, c2, c3 = counter & _WORD, counter >> 32 & _WORD, 0, 0
    k0, k1 = key & _WORD, key >> 32 & _WORD
    for _ in range(10):
        first, second = c0 * 0xD2511F53, c2 * 0xCD9E8D57
        c0, c1, c2, c3 = (second >> 32) ^ c1 ^ k0, second & _WORD, (first >> 32) ^ c3 ^ k1, first & _WORD
        k0, k1 = (k0 + 0x9E3779B9) & _WORD, (k1 + 0xBB67AE85) & _WORD
    return c0, c1, c2, c3


def unit() -> float:
    """A number in [0, 1) of 24 random bits."""
    return (_words()[0] >> 8) * 2.0**-24


def uniform(low: float, high: float) -> float:
    """A number in [low, high), rounded to float32."""
    return float(np.float32(low) + (np.float32(high) - np.float32(low)) * np.float32(unit()))


def integer(low: int, high: int) -> int:
    """A whole number in [low, high).  Raises ArgumentError where there is none."""
    if not low < high:
        raise ArgumentError(f"random integer: expected 'from' to be less than 'to', but got from={low} >= to={high}")
    first, second, *_ = _words()
    return low + (first << 32 | second) % (high - low)


def normal() -> float:
    """A number of mean 0 and standard deviation 1 (Box-Muller)."""
    first, second, *_ = _words()
    return math.sqrt(-2 * math.log(((first >> 8) + 1) * 2.0**-24)) * math.cos(2 * math.pi * (second >> 8) * 2.0**-24)


def below(p: float) -> bool:
    """True with probability p."""
    return unit() < p


def permutation(n: int) -> list[int]:
    """0 ... n - 1 in random order."""
    return default_generator.host().permutation(n).tolist()


def weighted(weights: Sequence[float]) -> int:
    """An index, with the probabilities in weights, which need not sum to 1."""
    edges = np.cumsum(np.asarray(weights, np.float64))
    return min(int(np.searchsorted(edges, unit() * edges[-1], side="right")), len(weights) - 1)


def dirichlet(alpha: Sequence[float]) -> list[float]:
    """Positive numbers that sum to 1, Dirichlet distributed.  Raises ArgumentError for an alpha that is not positive."""
    if any(a <= 0 for a in alpha):
        raise ArgumentError("Dirichlet distribution: expected concentrations greater than 0, but found invalid values: "
                            f"{list(alpha)}")
    return default_generator.host().dirichlet(alpha).tolist()


def field(height: int, width: int) -> np.ndarray:
    """Numbers in [0, 1), float32 (H, W), in host memory: what cltensor.rand gives."""
    seed, offset = default_generator.advance(height * width)
    return philox.Draws(seed, offset, height * width, False).uniform().reshape(height, width)
