"""Activation functions: one fused op each, with the gradient of every order derived from it."""

import math
import warnings

import numpy as np

from ...base.errors import ArgumentError, ShapeError
from ...base.shapes import normalize_dim
from ...codegen import expr as E
from ...ops.kinds.elementwise import elementwise
from ...ops.kinds.precision import in_float32
from ...ops.pointwise.special import prelu as sloped
from ...tensor import Tensor
from ...tensor.core.inplace import overwritten
from ...tensor.math.softmax import log_softmax as _log_softmax
from ...tensor.math.softmax import softmax as _softmax
from .out import into

_SELU_ALPHA, _SELU_SCALE = 1.6732632423543772, 1.0507009873554805
_SQRT_HALF, _SQRT_2_OVER_PI, _DENSITY_AT_0 = math.sqrt(0.5), math.sqrt(2 / math.pi), math.sqrt(0.5 / math.pi)
_erf = np.vectorize(math.erf, otypes=[float])


def _op(name, fn, dtypes="floating", **options):
    return elementwise(name, fn, dtypes=dtypes, public=False, **options)


def _run(op, input, inplace=False, **settings):
    return op(input, out=input, inplace=True, **settings) if inplace else op(input, **settings)


def _below(x):
    """x where it is negative, else 0: keeps exp from overflowing on the side that is not used."""
    return E.where(x > 0, 0, x)


def _sigmoid(x):
    return 1 / (1 + np.exp(-x))


# --- straight lines --------------------------------------------------------------------------------------------------

_leaky_relu = _op("leaky_relu", lambda input, negative_slope=0.01: E.where(input > 0, input, negative_slope * input),
                  ref=lambda x, negative_slope=0.01: np.where(x > 0, x, negative_slope * x), onnx="LeakyRelu",
                  doc="x above 0, negative_slope * x below.")
_hardtanh = _op("hardtanh", lambda input, min_val=-1.0, max_val=1.0: E.where(
    input <= min_val, min_val, E.where(input >= max_val, max_val, input)),
    ref=lambda x, min_val=-1.0, max_val=1.0: np.clip(x, min_val, max_val), dtypes="number",
    doc="x limited to [min_val, max_val].")
_hardsigmoid = _op("hardsigmoid", lambda input: E.where(input <= -3, 0, E.where(input >= 3, 1, input / 6 + 0.5)),
                   grad=lambda g, input, y: E.where((input > -3) & (input < 3), g / 6, 0),
                   ref=lambda x: np.clip(x / 6 + 0.5, 0, 1), onnx="HardSigmoid", doc="A sigmoid of straight lines.")
_hardswish = _op("hardswish", lambda input: E.where(
    input <= -3, 0, E.where(input >= 3, input, input * (input + 3) / 6)),
                 ref=lambda x: x * np.clip(x + 3, 0, 6) / 6, onnx="HardSwish", doc="x times hardsigmoid(x).")
_softshrink = _op("softshrink", lambda input, lambd=0.5: E.where(
    input > lambd, input - lambd, E.where(input < -lambd, input + lambd, input * 0)),
    ref=lambda x, lambd=0.5: np.sign(x) * np.maximum(np.abs(x) - lambd, 0), onnx="Shrink",
    doc="x moved lambd closer to 0, 0 within lambd of it.")
_threshold = _op("threshold", lambda input, threshold, value: E.where(input <= threshold, value, input),
                 tensors="input", ref=lambda x, threshold, value: np.where(x <= threshold, value, x),
                 samples=lambda rng: [((rng.standard_normal((3, 4)),), {"threshold": 0.1, "value": 0.5})],
                 dtypes="number", doc="x above threshold, else value.")


def relu(input, inplace=False):
    """max(x, 0)."""
    return input.relu_() if inplace else input.relu()


def relu_(input):
    """relu in place."""
    return input.relu_()


def leaky_relu(input, negative_slope=0.01, inplace=False):
    """x above 0, negative_slope * x below."""
    return _run(_leaky_relu, input, inplace, negative_slope=negative_slope)


def leaky_relu_(input, negative_slope=0.01):
    """leaky_relu in place."""
    return leaky_relu(input, negative_slope, True)


def rrelu(input, lower=1.0 / 8, upper=1.0 / 3, training=False, inplace=False):
    """x above 0; below, x times a slope drawn from [lower, upper] when training, else times their mean."""
    if lower > upper:
        raise ArgumentError(f"rrelu: lower bound should be less than or equal to upper bound, got {lower} > {upper}")
    if not training:
        return leaky_relu(input, (lower + upper) / 2, inplace)
    y = sloped(overwritten(input) if inplace else input, input.detach().new_empty(input.shape).uniform_(lower, upper))
    return input.copy_(y) if inplace else y


def rrelu_(input, lower=1.0 / 8, upper=1.0 / 3, training=False):
    """rrelu in place."""
    return rrelu(input, lower, upper, training, True)


