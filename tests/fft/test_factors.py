"""Factors of lengths, and constants: against the definitions, in NumPy's widest floats."""

import math

import numpy as np
import pytest

from cltensor.ops.fft import factors, lines

PI = np.longdouble("3.14159265358979323846264338327950288")


@pytest.mark.parametrize("n", [1, 2, 3, 8, 12, 37, 360, 1 << 16])
def test_unit_roots_are_right_to_the_last_bit(n):
    j = np.arange(-n, 3 * n, max(1, n // 97))
    angle = -2 * PI * (j % n) / n
    found = factors.unit_roots(j, n)
    assert np.abs(found.real - np.cos(angle)).max() < 1.2e-16
    assert np.abs(found.imag - np.sin(angle)).max() < 1.2e-16
    assert set(found[(4 * j) % n == 0].tolist()) <= {1, -1, 1j, -1j}


@pytest.mark.parametrize("n", [*range(1, 70), 1 << 20, 1000, 2187, 7 * 7 * 25, 3 * 17, 10007])
def test_radices(n):
    used = factors.radices(n)
    largest = max((p for p in range(2, n + 1) if n % p == 0 and all(p % q for q in range(2, math.isqrt(p) + 1))), default=1)
    if largest > 7:
        assert used is None
    else:
        assert math.prod(used) == n
        assert set(used) <= set(factors.radix_set(used))


def test_radices_of_a_launch_fit_a_long():
    for n in range(1, max(lines.ABREAST, lines.LEVEL) + 1):
        used = factors.radices(n)
        assert used is None or factors.packed(used) < 1 << 64


def test_powers_of_two_need_few_passes():
    for k in range(1, 21):
        used = factors.radices(1 << k)
        assert used.count(2) <= 1
        assert len(used) == -(-k // 3)


@pytest.mark.parametrize("n", [1, 2, 33, 100, 1999, 20013])
def test_smooth_lengths(n):
    m = factors.smooth_at_least(n)
    assert n <= m < 1.34 * n + 1
    assert factors.radices(m) is not None


@pytest.mark.parametrize(("n", "expected"), [(64, (8, 8)), (1024, (32, 32)), (1000, (40, 25))])
def test_split(n, expected):
    assert sorted(factors.split(n, 8, 4096)) == sorted(expected)


@pytest.mark.parametrize(("n", "limit", "levels"), [(1 << 20, 1024, 2), (1 << 20, 512, 3), (6**7, 36, 4), (1050, 16, 3)])
def test_split_keeps_to_the_limit(n, limit, levels):
    first, rest = factors.split(n, 8, limit)
    assert first * rest == n
    assert 1 < first <= limit
    assert levels == 2 or rest <= limit ** (levels - 1)


def test_turning_factors():
    """The product of the three parts of the table is exp(-2 pi i k c / N)."""
    k, n, lanes = 6, 48, 4
    numbers, _, turn = factors.table((6,), (k, n), lanes)
    pairs = numbers.view(np.complex128)
    low, high = pairs[turn.start // 2:], pairs[turn.start // 2 + (1 << turn.shift):]
    each = numbers[turn.start + 2 * (1 << turn.shift) + turn.width:].reshape(k, 2, lanes)
    for e in range(k):
        for line in range(0, n // k, lanes):
            j = e * line
            found = high[j >> turn.shift] * low[j & ((1 << turn.shift) - 1)] * (each[e, 0] + 1j * each[e, 1])
            assert np.allclose(found, np.exp(-2j * np.pi * e * (line + np.arange(lanes)) / n), atol=1e-15)
