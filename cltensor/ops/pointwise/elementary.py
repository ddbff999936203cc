"""Every pointwise op: arithmetic, comparison, logic, bits, rounding, transcendental functions."""

import numpy as np

from ...codegen import expr as E
from ...codegen import reference
from ...dispatch.autocast import FLOAT32_DIVISOR_ON_GPU, FLOAT32_ON_GPU
from ..kinds.elementwise import elementwise

# Moving data: copy to another layout or dtype, and fill with a constant

copy = elementwise("copy", lambda input: input, ref=np.copy, public=False, casts=True, dtypes="stored",
                   doc="The input's values, in the dtype and layout asked for.", complex=True)
full = elementwise("full", lambda value: value, tensors="", factors="value", ref=None, public=False, casts=True,
                   dtypes="stored",
                   doc="One value everywhere; used with out=.", complex=True)


def _direction(x):
    """x / |x|, 0 at 0; of real numbers their sign."""
    return np.where(x == 0, 0, x / np.where(x == 0, 1, np.abs(x))) if np.iscomplexobj(x) else reference.sign(x)


# Arithmetic

add = elementwise("add", lambda input, other: input + other, ref=np.add, inplace=True,
                  numbers="input other", doc="input + other, broadcast.", complex=True)
sub = elementwise("sub", lambda input, other: input - other, ref=np.subtract, inplace=True, dtypes="number",
                  each=True, numbers="input other", doc="input - other, broadcast.", aliases=("subtract",), complex=True)
mul = elementwise("mul", lambda input, other: input * other, ref=np.multiply, inplace=True, dtypes="stored",
                  numbers="input other", doc="input * other, broadcast.", aliases=("multiply",), complex=True)
div = elementwise("div", lambda input, other: input / other, ref=np.true_divide, inplace=True, dtypes="floating",
                  numbers="input other", aliases=("divide", "true_divide"), rounded=False, autocast=FLOAT32_DIVISOR_ON_GPU,
                  doc="input / other, broadcast; integers divide as floats.", complex=True)
neg = elementwise("neg", lambda input: -input, ref=np.negative, inplace=True, dtypes="number",
                  doc="-input.", aliases=("negative",), complex=True)
axpy = elementwise("axpy", lambda input, other, alpha: input + alpha * other, tensors="input other", public=False,
                   factors="alpha", ref=lambda a, b, alpha: a + alpha * b,
                   doc="input + alpha * other: add and sub with alpha.", complex=True)
pow = elementwise("pow", lambda input, exponent: input ** exponent, autocast=FLOAT32_ON_GPU, ref=np.power, inplace=True,
                  dtypes="number", numbers="input exponent", doc="input raised to exponent, broadcast.", complex=True)
square = elementwise("square", lambda input: input * input, ref=np.square, inplace=True, dtypes="number",
                     doc="input ** 2.", complex=True)
sqrt = elementwise("sqrt", lambda input: E.sqrt(input), ref=np.sqrt, inplace=True, dtypes="floating",
                   doc="Square root.", complex=True)
rsqrt = elementwise("rsqrt", lambda input: E.rsqrt(input), autocast=FLOAT32_ON_GPU, ref=lambda x: 1 / np.sqrt(x), inplace=True,
                    dtypes="floating", doc="1 / sqrt(input).", complex=True)
reciprocal = elementwise("reciprocal", lambda input: 1 / input, autocast=FLOAT32_ON_GPU, ref=lambda x: 1 / x, inplace=True,
                         grad=lambda g, input, y: -g * E.conj(y * y), dtypes="floating", doc="1 / input.", complex=True)
abs = elementwise("abs", lambda input: E.abs(input), ref=np.abs, inplace=True, doc="Absolute value.",
                  aliases=("absolute",), complex=True)
sgn = elementwise("sgn", lambda input: E.sign(input), ref=_direction,
                  inplace=True, complex=True, doc="""input / |input|, 0 at 0: of a real number its sign.

    Args: input: of any shape and dtype.
    Returns: input's shape and dtype.  Never raises.
    Source: the array API standard's sign.

        sgn(tensor([3 + 4j]))  # tensor([0.6000+0.8000j])
    """)
sign = elementwise("sign", lambda input: E.sign(input), ref=reference.sign, inplace=True, doc="-1, 0 or 1.")
remainder = elementwise("remainder", lambda input, other: input % other, ref=np.remainder, inplace=True, dtypes="number",
                        divides=True, numbers="input other", doc="Modulo with the sign of other, as Python's %.")
fmod = elementwise("fmod", lambda input, other: E.fmod(input, other), ref=np.fmod, inplace=True, dtypes="number",
                   divides=True, doc="Modulo with the sign of input, as C's fmod.")
floor_divide = elementwise("floor_divide", lambda input, other: input // other, ref=np.floor_divide, inplace=True,
                           divides=True, dtypes="number", numbers="input other", doc="Division rounded down.")