def hardtanh(input, min_val=-1.0, max_val=1.0, inplace=False):
    """x limited to [min_val, max_val]."""
    if min_val > max_val:
        raise ArgumentError(f"hardtanh: min_val cannot be greater than max_val, got {min_val} > {max_val}")
    return _run(_hardtanh, input, inplace, min_val=min_val, max_val=max_val)


def hardtanh_(input, min_val=-1.0, max_val=1.0):
    """hardtanh in place."""
    return hardtanh(input, min_val, max_val, True)


def relu6(input, inplace=False):
    """x limited to [0, 6]."""
    return hardtanh(input, 0.0, 6.0, inplace)


def hardsigmoid(input, inplace=False):
    """A sigmoid of three straight lines: x / 6 + 1 / 2 limited to [0, 1]."""
    return _run(_hardsigmoid, input, inplace)


def hardswish(input, inplace=False):
    """x times hardsigmoid(x)."""
    return _run(_hardswish, input, inplace)


def softshrink(input, lambd=0.5, *, out=None):
    """x moved lambd closer to 0, and 0 within lambd of it."""
    if lambd < 0:
        raise ArgumentError(f"softshrink: lambda must be greater or equal to 0, but found to be {lambd}.")
    return into(out, _softshrink(input, lambd=lambd))


def threshold(input, threshold, value, inplace=False):
    """x above threshold, else value."""
    return _run(_threshold, input, inplace, threshold=threshold, value=value)


def threshold_(input, threshold, value):
    """threshold in place."""
    return _run(_threshold, input, True, threshold=threshold, value=value)


# --- curves ----------------------------------------------------------------------------------------------------------

_elu = _op("elu", lambda input, alpha=1.0: E.where(input <= 0, alpha * E.expm1(_below(input)), input),
           ref=lambda x, alpha=1.0: np.where(x > 0, x, alpha * np.expm1(x)), onnx="Elu",
           doc="x above 0, alpha * (exp(x) - 1) below.")
_celu = _op("celu", lambda input, alpha=1.0: E.where(input <= 0, alpha * E.expm1(_below(input) / alpha), input),
            ref=lambda x, alpha=1.0: np.where(x > 0, x, alpha * np.expm1(x / alpha)), onnx="Celu",
            doc="x above 0, alpha * (exp(x / alpha) - 1) below.")
_selu = _op("selu", lambda input: _SELU_SCALE * E.where(input <= 0, _SELU_ALPHA * E.expm1(_below(input)), input),
            ref=lambda x: _SELU_SCALE * np.where(x > 0, x, _SELU_ALPHA * np.expm1(x)), onnx="Selu",
            doc="elu scaled so that activations keep mean 0 and variance 1.")


def _normal(x):
    """Expressions for exp(-x^2 / 2) and the normal distribution function at x, to 3e-7 and, below 0, to 2e-5 of itself."""
    density = E.exp(-0.5 * x * x)
    tail = density * E.ndtr_tail(x)
    return density, E.where(x > 0, 1 - tail, tail)


def _gelu_slope(g, input, y):
    density, below = _normal(input)
    return g * (below + input * density * _DENSITY_AT_0)


_gelu = _op("gelu", lambda input: input * _normal(input)[1], grad=_gelu_slope,
            ref=lambda x: 0.5 * x * (1 + _erf(x * _SQRT_HALF)), onnx="Gelu",
            doc="x times the normal distribution function.")
_gelu_tanh = _op("gelu_tanh",
                 lambda input: 0.5 * input * (1 + E.tanh(_SQRT_2_OVER_PI * (input + 0.044715 * input * input * input))),
                 ref=lambda x: 0.5 * x * (1 + np.tanh(_SQRT_2_OVER_PI * (x + 0.044715 * x**3))), doc="gelu by tanh.")
_silu = _op("silu", lambda input: input * E.sigmoid(input), ref=lambda x: x * _sigmoid(x), doc="x * sigmoid(x).")
_mish = _op("mish", lambda input: input * E.tanh(E.softplus(input)), ref=lambda x: x * np.tanh(np.logaddexp(0, x)),
            onnx="Mish", doc="x * tanh(softplus(x)).")
_softplus = _op("softplus", lambda input, beta=1.0, threshold=20.0: E.where(
    input * beta > threshold, input, E.softplus(input, beta)),
    grad=lambda g, input, y, beta, threshold: E.where(input * beta > threshold, g, g * E.sigmoid(input * beta)),
    ref=lambda x, beta=1.0, threshold=20.0: np.logaddexp(0, x * beta) / beta, onnx="Softplus",
    doc="Smooth relu: log(1 + exp(beta x)) / beta.")
_logsigmoid = _op("logsigmoid", lambda input: -E.softplus(-input), grad=lambda g, input, y: g * E.sigmoid(-input),
                  ref=lambda x: -np.logaddexp(0, -x), doc="log(sigmoid(x)) without overflow.")
