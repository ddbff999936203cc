"""The float functions of kernels_cl against float64 references: a bound in ulps for each, over ranges and special values."""

import functools

import numpy as np
import pytest

from cltensor.codegen import expr, headers
from cltensor.runtime.device import default_device
from codegen.applied import Applied

pytestmark = pytest.mark.device
ANY = None  # every bit pattern
WIDE = [(-4, 4), (-100, 100), (-1e5, 1e5), ANY]
SPECIAL = np.array([0, -0.0, 1, -1, 0.5, -0.5, 2, -2, 3, np.pi, 10, 100, np.inf, -np.inf, np.nan, 1e-45, -1e-45, 1.17549435e-38,
                    1e-30, -1e-30, 1e-8, 3.4e38, -3.4e38, 88.72, 88.73, 89.4, 89.5, -87.3, -103.9, -104.5, 127.9, 128, -149,
                    -150, 16777216], np.float32)

SECOND_KIND = ("modified_bessel_k0", "modified_bessel_k1", "scaled_modified_bessel_k0", "scaled_modified_bessel_k1")

# name: (ulps, ranges)
UNARY = {
    "exp": (1, [(-104, 89), (-1, 1), ANY]), "exp2": (1, [(-150, 128), (-1, 1), ANY]),
    "expm1": (1.5, [(-20, 89), (-1, 1), (-0.01, 0.01), ANY]), "log": (1, [(0, 3), (0, 1e6), (0.9, 1.1), ANY]),
    "log2": (1, [(0, 3), (0, 1e6), (0.9, 1.1), ANY]), "log10": (1, [(0, 3), (0, 1e6), (0.9, 1.1), ANY]),
    "log1p": (1, [(-1, 3), (-0.01, 0.01), (0, 1e6), ANY]), "sigmoid": (2, [(-104, 20), (-5, 5), ANY]),
    "tanh": (1.5, [(-10, 10), (-1, 1), ANY]), "sinh": (2, [(-89.5, 89.5), (-2, 2), ANY]),
    "cosh": (1.5, [(-89.5, 89.5), (-2, 2), ANY]), "asinh": (2, [(-10, 10), (-1, 1), (-1e4, 1e4), ANY]),
    "acosh": (2.5, [(1, 3), (1, 1e4), (1, 1.01), ANY]), "atanh": (2.5, [(-1, 1), (-0.1, 0.1), ANY]),
    "sin": (2, WIDE), "cos": (2, WIDE), "tan": (2.5, WIDE), "asin": (1.5, [(-1, 1), (0.99, 1), ANY]),
    "acos": (1.5, [(-1, 1), (0.99, 1), (-1, -0.99), ANY]), "atan": (2, [(-1, 1), (-10, 10), (-100, 100), ANY]),
    "sqrt": (0.5, [(0, 4), ANY]), "rsqrt": (1.5, [(0, 4), ANY]), "erf": (1.5, [(-4, 4), (-1, 1), ANY]),
    "erfc": (4, [(-4, 4), (-1, 1), (4, 10.3), ANY]), "erfcx": (4, [(-3, 3), (-9, 10), (0, 100)]),
    "ndtr_tail": (160, [(-14, 14), (0, 2)]),
    "erfinv": (3, [(-1, 1), (0.99, 1), (-0.01, 0.01)]), "ndtri": (4, [(0, 1), (0, 1e-5), (0.49, 0.51)]),
    "lgamma": (3, [(0, 4), (0, 10), (0.9, 1.1), (1.9, 2.1), (0, 1e4)]), "digamma": (3, [(0, 4), (1.3, 1.6), (0, 1e4)]),
    "trigamma": (3, [(0.01, 4), (0, 100)]), "i0": (6, [(-8, 8), (-91, 91)]), "i0e": (5, [(-8, 8), (-91, 91)]),
    "i1": (6, [(-8, 8), (-91, 91)]), "i1e": (5, [(-8, 8), (-91, 91)]),
    **dict.fromkeys(SECOND_KIND, (8, [(0.01, 1), (1, 9), (9, 80)])),
    "floor": (0, [(-10, 10), ANY]), "ceil": (0, [(-10, 10), ANY]), "trunc": (0, [(-10, 10), ANY]),
    "round": (0, [(-10, 10), ANY]),
}
BINARY = {
    "pow": (1, [((0, 10), (-5, 5)), ((0.9, 1.1), (-500, 500)), ((0, 3e38), (-3, 3)), ((0.999, 1.001), (-8e4, 8e4)), ANY]),
    "atan2": (2.5, [((-1, 1), (-1, 1)), ((-1e30, 1e30), (-1, 1)), ((0, 1e-40), (-1e-40, 1e-40)), ANY]),
    "hypot": (1.5, [((-1, 1), (-1, 1)), ((-1e38, 1e38), (-1e38, 1e38)), ((-1e-40, 1e-40), (-1e-40, 1e-40)), ANY]),
    "fmod": (0, [((-10, 10), (-3, 3)), ((-1e6, 1e6), (-3, 3))]), "zeta": (16, [((1.1, 12), (0.1, 30))]),
    **dict.fromkeys(("igamma", "igammac"), (192, [((0, 3), (0, 3)), ((0, 1e-4), (0, 20)), ((1, 30), (2, 40)),
                                                 ((150, 250), (150, 250)), ((900, 1000), (900, 1000))])),
    "remainder": (1, [((-10, 10), (-3, 3)), ((-1e-9, 1e-9), (-3, 3))]), "floor_divide": (1, [((-10, 10), (-3, 3))]),
    "nextafter": (0, [((-1, 1), (-1, 1)), ANY]),
}
SLOW = {"erfcx", "ndtr_tail", "erfinv", "ndtri", "digamma", "trigamma", "zeta",  # references in plain Python
        "i0", "i0e", "i1", "i1e", "igamma", "igammac", *SECOND_KIND}
