"""Special and less common pointwise ops: inverse trigonometric, hyperbolic, error, gamma and Bessel functions, number theory."""

import math

import numpy as np

from ...codegen import expr as E
from ...codegen import reference
from ...dispatch.autocast import FLOAT32_ON_GPU, PROMOTE_ON_GPU
from ..kinds.elementwise import elementwise


def _unary(name, fn, ref, doc, *, aliases=(), dtypes="floating", inplace=True, **options):
    return elementwise(name, fn, ref=ref, doc=doc, aliases=aliases, dtypes=dtypes, inplace=inplace, **options)


def _scalar(fn):
    """A NumPy function from a function of Python floats; inf at poles, NaN where it is undefined."""

    def safe(x):
        try:
            return fn(float(x))
        except (ValueError, OverflowError):
            return math.inf if x == math.floor(x) else math.nan

    return np.vectorize(safe, otypes=[float])


# Inverse trigonometric and hyperbolic

acos = _unary("acos", lambda input: E.acos(input), np.arccos, "Inverse cosine.", aliases=("arccos",), autocast=FLOAT32_ON_GPU,
              complex=True)
asin = _unary("asin", lambda input: E.asin(input), np.arcsin, "Inverse sine.", aliases=("arcsin",), autocast=FLOAT32_ON_GPU,
              complex=True)
atan = _unary("atan", lambda input: E.atan(input), np.arctan, "Inverse tangent.", aliases=("arctan",), complex=True)
sinh = _unary("sinh", lambda input: E.sinh(input), np.sinh, "Hyperbolic sine.", autocast=FLOAT32_ON_GPU, complex=True)
cosh = _unary("cosh", lambda input: E.cosh(input), np.cosh, "Hyperbolic cosine.", autocast=FLOAT32_ON_GPU, complex=True)
asinh = _unary("asinh", lambda input: E.asinh(input), np.arcsinh, "Inverse hyperbolic sine.", aliases=("arcsinh",), complex=True)
acosh = _unary("acosh", lambda input: E.acosh(input), np.arccosh, "Inverse hyperbolic cosine.", aliases=("arccosh",), complex=True)
atanh = _unary("atanh", lambda input: E.atanh(input), np.arctanh, "Inverse hyperbolic tangent.", aliases=("arctanh",), complex=True)
atan2 = elementwise(
    "atan2",
    lambda input, other: E.atan2(input, other),
    ref=np.arctan2,
    inplace=True,
    dtypes="floating",
    aliases=("arctan2",),
    autocast=PROMOTE_ON_GPU,
    numbers="",
    doc="The angle of the point (other, input), in (-pi, pi].",
)
hypot = elementwise(
    "hypot",
    lambda input, other: E.hypot(input, other),
    ref=np.hypot,
    inplace=True,
    dtypes="floating",
    numbers="",
    doc="sqrt(input**2 + other**2) without overflow.",
)
sinc = _unary("sinc", lambda input: E.sinc(input), np.sinc, "sin(pi x) / (pi x), 1 at 0.", complex=True)
deg2rad = _unary("deg2rad", lambda input: E.deg2rad(input), np.deg2rad, "Degrees to radians.")
rad2deg = _unary("rad2deg", lambda input: E.rad2deg(input), np.rad2deg, "Radians to degrees.")

# Error functions

erf = _unary("erf", lambda input: E.erf(input), np.vectorize(math.erf, otypes=[float]), "The error function.")
erfc = _unary("erfc", lambda input: E.erfc(input), np.vectorize(math.erfc, otypes=[float]), "1 - erf(input).")
erfinv = _unary("erfinv", lambda input: E.erfinv(input), reference.erfinv, "The inverse of erf.", rounded=False,
                autocast=FLOAT32_ON_GPU)
