"""Activation functions: one fused op each; the gradients of every order are derived from it."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

from ...base import dtypes
from ...base.dtypes import dtype
from ...base.errors import ArgumentError, ShapeError
from ...base.shapes import normalize_dim
from ...ops.kinds.precision import in_float32
from ...ops.nn import activations as ops
from ...ops.nn.activations import prelu as sloped
from ...tensor import Tensor
from ...tensor.core.inplace import overwritten
from ...tensor.math.softmax import log_softmax as _log_softmax
from ...tensor.math.softmax import softmax as _softmax
from .out import into


def _run(op, input, inplace=False, **settings):
    return op(input, out=input, inplace=True, **settings) if inplace else op(input, **settings)


# --- piecewise linear ------------------------------------------------------------------------------------------------

def relu(input: Tensor, inplace: bool = False):
    """max(x, 0)."""
    return input.relu_() if inplace else input.relu()


def relu_(input: Tensor):
    """relu in place."""
    return input.relu_()


def leaky_relu(input: Tensor, negative_slope: float = 0.01, inplace: bool = False):
    """x above 0, negative_slope * x below."""
    return _run(ops.leaky_relu, input, inplace, negative_slope=negative_slope)


def leaky_relu_(input: Tensor, negative_slope: float = 0.01):
    """leaky_relu in place."""
    return leaky_relu(input, negative_slope, True)


def rrelu(input: Tensor, lower: float = 1.0 / 8, upper: float = 1.0 / 3, training: bool = False, inplace: bool = False):
    """x above 0; below, x times a slope drawn from [lower, upper] when training, else times their mean."""
    return sloped_at_random(input, lower, upper, training, inplace)


def sloped_at_random(input, lower, upper, training, inplace, generator=None):
    """rrelu, with slopes of a Generator."""
    if lower > upper:
        raise ArgumentError(f"rrelu: lower bound should be less than or equal to upper bound, got {lower} > {upper}")
    if not training:
        return leaky_relu(input, (lower + upper) / 2, inplace)
    slopes = input.detach().new_empty(input.shape).uniform_(lower, upper, generator=generator)
    y = sloped(overwritten(input) if inplace else input, slopes)
    return input.copy_(y) if inplace else y


def rrelu_(input: Tensor, lower: float = 1.0 / 8, upper: float = 1.0 / 3, training: bool = False):
    """rrelu in place."""
    return rrelu(input, lower, upper, training, True)


def hardtanh(input: Tensor, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False):
    """x limited to [min_val, max_val]."""
    if min_val > max_val:
        raise ArgumentError(f"hardtanh: min_val cannot be greater than max_val, got {min_val} > {max_val}")
    if input.dtype is dtypes.uint8:
        if min_val < 0:
            raise ArgumentError(f"hardtanh: cannot do hardtanh on an unsigned type with negative limits, got min_val {min_val}")
        return input.clamp_(min_val, max_val) if inplace else input.clamp(min_val, max_val)
    return _run(ops.hardtanh, input, inplace, min_val=min_val, max_val=max_val)


def hardtanh_(input: Tensor, min_val: float = -1.0, max_val: float = 1.0):
    """hardtanh in place."""
    return hardtanh(input, min_val, max_val, True)


def relu6(input: Tensor, inplace: bool = False):
    """x limited to [0, 6]."""
    return hardtanh(input, 0.0, 6.0, inplace)


def hardsigmoid(input: Tensor, inplace: bool = False):
    """A sigmoid of three straight lines: x / 6 + 1 / 2 limited to [0, 1]."""
    return _run(ops.hardsigmoid, input, inplace)


def hardswish(input: Tensor, inplace: bool = False):
    """x times hardsigmoid(x)."""
    return _run(ops.hardswish, input, inplace)


def softshrink(input: Tensor, lambd: float = 0.5, *, out: Tensor | None = None):
    """x moved lambd closer to 0, and 0 within lambd of it."""
    if lambd < 0:
        raise ArgumentError(f"softshrink: lambda must be greater or equal to 0, but found to be {lambd}.")
    return into("softshrink", out, ops.softshrink(input, lambd=lambd))


def threshold(input: Tensor, threshold: float, value: float, inplace: bool = False):
    """x above threshold, else value."""
    return _run(ops.threshold, input, inplace, threshold=threshold, value=value)


def threshold_(input: Tensor, threshold: float, value: float):
    """threshold in place."""
    return _run(ops.threshold, input, True, threshold=threshold, value=value)


# --- curves ----------------------------------------------------------------------------------------------------------

def sigmoid(input: Tensor):
    """1 / (1 + exp(-x))."""
    return input.sigmoid()


def tanh(input: Tensor):
    """The hyperbolic tangent."""
    return input.tanh()


def elu(input: Tensor, alpha: float = 1.0, inplace: bool = False):
    """x above 0, alpha * (exp(x) - 1) below."""
    return _run(ops.elu, input, inplace, alpha=alpha)


def elu_(input: Tensor, alpha: float = 1.0):
    """elu in place."""
    return elu(input, alpha, True)


def celu(input: Tensor, alpha: float = 1.0, inplace: bool = False):
    """x above 0, alpha * (exp(x / alpha) - 1) below."""
    if alpha == 0:
        raise ArgumentError("celu: alpha cannot be 0, since x is divided by it")
    return _run(ops.celu, input, inplace, alpha=alpha)


def celu_(input: Tensor, alpha: float = 1.0):
    """celu in place."""
    return celu(input, alpha, True)


def selu(input: Tensor, inplace: bool = False):
    """elu scaled so that activations keep mean 0 and variance 1.  Source: Klambauer et al. 2017."""
    return _run(ops.selu, input, inplace)


def selu_(input: Tensor):
    """selu in place."""
    return selu(input, True)


def gelu(input: Tensor, approximate: str = "none", *, out: Tensor | None = None):
    """x times the normal distribution function at x; approximate="tanh" computes it by tanh."""
    if approximate not in ("none", "tanh"):
        raise ArgumentError(f"gelu: approximate argument must be either none or tanh, got {approximate!r}")
    return into("gelu", out, (ops.gelu if approximate == "none" else ops.gelu_tanh)(input))


def silu(input: Tensor, inplace: bool = False):
    """x * sigmoid(x), also called swish."""
    return _run(ops.silu, input, inplace)


def mish(input: Tensor, inplace: bool = False):
    """x * tanh(softplus(x))."""
    return _run(ops.mish, input, inplace)


def softplus(input: Tensor, beta: float = 1.0, threshold: float = 20.0, *, out: Tensor | None = None):
    """log(1 + exp(beta x)) / beta, and x itself where beta x is above threshold."""
    return into("softplus", out, ops.softplus(input, beta=beta, threshold=threshold))


def logsigmoid(input: Tensor, *, out: Tensor | None = None):
    """log(sigmoid(x)), without overflow."""
    return into("logsigmoid", out, ops.logsigmoid(input))


def softsign(input: Tensor):
    """x / (1 + |x|)."""
    return ops.softsign(input)


def tanhshrink(input: Tensor):
    """x - tanh(x)."""
    return ops.tanhshrink(input)


def glu(input: Tensor, dim: int = -1):
    """The first half of input along dim times the sigmoid of the second half."""
    if not input.ndim:
        raise ShapeError("glu does not support scalars because halving size must be even")
    size = input.shape[normalize_dim(dim, input.ndim, "glu")]
    if size % 2:
        raise ShapeError(f"glu: Halving dimension must be even, but dimension {dim} is size {size}")
    return ops.glu(input.narrow(dim, 0, size // 2), input.narrow(dim, size // 2, size // 2))


# --- over a dimension ------------------------------------------------------------------------------------------------


def _dim(name, input, dim):
    if dim is not None:
        return dim
    warnings.warn(f"Implicit dimension choice for {name} has been deprecated. Change the call to include dim=X as an "
                  "argument.", stacklevel=4)
    return 0 if input.ndim in (0, 1, 3) else 1


def softmax(input: Tensor, dim: int | Sequence[int] | None = None, _stacklevel: int = 3, dtype: dtype | None = None):
    """exp(input) normalised to sum 1 over dim."""
    return _softmax(input, _dim("softmax", input, dim), dtype)


def softmin(input: Tensor, dim: int | Sequence[int] | None = None, _stacklevel: int = 3, dtype: dtype | None = None):
    """softmax of the negated input."""
    return _softmax(-input, _dim("softmin", input, dim), dtype)


def log_softmax(input: Tensor, dim: int | Sequence[int] | None = None, _stacklevel: int = 3, dtype: dtype | None = None):
    """The logarithm of softmax over dim, computed without forming it."""
    return _log_softmax(input, _dim("log_softmax", input, dim), dtype)


@in_float32
def gumbel_softmax(logits: Tensor, tau: float = 1.0, hard: bool = False, eps: float = 1e-10, dim: int = -1):
    """softmax over dim of (logits + Gumbel noise) / tau; hard gives one-hot samples with the soft gradient.

    eps is unused, as in PyTorch.
    """
    noise = -Tensor.log(logits.detach().new_empty(logits.shape).exponential_())
    soft = _softmax((logits + noise) / tau, dim)
    if not hard:
        return soft
    sample = soft.detach() * 0
    return sample.scatter(dim, soft.argmax(dim, keepdim=True), 1.0) - soft.detach() + soft
