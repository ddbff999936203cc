"""Scalar functions of complex numbers: each row gives the real and the imaginary part of the result as real expressions.

A complex number is a pair (re, im) of nodes.  A part that is the constant 0 counts as an exact zero: products with it vanish,
so that a real factor scales a complex number part by part (C99, Annex G).  Branch cuts are those of C99.

Sources: W. Kahan, "Branch Cuts for Complex Elementary Functions", 1987 (square root, inverse and hyperbolic functions);
R. L. Smith, "Algorithm 116: Complex Division", CACM 5(8), 1962; DLMF 4.21, 4.35.
"""

import math

from . import functions as f
from .nodes import Const, is_const

#: name -> function of pairs (a condition of `where` comes as a truth value) that gives a pair, or a node for a real result
FORMS = {}

_ZERO = Const(0)
_LN2, _LN10 = math.log(2), math.log(10)


def form(*names):
    """Register the decorated function as the complex form of the scalar functions `names`."""

    def register(fn):
        FORMS.update(dict.fromkeys(names, fn))
        return fn

    return register


def truth(z):
    """Whether a number, a pair or a node, is not 0."""
    if not isinstance(z, tuple):
        return z
    return f.logical_or(z[0] != 0, z[1] != 0)


def _times(x, y):
    return _ZERO if is_const(x, 0) or is_const(y, 0) else x * y


def _is_real(z):
    return is_const(z[1], 0)


def _scaled(z, factor):
    return _times(z[0], factor), _times(z[1], factor)


def _turned(z):
    """i z."""
    return -z[1] if not _is_real(z) else _ZERO, z[0]


def _turned_back(z):
    """-i z."""
    return z[1], -z[0]


# Arithmetic


@form("add")
def _add(a, b):
    return a[0] + b[0], a[1] + b[1]


@form("sub")
def _sub(a, b):
    return a[0] - b[0], a[1] - b[1]


@form("neg")
def _neg(a):
    return -a[0], -a[1]


@form("mul")
def _mul(a, b):
    return _times(a[0], b[0]) - _times(a[1], b[1]), _times(a[0], b[1]) + _times(a[1], b[0])


@form("div")
def _div(a, b):
    """Smith's quotient: the larger part of the divisor is divided out, so that no square overflows."""
    if _is_real(b):
        return a[0] / b[0], _ZERO if _is_real(a) else a[1] / b[0]
    wide = f.abs(b[0]) >= f.abs(b[1])
    large, small = f.where(wide, b[0], b[1]), f.where(wide, b[1], b[0])
    ratio = f.where(large == 0, 0, small / large)  # of 0 / 0: then the parts are divided by 0 one by one
    scale = large + small * ratio
    first = f.where(wide, a[0] + _times(a[1], ratio), _times(a[0], ratio) + a[1])
    second = f.where(wide, a[1] - _times(a[0], ratio), _times(a[1], ratio) - a[0])
    return first / scale, second / scale


@form("conj")
def _conj(a):
    return a[0], -a[1]


@form("real")
def _real(a):
    return a[0]


@form("imag")
def _imag(a):
    return a[1]


@form("complex")
def _complex(a, b):
    return a[0] - b[1], a[1] + b[0]


@form("abs")
def _abs(a):
    return f.abs(a[0]) if _is_real(a) else f.hypot(*a)


@form("angle")
def _angle(a):
    return f.atan2(a[1], a[0])


@form("sign")
def _sign(a):
    size = _abs(a)
    return tuple(f.where(size == 0, 0, part / size) for part in a)


# Choice, comparison and logic


@form("where")
def _where(c, a, b):
    return f.where(c, a[0], b[0]), f.where(c, a[1], b[1])


@form("eq")
def _eq(a, b):
    return f.logical_and(a[0] == b[0], a[1] == b[1])


@form("ne")
def _ne(a, b):
    return f.logical_or(a[0] != b[0], a[1] != b[1])


@form("isnan")
def _isnan(a):
    return f.logical_or(f.isnan(a[0]), f.isnan(a[1]))


@form("isinf")
def _isinf(a):
    return f.logical_or(f.isinf(a[0]), f.isinf(a[1]))


# Powers, exponentials and logarithms


@form("sqrt")
def _sqrt(a):
    """The root with a non-negative real part; its larger part is computed first, so nothing cancels."""
    x, y = a
    large = f.sqrt(_abs(a) * 0.5 + f.abs(x) * 0.5)
    small = f.where(large == 0, y, y / (large * 2))
    re = f.where(x >= 0, large, f.abs(small))
    return f.where(f.isinf(y), math.inf, re), f.where(f.isinf(y), y, f.where(x >= 0, small, f.copysign(large, y)))


@form("rsqrt")
def _rsqrt(a):
    return _div((Const(1), _ZERO), _sqrt(a))


def _polar(size, angle):
    """size e^(i angle), real for angle 0 even if size is infinite."""
    return f.where(angle == 0, size, size * f.cos(angle)), f.where(angle == 0, angle, size * f.sin(angle))


@form("exp")
def _exp(a):
    return (f.exp(a[0]), _ZERO) if _is_real(a) else _polar(f.exp(a[0]), a[1])


@form("exp2")
def _exp2(a):
    return _exp(_scaled(a, Const(_LN2)))


@form("ldexp")
def _ldexp(a, b):
    return _mul(a, _exp2(b))


@form("expm1")
def _expm1(a):
    """exp(z) - 1: expm1(x) cos(y) - 2 sin(y / 2)^2 loses nothing near 0."""
    half = f.sin(a[1] * 0.5)
    return f.expm1(a[0]) * f.cos(a[1]) - 2 * (half * half), f.exp(a[0]) * f.sin(a[1])


