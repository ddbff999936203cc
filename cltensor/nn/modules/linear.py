"""Affine layers: Linear and Bilinear, and Identity."""

from __future__ import annotations

import math

from ...autograd.modes import no_grad
from ...base.dtypes import dtype
from ...base.errors import AssertedError
from ...ops.gemm.matmul import linear_activated
from ...runtime.device import device
from ...tensor.api.creation import empty
from ...tensor.core.tensor import Tensor
from .. import functional as F
from .. import init
from ..parameter import Parameter, UninitializedParameter, is_lazy
from .lazy import LazyModuleMixin
from .module import Module

__all__ = ["Bilinear", "Identity", "LazyLinear", "Linear"]


class Identity(Module):
    """Return the input; any constructor arguments are accepted."""

    def __init__(self, *args, **kwargs):
        super().__init__()

    def forward(self, input: Tensor):
        return input


class Linear(Module):
    """y = x @ weight.T + bias.  x: (*, in_features) -> (*, out_features).

    weight (out_features, in_features) and bias (out_features,) start uniform in +-1 / sqrt(in_features).
    """

    def __init__(self, in_features: int, out_features: int, bias: bool = True, device: device | str | int | None = None,
                 dtype: dtype | None = None):
        super().__init__()
        self.in_features, self.out_features = in_features, out_features
        self.weight = Parameter(empty(out_features, in_features, device=device, dtype=dtype))
        self.register_parameter("bias", Parameter(empty(out_features, device=device, dtype=dtype)) if bias else None)
        self.reset_parameters()

    def reset_parameters(self):
        """Give weight and bias new random values."""
        init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        if self.bias is not None:
            bound = 1 / math.sqrt(self.in_features) if self.in_features > 0 else 0
            init.uniform_(self.bias, -bound, bound)

    def forward(self, input: Tensor):
        return F.linear(input, self.weight, self.bias)

    def activated(self, input: Tensor, activation):
        """forward(input), then the op named `activation` (see ops.activated), in one launch."""
        return linear_activated(input, self.weight, self.bias, activation=activation)

    def extra_repr(self):
        return f"in_features={self.in_features}, out_features={self.out_features}, bias={self.bias is not None}"


class LazyLinear(LazyModuleMixin, Linear):
    """A Linear that takes in_features from its first input (*, in_features).  It is a Linear from then on.

    Floating dtypes.  Raises AssertedError where a loaded weight does not fit the input.  Source: the definition of Linear.

        >>> from cltensor import nn, ones
        >>> nn.LazyLinear(3)(ones(2, 5)).shape
        cltensor.Size([2, 3])
    """

    cls_to_become = Linear

    def __init__(self, out_features: int, bias: bool = True, device: device | str | int | None = None,
                 dtype: dtype | None = None):
        super().__init__(0, 0, False)
        self.out_features = out_features
        self.weight = UninitializedParameter(device=device, dtype=dtype)
        if bias:
            self.bias = UninitializedParameter(device=device, dtype=dtype)

    def reset_parameters(self):
        """Give weight and bias new random values, once they have a shape."""
        if self.in_features and not self.has_uninitialized_params():
            super().reset_parameters()

    def initialize_parameters(self, input: Tensor):
        """Give weight and bias their shapes and first values.  Raises AssertedError for a loaded weight that does not fit input."""
        features = input.shape[-1]
        if not is_lazy(self.weight):
            if self.weight.shape[-1] != features:
                raise AssertedError(f"LazyLinear: the in_features inferred from input: {features} is not equal to in_features from "
                                    f"self.weight: {self.weight.shape[-1]}")
            self.in_features = features
            if not self.has_uninitialized_params():
                return
        with no_grad():
            self.in_features = features
            for p, shape in ((self.weight, (self.out_features, features)), (self.bias, (self.out_features,))):
                if is_lazy(p):
                    p.materialize(shape)
            self.reset_parameters()


class Bilinear(Module):
    """y[..., k] = x1 @ weight[k] @ x2 + bias[k].  x1: (*, in1_features), x2: (*, in2_features) -> (*, out_features).

    weight (out_features, in1_features, in2_features) and bias start uniform in +-1 / sqrt(in1_features).
    """

    def __init__(self, in1_features: int, in2_features: int, out_features: int, bias: bool = True,
                 device: device | str | int | None = None, dtype: dtype | None = None):
        super().__init__()
        self.in1_features, self.in2_features, self.out_features = in1_features, in2_features, out_features
        self.weight = Parameter(empty(out_features, in1_features, in2_features, device=device, dtype=dtype))
        self.register_parameter("bias", Parameter(empty(out_features, device=device, dtype=dtype)) if bias else None)
        self.reset_parameters()

    def reset_parameters(self):
        """Give weight and bias new random values."""
        bound = 1 / math.sqrt(self.weight.shape[1])
        for p in self.parameters():
            init.uniform_(p, -bound, bound)

    def forward(self, input1: Tensor, input2: Tensor):
        return F.bilinear(input1, input2, self.weight, self.bias)

    def extra_repr(self):
        return (f"in1_features={self.in1_features}, in2_features={self.in2_features}, out_features={self.out_features}, "
                f"bias={self.bias is not None}")


def __dir__():
    return sorted(__all__)