# ill conditioned for negative or, in the reference, tiny arguments
POLES = {*SECOND_KIND, "trigamma", "zeta", "lgamma", "digamma", "igammac"}


@functools.cache
def applied():
    """The kernel of all of them."""
    bodies = {}
    for name in (*UNARY, *BINARY):
        text = expr.FUNCTIONS[name].spelling("float").format("a", "b", T="float", I="int", U="uint")
        bodies[name] = [], text
    return Applied(default_device(), bodies, arity=2)


@functools.cache
def flushes_subnormals():
    device = default_device()
    tiny = np.full(1, 1e-40, np.float32)
    return Applied(device, {"half": ([], "a * 0.5f")}, arity=1)("half", tiny, dtype=np.float32)[0] == 0


def drawn(limits, rng, n):
    """n floats between limits, or of any bit pattern."""
    if limits is ANY:
        return rng.integers(0, 2**32, n, np.uint32).view(np.float32)
    return rng.uniform(*limits, n).astype(np.float32)


def ulps(got, want):
    """How many float32 steps got is from the float64 want; equal special values count as 0."""
    rounded = want.astype(np.float32)
    same = (got == rounded) | (np.isnan(got) & np.isnan(want))
    step = np.spacing(np.minimum(np.abs(want), np.finfo(np.float32).max).astype(np.float32))
    with np.errstate(all="ignore"):
        error = np.abs(got.astype(np.float64) - want) / step.astype(np.float64)
    error[same & ~np.isfinite(error)] = 0
    return np.nan_to_num(error, nan=np.inf)


def check(name, bound, *arrays):
    """Raise unless function `name` is within bound ulps on arrays."""
    got = applied()(name, *arrays, dtype=np.float32)
    with np.errstate(all="ignore"):
        exact = name == "nextafter"  # a function of the format
        want = expr.FUNCTIONS[name].numpy(*(a if exact else a.astype(np.float64) for a in arrays)).astype(np.float64)
        error = ulps(got, want)
    if flushes_subnormals():
        tiny = np.finfo(np.float32).tiny
        error[np.any([np.abs(v) < tiny for v in (*arrays, want)], axis=0)] = 0
    worst = np.argmax(error)
    given = ", ".join(repr(float(a[worst])) for a in arrays)
    assert error[worst] <= bound, f"{name}({given}) = {got[worst]!r}, want {want[worst]!r}: {error[worst]:.2f} ulp"


@pytest.mark.parametrize("name", UNARY)
def test_unary(name, rng):
    bound, ranges = UNARY[name]
    n = 3000 if name in SLOW else 100000
    check(name, bound, SPECIAL[SPECIAL > 0] if name in POLES else SPECIAL)
    for limits in ranges:
        check(name, bound, drawn(limits, rng, n))


@pytest.mark.parametrize("name", BINARY)
def test_binary(name, rng):
    bound, ranges = BINARY[name]
    n = 3000 if name in SLOW else 100000
    more = np.array([-3, 4, -4, 5, -5, 1e10, 1.0000001, 0.99999994, 16777217, -16777216, 1 / 3], np.float32)
    if name not in POLES:
        every = np.concatenate([SPECIAL, more])
        check(name, bound, *(v.ravel() for v in np.meshgrid(every, every)))
    for limits in ranges:
        first, second = (ANY, ANY) if limits is ANY else limits
        check(name, bound, drawn(first, rng, n), drawn(second, rng, n))


@pytest.mark.parametrize("name", ["sin", "tan", "sinh", "tanh", "asinh", "atanh", "asin", "atan", "erf", "erfinv", "expm1", "log1p",
                                  "floor", "trunc", "round", "sqrt", "i1", "i1e"])
def test_the_sign_of_zero_is_kept(name):
    got = applied()(name, np.array([0.0, -0.0], np.float32), dtype=np.float32)
    np.testing.assert_array_equal(np.signbit(got), [False, True])


@pytest.mark.parametrize("name", ["lgamma", "log", "log2", "log10", "acos", "acosh"])
def test_zeros_beside_the_origin_are_positive(name):
    at = [1.0, 2.0] if name == "lgamma" else [1.0]
    got = applied()(name, np.array(at, np.float32), dtype=np.float32)
    assert not got.any()
    assert not np.signbit(got).any()


@pytest.mark.parametrize("name", ["lgamma", "digamma", "trigamma"])
def test_negative_arguments(name, rng):
    """Relative to the terms of the reflection formula, which cancel near zeros."""
    v = drawn((-6, 0), rng, 3000)
    v = v[np.abs(v - np.round(v)) > 1e-3]
    want = expr.FUNCTIONS[name].numpy(v.astype(np.float64))
    np.testing.assert_allclose(applied()(name, v, dtype=np.float32), want, rtol=1e-5, atol=1e-5)
    poles = applied()(name, np.array([-1.0, -2.0, -30.0], np.float32), dtype=np.float32)
    assert np.isnan(poles).all() if name == "digamma" else np.isposinf(poles).all()


def test_every_float_function_of_one_argument_is_bounded():
    exempt = {"abs": "exact", "sign": "exact", "isinf": "exact", "log_ndtr": "tests/codegen/test_spellings.py",
              **dict.fromkeys(("airy_ai", "bessel_j0", "bessel_j1", "bessel_y0", "bessel_y1"), "tests/ops/test_bessel.py")}
    public = {n.removeprefix("ct_").removesuffix("_float") for n in headers.index() if n.endswith("_float")}
    unary = {n for n in public if n in expr.FUNCTIONS and expr.FUNCTIONS[n].arity == 1}
    assert unary - exempt.keys() <= UNARY.keys()