erfcx = _unary("erfcx", lambda input: E.erfcx(input), reference.erfcx, "exp(input**2) erfc(input).", public=False, rounded=False)
ndtri = _unary(
    "ndtri", lambda input: E.ndtri(input), reference.ndtri, "The inverse of the normal distribution function.", public=False
)
log_ndtr = _unary(
    "log_ndtr",
    lambda input: E.log_ndtr(input),
    reference.log_ndtr,
    "The logarithm of the normal distribution function.",
    public=False,
)
ndtr = _unary(
    "ndtr",
    lambda input: 0.5 * E.erfc(-input * math.sqrt(0.5)),
    np.vectorize(lambda x: 0.5 * math.erfc(-x / math.sqrt(2)), otypes=[float]),
    "The normal distribution function.",
    public=False,
)

# Gamma and Bessel functions

lgamma = _unary(
    "lgamma", lambda input: E.lgamma(input), _scalar(math.lgamma), "Logarithm of the absolute value of the gamma function."
)
digamma = _unary("digamma", lambda input: E.digamma(input), reference.digamma, "Derivative of lgamma.")
igamma = elementwise(
    "igamma",
    lambda input, other: E.igamma(input, other),
    ref=reference.igamma,
    dtypes="floating",
    numbers="",
    inplace=True,
    doc="The lower regularized incomplete gamma function P(input, other); its gradient is for other alone.",
)
igammac = elementwise(
    "igammac",
    lambda input, other: E.igammac(input, other),
    ref=reference.igammac,
    dtypes="floating",
    numbers="",
    inplace=True,
    doc="The upper regularized incomplete gamma function, 1 - igamma(input, other); its gradient is for other alone.",
)
zeta = elementwise(
    "zeta",
    lambda input, other: E.zeta(input, other),
    grad=lambda g, input, other, y: (None, -g * input * E.zeta(input + 1, other)),
    ref=reference.zeta,
    dtypes="floating",
    public=False,
    doc="The Hurwitz zeta function: sum over k of 1 / (k + other) ** input.",
)
polygamma_term = elementwise(
    "polygamma_order",
    lambda input, n, factor: factor * E.zeta(n + 1, input),
    grad=lambda g, input, y, n, factor: -g * factor * (n + 1) * E.zeta(n + 2, input),
    ref=lambda x, n, factor: factor * reference.zeta(n + 1, x),
    samples=lambda rng: [((rng.random((3, 4)) + 0.5,), {"n": 2, "factor": -2.0})],
    tensors="input",
    dtypes="floating",
    public=False,
    doc="The n-th derivative of digamma; factor is (-1) ** (n + 1) n!.",
)
i0 = _unary("i0", lambda input: E.i0(input), reference.i0, "The modified Bessel function of order 0.")
i0e = _unary("i0e", lambda input: E.i0e(input), reference.i0e, "exp(-|x|) i0(x).", public=False, rounded=False)
i1 = _unary("i1", lambda input: E.i1(input), reference.i1, "The modified Bessel function of order 1.", public=False, rounded=False)
i1e = _unary("i1e", lambda input: E.i1e(input), reference.i1e, "exp(-|x|) i1(x).", public=False, rounded=False)

# Logarithms of sums and products

