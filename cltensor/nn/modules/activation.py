"""Activation layers, with the names of torch.nn."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

from ...base.dtypes import dtype
from ...base.errors import AssertedError, ShapeError
from ...runtime.device import device
from ...tensor.api.creation import empty
from ...tensor.core.tensor import Tensor
from .. import functional as F
from .. import init
from ..parameter import Parameter
from .attention import MultiheadAttention as MultiheadAttention
from .function_layer import FunctionLayer
from .module import Module

__all__ = ["CELU", "ELU", "GELU", "GLU", "SELU", "Hardshrink", "Hardsigmoid", "Hardswish", "Hardtanh", "LeakyReLU",
           "LogSigmoid", "LogSoftmax", "Mish", "MultiheadAttention", "PReLU", "RReLU", "ReLU", "ReLU6", "SiLU", "Sigmoid",
           "Softmax", "Softmax2d", "Softmin", "Softplus", "Softshrink", "Softsign", "Tanh", "Tanhshrink", "Threshold"]


class _Plain(FunctionLayer):
    """A function without settings."""

    def __init__(self):
        super().__init__()


class ReLU(FunctionLayer):
    """max(x, 0)."""

    function = staticmethod(F.relu)

    def __init__(self, inplace: bool = False):
        super().__init__(inplace=inplace)


class ReLU6(FunctionLayer):
    """x limited to [0, 6]."""

    function = staticmethod(F.relu6)

    def __init__(self, inplace: bool = False):
        super().__init__(inplace=inplace)


class LeakyReLU(FunctionLayer):
    """x above 0, negative_slope * x below."""

    function = staticmethod(F.leaky_relu)

    def __init__(self, negative_slope: float = 0.01, inplace: bool = False):
        super().__init__(negative_slope=negative_slope, inplace=inplace)


class RReLU(FunctionLayer):
    """x above 0; below, x times a slope drawn from [lower, upper] in training, else times their mean."""

    function = staticmethod(F.rrelu)

    def __init__(self, lower: float = 1.0 / 8, upper: float = 1.0 / 3, inplace: bool = False):
        super().__init__(lower=lower, upper=upper, inplace=inplace)

    def forward(self, input: Tensor):
        return F.rrelu(input, self.lower, self.upper, self.training, self.inplace)


class ELU(FunctionLayer):
    """x above 0, alpha * (exp(x) - 1) below."""

    function = staticmethod(F.elu)

    def __init__(self, alpha: float = 1.0, inplace: bool = False):
        super().__init__(alpha=alpha, inplace=inplace)


class CELU(FunctionLayer):
    """x above 0, alpha * (exp(x / alpha) - 1) below."""

    function = staticmethod(F.celu)

    def __init__(self, alpha: float = 1.0, inplace: bool = False):
        super().__init__(alpha=alpha, inplace=inplace)


class SELU(FunctionLayer):
    """ELU scaled so that activations keep mean 0 and variance 1."""

    function = staticmethod(F.selu)

    def __init__(self, inplace: bool = False):
        super().__init__(inplace=inplace)


class GELU(FunctionLayer):
    """x times the normal distribution function at x; approximate="tanh" computes it by tanh."""

    function = staticmethod(F.gelu)

    def __init__(self, approximate: str = "none"):
        super().__init__(approximate=approximate)


class SiLU(FunctionLayer):
    """x * sigmoid(x), also called swish."""

    function = staticmethod(F.silu)

    def __init__(self, inplace: bool = False):
        super().__init__(inplace=inplace)


class Mish(FunctionLayer):
    """x * tanh(softplus(x))."""

    function = staticmethod(F.mish)

    def __init__(self, inplace: bool = False):
        super().__init__(inplace=inplace)


class Hardtanh(FunctionLayer):
    """x limited to [min_val, max_val]."""

    function = staticmethod(F.hardtanh)

    def __init__(self, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False, min_value: float | None = None,
                 max_value: float | None = None):
        for word, older in (("min_val", min_value), ("max_val", max_value)):
            if older is not None:
                warnings.warn(f"keyword argument `{word}ue` is deprecated and renamed to `{word}`", FutureWarning, stacklevel=2)
        min_val = min_val if min_value is None else min_value
        max_val = max_val if max_value is None else max_value
        if not min_val < max_val:
            raise AssertedError(f"Hardtanh: max_val ({max_val}) must be greater than min_val ({min_val})")
        super().__init__(min_val=min_val, max_val=max_val, inplace=inplace)


class Hardswish(FunctionLayer):
    """x times hardsigmoid(x)."""

    function = staticmethod(F.hardswish)

    def __init__(self, inplace: bool = False):
        super().__init__(inplace=inplace)


class Hardsigmoid(FunctionLayer):
    """x / 6 + 1 / 2 limited to [0, 1]."""

    function = staticmethod(F.hardsigmoid)
    hidden = ("inplace",)

    def __init__(self, inplace: bool = False):
        super().__init__(inplace=inplace)


class Hardshrink(FunctionLayer):
    """x, and 0 within lambd of 0."""

    function = staticmethod(F.hardshrink)

    def __init__(self, lambd: float = 0.5):
        super().__init__(lambd=lambd)

    def extra_repr(self):
        return str(self.lambd)


class Softshrink(FunctionLayer):
    """x moved lambd closer to 0, and 0 within lambd of it."""

    function = staticmethod(F.softshrink)

    def __init__(self, lambd: float = 0.5):
        super().__init__(lambd=lambd)

    def extra_repr(self):
        return str(self.lambd)


class Threshold(FunctionLayer):
    """x above threshold, else value."""

    function = staticmethod(F.threshold)

    def __init__(self, threshold: float, value: float, inplace: bool = False):
        super().__init__(threshold=threshold, value=value, inplace=inplace)


class Softplus(FunctionLayer):
    """log(1 + exp(beta x)) / beta, and x where beta x is above threshold."""

    function = staticmethod(F.softplus)

    def __init__(self, beta: float = 1.0, threshold: float = 20.0):
        super().__init__(beta=beta, threshold=threshold)


class Sigmoid(_Plain):
    """1 / (1 + exp(-x))."""

    function = staticmethod(F.sigmoid)


class Tanh(_Plain):
    """The hyperbolic tangent."""

    function = staticmethod(F.tanh)


class LogSigmoid(_Plain):
    """log(sigmoid(x)), without overflow."""

    function = staticmethod(F.logsigmoid)


class Softsign(_Plain):
    """x / (1 + |x|)."""

    function = staticmethod(F.softsign)


class Tanhshrink(_Plain):
    """x - tanh(x)."""

    function = staticmethod(F.tanhshrink)


class GLU(FunctionLayer):
    """The first half of x along dim times the sigmoid of the second half."""

    function = staticmethod(F.glu)

    def __init__(self, dim: int = -1):
        super().__init__(dim=dim)


class Softmax(FunctionLayer):
    """exp(x) normalised to sum 1 over dim."""

    function = staticmethod(F.softmax)

    def __init__(self, dim: int | Sequence[int] | None = None):
        super().__init__(dim=dim)


class Softmin(FunctionLayer):
    """Softmax of -x."""

    function = staticmethod(F.softmin)

    def __init__(self, dim: int | Sequence[int] | None = None):
        super().__init__(dim=dim)


class LogSoftmax(FunctionLayer):
    """The logarithm of softmax over dim."""

    function = staticmethod(F.log_softmax)

    def __init__(self, dim: int | Sequence[int] | None = None):
        super().__init__(dim=dim)


class Softmax2d(Module):
    """Softmax over the channels of x (N, C, H, W) or (C, H, W)."""

    def forward(self, input: Tensor):
        if input.ndim not in (3, 4):
            raise ShapeError(f"Softmax2d: expected input to be 3D or 4D, got shape {list(input.shape)}")
        return F.softmax(input, -3)


class PReLU(Module):
    """x above 0, weight * x below, with one learned weight for all or one for each of num_parameters channels."""

    def __init__(self, num_parameters: int = 1, init: float = 0.25, device: device | str | int | None = None,
                 dtype: dtype | None = None):
        super().__init__()
        self.num_parameters, self.init = num_parameters, init
        self.weight = Parameter(empty(num_parameters, device=device, dtype=dtype))
        self.reset_parameters()

    def reset_parameters(self):
        """Set the weights to init."""
        init.constant_(self.weight, self.init)

    def forward(self, input: Tensor):
        return F.prelu(input, self.weight)

    def extra_repr(self):
        return f"num_parameters={self.num_parameters}"


def __dir__():
    return sorted(__all__)
