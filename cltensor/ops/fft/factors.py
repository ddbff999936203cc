"""Factors of a transform's length, and the exact constants its kernels read.

Source: Stockham 1966 (passes in natural order), Bailey 1990 (four steps), as in Van Loan, Computational Frameworks for the FFT.
"""

import functools
import math
from typing import NamedTuple

import numpy as np

PRIMES = (2, 3, 5, 7)  # the kernels have a pass for each
RADIX_SETS = ((1, 2, 4, 8), (1, 2, 3, 4, 5, 7, 8))  # few, since each is a program


@functools.cache
def radices(n):
    """The radices of the passes of a transform of length n; None if n has a prime factor that no pass is for."""
    odd, twos = n, 0
    while odd % 2 == 0:
        odd, twos = odd // 2, twos + 1
    eights, fours, pairs = _powers_of_two(twos)
    found = []
    for p in PRIMES[1:]:
        while odd % p == 0:
            odd //= p
            found.append(p)
    return (tuple(found[::-1]) + (4,) * fours + (2,) * pairs + (8,) * eights or (1,)) if odd == 1 else None


def _powers_of_two(k):
    """How many passes of radix 8, 4 and 2 make 2 ** k."""
    eights, rest = divmod(k, 3)
    if rest == 1 and eights:
        return eights - 1, 2, 0
    return eights, int(rest == 2), int(rest == 1)


def radix_set(*used):
    """The smallest of RADIX_SETS that has all the radices used."""
    return next(s for s in RADIX_SETS if set().union(*used) <= set(s))


def packed(used):
    """Radices as a number of a byte each, the first lowest."""
    return sum(r << 8 * i for i, r in enumerate(used))


@functools.cache
def smooth_at_least(n):
    """The smallest length >= n of the form 2^a, 3 * 2^a, 5 * 2^a or 15 * 2^a, which transform fast."""
    return min(m << max(0, (-(-n // m) - 1).bit_length()) for m in (1, 3, 5, 15))


@functools.cache
def split(n, lanes, limit):
    """(n1, n2), n1 n2 = n: n1 at most `limit`, n2 too if one split is enough; both alike, and wasting few of the lanes."""
    levels = max(2, math.ceil(math.log(n) / math.log(limit) - 1e-9))

    def cost(a):
        b = n // a
        waste = (-(-a // lanes) * lanes) * (-(-b // lanes) * lanes) / n
        return a > limit, b > limit ** (levels - 1), waste * (1 + 0.2 * abs(math.log2(a) - math.log2(n) / levels)), b

    return min(((a, n // a) for a in divisors(n)[1:-1]), key=lambda pair: cost(pair[0]))


def divisors(n):
    """All divisors of n."""
    small = [d for d in range(1, math.isqrt(n) + 1) if n % d == 0]
    return sorted({*small, *(n // d for d in small)})


def unit_roots(numbers, n):
    """exp(-2 pi i j / n) for each j of an array of whole numbers, to the last bit of float64."""
    j = np.asarray(numbers, np.int64) % n
    eighth, rest = np.divmod(8 * j, n)  # an angle below 45 degrees, and which eighth it lies in
    angle = np.where(eighth % 2 == 0, rest, n - rest) * (np.pi / 4 / n)
    c, s = np.cos(angle), np.sin(angle)
    swapped = (eighth + 1) // 2 % 2 == 1
    c, s = np.where(swapped, s, c), np.where(swapped, c, s)
    return np.where((eighth >= 2) & (eighth < 6), -c, c) - 1j * np.where(eighth >= 4, -s, s)


def pass_factors(n, used):
    """The factors of all passes of a transform of length n, in the order the kernel reads them."""
    made, left = [], n
    for r in used:
        m = left // r
        made.append(unit_roots(np.outer(np.arange(m), np.arange(1, r)), left).ravel())
        left = m
    return np.concatenate(made)


class Turn(NamedTuple):
    """Where exp(-2 pi i j / N) stands in a table.

    start: 0 for nowhere; shift: bits of j that the first part covers; width: numbers in the second
    """

    start: int = 0
    shift: int = 0
    width: int = 0


def table(lengths, turned, lanes):
    """All constants of a launch as pairs of float64: (numbers, start of each length's factors, Turn).

    lengths: of the transforms in it.  turned: None, or (k, N): the elements below k of lines below N // k are turned.
    lanes: 0, or how many lines are turned at a time.
    """
    parts, starts, at, turn = [], [], 0, Turn()

    def add(values):
        nonlocal at
        parts.append(values)
        at += 2 * len(values)

    for n in lengths:
        starts.append(at)
        add(pass_factors(n, radices(n)))
    if turned:
        k, n = turned
        most = k * (n // k + lanes)
        shift = max(1, (most.bit_length() + 1) // 2)
        turn = Turn(at, shift, 2 * ((most >> shift) + 1))
        add(unit_roots(np.arange(1 << shift), n))
        add(unit_roots(np.arange((most >> shift) + 1) << shift, n))
        if lanes:
            vectors = unit_roots(np.outer(np.arange(k), np.arange(lanes)), n)
            parts.append(np.concatenate([vectors.real, vectors.imag], 1).ravel().view(np.complex128))
    return np.concatenate(parts).view(np.float64), tuple(starts), turn
