"""Activations: elementwise, and those along a dimension."""

from ....nn import functional as F
from ..operators import operator
from ..public import axis_of, ct

operator("Relu")(lambda x: ct.relu(x))
operator("Sigmoid")(lambda x: ct.sigmoid(x))
operator("Tanh")(lambda x: ct.tanh(x))
operator("Softsign")(lambda x: F.softsign(x))
operator("Mish", since=18)(lambda x: F.mish(x))
operator("HardSwish", since=14)(lambda x: F.hardswish(x))


@operator("Softplus")
def softplus(x):
    return ct.relu(x) + ct.log1p(ct.exp(-ct.abs(x)))


@operator("Elu")
def elu(x, *, alpha=1.0):
    return F.elu(x, alpha)


@operator("Celu", since=12)
def celu(x, *, alpha=1.0):
    return F.celu(x, alpha)


@operator("Selu")
def selu(x, *, alpha=1.67326319217681884765625, gamma=1.05070102214813232421875):
    return gamma * F.elu(x, alpha)


@operator("LeakyRelu")
def leaky_relu(x, *, alpha=0.01):
    return F.leaky_relu(x, alpha)


@operator("ThresholdedRelu", since=10)
def thresholded_relu(x, *, alpha=1.0):
    return ct.where(x > alpha, x, ct.zeros_like(x))


@operator("PRelu", since=7)
def prelu(x, slope):
    return ct.where(x < 0, slope * x, x)


@operator("HardSigmoid")
def hard_sigmoid(x, *, alpha=0.2, beta=0.5):
    return ct.clamp(alpha * x + beta, 0, 1)


@operator("Shrink", since=9)
def shrink(x, *, bias=0.0, lambd=0.5):
    moved = ct.where(x < -lambd, x + bias, x - bias)
    return ct.where(ct.abs(x) > lambd, moved, ct.zeros_like(x)).to(x.dtype)


@operator("Gelu", since=20)
def gelu(x, *, approximate="none"):
    return F.gelu(x, approximate=approximate)


@operator("Swish", since=24)
def swish(x, *, alpha=1.0):
    return x * ct.sigmoid(alpha * x)


def _rows(x, axis):
    """x as a matrix: the dimensions before the axis, and those from it on."""
    axis = axis_of(axis, x.ndim)
    n = 1
    for size in x.shape[:axis]:
        n = n * size
    return x.reshape(n, -1)


@operator("Softmax")
def softmax_of_rows(x, *, axis=1):
    return F.softmax(_rows(x, axis), 1).reshape(x.shape)


@operator("Softmax", since=13)
def softmax(x, *, axis=-1):
    return F.softmax(x, axis)


@operator("LogSoftmax")
def log_softmax_of_rows(x, *, axis=1):
    return F.log_softmax(_rows(x, axis), 1).reshape(x.shape)


@operator("LogSoftmax", since=13)
def log_softmax(x, *, axis=-1):
    return F.log_softmax(x, axis)


@operator("Hardmax")
def hardmax_of_rows(x, *, axis=1):
    return hardmax(_rows(x, axis)).reshape(x.shape)


@operator("Hardmax", since=13)
def hardmax(x, *, axis=-1):
    places = ct.arange(x.shape[axis], device=x.device)
    places = places.reshape([-1] + [1] * (x.ndim - 1 - axis_of(axis, x.ndim)))
    return (places == ct.argmax(x, axis, keepdim=True)).to(x.dtype)