# Exponential, logarithm, powers

exp = elementwise("exp", lambda input: E.exp(input), autocast=FLOAT32_ON_GPU, ref=np.exp, inplace=True, dtypes="floating",
                  doc="e ** input.", complex=True)
exp2 = elementwise("exp2", lambda input: E.exp2(input), ref=np.exp2, inplace=True, dtypes="floating",
                   doc="2 ** input.", complex=True)
expm1 = elementwise("expm1", lambda input: E.expm1(input), autocast=FLOAT32_ON_GPU, ref=np.expm1, inplace=True, dtypes="floating",
                    doc="exp(input) - 1, exact near 0.", complex=True)
log = elementwise("log", lambda input: E.log(input), autocast=FLOAT32_ON_GPU, ref=np.log, inplace=True, dtypes="floating",
                  doc="Natural logarithm.", complex=True)
log2 = elementwise("log2", lambda input: E.log2(input), autocast=FLOAT32_ON_GPU, ref=np.log2, inplace=True, dtypes="floating",
                   doc="Logarithm to base 2.", complex=True)
log10 = elementwise("log10", lambda input: E.log10(input), autocast=FLOAT32_ON_GPU, ref=np.log10, inplace=True, dtypes="floating",
                    doc="Logarithm to base 10.", complex=True)
log1p = elementwise("log1p", lambda input: E.log1p(input), autocast=FLOAT32_ON_GPU, ref=np.log1p, inplace=True, dtypes="floating",
                    doc="log(1 + input), exact near 0.", complex=True)

# Trigonometry

sin = elementwise("sin", lambda input: E.sin(input), ref=np.sin, inplace=True, dtypes="floating", doc="Sine.", complex=True)
cos = elementwise("cos", lambda input: E.cos(input), ref=np.cos, inplace=True, dtypes="floating", doc="Cosine.", complex=True)
tan = elementwise("tan", lambda input: E.tan(input), autocast=FLOAT32_ON_GPU, ref=np.tan, inplace=True, dtypes="floating",
                  doc="Tangent.", complex=True)
tanh = elementwise("tanh", lambda input: E.tanh(input), ref=np.tanh, inplace=True, dtypes="floating",
                   doc="Hyperbolic tangent.", complex=True)

sigmoid = elementwise("sigmoid", lambda input: E.sigmoid(input), ref=lambda x: 1 / (1 + np.exp(-x)), inplace=True,
                      dtypes="floating", doc="1 / (1 + exp(-input)).", complex=True)

# Rounding

floor = elementwise("floor", lambda input: E.floor(input), ref=np.floor, inplace=True, dtypes="number",
                    doc="The largest integer not above.")
ceil = elementwise("ceil", lambda input: E.ceil(input), ref=np.ceil, inplace=True, dtypes="number",
                   doc="The smallest integer not below.")
trunc = elementwise("trunc", lambda input: E.trunc(input), ref=np.trunc, inplace=True, dtypes="number",
                    doc="Rounded towards zero.", aliases=("fix",))

# Choosing

maximum = elementwise("maximum", lambda input, other: E.maximum(input, other), ref=np.maximum,
                      numbers="", doc="The larger of two, NaN if either is; at a tie the gradient is halved.")
minimum = elementwise("minimum", lambda input, other: E.minimum(input, other), ref=np.minimum,
                      numbers="", doc="The smaller of two, NaN if either is; at a tie the gradient is halved.")
where_op = elementwise("where_select", lambda condition, input, other: E.where(condition, input, other), exempt="condition",
                       ref=np.where, public=False, dtypes="stored", doc="input where condition holds, else other.", complex=True)


def _clamp(input, min, max):
    low = E.where((input < min) | (min != min), min, input)
    return E.where((low > max) | (max != max), max, low)


def _clamp_gradient(g, input, min, max, y):
    return (E.where((input >= min) & (input <= max), g, 0), E.where((input < min) & (min < max), g, 0),
            E.where((input > max) | (max < min), g, 0))


clamp_min = elementwise("clamp_min", lambda input, min: E.where((input < min) | (min != min), min, input), inplace=True,
                        grad=lambda g, input, min, y: (E.where(input >= min, g, 0), E.where(input < min, g, 0)),
                        ref=np.maximum, doc="input, at least min.")
clamp_max = elementwise("clamp_max", lambda input, max: E.where((input > max) | (max != max), max, input), inplace=True,
                        grad=lambda g, input, max, y: (E.where(input <= max, g, 0), E.where(input > max, g, 0)),
                        ref=np.minimum, doc="input, at most max.")
clamp_both = elementwise("clamp_both", _clamp, grad=_clamp_gradient, dtypes="number",
                         ref=lambda x, lo, hi: np.minimum(np.maximum(x, lo), hi), public=False,
                         doc="input limited to [min, max]; max wins where min is above it.")