def _log_size(a):
    """log |z|; near |z| = 1 by log1p of |z|^2 - 1, which cancels less."""
    large, small = f.maximum(f.abs(a[0]), f.abs(a[1])), f.minimum(f.abs(a[0]), f.abs(a[1]))
    near = f.logical_and(large > 0.6, large < 1.6)
    excess = (large - 1) * (large + 1) + small * small
    return f.where(near, 0.5 * f.log1p(f.where(near, excess, 0)), f.log(_abs(a)))


@form("log")
def _log(a):
    return _log_size(a), _angle(a)


@form("log2")
def _log2(a):
    return _scaled(_log(a), Const(1 / _LN2))


@form("log10")
def _log10(a):
    return _scaled(_log(a), Const(1 / _LN10))


@form("log1p")
def _log1p(a):
    """log(1 + z): near 0 by log1p of |1 + z|^2 - 1."""
    x, y = a
    near = f.logical_and(f.abs(x) < 0.5, f.abs(y) < 0.5)
    excess = f.where(near, x * (2 + x) + y * y, 0)
    return f.where(near, 0.5 * f.log1p(excess), f.log(f.hypot(1 + x, y))), f.atan2(y, 1 + x)


@form("pow")
def _pow(a, b):
    """|a|^b in polar form; 0 to a power is 0, and 1 for the power 0."""
    size, angle = _abs(a), _angle(a)
    if _is_real(b):
        power = _polar(f.pow(size, b[0]), angle * b[0])
        return f.where(b[0] == 0, 1, power[0]), f.where(b[0] == 0, 0, f.where(size == 0, 0, power[1]))
    log = _log_size(a)
    power = _polar(f.exp(b[0] * log - b[1] * angle), b[1] * log + b[0] * angle)
    none = f.logical_and(b[0] == 0, b[1] == 0)
    at_zero = f.where(b[0] > 0, 0, math.nan)
    return (f.where(none, 1, f.where(size == 0, at_zero, power[0])), f.where(none, 0, f.where(size == 0, at_zero, power[1])))


@form("sigmoid")
def _sigmoid(a):
    """1 / (1 + exp(-z)), or exp(z) / (1 + exp(z)) in the left half plane, so that the exponential never overflows."""
    right = a[0] >= 0
    small = _exp((-f.abs(a[0]), f.where(right, -a[1], a[1])))
    whole = (small[0] + 1, small[1])
    return _div((f.where(right, 1, small[0]), f.where(right, 0, small[1])), whole)


@form("logaddexp")
def _logaddexp(a, b):
    """The larger real part is taken out first."""
    first = a[0] >= b[0]
    large, small = _where(first, a, b), _where(first, b, a)
    apart = f.where(large[0] == small[0], 0, small[0] - large[0])  # both may be infinite
    return _add(large, _log1p(_exp((apart, small[1] - large[1]))))


# Trigonometric and hyperbolic functions


@form("sinh")
def _sinh(a):
    return _times(f.sinh(a[0]), f.cos(a[1])), _times(f.cosh(a[0]), f.sin(a[1]))


@form("cosh")
def _cosh(a):
    return _times(f.cosh(a[0]), f.cos(a[1])), _times(f.sinh(a[0]), f.sin(a[1]))


@form("tanh")
def _tanh(a):
    """Kahan's formula with the tangent of the imaginary part; far out, where sinh^2 would overflow, its limit."""
    x, y = a
    far = f.abs(x) > 20
    tangent, s = f.tan(y), f.sinh(f.where(far, 0, x))
    beta, rho = 1 + tangent * tangent, f.sqrt(1 + s * s)
    below = 1 + beta * (s * s)
    limit = 4 * (f.sin(y) * f.cos(y)) * f.exp(f.abs(x) * -2)
    return f.where(far, f.copysign(1, x), beta * rho * s / below), f.where(far, limit, tangent / below)


@form("sin")
def _sin(a):
    return _times(f.sin(a[0]), f.cosh(a[1])), _times(f.cos(a[0]), f.sinh(a[1]))


@form("cos")
def _cos(a):
    return _times(f.cos(a[0]), f.cosh(a[1])), -_times(f.sin(a[0]), f.sinh(a[1]))


@form("tan")
def _tan(a):
    return _turned_back(_tanh((-a[1], a[0])))


def _roots(a):
    """sqrt(1 - z), sqrt(1 + z)."""
    return _sqrt((1 - a[0], -a[1])), _sqrt((1 + a[0], a[1]))


@form("asin")
def _asin(a):
    below, above = _roots(a)
    return (f.atan2(a[0], below[0] * above[0] - below[1] * above[1]), f.asinh(below[0] * above[1] - below[1] * above[0]))


@form("acos")
def _acos(a):
    below, above = _roots(a)
    return 2 * f.atan2(below[0], above[0]), f.asinh(above[0] * below[1] - above[1] * below[0])


@form("acosh")
def _acosh(a):
    below, above = _sqrt((a[0] - 1, a[1])), _sqrt((a[0] + 1, a[1]))
    return f.asinh(below[0] * above[0] + below[1] * above[1]), 2 * f.atan2(below[1], above[0])


@form("asinh")
def _asinh(a):
    return _turned(_asin((a[1], -a[0])))


@form("atanh")
def _atanh(a):
    x, y = f.abs(a[0]), a[1]
    size = (1 - x) * (1 - x) + y * y
    return f.copysign(0.25 * f.log1p(4 * x / size), a[0]), 0.5 * f.atan2(2 * y, (1 - x) * (1 + x) - y * y)


@form("atan")
def _atan(a):
    return _turned_back(_atanh((-a[1], a[0])))
