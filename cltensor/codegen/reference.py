"""NumPy reference functions with PyTorch's conventions, to fold constants and to check kernels and derivatives.

Written for clarity and float64 accuracy, not for speed; independent of kernels_cl.
"""

import functools
import math
from statistics import NormalDist

import numpy as np


def _elementwise(arity):
    """Decorator: apply a function of Python floats to each element of arrays; domain errors give NaN."""

    def decorate(function):
        ufunc = np.frompyfunc(lambda *values: _guarded(function, values), arity, 1)

        def applied(*args):
            return np.asarray(ufunc(*(np.asarray(a, np.float64) for a in args)), np.float64)[()]

        applied.__doc__ = function.__doc__
        return applied

    return decorate


def _guarded(function, values):
    if any(math.isnan(v) for v in values):
        return math.nan
    try:
        return function(*values)
    except (ValueError, ZeroDivisionError):
        return math.nan
    except OverflowError:
        return math.inf


def _float(a):
    return np.asarray(a) if np.asarray(a).dtype.kind == "f" else np.asarray(a, np.float64)


def where(c, a, b):
    """a where c, else b."""
    return np.where(np.asarray(c) != 0, a, b)


def sign(a):
    """-1, 0 or 1; 0 for NaN, as torch.sign."""
    return np.where(np.isnan(a), 0, np.sign(a)).astype(np.asarray(a).dtype)


def floor_divide(a, b):
    """Floor division; 0 for an integer division by zero, a / 0 for floats."""
    if np.result_type(a, b).kind == "f":
        return np.where(np.asarray(b) == 0, np.true_divide(a, b), np.floor_divide(a, b))
    return np.where(np.asarray(b) == -1, np.negative(a), np.floor_divide(a, b))


def trunc_divide(a, b):
    """Division rounded towards zero; 0 for an integer division by zero."""
    if np.result_type(a, b).kind == "f":
        return np.trunc(np.true_divide(a, b))
    inexact_negative = (np.remainder(a, b) != 0) & (np.less(a, 0) != np.less(b, 0))
    return floor_divide(a, b) + inexact_negative


def clamp(a, lo, hi):
    """min(max(a, lo), hi), NaN if any is."""
    return np.minimum(np.maximum(a, lo), hi)


def left_shift(a, b):
    """a << b; 0 when b is negative or not below the width."""
    bits = np.result_type(a, b).itemsize * 8
    good = (np.asarray(b) >= 0) & (np.asarray(b) < bits)
    return np.where(good, np.left_shift(a, np.where(good, b, 0)), 0)


def right_shift(a, b):
    """a >> b; the sign of a (0 or -1) when b is negative or not below the width."""
    bits = np.result_type(a, b).itemsize * 8
    good = (np.asarray(b) >= 0) & (np.asarray(b) < bits)
    return np.right_shift(a, np.where(good, b, bits - 1))


def ldexp(a, b):
    """a * 2**b for a float b, in two factors: 2**b alone may overflow."""
    b = _float(b)
    part = np.where(np.abs(b) < 1e4, np.rint(b * 0.5), 0)
    return np.multiply(a, np.exp2(part)) * np.exp2(b - part)


def rsqrt(a):
    """1 / sqrt(a)."""
    return 1 / np.sqrt(_float(a))


def pow(a, b):
    """a**b.  Arrays of integers stay integers; there a negative power is 0 unless a is 1 or -1."""
    if isinstance(a, int) and isinstance(b, int):
        return np.float64(a) ** b if b < 0 else a**b
    if np.result_type(a, b).kind == "f" or np.all(np.greater_equal(b, 0)):
        return np.power(a, b)
    of_negative = np.where(np.abs(a) == 1, np.where(np.asarray(b) % 2 == 0, 1, a), 0)
    return np.where(np.less(b, 0), of_negative, np.power(a, np.maximum(b, 0)))


def xlogy(a, b):
    """a log(b), 0 where a is 0 and b is not NaN."""
    return np.where((np.asarray(a) == 0) & ~np.isnan(b), 0.0, a * np.log(_float(b)))


def xlog1py(a, b):
    """a log(1 + b), 0 where a is 0 and b is not NaN."""
    return np.where((np.asarray(a) == 0) & ~np.isnan(b), 0.0, a * np.log1p(_float(b)))


def logit(a):
    """log(a / (1 - a))."""
    return np.log(_float(a) / (1 - _float(a)))


def sigmoid(a):
    """1 / (1 + exp(-a)) without overflow."""
    a = _float(a)
    small = np.exp(-np.abs(a))
    return np.where(a >= 0, 1, small) / (1 + small)


