"""Activation functions: one elementwise op each, with gradients of every order derived from it."""

import math

import numpy as np

from ...codegen import expr as E
from ...dispatch.autocast import FLOAT32_ON_GPU
from ..kinds.elementwise import elementwise
from . import onnx_rules as onnx

_SELU_ALPHA, _SELU_SCALE = 1.6732632423543772, 1.0507009873554805
_SQRT_HALF, _SQRT_2_OVER_PI, _DENSITY_AT_0 = math.sqrt(0.5), math.sqrt(2 / math.pi), math.sqrt(0.5 / math.pi)
_erf = np.vectorize(math.erf, otypes=[float])


def _op(name, fn, dtypes="floating", **options):
    return elementwise(name, fn, dtypes=dtypes, public=False, **options)


def _below(x):
    """min(x, 0): keeps exp from overflowing in the branch that is not used."""
    return E.where(x > 0, 0, x)


def _sigmoid(x):
    return 1 / (1 + np.exp(-x))


relu = elementwise("relu", onnx=onnx.of_floats("Relu"), out=False,
                   fn=lambda input: E.relu(input), ref=lambda x: np.maximum(x, 0), inplace=True,
                   dtypes="number", grad=lambda g, input, y: E.where(y <= 0, 0.0, g),
                   doc="max(input, 0); its slope at 0 is 0, at NaN 1.")
hardshrink = elementwise(
    "hardshrink",
    lambda input, lambd=0.5: E.where((input >= -lambd) & (input <= lambd), 0, input),
    dtypes="floating",
    ref=lambda x, lambd=0.5: np.where(np.abs(x) <= lambd, 0, x),
    doc="input, 0 within lambd of 0.",
)
prelu = elementwise(
    "prelu_kernel",
    onnx=onnx.prelu,
    fn=lambda input, weight: E.where(input > 0, input, weight * input),
    dtypes="floating",
    public=False,
    ref=lambda x, w: np.where(x > 0, x, w * x),
    doc="input above 0, weight * input below.",
)
leaky_relu = _op("leaky_relu", onnx=onnx.of_floats("LeakyRelu", "alpha"),
                 fn=lambda input, negative_slope=0.01: E.where(input > 0, input, negative_slope * input),
                 ref=lambda x, negative_slope=0.01: np.where(x > 0, x, negative_slope * x),
                 doc="x above 0, negative_slope * x below.")
hardtanh = _op("hardtanh", onnx=onnx.clipped, fn=lambda input, min_val=-1.0, max_val=1.0: E.where(
    input <= min_val, min_val, E.where(input >= max_val, max_val, input)),
    ref=lambda x, min_val=-1.0, max_val=1.0: np.clip(x, min_val, max_val), dtypes="signed",
    doc="x limited to [min_val, max_val].")
hardsigmoid = _op("hardsigmoid", onnx=onnx.hardsigmoid,
                  fn=lambda input: E.where(input <= -3, 0, E.where(input >= 3, 1, input / 6 + 0.5)),
                  grad=lambda g, input, y: E.where((input > -3) & (input < 3), g / 6, 0),
                  ref=lambda x: np.clip(x / 6 + 0.5, 0, 1), doc="A sigmoid of straight lines.")
hardswish = _op("hardswish", onnx=onnx.of_floats("HardSwish", opset=14), fn=lambda input: E.where(
    input <= -3, 0, E.where(input >= 3, input, input * (input + 3) / 6)),
                 grad=lambda g, input, y: E.where(input <= -3, 0, E.where(input < 3, g * (input / 3 + 0.5), g)),
                 ref=lambda x: x * np.clip(x + 3, 0, 6) / 6, doc="x times hardsigmoid(x).")
softshrink = _op("softshrink", lambda input, lambd=0.5: E.where(
    input > lambd, input - lambd, E.where(input < -lambd, input + lambd, input * 0)),
    grad=lambda g, input, y, lambd: E.where((input >= -lambd) & (input <= lambd), 0, g),
    ref=lambda x, lambd=0.5: np.sign(x) * np.maximum(np.abs(x) - lambd, 0),
    doc="x moved lambd closer to 0, 0 within lambd of it.")
