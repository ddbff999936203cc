"""Overlap: whether strided layouts share memory, computed exactly from their strides.

Strides and offsets are never negative.  The answer is exact unless it takes more than WORK steps; then it is True.  Layouts
with at most two strides that do not divide one another never take so many.
"""

import functools
import math

WORK = 4096


def extent(shape, strides):
    """How many elements of memory a layout spans."""
    return 1 + sum((n - 1) * s for n, s in zip(shape, strides, strict=True)) if math.prod(shape) else 0


def packed(shape, strides):
    """Whether the elements fill one run of memory, in any order, without gaps or overlap."""
    step = 1
    for s, n in sorted((s, n) for n, s in zip(shape, strides, strict=True) if n != 1):
        if s != step:
            return math.prod(shape) == 0
        step *= n
    return True


def repeats(shape, strides):
    """Whether two indices of a layout share one address."""
    steps = sorted((s, n - 1) for n, s in zip(shape, strides, strict=True) if n > 1)
    if math.prod(shape) < 2 or _nested(steps):
        return False
    return steps[0][0] == 0 or _repeats(tuple(steps))


def _nested(steps):
    """Whether each stride exceeds the largest offset that the smaller ones reach."""
    reach = 0
    for s, most in steps:
        if s <= reach:
            return False
        reach += s * most
    return True


@functools.lru_cache(maxsize=1024)
def _repeats(steps):
    """Whether some difference of two indices has offset 0.  Its first nonzero part may be taken as positive."""
    for k, (s, most) in enumerate(steps):
        rest = steps[k + 1:]
        if _reached(sum(t * m for t, m in rest) - s, ((s, most - 1), *((t, 2 * m) for t, m in rest))):
            return True
    return False


@functools.lru_cache(maxsize=4096)
def meet(distance, shape, strides, size, other_shape, other_strides, other_size):
    """Whether two layouts share a byte.

    distance: bytes from the first element of one to the first of the other; size, other_size: bytes of an element.
    """
    if not (math.prod(shape) and math.prod(other_shape)):
        return False
    if size == other_size and distance % size == 0:
        unit, within = size, ()
    else:
        unit, within = 1, ((1, size - 1), (1, other_size - 1))
    here = [(s * size // unit, n - 1) for n, s in zip(shape, strides, strict=True)]
    there = [(s * other_size // unit, n - 1) for n, s in zip(other_shape, other_strides, strict=True)]
    if within:
        here, there = [*here, within[0]], [*there, within[1]]
    return _reached(distance // unit + sum(s * most for s, most in there), (*here, *there))


def _reached(total, terms):
    """Whether total is a sum of s * x over terms (s, most), with every x from 0 to most."""
    if total < 0:
        return False
    terms = _merged([(s, most) for s, most in terms if s and most])
    reach, common = [0], [0]  # of the terms from here on: their largest sum, and the gcd of their strides
    for s, most in reversed(terms):
        reach.append(reach[-1] + s * most)
        common.append(math.gcd(common[-1], s))
    search = _Search(terms, reach[::-1], common[::-1])
    return search.reached(0, total)


def _merged(terms):
    """The same sums with fewer terms, largest stride first: a multiple of a smaller stride merges into it if no gap remains."""
    kept = []
    for s, most in sorted(terms):
        for i, (t, known) in enumerate(kept):
            if s % t == 0 and s // t <= known + 1:
                kept[i] = t, known + s // t * most
                break
        else:
            kept.append((s, most))
    return kept[::-1]


class _Search:
    """A search over the values of one x after another; the last two x are solved without trying values."""

    def __init__(self, terms, reach, common):
        self.terms, self.reach, self.common, self.left = terms, reach, common, WORK

    def reached(self, i, total):
        """Whether the terms from i on can sum to total; also True when WORK is used up."""
        if not 0 <= total <= self.reach[i]:
            return False
        if total == 0:
            return True
        if total % self.common[i]:
            return False
        s, most = self.terms[i]
        step = self.common[i + 1] // math.gcd(s, self.common[i + 1]) if self.common[i + 1] else 0
        if not step:  # the last term
            return True
        first, last = max(-((self.reach[i + 1] - total) // s), 0), min(most, total // s)
        first += (self._residue(i, total, step) - first) % step
        if i + 2 >= len(self.terms):
            return first <= last
        for x in range(first, last + 1, step):
            self.left -= 1
            if self.left < 0 or self.reached(i + 1, total - s * x):
                return True
        return False

    def _residue(self, i, total, step):
        """The x, modulo step, for which the gcd of the later terms divides total - s * x."""
        shared = self.common[i]  # gcd of s and the later terms' divisor; divides total
        return total // shared * pow(self.terms[i][0] // shared, -1, step) % step if step > 1 else 0
