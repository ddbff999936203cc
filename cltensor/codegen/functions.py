"""The table of scalar functions: a row gives a function's OpenCL spelling, derivative, NumPy reference and cost.
All other pointwise functions are composed of these (compositions.py).

Spellings are templates over {0} {1} {2} (the arguments), {T} (the compute type), {I} and {U} (signed and unsigned
integers of the same width).  Argument kinds: "T" a number in the compute type, "b" a truth value, "a" either of them,
unconverted.  Derivatives are functions of the arguments and the result y; they return one partial per argument, None
if there is none.  At ties and kinks they follow PyTorch.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..base.errors import DTypeError
from . import onnx_forms as forms
from . import reference
from .nodes import FUNCTIONS, Expr, call


@dataclass(frozen=True, eq=False)
class Function:
    """A row of the table.  Attributes: name, kinds (of the arguments), result ("T", "bool", or "a": as the arguments),
    spellings {compute type: template}, grad, numpy (reference), flops, onnx {"float" or "int": what ONNX has for numbers of that
    kind}: the name of its operator, with attributes behind it, or an expression of other rows; nothing where it has none."""

    name: str
    kinds: str
    result: str
    spellings: dict
    grad: Any
    numpy: Any
    flops: float
    onnx: dict

    @property
    def arity(self):
        return len(self.kinds)

    def spelling(self, ctype):
        """The OpenCL template for compute type ctype.  Raises DTypeError where the function has none."""
        found = self.spellings.get(ctype)
        if found is None:
            raise DTypeError(f"{self.name} has no form for {ctype} values; convert the input to a floating dtype first")
        return found

    def fold(self, values):
        """The function of Python numbers, as a Python number."""
        with np.errstate(all="ignore"):
            result = self.numpy(*values)
        return result.item() if isinstance(result, (np.generic, np.ndarray)) else result


_INTEGER = {"float": "int", "double": "long", "int": "int", "long": "long"}


def spell(name, ctype, *args):
    """The OpenCL C text of function `name` applied to the C expressions args, computed in ctype."""
    integer = _INTEGER[ctype]
    return FUNCTIONS[name].spelling(ctype).format(*args, T=ctype, I=integer, U=f"u{integer}")


def _spellings(name, arity, floating, double, integer):
    arguments = ", ".join(f"{{{i}}}" for i in range(arity))
    ours = f"ct_{name}_{{T}}({arguments})"
    floating, double, integer = (ours if text is _CT else text for text in (floating, double, integer))
    table = {"float": floating, "double": floating if double is None else double, "int": integer, "long": integer}
    return {ctype: text for ctype, text in table.items() if text is not None}


def _row(name, kinds, floating=None, double=None, integer=None, *, grad=None, ref, flops=1, result="T", onnx=None,
         onnx_integer=None):
    """Enter a function in the table and return its public Python function.

    double defaults to the float spelling, onnx_integer to onnx.
    """

    def function(*args):
        if any(isinstance(a, Expr) for a in args):
            return call(name, *args)
        return row.fold(args)

    spellings = _spellings(name, len(kinds), floating, double, integer)
    row = FUNCTIONS[name] = Function(name, kinds, result, spellings, grad, ref, flops, {"float": onnx, "int": onnx_integer or onnx})
    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"{name} of traced scalars, or of plain numbers."
    return function


def _same(name, kinds, text, **rest):
    """A row with the same spelling for every type."""
    return _row(name, kinds, text, text, text, **rest)


def _math(name, grad, ref, flops, **rest):
    """A row for a function of one argument; kernels_cl provides it for float, OpenCL for double."""
    return _row(name, "T", _CT, f"{name}({{0}})", grad=grad, ref=ref, flops=flops, **rest)


def _wrapping(operator):
    return f"({{T}})(({{U}}){{0}} {operator} ({{U}}){{1}})"  # unsigned: overflow wraps instead of being undefined


def _zero(*args):
    return (0,) * (len(args) - 1)


_CT = object()  # spelled ct_<name>_<type>(...), a function of kernels_cl
_OURS = (_CT, _CT, _CT)

# Arithmetic
add = _row("add", "TT", "{0} + {1}", integer=_wrapping("+"), grad=lambda a, b, y: (1, 1), ref=np.add, onnx="Add")
sub = _row("sub", "TT", "{0} - {1}", integer=_wrapping("-"), grad=lambda a, b, y: (1, -1), ref=np.subtract, onnx="Sub")
mul = _row("mul", "TT", "{0} * {1}", integer=_wrapping("*"), grad=lambda a, b, y: (b, a), ref=np.multiply, onnx="Mul")
div = _row("div", "TT", "{0} / {1}", grad=lambda a, b, y: (1 / b, -(y / b)), ref=np.true_divide, flops=4, onnx="Div")
neg = _row("neg", "T", "-{0}", integer="({T})(0 - ({U}){0})", grad=lambda a, y: (-1,), ref=np.negative, onnx="Neg")
abs = _row("abs", "T", *_OURS, grad=lambda a, y: (sign(a),), ref=np.abs, onnx="Abs")
sign = _row("sign", "T", *_OURS, grad=_zero, ref=reference.sign, flops=2, onnx=lambda a: where(a > 0, 1, where(a < 0, -1, 0)))
floor_divide = _row("floor_divide", "TT", *_OURS, grad=_zero, ref=reference.floor_divide, flops=20,
                    onnx=forms.floor_divide, onnx_integer=forms.floor_divide_integers)
trunc_divide = _row("trunc_divide", "TT", "ct_trunc_{T}({0} / {1})", integer="ct_quotient_{T}({0}, {1})", grad=_zero,
                    ref=reference.trunc_divide, flops=8, onnx=lambda a, b: trunc(a / b), onnx_integer="Div")
remainder = _row("remainder", "TT", *_OURS, grad=lambda a, b, y: (1, -floor_divide(a, b)), ref=np.remainder, flops=20,
                 onnx=forms.remainder, onnx_integer="Mod")
fmod = _row("fmod", "TT", _CT, "fmod({0}, {1})", _CT, grad=lambda a, b, y: (1, -trunc(a / b)), ref=np.fmod,
            flops=20, onnx="Mod fmod=1")
conj = _row("conj", "T", "{0}", grad=lambda a, y: (1,), ref=np.conj, onnx=lambda a: a)
real = _row("real", "T", "{0}", grad=lambda a, y: (1,), ref=np.real, onnx=lambda a: a)
imag = _row("imag", "T", "0", grad=_zero, ref=np.imag, onnx=lambda a: a * 0)
angle = _row("angle", "T", "{0} < 0 ? 3.1415927f : {0} != {0} ? {0} : 0", "{0} < 0 ? 3.141592653589793 : {0} != {0} ? {0} : 0",
             grad=_zero, ref=np.angle, onnx=lambda a: where(a < 0, math.pi, where(a == a, 0, a)))
complex = _row("complex", "TT", ref=lambda a, b: a + 1j * b)
gcd = _row("gcd", "TT", integer=_CT, ref=np.gcd, flops=100)

# Choice
where = _row("where", "bTT", "{0} ? {1} : {2}", integer="{0} ? {1} : {2}",
             grad=lambda c, a, b, y: (None, where(c, 1, 0), where(c, 0, 1)), ref=reference.where, onnx="Where")
maximum = _row("maximum", "TT", "({0} > {1} | {0} != {0}) ? {0} : {1}", integer="{0} > {1} ? {0} : {1}",
               grad=lambda a, b, y: (where(a == b, 0.5, where(a < b, 0, 1)), where(a == b, 0.5, where(a > b, 0, 1))),
               ref=np.maximum, onnx="Max")
minimum = _row("minimum", "TT", "({0} < {1} | {0} != {0}) ? {0} : {1}", integer="{0} < {1} ? {0} : {1}",
               grad=lambda a, b, y: (where(a == b, 0.5, where(a > b, 0, 1)), where(a == b, 0.5, where(a < b, 0, 1))),
               ref=np.minimum, onnx="Min")
fmax = _row("fmax", "TT", "({0} >= {1} | {1} != {1}) ? {0} : {1}", integer="{0} > {1} ? {0} : {1}", ref=np.fmax,
            grad=lambda a, b, y: (where((a >= b) | isnan(b), 1, 0), where((a >= b) | isnan(b), 0, 1)),
            onnx=lambda a, b: where((a >= b) | (b != b), a, b))
fmin = _row("fmin", "TT", "({0} <= {1} | {1} != {1}) ? {0} : {1}", integer="{0} < {1} ? {0} : {1}", ref=np.fmin,
            grad=lambda a, b, y: (where((a <= b) | isnan(b), 1, 0), where((a <= b) | isnan(b), 0, 1)),
            onnx=lambda a, b: where((a <= b) | (b != b), a, b))
clamp = _row("clamp", "TTT", *_OURS, ref=reference.clamp, flops=2,
             grad=lambda a, lo, hi, y: (where((a >= lo) & (a <= hi), 1, 0), where((a < lo) & (lo < hi), 1, 0),
                                        where((a > hi) | (hi < lo), 1, 0)), onnx=lambda a, lo, hi: minimum(maximum(a, lo), hi))
clamp_min = _row("clamp_min", "TT", "({0} < {1} | {1} != {1}) ? {1} : {0}", integer="{0} < {1} ? {1} : {0}",
                 ref=np.maximum, grad=lambda a, lo, y: (where(a >= lo, 1, 0), where(a < lo, 1, 0)), onnx="Max")
clamp_max = _row("clamp_max", "TT", "({0} > {1} | {1} != {1}) ? {1} : {0}", integer="{0} > {1} ? {1} : {0}",
                 ref=np.minimum, grad=lambda a, hi, y: (where(a <= hi, 1, 0), where(a > hi, 1, 0)), onnx="Min")

# Comparison and logic
lt = _same("lt", "TT", "{0} < {1}", ref=np.less, result="bool", onnx="Less")
le = _same("le", "TT", "{0} <= {1}", ref=np.less_equal, result="bool", onnx="LessOrEqual")
gt = _same("gt", "TT", "{0} > {1}", ref=np.greater, result="bool", onnx="Greater")
ge = _same("ge", "TT", "{0} >= {1}", ref=np.greater_equal, result="bool", onnx="GreaterOrEqual")
eq = _same("eq", "TT", "{0} == {1}", ref=np.equal, result="bool", onnx="Equal")
ne = _same("ne", "TT", "{0} != {1}", ref=np.not_equal, result="bool", onnx=forms.ne)
logical_and = _same("logical_and", "bb", "{0} & {1}", ref=np.logical_and, result="bool", onnx="And")
logical_or = _same("logical_or", "bb", "{0} | {1}", ref=np.logical_or, result="bool", onnx="Or")
logical_xor = _same("logical_xor", "bb", "{0} ^ {1}", ref=np.logical_xor, result="bool", onnx="Xor")
logical_not = _same("logical_not", "b", "!{0}", ref=np.logical_not, result="bool", onnx="Not")
isnan = _same("isnan", "T", "{0} != {0}", ref=np.isnan, result="bool", onnx="IsNaN", onnx_integer=lambda a: lt(a, a))
isinf = _row("isinf", "T", _CT, integer="0", ref=np.isinf, result="bool", onnx="IsInf", onnx_integer=lambda a: lt(a, a))
signbit = _row("signbit", "T", "as_{I}({0}) < 0", integer="{0} < 0", ref=np.signbit, result="bool",
               onnx=lambda a: (a < 0) | ((a == 0) & (1 / a < 0)), onnx_integer=lambda a: lt(a, 0))

# Bits of integers; for truth values emit uses the logical function instead
bitwise_and = _row("bitwise_and", "aa", integer="{0} & {1}", ref=np.bitwise_and, result="a", onnx="BitwiseAnd")
bitwise_or = _row("bitwise_or", "aa", integer="{0} | {1}", ref=np.bitwise_or, result="a", onnx="BitwiseOr")
bitwise_xor = _row("bitwise_xor", "aa", integer="{0} ^ {1}", ref=np.bitwise_xor, result="a", onnx="BitwiseXor")
bitwise_not = _row("bitwise_not", "a", integer="~{0}", ref=np.invert, result="a", onnx="BitwiseNot")
bitwise_left_shift = _row("bitwise_left_shift", "TT", integer="ct_left_shift_{T}({0}, {1})", ref=reference.left_shift,
                          onnx_integer=forms.left_shift)
bitwise_right_shift = _row("bitwise_right_shift", "TT", integer="ct_right_shift_{T}({0}, {1})",
                           ref=reference.right_shift, onnx_integer=forms.right_shift)

# Rounding and the parts of a float
floor = _row("floor", "T", _CT, integer="{0}", grad=_zero, ref=np.floor, onnx="Floor", onnx_integer=lambda a: a)
ceil = _row("ceil", "T", _CT, integer="{0}", grad=_zero, ref=np.ceil, onnx="Ceil", onnx_integer=lambda a: a)
trunc = _row("trunc", "T", _CT, integer="{0}", grad=_zero, ref=np.trunc,
             onnx=lambda a: where(a < 0, ceil(a), floor(a)), onnx_integer=lambda a: a)
round = _row("round", "T", _CT, integer="{0}", grad=_zero, ref=np.round, onnx="Round", onnx_integer=lambda a: a)  # half to even
copysign = _row("copysign", "TT", _CT, grad=lambda a, b, y: (where(a == 0, 0, y / a), 0), ref=np.copysign,
                onnx=lambda a, b: where(signbit(b), -abs(a), abs(a)))
nextafter = _row("nextafter", "TT", _CT, "nextafter({0}, {1})", ref=np.nextafter, flops=8)
ldexp = _row("ldexp", "TT", _CT, grad=lambda a, b, y: (exp2(b), y * _LN2), ref=reference.ldexp, flops=25,
             onnx=forms.ldexp)

# Powers and roots
sqrt = _row("sqrt", "T", _CT, grad=lambda a, y: (0.5 / y,), ref=np.sqrt, flops=4, onnx="Sqrt")
rsqrt = _row("rsqrt", "T", "1 / ct_sqrt_{T}({0})", grad=lambda a, y: (-0.5 * (y * y * y),), ref=reference.rsqrt,
             flops=8, onnx=lambda a: 1 / sqrt(a))
pow = _row("pow", "TT", _CT, "pow({0}, {1})", _CT, ref=reference.pow, flops=110,
           grad=lambda a, b, y: (where(b == 0, 0, b * pow(a, b - 1)), where((a == 0) & (real(b) >= 0), 0, y * log(a))), onnx="Pow")
hypot = _row("hypot", "TT", _CT, "hypot({0}, {1})", grad=lambda a, b, y: (a / y, b / y), ref=np.hypot, flops=20,
             onnx=forms.hypot)

# Exponentials and logarithms
exp = _math("exp", lambda a, y: (y,), np.exp, 25, onnx="Exp")
exp2 = _math("exp2", lambda a, y: (y * _LN2,), np.exp2, 25, onnx=lambda a: pow(2, a))
expm1 = _math("expm1", lambda a, y: (y + 1,), np.expm1, 30, onnx=forms.expm1)
log = _math("log", lambda a, y: (1 / a,), np.log, 35, onnx="Log")
log2 = _math("log2", lambda a, y: (1 / (a * _LN2),), np.log2, 35, onnx=lambda a: log(a) * (1 / _LN2))
log10 = _math("log10", lambda a, y: (1 / (a * _LN10),), np.log10, 35, onnx=lambda a: log(a) * (1 / _LN10))
log1p = _math("log1p", lambda a, y: (1 / (a + 1),), np.log1p, 45, onnx=forms.log1p)
logaddexp = _row("logaddexp", "TT", _CT, grad=lambda a, b, y: (sigmoid(a - b), sigmoid(b - a)), ref=np.logaddexp,
                 flops=75, onnx=forms.logaddexp)
xlogy = _row("xlogy", "TT", "(({0} == 0) & ({1} == {1})) ? 0 : {0} * ct_log_float({1})",
             "(({0} == 0) & ({1} == {1})) ? 0 : {0} * log({1})", ref=reference.xlogy, flops=40,
             grad=lambda a, b, y: (where((a == 0) & (b <= 0), 0, log(b)), a / b),
             onnx=lambda a, b: where((a == 0) & (b == b), 0, a * log(b)))
xlog1py = _row("xlog1py", "TT", "(({0} == 0) & ({1} == {1})) ? 0 : {0} * ct_log1p_float({1})",
               "(({0} == 0) & ({1} == {1})) ? 0 : {0} * log1p({1})", ref=reference.xlog1py, flops=50,
               grad=lambda a, b, y: (where((a == 0) & (b <= -1), 0, log1p(b)), a / (b + 1)),
               onnx=lambda a, b: where((a == 0) & (b == b), 0, a * log1p(b)))
logit = _row("logit", "T", "ct_log_float({0} / (1 - {0}))", "log({0} / (1 - {0}))", ref=reference.logit, flops=45,
             grad=lambda a, y: (1 / (a * (1 - a)) + where((a < 0) | (a > 1), math.nan, 0),), onnx=lambda a: log(a / (1 - a)))
sigmoid = _row("sigmoid", "T", _CT, grad=lambda a, y: (y * (1 - y),), ref=reference.sigmoid, flops=40, onnx="Sigmoid")
tanh = _math("tanh", lambda a, y: (1 - y * y,), np.tanh, 40, onnx="Tanh")
sinh = _math("sinh", lambda a, y: (cosh(a),), np.sinh, 40, onnx="Sinh")
cosh = _math("cosh", lambda a, y: (sinh(a),), np.cosh, 30, onnx="Cosh")
asinh = _math("asinh", lambda a, y: (1 / sqrt(a * a + 1),), np.arcsinh, 100, onnx="Asinh")
acosh = _math("acosh", lambda a, y: (1 / sqrt(a * a - 1),), np.arccosh, 100, onnx="Acosh")
atanh = _math("atanh", lambda a, y: (1 / (1 - a * a),), np.arctanh, 50, onnx="Atanh")

# Trigonometry
sin = _math("sin", lambda a, y: (cos(a),), np.sin, 90, onnx="Sin")
cos = _math("cos", lambda a, y: (-sin(a),), np.cos, 90, onnx="Cos")
tan = _math("tan", lambda a, y: (1 + y * y,), np.tan, 90, onnx="Tan")
asin = _math("asin", lambda a, y: (rsqrt(1 - a * a),), np.arcsin, 30, onnx="Asin")
acos = _math("acos", lambda a, y: (-rsqrt(1 - a * a),), np.arccos, 30, onnx="Acos")
atan = _math("atan", lambda a, y: (1 / (a * a + 1),), np.arctan, 30, onnx="Atan")
atan2 = _row("atan2", "TT", _CT, "atan2({0}, {1})", ref=np.arctan2, flops=50,
             grad=lambda a, b, y: _atan2_partials(a, b), onnx=forms.atan2)

# Special functions
erf = _math("erf", lambda a, y: (exp(-(a * a)) * _2_SQRTPI,), reference.erf, 60, onnx="Erf")
erfc = _math("erfc", lambda a, y: (exp(-(a * a)) * -_2_SQRTPI,), reference.erfc, 75, onnx=forms.erfc)
erfcx = _row("erfcx", "T", _CT, grad=lambda a, y: (2 * (a * y) - _2_SQRTPI,), ref=reference.erfcx, flops=80, onnx=forms.erfcx)
ndtr_tail = _row("ndtr_tail", "T", "ct_ndtr_tail_float({0})", "0.5 * ct_erfcx_double(fabs({0}) * 0.7071067811865476)",
                 grad=lambda a, y: (a * y - where(a > 0, 1, -1) * (1 / _SQRT2PI),), ref=reference.ndtr_tail, flops=18,
                 onnx=lambda a: 0.5 * erfcx(abs(a) * _SQRT_HALF))
erfinv = _row("erfinv", "T", _CT, grad=lambda a, y: (exp(y * y) * (1 / _2_SQRTPI),), ref=reference.erfinv, flops=110,
              onnx=forms.erfinv)
ndtri = _row("ndtri", "T", _CT, grad=lambda a, y: (exp(y * y * 0.5) * _SQRT2PI,), ref=reference.ndtri, flops=110)
log_ndtr = _row("log_ndtr", "T", _CT, grad=lambda a, y: (_SQRT_2_PI / erfcx(a * -_SQRT_HALF),), ref=reference.log_ndtr,
                flops=300, onnx=forms.log_ndtr)
lgamma = _math("lgamma", lambda a, y: (digamma(a),), reference.lgamma, 180, onnx=forms.lgamma)
digamma = _row("digamma", "T", _CT, grad=lambda a, y: (trigamma(a),), ref=reference.digamma, flops=120, onnx=forms.digamma)
trigamma = _row("trigamma", "T", _CT, grad=lambda a, y: (-2 * zeta(3, a),), ref=reference.trigamma, flops=60)
zeta = _row("zeta", "TT", _CT, grad=lambda s, q, y: (None, -(s * zeta(s + 1, q))), ref=reference.zeta, flops=1000)
igamma = _row("igamma", "TT", _CT, grad=lambda a, x, y: (None, _gamma_density(a, x)), ref=reference.igamma, flops=1000)
igammac = _row("igammac", "TT", _CT, grad=lambda a, x, y: (None, -_gamma_density(a, x)), ref=reference.igammac, flops=1000)
gamma_slope = _row("gamma_slope", "TT", _CT, ref=reference.gamma_slope, flops=1500)
beta_slope = _row("beta_slope", "TTT", _CT, ref=reference.beta_slope, flops=3000)
i0 = _row("i0", "T", _CT, grad=lambda a, y: (i1(a),), ref=reference.i0, flops=75, onnx=forms.i0)
i0e = _row("i0e", "T", _CT, grad=lambda a, y: (i1e(a) - sign(a) * y,), ref=reference.i0e, flops=75, onnx=forms.i0e)
i1 = _row("i1", "T", _CT, grad=lambda a, y: (where(a == 0, 0.5, i0(a) - y / a),), ref=reference.i1, flops=75, onnx=forms.i1)
i1e = _row("i1e", "T", _CT, grad=lambda a, y: (where(a == 0, 0.5, i0e(a) - y * sign(a) - y / a),), ref=reference.i1e,
           flops=75, onnx=forms.i1e)

# Functions without gradients in PyTorch
_POLYNOMIALS = ("chebyshev_polynomial_t", "chebyshev_polynomial_u", "chebyshev_polynomial_v", "chebyshev_polynomial_w",
                "hermite_polynomial_h", "hermite_polynomial_he", "laguerre_polynomial_l", "legendre_polynomial_p")
_BESSEL = ("airy_ai", "bessel_j0", "bessel_j1", "bessel_y0", "bessel_y1", "modified_bessel_k0", "modified_bessel_k1",
           "scaled_modified_bessel_k0", "scaled_modified_bessel_k1")
for _name in _POLYNOMIALS:
    globals()[_name] = _row(_name, "TT", _CT, ref=getattr(reference, _name), flops=200)
for _name in _BESSEL:
    globals()[_name] = _row(_name, "T", _CT, ref=getattr(reference, _name), flops=300)

_LN2, _LN10, _2_SQRTPI = 0.6931471805599453, 2.302585092994046, 1.1283791670955126
_SQRT2PI, _SQRT_2_PI, _SQRT_HALF = 2.5066282746310002, 0.7978845608028654, 0.7071067811865476


def _atan2_partials(a, b):
    square = a * a + b * b
    return where(square == 0, 0, b / square), where(square == 0, 0, -(a / square))


def _gamma_density(a, x):
    return exp((a - 1) * log(x) - x - lgamma(a))


__all__ = list(FUNCTIONS)