threshold = _op("threshold", lambda input, threshold, value: E.where(input <= threshold, value, input),
                tensors="input", ref=lambda x, threshold, value: np.where(x <= threshold, value, x),
                samples=lambda rng: [((rng.standard_normal((3, 4)),), {"threshold": 0.1, "value": 0.5})],
                dtypes="number", doc="x above threshold, else value.")
elu = _op("elu", onnx=onnx.of_floats("Elu", "alpha"),
          fn=lambda input, alpha=1.0: E.where(input <= 0, alpha * E.expm1(_below(input)), input),
          ref=lambda x, alpha=1.0: np.where(x > 0, x, alpha * np.expm1(x)),
          doc="x above 0, alpha * (exp(x) - 1) below.")
celu = _op("celu", onnx=onnx.of_floats("Celu", "alpha"),
           fn=lambda input, alpha=1.0: E.where(input <= 0, alpha * E.expm1(_below(input) / alpha), input),
           ref=lambda x, alpha=1.0: np.where(x > 0, x, alpha * np.expm1(x / alpha)),
           doc="x above 0, alpha * (exp(x / alpha) - 1) below.")
selu = _op("selu", onnx=onnx.of_floats("Selu"),
           fn=lambda input: _SELU_SCALE * E.where(input <= 0, _SELU_ALPHA * E.expm1(_below(input)), input),
           ref=lambda x: _SELU_SCALE * np.where(x > 0, x, _SELU_ALPHA * np.expm1(x)),
           doc="elu scaled so that activations keep mean 0 and variance 1.")


def _normal(x):
    """Expressions for exp(-x^2 / 2) and the normal distribution function at x: error 3e-7; below 0, relative error 2e-5."""
    density = E.exp(-0.5 * x * x)
    tail = density * E.ndtr_tail(x)
    return density, E.where(x > 0, 1 - tail, tail)


def _gelu_slope(g, input, y):
    density, below = _normal(input)
    return g * (below + input * density * _DENSITY_AT_0)


gelu = _op("gelu", onnx=onnx.gelu, fn=lambda input: input * _normal(input)[1], grad=_gelu_slope,
           ref=lambda x: 0.5 * x * (1 + _erf(x * _SQRT_HALF)),
           doc="x times the normal distribution function.")
gelu_tanh = _op("gelu_tanh", onnx=onnx.gelu_tanh,
                fn=lambda input: 0.5 * input * (1 + E.tanh(_SQRT_2_OVER_PI * (input + 0.044715 * input * input * input))),
                ref=lambda x: 0.5 * x * (1 + np.tanh(_SQRT_2_OVER_PI * (x + 0.044715 * x**3))), doc="gelu by tanh.")
silu = _op("silu", lambda input: input * E.sigmoid(input), ref=lambda x: x * _sigmoid(x), doc="x * sigmoid(x).", complex=True)
mish = _op("mish", onnx=onnx.of_floats("Mish", opset=18),
           fn=lambda input: input * E.tanh(E.softplus(input)), ref=lambda x: x * np.tanh(np.logaddexp(0, x)),
           doc="x * tanh(softplus(x)).")
softplus = _op("softplus", onnx=onnx.softplus, autocast=FLOAT32_ON_GPU, fn=lambda input, beta=1.0, threshold=20.0: E.where(
    input * beta > threshold, input, E.softplus(input, beta)),
    grad=lambda g, input, y, beta, threshold: E.where(input * beta > threshold, g, g * E.sigmoid(input * beta)),
    ref=lambda x, beta=1.0, threshold=20.0: np.logaddexp(0, x * beta) / beta,
    doc="Smooth relu: log(1 + exp(beta x)) / beta.")
logsigmoid = _op("logsigmoid", lambda input: -E.softplus(-input), grad=lambda g, input, y: g * E.sigmoid(-input),
                 ref=lambda x: -np.logaddexp(0, -x), doc="log(sigmoid(x)) without overflow.")
softsign = _op("softsign", lambda input: input / (1 + E.abs(input)), rounded=False, ref=lambda x: x / (1 + np.abs(x)),
               doc="x / (1 + |x|).", complex=True)
tanhshrink = _op("tanhshrink", lambda input: input - E.tanh(input), ref=lambda x: x - np.tanh(x), doc="x - tanh(x).", complex=True)
glu = _op("glu_gate", lambda a, b: a * E.sigmoid(b), ref=lambda a, b: a * _sigmoid(b), doc="a * sigmoid(b).")