logaddexp = elementwise(
    "logaddexp",
    lambda input, other: E.logaddexp(input, other),
    ref=lambda a, b: (np.where(a.real >= b.real, a + np.log1p(np.exp(b - a)), b + np.log1p(np.exp(a - b))) if np.iscomplexobj(a)
                      else np.logaddexp(a, b)),
    dtypes="floating",
    numbers="",
    doc="log(exp(input) + exp(other)) without overflow.",
    complex=True,
)
logaddexp2 = elementwise(
    "logaddexp2",
    lambda input, other: E.logaddexp(input * math.log(2), other * math.log(2)) * (1 / math.log(2)),
    ref=np.logaddexp2,
    dtypes="floating",
    numbers="",
    doc="log2(2**input + 2**other) without overflow.",
)
xlogy = elementwise(
    "xlogy",
    lambda input, other: E.xlogy(input, other),
    inplace=True,
    dtypes="floating",
    ref=reference.xlogy,
    numbers="input other",
    doc="input * log(other), 0 where input is 0.",
)
xlog1py = elementwise(
    "xlog1py",
    lambda input, other: E.xlog1py(input, other),
    dtypes="floating",
    public=False,
    ref=reference.xlog1py,
    doc="input * log1p(other), 0 where input is 0.",
)
entr = _unary(
    "entr",
    lambda input: E.where(input != input, input, E.where(input > 0, -input * E.log(input), E.where(input == 0, 0, -math.inf))),
    lambda x: np.where(x < 0, -np.inf, -reference.xlogy(x, x)),
    "-x log x, 0 at 0, -inf below.",
    grad=lambda g, input, y: -g * (E.log(input) + 1),
    public=False,
)
logit = elementwise(
    "logit_plain",
    lambda input: E.logit(input),
    ref=lambda x: np.log(x / (1 - x)),
    dtypes="floating",
    public=False,
    doc="log(x / (1 - x)).",
)
logit_clamped = elementwise(
    "logit_clamped",
    lambda input, low, high: E.where(
        input < low, E.logit(low), E.where(input > high, E.logit(high), E.logit(input))
    ),
    tensors="input",
    dtypes="floating",
    public=False,
    ref=lambda x, low, high: np.log(np.clip(x, low, high) / (1 - np.clip(x, low, high))),
    samples=lambda rng: [((rng.random((3, 4)),), {"low": 0.1, "high": 0.9})],
    doc="logit of the input limited to [low, high].",
)

# Signs, parts and neighbours

copysign = elementwise(
    "copysign",
    lambda input, other: E.copysign(input, other),
    ref=np.copysign,
    inplace=True,
    dtypes="floating",
    doc="input with the sign of other.",
)
angle = _unary(
    "angle",
    lambda input: E.angle(input),
    np.angle,
    """The angle of a complex number in the plane, in (-pi, pi]; of a real one 0 or pi, NaN for NaN.

    Args: input: of any shape; integers and bools count as floats.
    Returns: input's shape, in the dtype of its parts.  Never raises.
    Source: ISO C99, 7.3.9.1.

        angle(tensor([1j]))  # tensor([1.5708])
    """,
    inplace=False,
    complex=True,
)
nextafter = elementwise(
    "nextafter",
    lambda input, other: E.nextafter(input, other),
    ref=np.nextafter,
    inplace=True,
    dtypes="floating",
    numbers="",
    grad=lambda g, input, other, y: (E.where(input == other, 0, g), 0),
    doc="The next number from input towards other; the gradient is input's where the two differ, as in PyTorch.",
)
ldexp = elementwise(
    "ldexp",
    lambda input, other: E.ldexp(input, other),
    ref=lambda x, n: x * 2.0**n,
    inplace=True,
    dtypes="floating",
    numbers="",
    doc="input * 2 ** other.",
    complex=True,
)
frac = _unary("frac", lambda input: E.frac(input), lambda x: x - np.trunc(x), "The part after the point.")
round_half_even = _unary(
    "round_even", lambda input: E.round(input), np.round, "The nearest integer, ties to even.", dtypes="number", public=False
)
heaviside = elementwise(
    "heaviside",
    lambda input, values: E.heaviside(input, values),
    ref=np.heaviside,
    inplace=True,
    numbers="",
    doc="0 below 0, values at 0, 1 above.",
)
signbit = elementwise("signbit", lambda input: E.signbit(input), ref=np.signbit, doc="Whether the sign bit is set.")
isposinf = elementwise("isposinf", lambda input: E.isposinf(input), ref=np.isposinf, doc="Whether positive infinity.")
isneginf = elementwise("isneginf", lambda input: E.isneginf(input), ref=np.isneginf, doc="Whether negative infinity.")
nan_to_num_values = elementwise(
    "nan_to_num_values",
    lambda input, nan, posinf, neginf: E.nan_to_num(input, nan, posinf, neginf),
    tensors="input",
    grad=lambda g, input, y, nan, posinf, neginf: E.where(E.isfinite(input), g, 0.0),
    dtypes="floating",
    public=False,
    ref=lambda x, nan, posinf, neginf: np.nan_to_num(x, nan=nan, posinf=posinf, neginf=neginf),
    samples=lambda rng: [((rng.standard_normal((3, 4)),), {"nan": 1.0, "posinf": 2.0, "neginf": -2.0})],
    doc="input with NaN and the infinities replaced.",
)

