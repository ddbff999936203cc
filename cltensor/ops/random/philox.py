"""Philox in NumPy: the same random numbers as templates/random.cl.mako, in host memory, from the same counters.

Source: Salmon et al., SC 2011, "Parallel random numbers: as easy as 1, 2, 3".
"""

import numpy as np

_WORD = np.uint64(0xFFFFFFFF)
_MULTIPLIERS = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
_STEPS = 0x9E3779B9, 0xBB67AE85


def words(key, counters, draw=0):
    """The four numbers (uint64 arrays below 2 ** 32) of block `draw` at each counter (a uint64 array) for `key`."""
    shift = np.uint64(32)
    c0, c1 = counters & _WORD, counters >> shift
    c2, c3 = np.full_like(c0, draw), np.zeros_like(c0)
    k0, k1 = key & 0xFFFFFFFF, key >> 32 & 0xFFFFFFFF
    for _ in range(10):
        first, second = c0 * _MULTIPLIERS[0], c2 * _MULTIPLIERS[1]
        c0, c2 = (second >> shift) ^ c1 ^ np.uint64(k0), (first >> shift) ^ c3 ^ np.uint64(k1)
        c1, c3 = second & _WORD, first & _WORD
        k0, k1 = (k0 + _STEPS[0]) & 0xFFFFFFFF, (k1 + _STEPS[1]) & 0xFFFFFFFF
    return c0, c1, c2, c3


class Draws:
    """The first block of each of n elements from `offset` on.

    wide: numbers are float64 with 53 random bits; otherwise float32 with 24.
    """

    def __init__(self, seed, offset, n, wide):
        counters = np.uint64(offset % 2**64) + np.arange(n, dtype=np.uint64)
        self.words, self.wide, self.bits = words(seed % 2**64, counters), wide, 24

    def round_down(self, bits):
        """Limit uniform numbers to this many random bits."""
        self.bits = bits

    def uniform(self, which=0, above=0):
        """Numbers in [0, 1), or in (0, 1] with above=1; which: 0, or 1 for an independent set."""
        if self.wide:
            bits = ((self.words[2 * which] << np.uint64(32)) | self.words[2 * which + 1]) >> np.uint64(11)
            return (bits + np.uint64(above)).astype(np.float64) * 2.0**-53
        kept = self.words[which] >> np.uint64(32 - self.bits)
        return (kept + np.uint64(above)).astype(np.float32) * np.float32(2.0**-self.bits)

    def integers(self, low, high):
        """Numbers in [low, high)."""
        bits = (self.words[0] << np.uint64(32)) | self.words[1]
        return (bits % np.uint64(high - low)).astype(np.int64) + low

    def normal(self):
        """Numbers of mean 0 and standard deviation 1 (Box-Muller)."""
        return np.sqrt(-2 * np.log(self.uniform(above=1))) * np.cos(2 * np.pi * self.uniform(1))


#: name -> (draws, a, b) -> numbers; the same formulas as DISTRIBUTIONS in distributions.py has in C
DISTRIBUTIONS = {
    "uniform": lambda draws, a, b: a + (b - a) * draws.uniform(),
    "normal": lambda draws, a, b: a + b * draws.normal(),
    "exponential": lambda draws, a, b: -np.log(draws.uniform(above=1)) / a,
    "log_normal": lambda draws, a, b: np.exp(a + b * draws.normal()),
    "cauchy": lambda draws, a, b: a + b * np.tan(np.pi * (draws.uniform() - 0.5)),
    "geometric": lambda draws, a, b: np.ceil(np.log(draws.uniform(above=1)) / np.log1p(-a)),
    "bernoulli": lambda draws, a, b: draws.uniform() < a,
    "integers": lambda draws, a, b: draws.integers(a, b),
}