_softsign = _op("softsign", lambda input: input / (1 + E.abs(input)), rounded=False, ref=lambda x: x / (1 + np.abs(x)),
                onnx="Softsign", doc="x / (1 + |x|).")
_tanhshrink = _op("tanhshrink", lambda input: input - E.tanh(input), ref=lambda x: x - np.tanh(x), doc="x - tanh(x).")
_glu = _op("glu_gate", lambda a, b: a * E.sigmoid(b), ref=lambda a, b: a * _sigmoid(b), doc="a * sigmoid(b).")


def sigmoid(input):
    """1 / (1 + exp(-x))."""
    return input.sigmoid()


def tanh(input):
    """The hyperbolic tangent."""
    return input.tanh()


def elu(input, alpha=1.0, inplace=False):
    """x above 0, alpha * (exp(x) - 1) below."""
    return _run(_elu, input, inplace, alpha=alpha)


def elu_(input, alpha=1.0):
    """elu in place."""
    return elu(input, alpha, True)


def celu(input, alpha=1.0, inplace=False):
    """x above 0, alpha * (exp(x / alpha) - 1) below."""
    if alpha == 0:
        raise ArgumentError("celu: alpha cannot be 0, since x is divided by it")
    return _run(_celu, input, inplace, alpha=alpha)


def celu_(input, alpha=1.0):
    """celu in place."""
    return celu(input, alpha, True)


def selu(input, inplace=False):
    """elu scaled so that activations keep mean 0 and variance 1.  Source: Klambauer et al. 2017."""
    return _run(_selu, input, inplace)


def selu_(input):
    """selu in place."""
    return selu(input, True)


def gelu(input, approximate="none", *, out=None):
    """x times the normal distribution function at x; approximate="tanh" computes it by tanh."""
    if approximate not in ("none", "tanh"):
        raise ArgumentError(f"gelu: approximate argument must be either none or tanh, got {approximate!r}")
    return into(out, (_gelu if approximate == "none" else _gelu_tanh)(input))


def silu(input, inplace=False):
    """x * sigmoid(x), also called swish."""
    return _run(_silu, input, inplace)


def mish(input, inplace=False):
    """x * tanh(softplus(x))."""
    return _run(_mish, input, inplace)


def softplus(input, beta=1.0, threshold=20.0, *, out=None):
    """log(1 + exp(beta x)) / beta, and x itself where beta x is above threshold."""
    return into(out, _softplus(input, beta=beta, threshold=threshold))


def logsigmoid(input, *, out=None):
    """log(sigmoid(x)), without overflow."""
    return into(out, _logsigmoid(input))


def softsign(input):
    """x / (1 + |x|)."""
    return _softsign(input)


def tanhshrink(input):
    """x - tanh(x)."""
    return _tanhshrink(input)


def glu(input, dim=-1):
    """The first half of input along dim times the sigmoid of the second half."""
    if not input.ndim:
        raise ShapeError("glu does not support scalars because halving size must be even")
    size = input.shape[normalize_dim(dim, input.ndim, "glu")]
    if size % 2:
        raise ShapeError(f"glu: Halving dimension must be even, but dimension {dim} is size {size}")
    return _glu(input.narrow(dim, 0, size // 2), input.narrow(dim, size // 2, size // 2))


# --- over a dimension ------------------------------------------------------------------------------------------------


def _dim(name, input, dim):
    if dim is not None:
        return dim
    warnings.warn(f"Implicit dimension choice for {name} has been deprecated. Change the call to include dim=X as an "
                  "argument.", stacklevel=4)
    return 0 if input.ndim in (0, 1, 3) else 1


def softmax(input, dim=None, dtype=None):
    """exp(input) normalised to sum 1 over dim."""
    return _softmax(input, _dim("softmax", input, dim), dtype)


def softmin(input, dim=None, dtype=None):
    """softmax of the negated input."""
    return _softmax(-input, _dim("softmin", input, dim), dtype)


def log_softmax(input, dim=None, dtype=None):
    """The logarithm of softmax over dim, computed without forming it."""
    return _log_softmax(input, _dim("log_softmax", input, dim), dtype)


@in_float32
def gumbel_softmax(logits, tau=1.0, hard=False, eps=1e-10, dim=-1):
    """softmax over dim of (logits + Gumbel noise) / tau; hard gives one-hot samples with the soft gradient.

    eps is unused, as in PyTorch.
    """
    noise = -Tensor.log(logits.detach().new_empty(logits.shape).exponential_())
    soft = _softmax((logits + noise) / tau, dim)
    if not hard:
        return soft
    sample = soft.detach() * 0
    return sample.scatter(dim, soft.argmax(dim, keepdim=True), 1.0) - soft.detach() + soft