erf = _elementwise(1)(math.erf)
erfc = _elementwise(1)(math.erfc)


@_elementwise(1)
def erfcx(x):
    """exp(x^2) erfc(x)."""
    if x < 10:
        return math.exp(x * x) * math.erfc(x)
    fraction = x
    for k in range(40, 0, -1):
        fraction = x + k / 2 / fraction
    return 1 / (fraction * math.sqrt(math.pi))


@_elementwise(1)
def ndtr_tail(x):
    """exp(x^2 / 2) times the probability of a normal number above |x|."""
    return erfcx(abs(x) / math.sqrt(2)).item() / 2


@_elementwise(1)
def erfinv(x):
    """The inverse of erf, by Newton's method from the normal distribution's quantile."""
    a = abs(x)
    if a >= 1:
        return math.copysign(math.inf, x) if a == 1 else math.nan
    z = NormalDist().inv_cdf((1 + a) / 2) / math.sqrt(2)
    for _ in range(3):
        miss = a - math.erf(z) if a < 0.5 else math.erfc(z) - (1 - a)
        z += miss * math.sqrt(math.pi) / 2 * math.exp(z * z)
    return math.copysign(z, x)


@_elementwise(1)
def ndtri(p):
    """The standard normal distribution's quantile."""
    if p in (0, 1):
        return math.inf if p else -math.inf
    return NormalDist().inv_cdf(p)


@_elementwise(1)
def log_ndtr(x):
    """The logarithm of the standard normal distribution function."""
    if x < -5:
        return math.log(erfcx(-x / math.sqrt(2)) / 2) - x * x / 2
    return math.log1p(-math.erfc(x / math.sqrt(2)) / 2)


@_elementwise(1)
def lgamma(x):
    """log |gamma(x)|, infinite at the poles."""
    return math.inf if x <= 0 and x == math.floor(x) else math.lgamma(x)


@_elementwise(1)
def digamma(x):
    """The derivative of lgamma."""
    if x == 0:
        return math.copysign(math.inf, -x)
    if x < 0:
        return math.nan if x == math.floor(x) else digamma(1 - x) - math.pi / math.tan(math.pi * math.fmod(x, 1))
    total = 0.0
    while x < 20:
        total -= 1 / x
        x += 1
    v = 1 / (x * x)
    return total + math.log(x) - 0.5 / x - v * (1 / 12 - v * (1 / 120 - v * (1 / 252 - v * (1 / 240 - v / 132))))


def trigamma(x):
    """The derivative of digamma."""
    return zeta(2, x)


@_elementwise(2)
def zeta(s, q):
    """Hurwitz zeta, the sum of (q + k)^-s over k >= 0, by the formula of Euler and Maclaurin."""
    if s <= 1:
        return math.inf if s == 1 else math.nan
    if q <= 0 and (q == math.floor(q) or s != math.floor(s)):
        return math.inf if q == math.floor(q) else math.nan
    if math.isinf(q):
        return 0.0
    total = 0.0
    while q < 20:
        total += q**-s
        q += 1
    terms = s / 12 / q, -s * (s + 1) * (s + 2) / 720 / q**3, math.prod(s + k for k in range(5)) / 30240 / q**5, \
        -math.prod(s + k for k in range(7)) / 1209600 / q**7
    return total + q**-s * (q / (s - 1) + 0.5 + sum(terms))


def _incomplete_gamma(a, x):
    """(P, Q), the regularized incomplete gamma functions: a power series below x = a + 1, a continued fraction above."""
    if a < 0 or x < 0 or a == x == 0 or (math.isinf(a) and math.isinf(x)):
        return math.nan, math.nan
    if x == 0 or math.isinf(a):
        return 0.0, 1.0
    if a == 0 or math.isinf(x):
        return 1.0, 0.0
    if a > 1e5:  # nearly normal: the first terms of the expansion around erfc (DLMF 8.12.3), exact to 1 / a
        m = (x - a) / a
        eta = math.copysign(math.sqrt(2 * (m - math.log(x / a))), m) if abs(m) > 1e-3 else m * (1 - m / 3)
        rest = math.exp(-a * eta * eta / 2) / math.sqrt(2 * math.pi * a) * (1 / m - 1 / eta if abs(m) > 1e-3 else -1 / 3)
        return tuple(math.erfc(-s * eta * math.sqrt(a / 2)) / 2 - s * rest for s in (1, -1))
    scale = math.exp(a * math.log(x) - x - math.lgamma(a))
    if x < a + 1:
        n, term, total = a, 1 / a, 1 / a
        while term > total * 1e-17:
            n += 1
            term *= x / n
            total += term
        return scale * total, 1 - scale * total
    value = 0.0  # from the inside out: x + (1 - a) / (1 + 1 / (x + (2 - a) / (1 + 2 / (x + ...))))
    for n in range(int(200 + 20 * math.sqrt(a)), 0, -1):
        value = (n - a) / (1 + n / (x + value))
    return 1 - scale / (x + value), scale / (x + value)


