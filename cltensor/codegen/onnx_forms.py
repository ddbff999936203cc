"""Functions that ONNX has not, as expressions of those that it has; rows of functions.py name them.

They are as exact as float32, not as float64.
"""

import functools
import math

from .nodes import FUNCTIONS, Call, call


def _called(name):
    return functools.partial(call, name)


_abs, _atan, _copysign, _erf, _exp, _fmod, _floor = map(_called, ("abs", "atan", "copysign", "erf", "exp", "fmod", "floor"))
_isinf, _log, _maximum, _minimum, _pow, _signbit = map(_called, ("isinf", "log", "maximum", "minimum", "pow", "signbit"))
_sin, _sqrt, _tan, _tanh, _trunc, _where = map(_called, ("sin", "sqrt", "tan", "tanh", "trunc", "where"))


def _polynomial(x, *coefficients):
    """coefficients[0] + coefficients[1] x + ..., by Horner's rule."""
    found = coefficients[-1]
    for c in reversed(coefficients[:-1]):
        found = found * x + c
    return found


# --- arithmetic ------------------------------------------------------------------------------------------------------


def ne(a, b):
    """a != b."""
    return Call(FUNCTIONS["logical_not"], (call("eq", a, b),))  # not call(): that would make `ne` of it again


def remainder(a, b):
    """What is left of a, with the sign of b."""
    r = _fmod(a, b)
    return _where((r != 0) & ((r < 0) != (b < 0)), r + b, r)


def floor_divide(a, b):
    """a / b rounded down; what is left is taken away first."""
    found = _where(b == 0, a / b, _floor((a - call("remainder", a, b)) / b + 0.5))
    return _where(_isinf(b), _where((a != 0) & ((a < 0) != (b < 0)), -1, 0) + a * 0, found)


def floor_divide_integers(a, b):
    """The same for integers, whose division rounds towards 0."""
    quotient = call("trunc_divide", a, b)
    return _where((_fmod(a, b) != 0) & ((a < 0) != (b < 0)), quotient - 1, quotient)


def left_shift(a, b):
    """a 2**b, 0 where all bits go."""
    inside = (b >= 0) & (b < 31)
    return _where(inside, a * _pow(2, _where(inside, b, 0)), 0)


def right_shift(a, b):
    """a / 2**b rounded down, its sign where all bits go."""
    inside = (b >= 0) & (b < 31)
    return _where(inside, call("floor_divide", a, _pow(2, _where(inside, b, 0))), _where(a < 0, -1, 0))


def ldexp(a, b):
    """a 2**b in two steps, so that 2**b alone may be out of range."""
    part = _trunc(b * 0.5)
    return a * _pow(2, part) * _pow(2, b - part)


def hypot(a, b):
    """sqrt(a**2 + b**2) without overflow."""
    a, b = _abs(a), _abs(b)
    large, small = _maximum(a, b), _minimum(a, b)
    ratio = _where((large == 0) | _isinf(large), 0, small / large)
    return _where(_isinf(a) | _isinf(b), math.inf, large * _sqrt(ratio * ratio + 1))


# --- exponentials, logarithms, angles --------------------------------------------------------------------------------


def expm1(a):
    """exp(a) - 1; near 0 by tanh(a / 2) = (exp(a) - 1) / (exp(a) + 1)."""
    near = _abs(a) < 0.5
    t = _tanh(_where(near, a, 0) * 0.5)
    return _where(near, 2 * t / (1 - t), _exp(a) - 1)


def log1p(a):
    """log(1 + a): of the rounded sum, times how much of a was rounded off (Kahan)."""
    u = a + 1
    return _where(u == 1, a, _where(u == math.inf, u, _log(u) * (a / (u - 1))))


def logaddexp(a, b):
    """log(exp(a) + exp(b)) without overflow."""
    return _where(a == b, a + math.log(2), _maximum(a, b) + call("log1p", _exp(-_abs(a - b))))


def atan2(a, b):
    """The angle of (b, a), of each quadrant."""
    of_quotient = _where((a == 0) & (b == 0), 0, _atan(_abs(a) / _abs(b)))
    of_quotient = _where(_isinf(a) & _isinf(b), math.pi / 4, of_quotient)
    found = _where(_signbit(b), math.pi - of_quotient, of_quotient)
    return _copysign(found, a) + _where((a == a) & (b == b), 0, a + b)


# --- error functions -------------------------------------------------------------------------------------------------


def _tail(x):
    """exp(x**2) erfc(x) for x >= 2, by its continued fraction (Abramowitz and Stegun 1964, 7.1.14)."""
    found = x
    for k in range(16, 0, -1):
        found = x + (k / 2) / found
    return 1 / (found * math.sqrt(math.pi))


def erfc(a):
    """1 - erf(a), which is 0 but for its tail where a is large."""
    far = a > 2
    return _where(far, _exp(-(a * a)) * _tail(_where(far, a, 2)), 1 - _erf(a))


