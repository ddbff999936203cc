"""A linear layer and the cross entropy of its output, as one layer."""

from __future__ import annotations

import math

from ...base.dtypes import dtype
from ...runtime.device import device
from ...tensor.core.tensor import Tensor
from .. import functional as F
from ..functional.chunked_cross_entropy import LinearCrossEntropyOptions
from .linear import Linear
from .module import Module


class LinearCrossEntropyLoss(Module):
    """Cross entropy of a linear layer's output for input (N, in_features) or (in_features,); see F.linear_cross_entropy.

    out_features: further sizes of the target, (N, *out_features) class numbers of int64 or (N, num_classes, *out_features)
    probabilities.  linear: the layer, without bias unless `bias`.  options: LinearCrossEntropyOptions, for less memory.

    Raises ShapeError, ArgumentError as F.linear_cross_entropy.  Source: its definition.

        >>> from cltensor import nn, randn, tensor
        >>> nn.LinearCrossEntropyLoss(4, 5)(randn(3, 4), tensor([1, 2, 4])).shape
        cltensor.Size([])
    """

    def __init__(self, in_features: int, num_classes: int, *, out_features: tuple[int, ...] = (), bias: bool = False,
                 device: device | str | int | None = None, dtype: dtype | None = None, reduction: str = "mean",
                 weight: Tensor | None = None, ignore_index: int | None = None, label_smoothing: float = 0.0,
                 options: LinearCrossEntropyOptions | None = None):
        super().__init__()
        self.num_classes, self.out_features = num_classes, tuple(out_features)
        self.reduction, self.ignore_index, self.label_smoothing, self.options = reduction, ignore_index, label_smoothing, options
        self.register_buffer("weight", weight)
        self.linear = Linear(in_features, num_classes * math.prod(self.out_features), bias=bias, device=device, dtype=dtype)

    def forward(self, input: Tensor, target: Tensor):
        shape = (self.num_classes, *self.out_features)
        bias = None if self.linear.bias is None else self.linear.bias.reshape(shape)
        return F.linear_cross_entropy(input, self.linear.weight.reshape(*shape, -1), target, linear_bias=bias, weight=self.weight,
                                      reduction=self.reduction, ignore_index=self.ignore_index,
                                      label_smoothing=self.label_smoothing, options=self.options)

    def extra_repr(self):
        return (f"in_features={self.linear.in_features}, num_classes={self.num_classes}, out_features={self.out_features}, "
                f"bias={self.linear.bias is not None}, reduction={self.reduction}, ignore_index={self.ignore_index}, "
                f"label_smoothing={self.label_smoothing}, options={self.options}")