@_elementwise(2)
def igamma(a, x):
    """The lower regularized incomplete gamma function P(a, x)."""
    return _incomplete_gamma(a, x)[0]


@_elementwise(2)
def igammac(a, x):
    """The upper regularized incomplete gamma function Q(a, x)."""
    return _incomplete_gamma(a, x)[1]


def _towards_end(rate, integrand):
    """The integral over s from 0 on of exp(-rate s) integrand(exp(-s)), which takes arrays."""
    edges, (nodes, weights) = 60 / rate * np.linspace(0, 1, 80) ** 2, np.polynomial.legendre.leggauss(16)
    half = np.diff(edges)[:, None] / 2
    s = edges[:-1, None] + (nodes + 1) * half
    return np.sum(np.exp(-rate * s) * integrand(np.exp(-s)) * weights * half)


@_elementwise(2)
def gamma_slope(a, x):
    """-(dP / da) / (dP / dx) of the lower regularized incomplete gamma function P(a, x): an integral from 0 to x."""
    score = digamma(a) - math.log(x)
    return x * _towards_end(a, lambda part: (score - np.log(part)) * np.exp(x * (1 - part)))


@_elementwise(3)
def beta_slope(x, a, b):
    """-(dI / da) / (dI / dx) / (1 - x) of the incomplete beta function I_x(a, b): an integral from x to the end where it lies."""
    score, rest = digamma(a) - digamma(a + b), 1 - x
    if x < a / (a + b):
        return x / rest * _towards_end(a, lambda part: (score - np.log(x * part)) * ((1 - x * part) / rest) ** (b - 1))
    return _towards_end(b, lambda part: (np.log1p(-rest * part) - score) * ((1 - rest * part) / x) ** (a - 1))


def _bessel(n, x):
    """exp(-x) I_n(x), n 0 or 1: the mean over the circle of exp(x (cos t - 1)), times x sin(t)^2 for n = 1; asymptotic > 1e4."""
    if x > 1e4:
        v, m = 1 / (8 * x), 4 * n * n
        return (1 - (m - 1) * v * (1 - (m - 9) * v / 2 * (1 - (m - 25) * v / 3))) / math.sqrt(2 * math.pi * x)
    t = np.arange(1024) * (2 * np.pi / 1024)
    return float(np.mean(np.exp(x * (np.cos(t) - 1)) * (x * np.sin(t) ** 2 if n else 1)))


@_elementwise(1)
def i0e(x):
    """exp(-|x|) I_0(x)."""
    return _bessel(0, abs(x))


@_elementwise(1)
def i1e(x):
    """exp(-|x|) I_1(x)."""
    return math.copysign(_bessel(1, abs(x)), x)


@_elementwise(1)
def i0(x):
    """The modified Bessel function of order 0."""
    return _bessel(0, abs(x)) * math.exp(abs(x)) if abs(x) < 700 else math.inf


@_elementwise(1)
def i1(x):
    """The modified Bessel function of order 1."""
    return math.copysign(_bessel(1, abs(x)) * math.exp(abs(x)) if abs(x) < 700 else math.inf, x)


# --- orthogonal polynomials: three-term recurrences ------------------------------------------------------------------


def _named(arity, name, value, doc):
    """The reference function `name`, made from a function of Python numbers."""
    function = _elementwise(arity)(value)
    function.__name__, function.__doc__ = name, doc
    return function


def _polynomial(name, first, step, doc):
    """The reference for a polynomial of degree n at x; step(k, x, p(k), p(k - 1)) is p(k + 1)."""

    def value(x, n):
        before, now = 1.0, first(x)
        if n < 1:
            return 1.0 if n > -1 else 0.0
        for k in range(1, int(n)):
            before, now = now, step(k, x, now, before)
        return now

    return _named(2, name, value, doc)


def _chebyshev(name, first):
    return _polynomial(name, first, lambda k, x, p, q: 2 * x * p - q, "A Chebyshev polynomial.")