def erfcx(a):
    """exp(a**2) erfc(a)."""
    far = a > 2
    return _where(far, _tail(_where(far, a, 2)), _exp(_where(far, 2, a) * _where(far, 2, a)) * (1 - _erf(a)))


def log_ndtr(a):
    """The logarithm of the normal distribution function."""
    low = a < -1
    below = _log(0.5 * call("erfcx", _where(low, a, -1) * -math.sqrt(0.5))) - 0.5 * a * a
    return _where(low, below, call("log1p", -0.5 * call("erfc", _where(low, 0, a) * math.sqrt(0.5))))


def erfinv(a):
    """The inverse of erf, by polynomials in -log(1 - a**2) (Giles 2010)."""
    w = -_log((1 - a) * (1 + a))
    middle = _polynomial(w - 2.5, 1.50140941, 0.246640727, -0.00417768164, -0.00125372503, 0.00021858087, -4.39150654e-06,
                         -3.5233877e-06, 3.43273939e-07, 2.81022636e-08)
    ends = _polynomial(_sqrt(_maximum(w, 5)) - 3, 2.83297682, 1.00167406, 0.00943887047, -0.0076224613, 0.00573950773,
                       -0.00367342844, 0.00134934322, 0.000100950558, -0.000200214257)
    return _where(_abs(a) == 1, a * math.inf, a * _where(w < 5, middle, ends))


# --- gamma functions -------------------------------------------------------------------------------------------------

_SHIFT = 8  # from here on the asymptotic series hold


def lgamma(a):
    """The logarithm of |gamma(a)|: Stirling's series for a + 8, and by reflection below 1/2."""
    low = a < 0.5
    x = _where(low, 1 - a, a)
    small = x < _SHIFT
    y = _where(small, x + _SHIFT, x)
    product = x
    for k in range(1, _SHIFT):
        product = product * (x + k)
    inverse = 1 / y
    series = (y - 0.5) * _log(y) - y + 0.5 * math.log(2 * math.pi)
    series = series + inverse * _polynomial(inverse * inverse, 1 / 12, -1 / 360, 1 / 1260)
    found = _where(small, series - _log(_where(small, product, 1)), series)
    found = _where(_isinf(x), math.inf, found)
    reflected = math.log(math.pi) - _log(_abs(_sin(math.pi * (a - _floor(a))))) - found
    pole = (a <= 0) & (a == _floor(a))
    return _where(pole, math.inf, _where(low, reflected, found))


def digamma(a):
    """The slope of lgamma: its asymptotic series for a + 8, and by reflection below 0."""
    low = a < 0
    x = _where(low, 1 - a, a)
    total, y = 0, x + _SHIFT
    for k in range(_SHIFT):
        total = total + 1 / (x + k)
    square = 1 / (y * y)
    found = _log(y) - 0.5 / y - square * _polynomial(square, 1 / 12, -1 / 120, 1 / 252) - total
    part = a - _trunc(a)
    reflected = _where(part == 0, math.nan, found - math.pi / _tan(math.pi * part))
    return _where(a == 0, _copysign(math.inf, -a), _where(low, reflected, found))


# --- modified Bessel functions (Abramowitz and Stegun 1964, 9.8.1 to 9.8.4) --------------------------------------------


def _bessel(a, near, far):
    """(a polynomial in (a / 3.75)**2 for |a| <= 3.75, exp(-|a|) times the function beyond, whether it is beyond)."""
    x = _abs(a)
    beyond = x > 3.75
    t = _where(beyond, 0, x) / 3.75
    inverse = 3.75 / _where(beyond, x, 3.75)
    return _polynomial(t * t, *near), _polynomial(inverse, *far) / _sqrt(_where(beyond, x, 3.75)), beyond


def _i0(a):
    return _bessel(a, (1, 3.5156229, 3.0899424, 1.2067492, 0.2659732, 0.0360768, 0.0045813),
                   (0.39894228, 0.01328592, 0.00225319, -0.00157565, 0.00916281, -0.02057706, 0.02635537, -0.01647633, 0.00392377))


def _i1(a):
    near, far, beyond = _bessel(a, (0.5, 0.87890594, 0.51498869, 0.15084934, 0.02658733, 0.00301532, 0.00032411),
                                (0.39894228, -0.03988024, -0.00362018, 0.00163801, -0.01031555, 0.02282967, -0.02895312, 0.01787654,
                                 -0.00420059))
    return near * a, _copysign(far, a), beyond


def i0(a):
    """I0(a)."""
    near, far, beyond = _i0(a)
    return _where(beyond, far * _exp(_abs(a)), near)


def i0e(a):
    """exp(-|a|) I0(a)."""
    near, far, beyond = _i0(a)
    return _where(beyond, far, near * _exp(-_abs(a)))


def i1(a):
    """I1(a)."""
    near, far, beyond = _i1(a)
    return _where(beyond, far * _exp(_abs(a)), near)


def i1e(a):
    """exp(-|a|) I1(a)."""
    near, far, beyond = _i1(a)
    return _where(beyond, far, near * _exp(-_abs(a)))
