"""Transforms of any length, of complex and of real numbers, as the launches they are made of.

Source: Bluestein 1970 for lengths with large prime factors; Cooley, Lewis and Welch 1970 for real numbers.
"""

import functools
import math
from typing import NamedTuple

import numpy as np

from ...codegen.templates import render
from ..kinds.fold import placeholder
from ..kinds.launch import step
from . import direct, factors, lines
from .lines import Side

TABLED = 4096  # the longest transform whose chirp is kept as a table


def complex_steps(work, n, shape, x, y):
    """The Steps that transform lines of n complex numbers; shape: the batch's."""
    if direct.fits(work, "complex", n, shape):
        return direct.steps(work, "complex", n, shape, x, y)
    if factors.radices(n) is not None:
        return lines.steps(work, n, shape, x, y)
    return _bluestein(work, n, shape, x, y)


def real_to_half_steps(work, n, shape, x, y, middle):
    """From n real numbers to the n // 2 + 1 complex ones that tell all; the inverse transform gives their conjugates.

    middle: what all but the first, and the one for n / 2, are multiplied with
    """
    if direct.fits(work, "half", n, shape):
        return direct.steps(work, "half", n, shape, x, y, middle)
    forward = work._replace(inverse=False)
    if n % 2 or n <= 2:
        whole = _dense(work, n, shape)
        made = complex_steps(forward, n, shape, x, whole)
        return [*made, _points(forward, shape, n, n // 2 + 1, whole, y, middle=middle, conjugate=work.inverse)]
    h = n // 2
    made = complex_steps(forward, h, shape, x._replace(element=2 * x.element, imaginary=x.element), y)
    return [*made, _pairs(work, shape, h, y, y, middle, zipping=False, conjugate_y=work.inverse)]


def half_to_real_steps(work, n, shape, x, y, middle):
    """From n // 2 + 1 complex numbers to the n real ones they tell; the forward transform takes their conjugates.

    middle: what all but the first, and the one for n / 2, are multiplied with
    """
    if direct.fits(work, "real", n, shape):
        return direct.steps(work, "real", n, shape, x, y, middle)
    backward = work._replace(inverse=True)
    whole = _dense(work, n if n % 2 or n <= 2 else n // 2, shape)
    if n % 2 or n <= 2:
        made = [_points(backward, shape, n, n, x, whole, middle=middle, extend=True, conjugate=not work.inverse)]
        return made + complex_steps(backward, n, shape, whole, y)
    h = n // 2
    made = [_pairs(work, shape, h, x, whole, middle, zipping=True, conjugate_x=not work.inverse)]
    return made + complex_steps(backward, h, shape, whole, y._replace(element=2 * y.element, imaginary=y.element))


def _dense(work, n, shape):
    """The Side of temporary lines of n complex numbers."""
    place = work.room.take(2 * n * math.prod(shape))
    return Side(place, 1, 2, 1, tuple(2 * n * math.prod(shape[i + 1:]) for i in range(len(shape))))


def _bluestein(work, n, shape, x, y):
    """A transform as a convolution with a chirp, exp(pi i j j / n), by transforms of a length m >= 2 n - 1."""
    m = factors.smooth_at_least(2 * n - 1)
    near, far = _dense(work, m, shape), _dense(work, m, shape)
    plain = work._replace(inverse=False, scale=1.0)
    chirp, response, made = _chirp_factors(plain, n, m)
    return [*made, _points(plain, shape, n, m, x, near, chirp, swap_x=work.inverse),
            *lines.steps(plain, m, shape, near, far),
            _points(plain, shape, m, m, far, far, response),
            *lines.steps(plain._replace(inverse=True), m, shape, far, near),
            _points(work, shape, n, n, near, y, chirp, scale=work.scale, swap_y=work.inverse)]


class _Factors(NamedTuple):
    """What elements are multiplied with, at a place (buffer, offset); see the template fft_points."""

    place: tuple
    period: int = 0
    shift: int = 0
    kind: int = 1


def _chirp_factors(work, n, m):
    """(the chirp, the transform of its conjugate over m, Steps that compute that one) for Bluestein's convolution of length m.

    They are computed at each call where n is large, since plans, and there may be one for each length, keep their tables.
    """
    if n <= TABLED:
        tables = (_table(work.device, work.dtype, kind, n) for kind in ("chirp", "response"))
        return *(_Factors((t, 0)) for t in tables), []
    shift = _shift(2 * n)
    chirp = _Factors((_table(work.device, work.dtype, "roots", 2 * n), 0), 2 * n, shift)
    wrapped, response = _dense(work, m, ()), _dense(work, m, ())
    around = _points(work, (), n, m, wrapped, wrapped, chirp._replace(kind=2), scale=1 / m)
    return chirp, _Factors(response.place), [around, *lines.steps(work, m, (), wrapped, response)]


def _chirp(n):
    """exp(-pi i j j / n) for j < n."""
    return factors.unit_roots(np.arange(n, dtype=np.int64) ** 2, 2 * n)


def _response(n):
    """The transform of the conjugate chirp, wrapped around to Bluestein's length m, over m."""
    m, c = factors.smooth_at_least(2 * n - 1), _chirp(n).conj()
    around = np.zeros(m, complex)
    around[:n], around[m - n + 1:] = c, c[:0:-1]
    return np.fft.fft(around) / m


def _shift(n):
    """How many bits of j < n the first part of a table of exp(-2 pi i j / n) in two parts covers: about half."""
    return (n.bit_length() + 1) // 2


def _roots(n, first=1):
    """exp(-2 pi i j / n) in two parts: for j below 2^s + 8, and first times that for all multiples of 2^s below n."""
    s = _shift(n)
    return np.concatenate([factors.unit_roots(np.arange((1 << s) + 8), n),
                           first * factors.unit_roots(np.arange((n >> s) + 1) << s, n)])


def _unzipping(n):
    """-i/2 exp(-2 pi i k / n), in two parts."""
    return _roots(n, -0.5j)


def _zipping(n):
    """i exp(2 pi i k / n), in two parts."""
    return _roots(n, -1j).conj()


_TABLES = {"chirp": _chirp, "response": _response, "roots": _roots, "unzipping": _unzipping, "zipping": _zipping}


@functools.lru_cache(maxsize=64)
def _table(device, dtype, kind, n):
    numbers = np.ascontiguousarray(_TABLES[kind](n)).view(np.float64)
    return lines.upload(device, numbers.astype(dtype.numpy))


def _points(work, shape, n, m, x, y, by=None, scale=1.0, middle=1.0, **flags):
    """The Step of the template fft_points: n elements of each line to m, times _Factors."""
    options = {"extend": False, "conjugate": False, "swap_x": False, "swap_y": False, **flags}
    outer, by_lines, count, x, y = lines.batch(shape, x, y)
    by = by or _Factors((placeholder(work.device), 0), kind=0)
    return _step("fft_points", work, x, y, outer, count, count * m, factors_p=by.place[0], factors_o=by.place[1], period=by.period,
                 shift=by.shift, n=n, m=m, multiply=by.kind, by_lines=by_lines, scale=float(scale), middle=float(middle), **options)


def _pairs(work, shape, h, x, y, middle, zipping, conjugate_x=False, conjugate_y=False):
    """The Step of the template fft_real, whose lines have h complex numbers on one side and h + 1 on the other."""
    outer, by_lines, count, x, y = lines.batch(shape, x, y)
    table = _table(work.device, work.dtype, "zipping" if zipping else "unzipping", 2 * h)
    return _step("fft_real", work, x, y, outer, count, count * (h // 2 + 1), factors=table, shift=_shift(2 * h), h=h,
                 zipping=zipping, conjugate_x=conjugate_x, conjugate_y=conjugate_y, by_lines=by_lines, middle=float(middle))


def _step(name, work, x, y, outer, count, each, **given):
    """The Step of a template of `each` elements for each outer index, on `count` lines of x and y."""
    source = render(name, style=work.device.profile.style, dtype=work.dtype, rank=lines.rank(outer))
    groups = max(1, min(work.device.profile.groups, outer["outer"] * each // 2048))
    return step(source, **x.operand("x"), **y.operand("y"), **outer, lines=count, **x.distances("x"), **y.distances("y"), **given,
                groups=groups)