chebyshev_polynomial_t = _chebyshev("chebyshev_polynomial_t", lambda x: x)
chebyshev_polynomial_u = _chebyshev("chebyshev_polynomial_u", lambda x: 2 * x)
chebyshev_polynomial_v = _chebyshev("chebyshev_polynomial_v", lambda x: 2 * x - 1)
chebyshev_polynomial_w = _chebyshev("chebyshev_polynomial_w", lambda x: 2 * x + 1)
hermite_polynomial_h = _polynomial("hermite_polynomial_h", lambda x: 2 * x, lambda k, x, p, q: 2 * x * p - 2 * k * q,
                                   "The physicists' Hermite polynomial.")
hermite_polynomial_he = _polynomial("hermite_polynomial_he", lambda x: x, lambda k, x, p, q: x * p - k * q,
                                    "The probabilists' Hermite polynomial.")
laguerre_polynomial_l = _polynomial("laguerre_polynomial_l", lambda x: 1 - x,
                                    lambda k, x, p, q: ((2 * k + 1 - x) * p - k * q) / (k + 1), "Laguerre's polynomial.")
legendre_polynomial_p = _polynomial("legendre_polynomial_p", lambda x: x,
                                    lambda k, x, p, q: ((2 * k + 1) * x * p - k * q) / (k + 1), "Legendre's polynomial.")

# --- Bessel functions: integrals, by quadrature that converges geometrically -----------------------------------------


def _legendre_rule(function, low, high, points=400):
    nodes, weights = _nodes(points)
    middle, half = (high + low) / 2, (high - low) / 2
    return float(np.sum(weights * function(middle + half * nodes)) * half)


@functools.cache
def _nodes(points):
    return np.polynomial.legendre.leggauss(points)


def _first_kind(n, x):
    """J_n(x): Bessel's integral (DLMF 10.9.2)."""
    return _legendre_rule(lambda t: np.cos(n * t - x * np.sin(t)), 0.0, math.pi) / math.pi


def _second_kind(n, x):
    """Y_n(x), n 0 or 1: Schlaefli's integrals (DLMF 10.9.7)."""
    if x <= 0:
        return -math.inf if x == 0 else math.nan
    if x < 1e-3:
        return 2 / math.pi * (math.log(x / 2) + 0.5772156649015329) if n == 0 else -2 / (math.pi * x)
    wave = _legendre_rule(lambda t: np.sin(x * np.sin(t) - n * t), 0.0, math.pi)
    tail = _legendre_rule(lambda t: (2 * np.sinh(t) if n else 2.0) * np.exp(-x * np.sinh(t)), 0.0, math.asinh(60 / x))
    return (wave - tail) / math.pi


def _scaled_k(order, x):
    """exp(x) K_order(x), by its integral over all t (DLMF 10.32.9)."""
    if x <= 0:
        return math.inf if x == 0 else math.nan
    if x > 1e9:
        return math.sqrt(math.pi / 2 / x)
    return _legendre_rule(lambda t: np.exp(-x * (np.cosh(t) - 1)) * np.cosh(order * t), 0.0, math.acosh(1 + 45 / x))


bessel_j0 = _named(1, "bessel_j0", lambda x: _first_kind(0, x), "J_0(x).")
bessel_j1 = _named(1, "bessel_j1", lambda x: _first_kind(1, x), "J_1(x).")
bessel_y0 = _named(1, "bessel_y0", lambda x: _second_kind(0, x), "Y_0(x).")
bessel_y1 = _named(1, "bessel_y1", lambda x: _second_kind(1, x), "Y_1(x).")
scaled_modified_bessel_k0 = _named(1, "scaled_modified_bessel_k0", lambda x: _scaled_k(0, x), "exp(x) K_0(x).")
scaled_modified_bessel_k1 = _named(1, "scaled_modified_bessel_k1", lambda x: _scaled_k(1, x), "exp(x) K_1(x).")
modified_bessel_k0 = _named(1, "modified_bessel_k0", lambda x: _scaled_k(0, x) * math.exp(-x), "K_0(x).")
modified_bessel_k1 = _named(1, "modified_bessel_k1", lambda x: _scaled_k(1, x) * math.exp(-x), "K_1(x).")


@_elementwise(1)
def airy_ai(x):
    """Ai(x), by its integral along a contour of steepest descent at infinity (DLMF 9.5.4): t = start + r exp(i pi / 3)."""
    if math.isinf(x):
        return math.nan
    turn, start = complex(0.5, math.sqrt(0.75)), math.sqrt(max(x, 0.0))

    def along(r):
        t = start + r * turn
        return np.imag(turn * np.exp(t**3 / 3 - x * t))

    return _legendre_rule(along, 0.0, (60.0 + abs(x)) ** 0.5) / math.pi