# Choosing and combining

fmax = elementwise(
    "fmax", lambda input, other: E.fmax(input, other), ref=np.fmax, numbers="", doc="The larger of two, ignoring NaN."
)
fmin = elementwise(
    "fmin", lambda input, other: E.fmin(input, other), ref=np.fmin, numbers="", doc="The smaller of two, ignoring NaN."
)
lerp = elementwise(
    "lerp",
    lambda input, end, weight: E.lerp(input, end, weight),
    inplace=True,
    dtypes="floating",
    ref=lambda a, b, w: a + w * (b - a),
    doc="input + weight * (end - input).",
    complex=True,
)
addcmul_op = elementwise(
    "addcmul_scaled",
    lambda input, tensor1, tensor2, value: input + value * tensor1 * tensor2,
    tensors="input tensor1 tensor2",
    factors="value",
    public=False,
    dtypes="number",
    ref=lambda a, b, c, value: a + value * b * c,
    samples=lambda rng: [(tuple(rng.standard_normal((3, 4)) for _ in range(3)), {"value": 2.0})],
    doc="input + value * tensor1 * tensor2.",
    complex=True,
)
addcdiv_op = elementwise(
    "addcdiv_scaled",
    lambda input, tensor1, tensor2, value: input + value * tensor1 / tensor2,
    tensors="input tensor1 tensor2",
    factors="value",
    public=False,
    dtypes="floating",
    ref=lambda a, b, c, value: a + value * b / c,
    samples=lambda rng: [(tuple(rng.random((3, 4)) + 0.5 for _ in range(3)), {"value": 2.0})],
    doc="input + value * tensor1 / tensor2.",
    complex=True,
)
close = elementwise(
    "close_to",
    lambda input, other, rtol, atol: (
        (input == other) | ((E.abs(input - other) <= atol + rtol * E.abs(other)) & E.isfinite(other) & E.isfinite(input))
    ),
    tensors="input other",
    dtypes="floating",
    public=False,
    ref=lambda a, b, rtol, atol: np.isclose(a, b, rtol, atol),
    samples=lambda rng: [((rng.standard_normal(5), rng.standard_normal(5)), {"rtol": 0.5, "atol": 0.1})],
    doc="|input - other| <= atol + rtol * |other|.",
    complex=True,
)
logical_xor = elementwise(
    "logical_xor",
    lambda input, other: E.logical_xor(input, other),
    ref=np.logical_xor,
    inplace=True,
    numbers="",
    doc="Whether exactly one is non-zero.",
    complex=True,
)

# Integers

gcd = elementwise(
    "gcd",
    lambda input, other: E.gcd(input, other),
    ref=np.gcd,
    inplace=True,
    dtypes="integer",
    numbers="",
    doc="Greatest common divisor.",
)
lcm = elementwise(
    "lcm",
    lambda input, other: E.where((input == 0) | (other == 0), 0, E.abs(input // E.gcd(input, other) * other)),
    ref=np.lcm,
    inplace=True,
    dtypes="integer",
    numbers="",
    doc="Least common multiple.",
)
bitwise_left_shift = elementwise(
    "bitwise_left_shift",
    lambda input, other: input << other,
    ref=np.left_shift,
    inplace=True,
    dtypes="integer",
    numbers="input other",
    doc="input shifted left by other bits.",
    samples=lambda rng: [((rng.integers(0, 9, (3, 4)), rng.integers(0, 3, (3, 4))), {})],
)
bitwise_right_shift = elementwise(
    "bitwise_right_shift",
    lambda input, other: input >> other,
    ref=np.right_shift,
    inplace=True,
    dtypes="integer",
    numbers="input other",
    doc="input shifted right by other bits, keeping the sign.",
    samples=lambda rng: [((rng.integers(0, 99, (3, 4)), rng.integers(0, 3, (3, 4))), {})],
)
