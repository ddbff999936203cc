"""Scalar functions without a row in the table: each is composed of others."""

import math

from . import functions as f


def square(x):
    """x * x."""
    return x * x


def reciprocal(x):
    """1 / x."""
    return f.div(1, x)


def relu(x):
    """max(x, 0) with derivative 0 at 0; NaN stays NaN."""
    return f.where(x <= 0, 0, x)


def lerp(a, b, weight):
    """a + weight * (b - a), exact at both ends."""
    return f.where(f.abs(weight) < 0.5, a + weight * (b - a), b - (b - a) * (1 - weight))


def heaviside(x, values):
    """0 below 0, values at 0, 1 above."""
    return f.where(x == 0, values, f.where(x > 0, 1, 0))


def deg2rad(x):
    """Degrees to radians."""
    return x * (math.pi / 180)


def rad2deg(x):
    """Radians to degrees."""
    return x * (180 / math.pi)


def frac(x):
    """The fractional part, with the sign of x."""
    return x - f.trunc(x)


def softplus(x, beta=1.0):
    """log(1 + exp(beta x)) / beta without overflow."""
    return f.logaddexp(x * beta, 0) / beta


def log_sigmoid(x):
    """log(sigmoid(x)) without overflow."""
    return -f.logaddexp(-x, 0)


def logaddexp2(a, b):
    """log2(2**a + 2**b) without overflow."""
    ln2 = math.log(2)
    return f.logaddexp(a * ln2, b * ln2) / ln2


def sinc(x):
    """sin(pi x) / (pi x); near 0 by its series, as the quotient's derivatives would cancel there."""
    near = f.abs(x) < 0.0625
    z = math.pi * f.where(near, 1, x)
    v = f.where(near, x, 0) * math.pi
    v = v * v
    series = 1 - v / 6 * (1 - v / 20 * (1 - v / 42 * (1 - v / 72 * (1 - v / 110))))
    return f.where(near, series, f.sin(z) / z)


def ndtr(x):
    """The standard normal distribution function."""
    return 0.5 * f.erfc(x * -math.sqrt(0.5))


def polygamma(n, x):
    """Derivative n (a plain int >= 0) of digamma."""
    if n < 2:
        return f.trigamma(x) if n else f.digamma(x)
    return f.zeta(n + 1, x) * ((-1) ** (n + 1) * math.factorial(n))


def lcm(a, b):
    """The least common multiple of integers."""
    return f.abs(f.floor_divide(a, f.gcd(a, b)) * b)


def isfinite(x):
    """Neither NaN nor infinite."""
    return f.eq(x - x, 0)


def isposinf(x):
    """+infinity."""
    return f.logical_and(f.isinf(x), x > 0)


def isneginf(x):
    """-infinity."""
    return f.logical_and(f.isinf(x), x < 0)


def nan_to_num(x, nan=0.0, posinf=math.inf, neginf=-math.inf):
    """x with NaN, +infinity and -infinity replaced."""
    return f.where(f.isnan(x), nan, f.where(isposinf(x), posinf, f.where(isneginf(x), neginf, x)))


__all__ = ["deg2rad", "frac", "heaviside", "isfinite", "isneginf", "isposinf", "lcm", "lerp", "log_sigmoid",
           "logaddexp2", "nan_to_num", "ndtr", "polygamma", "rad2deg", "reciprocal", "relu", "sinc", "softplus",
           "square"]