trunc_divide = elementwise("trunc_divide", lambda input, other: E.trunc_divide(input, other), dtypes="number", public=False,
                           divides=True, ref=lambda a, b: np.trunc(a / b), doc="Division rounded towards zero.")


def _triangle(rng):
    return [((rng.standard_normal((3, 4)), np.arange(3).reshape(3, 1), np.arange(4)), {"diagonal": 1})]


keep_lower = elementwise("keep_lower", lambda input, row, column, diagonal: E.where(column - row <= diagonal, input, 0),
                         tensors="input row column", exempt="row column", public=False,
                         ref=lambda x, r, c, diagonal: np.where(c - r <= diagonal, x, 0), samples=_triangle,
                         doc="input where column - row <= diagonal, else 0: tril.", complex=True)
keep_upper = elementwise("keep_upper", lambda input, row, column, diagonal: E.where(column - row >= diagonal, input, 0),
                         tensors="input row column", exempt="row column", public=False,
                         ref=lambda x, r, c, diagonal: np.where(c - r >= diagonal, x, 0), samples=_triangle,
                         doc="input where column - row >= diagonal, else 0: triu.", complex=True)
norm_sqrt = elementwise("norm_sqrt", lambda input: E.sqrt(input), grad=lambda g, input, y: E.where(y == 0, 0.0, g * 0.5 / y),
                        dtypes="floating", public=False, ref=np.sqrt, samples=lambda rng: [((rng.random((3, 4)) + 0.1,), {})],
                        doc="Square root with slope 0 at 0, for sums of squares.")
norm_root = elementwise("norm_root", lambda input, exponent: E.where(input == 0, E.where(exponent < 0, E.pow(input, exponent), 0),
                                                                     E.pow(input, exponent)),
                        grad=lambda g, input, y, exponent: E.where(input == 0, 0.0, g * exponent * E.pow(input, exponent - 1)),
                        tensors="input", dtypes="floating", public=False, ref=lambda x, exponent: np.abs(x) ** exponent,
                        samples=lambda rng: [((rng.random((3, 4)) + 0.1,), {"exponent": 0.5})],
                        doc="input ** exponent for input >= 0, with slope 0 at 0.")

# Comparison and logic

eq = elementwise("eq", lambda input, other: input == other, ref=np.equal, inplace=True, dtypes="stored",
                 doc="input == other.", complex=True)
ne = elementwise("ne", lambda input, other: input != other, ref=np.not_equal, inplace=True, dtypes="stored", doc="input != other.",
                 aliases=("not_equal",), complex=True)
lt = elementwise("lt", lambda input, other: input < other, ref=np.less, inplace=True, doc="input < other.",
                 aliases=("less",))
le = elementwise("le", lambda input, other: input <= other, ref=np.less_equal, inplace=True,
                 doc="input <= other.", aliases=("less_equal",))
gt = elementwise("gt", lambda input, other: input > other, ref=np.greater, inplace=True,
                 doc="input > other.", aliases=("greater",))
ge = elementwise("ge", lambda input, other: input >= other, ref=np.greater_equal, inplace=True,
                 doc="input >= other.", aliases=("greater_equal",))
logical_and = elementwise("logical_and", lambda input, other: E.logical_and(input, other), ref=np.logical_and, inplace=True,
                          numbers="", doc="Whether both are non-zero.", complex=True)
logical_or = elementwise("logical_or", lambda input, other: E.logical_or(input, other), ref=np.logical_or, inplace=True,
                         numbers="", doc="Whether either is non-zero.", complex=True)
logical_not = elementwise("logical_not", lambda input: E.logical_not(input), ref=np.logical_not, inplace=True,
                          doc="Whether zero.", complex=True)
bitwise_and = elementwise("bitwise_and", lambda input, other: input & other, ref=np.bitwise_and, inplace=True,
                          dtypes="bits", numbers="input other", doc="Bitwise and; logical and of bools.")
bitwise_or = elementwise("bitwise_or", lambda input, other: input | other, ref=np.bitwise_or, inplace=True,
                         dtypes="bits", numbers="input other", doc="Bitwise or; logical or of bools.")
bitwise_xor = elementwise("bitwise_xor", lambda input, other: input ^ other, ref=np.bitwise_xor, inplace=True,
                          dtypes="bits", numbers="input other", doc="Bitwise exclusive or.")
bitwise_not = elementwise("bitwise_not", lambda input: ~input, ref=np.invert, inplace=True, dtypes="bits",
                          doc="Bitwise not; logical not of bools.")
isnan = elementwise("isnan", lambda input: E.isnan(input), out=False, ref=np.isnan, doc="Whether NaN.", complex=True)
isinf = elementwise("isinf", lambda input: E.isinf(input), out=False, ref=np.isinf, doc="Whether infinite.", complex=True)
isfinite = elementwise("isfinite", lambda input: E.isfinite(input), out=False, ref=np.isfinite,
                       doc="Whether neither NaN nor infinite.", complex=True)
