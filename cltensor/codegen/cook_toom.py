"""The matrices of Winograd's convolution, by the construction of Cook and Toom."""

import functools
import math
from fractions import Fraction

POINTS = {2: (0, 1, -1), 4: (0, 1, -1, Fraction(1, 2), -2)}  # where polynomials are evaluated, besides infinity


@functools.cache
def matrices(m):
    """(A', G, B') for m results of a kernel of size 3, as tuples of rows of floats.  Source: the Cook-Toom construction."""
    points, n = [Fraction(p) for p in POINTS[m]], m + 2
    at = [[p**i for p in points] + [Fraction(i == m - 1)] for i in range(m)]
    g, bt = [], []
    for j, p in enumerate(points):
        others = points[:j] + points[j + 1:]
        g.append([p**k / math.prod(p - q for q in others) for k in range(3)])
        bt.append(_from_roots(others, n))
    g.append([Fraction(0), Fraction(0), Fraction(1)])
    bt.append(_from_roots(points, n))
    return tuple(tuple(tuple(map(float, row)) for row in matrix) for matrix in (at, g, bt))


def _from_roots(roots, n):
    """The n lowest coefficients, constant first, of the monic polynomial with these roots."""
    found = [Fraction(1)]
    for r in roots:
        found = [a - r * b for a, b in zip([0, *found], [*found, 0], strict=True)]
    return found + [Fraction(0)] * (n - len(found))
